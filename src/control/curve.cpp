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
    // From the smallest x: its place, and where the next one is.
    std::size_t place = descending ? count - 1 : 0;
    const std::size_t next = descending ? std::size_t(-1) : 1;
    if (x <= curve.x[place]) return curve.fraction[place];
    for (std::size_t left = count - 1; left > 0 && curve.x[place] < x; --left) place += next;
    if (curve.x[place] < x) return curve.fraction[place];
    const Point a{curve.x[place - next], curve.fraction[place - next]}, b{curve.x[place], curve.fraction[place]};
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
