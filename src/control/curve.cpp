#include "control/curve.hpp"

#include <algorithm>

namespace bmsd::control {
namespace {

struct Point {
    double x, y;
};

/// On the line from `a` to `b`, never outside their values.
double between(Point a, Point b, double x) {
    const double y = b.y + (x - b.x) / (a.x - b.x) * (a.y - b.y);
    return std::clamp(y, std::min(a.y, b.y), std::max(a.y, b.y));
}

}  // namespace

double fraction_at(const Curve& curve, CurveShape shape, StepSide zero_side, double x) {
    const std::size_t count = curve.x.size();
    if (count == 0 || curve.fraction.size() != count) return 0;
    const bool descending = curve.x.front() > curve.x.back();
    const auto place = [&](std::size_t i) { return descending ? count - 1 - i : i; };
    const auto point = [&](std::size_t i) { return Point{curve.x[place(i)], curve.fraction[place(i)]}; };
    if (x <= point(0).x) return point(0).y;
    std::size_t above = 1;
    while (above < count && curve.x[place(above)] < x) ++above;
    if (above == count) return point(count - 1).y;
    const Point a = point(above - 1), b = point(above);
    if (x == b.x) return b.y;
    if (shape == CurveShape::linear) return between(a, b, x);
    const double smaller = std::min(a.y, b.y);
    // A limit of 0 begins where the curve reaches 0, not one point early.
    if (smaller == 0) return zero_side == StepSide::lower_x ? a.y : b.y;
    return smaller;
}

double corrected(std::span<const double> x, std::span<const double> y, double value) {
    if (x.empty() || x.size() != y.size() || std::equal(x.begin(), x.end(), y.begin())) return value;
    if (value <= x.front()) return y.front() + (value - x.front());
    if (value >= x.back()) return y.back() + (value - x.back());
    const auto above = static_cast<std::size_t>(std::upper_bound(x.begin(), x.end(), value) - x.begin());
    return between({x[above - 1], y[above - 1]}, {x[above], y[above]}, value);
}

}  // namespace bmsd::control
