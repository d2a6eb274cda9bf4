#include "bms/plausible.hpp"

#include <cmath>

namespace bmsd::bms {
namespace {

constexpr double lowest_pack_v = 2;
constexpr double highest_pack_v = 1000;
constexpr double highest_cell_v = 5;
constexpr double largest_current_a = 2000;
constexpr double coldest_c = -60;
constexpr double hottest_c = 200;

bool outside(const Number& value, double low, double high) noexcept {
    return value && !(*value >= low && *value <= high);
}

bool apart(const Number& a, const Number& b, double tolerance) noexcept {
    return a && b && !(std::abs(*a - *b) <= tolerance);
}

}  // namespace

std::string_view implausible(const Reading& reading) noexcept {
    if (outside(reading.voltage_v, lowest_pack_v, highest_pack_v)) return "the pack voltage is impossible";
    if (outside(reading.current_a, -largest_current_a, largest_current_a)) return "the current is impossible";
    if (outside(reading.soc_percent, 0, 100)) return "the state of charge is impossible";
    if (outside(reading.cell_count, 1, max_cells)) return "the number of cells is impossible";
    double sum = 0;
    bool all_known = !reading.cell_voltages_v.empty();
    for (const Number& cell : reading.cell_voltages_v) {
        if (outside(cell, 0, highest_cell_v)) return "a cell voltage is impossible";
        // An open wire reads 0 V and breaks the sum, not the battery.
        all_known = all_known && cell && *cell > 0;
        sum += cell.value_or(0);
    }
    if (all_known && apart(reading.voltage_v, sum, 0.15 * sum)) return "the cells do not add up to the pack voltage";
    for (const Number& sensor : reading.temperatures_c)
        if (outside(sensor, coldest_c, hottest_c)) return "a temperature is impossible";
    return {};
}

bool consistent(const Reading& first, const Reading& second) noexcept {
    return first.cell_count == second.cell_count && first.cell_voltages_v.size() == second.cell_voltages_v.size() &&
           !apart(first.voltage_v, second.voltage_v, 0.05 * first.voltage_v.value_or(0)) &&
           !apart(first.soc_percent, second.soc_percent, 2);
}

}  // namespace bmsd::bms
