#include "bms/cell_count.hpp"

#include <algorithm>
#include <cmath>

namespace bmsd::bms {
namespace {

/// Of a cell: what is told of the pack and of its cells is measured apart, and not at the same moment. A number that is
/// known must be plainly wrong.
constexpr double inexact = 0.2, plainly = 0.6;
/// Batteries of LiFePO4 allow 3.45 to 3.65 V per cell.
constexpr double allowed_cell_v = 3.55;

struct Range {
    double fewest = 1, most = static_cast<double>(max_cells);

    [[nodiscard]] bool has(const Number& count) const { return count && *count >= fewest && *count <= most; }
};

/// Each cell lies between the lowest and the highest.
Range possible(const Reading& reading, double tolerance) {
    const double pack = *reading.voltage_v, low = *reading.min_cell_voltage_v, high = *reading.max_cell_voltage_v;
    Range range{std::ceil(pack / high - tolerance), std::floor(pack / low + tolerance)};
    if (range.fewest > range.most) range.fewest = range.most = std::round(2 * pack / (low + high));
    return range;
}

}  // namespace

Number estimated_cells(const Reading& reading, const Reading* known) {
    const Number before = known ? known->cell_count : Number{};
    const Number allowed = reading.max_battery_voltage_v;
    const Number fitting = allowed ? Number{std::round(*allowed / allowed_cell_v)} : Number{};
    if (!reading.voltage_v || !reading.min_cell_voltage_v || !reading.max_cell_voltage_v) {
        if (before) return before;
        return Range{}.has(fitting) ? fitting : Number{};
    }
    if (*reading.min_cell_voltage_v <= 0 || *reading.max_cell_voltage_v < 1) return before;
    if (possible(reading, plainly).has(before)) return before;
    const Range range = possible(reading, inexact);
    if (range.has(fitting)) return fitting;
    return Range{}.has(range.fewest) ? Number{range.fewest} : Number{};
}

}  // namespace bmsd::bms
