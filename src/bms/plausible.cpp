#include "bms/plausible.hpp"

#include <algorithm>
#include <cmath>

#include "model/quantities.hpp"

namespace bmsd::bms {
namespace {

constexpr double lowest_pack_v = 2;
constexpr double highest_pack_v = 1000;
constexpr double highest_cell_v = 5;
constexpr double largest_current_a = 2000;
constexpr double coldest_c = -60;
constexpr double hottest_c = 200;

/// Largest changes that need no second look. The real ones beyond, a big load switched or a state of charge corrected,
/// only cost another reading.
constexpr double voltage_share = 0.02;
constexpr double cell_change_v = 0.11;  // one step of those who tell tenths
constexpr double temperature_change_c = 3;
struct Step {
    NumberMember of;
    double largest;
    std::string_view why;
};
constexpr Step steps[] = {
    {&Reading::current_a, 50, "the current jumped"},
    {&Reading::soc_percent, 1, "the state of charge jumped"},
    {&Reading::capacity_ah, 1, "the capacity changed"},
    {&Reading::capacity_remaining_ah, 5, "the remaining capacity jumped"},
    {&Reading::cell_count, 0, "the number of cells changed"},
    {&Reading::min_cell_voltage_v, cell_change_v, "a cell voltage jumped"},
    {&Reading::max_cell_voltage_v, cell_change_v, "a cell voltage jumped"},
    {&Reading::min_cell_temperature_c, temperature_change_c, "a temperature jumped"},
    {&Reading::max_cell_temperature_c, temperature_change_c, "a temperature jumped"},
    {&Reading::mosfet_temperature_c, 10, "the temperature of the MOSFETs jumped"},
    {&Reading::max_charge_current_a, 20, "the limit of the charge current changed"},
    {&Reading::max_discharge_current_a, 20, "the limit of the discharge current changed"},
    {&Reading::max_battery_voltage_v, 1, "the limit of the charge voltage changed"},
};

bool outside(const Number& value, double low, double high) noexcept {
    return value && !(*value >= low && *value <= high);
}

bool apart(const Number& a, const Number& b, double tolerance) noexcept {
    return a && b && !(std::abs(*a - *b) <= tolerance);
}

/// True if it is not any more what it was; there is nothing to compare with what was not known.
bool changed(const Number& before, const Number& now, double largest) noexcept {
    return before && (!now || apart(before, now, largest));
}

template <class List>
bool changed(const List& before, const List& now, double largest) noexcept {
    return !before.empty() &&
           !std::equal(before.begin(), before.end(), now.begin(), now.end(),
                       [largest](const Number& a, const Number& b) { return !changed(a, b, largest); });
}

template <class Value>
bool changed(const std::optional<Value>& before, const std::optional<Value>& now) noexcept {
    return before && before != now;
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

std::string_view jump(const Reading& before, const Reading& now) noexcept {
    if (changed(before.voltage_v, now.voltage_v, voltage_share * before.voltage_v.value_or(0)))
        return "the pack voltage jumped";
    for (const Step& step : steps)
        if (changed(before.*step.of, now.*step.of, step.largest)) return step.why;
    if (changed(before.cell_voltages_v, now.cell_voltages_v, cell_change_v)) return "a cell voltage jumped";
    if (changed(before.temperatures_c, now.temperatures_c, temperature_change_c)) return "a temperature jumped";
    if (changed(before.charge_fet, now.charge_fet) || changed(before.discharge_fet, now.discharge_fet))
        return "a MOSFET was switched";
    for (const TextQuantity& text : text_quantities())  // some of them are who the battery is
        if (changed(before.*text.member, now.*text.member)) return "a name or a version changed";
    return {};
}

}  // namespace bmsd::bms
