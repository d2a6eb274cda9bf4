#include "control/control.hpp"

#include <algorithm>
#include <cmath>

namespace bmsd::control {
namespace {

using namespace std::chrono_literals;

/// Values are old after this long, or after two polls if that is longer.
constexpr auto stale_after = 10s;
/// A battery is lost, and limits go to zero when the policy says so, after this long.
constexpr auto lost_after = 60s;
/// The cable alarm as a warning starts one second later than `lost`, as users of the reference know it.
constexpr auto warn_after = 61s;

constexpr const char* blocked_by_bms = "BMS";

/// A cell above this cannot be real; battery-logic section 1.
bool plausible(const Number& cell, const Parameters& parameters) {
    return cell && *cell <= 2 * parameters.max_cell_v;
}

/// Number, from 1, of the first cell with this voltage; 0 if there is none.
std::size_t number_of(const Cells& cells, const Number& voltage) {
    if (!voltage) return 0;
    const auto found = std::find(cells.begin(), cells.end(), voltage);
    return found == cells.end() ? 0 : static_cast<std::size_t>(found - cells.begin()) + 1;
}

void summarise_cells(const Reading& reading, const Parameters& parameters, Summary& summary) {
    double sum = 0;
    for (const Number& cell : reading.cell_voltages_v) {
        if (!plausible(cell, parameters)) continue;
        sum += *cell;
        summary.cell_sum_v = sum;
        if (!summary.min_cell_v || *cell < *summary.min_cell_v) summary.min_cell_v = cell;
        if (!summary.max_cell_v || *cell > *summary.max_cell_v) summary.max_cell_v = cell;
    }
    if (plausible(reading.min_cell_voltage_v, parameters)) summary.min_cell_v = reading.min_cell_voltage_v;
    if (plausible(reading.max_cell_voltage_v, parameters)) summary.max_cell_v = reading.max_cell_voltage_v;
    summary.min_cell = number_of(reading.cell_voltages_v, summary.min_cell_v);
    summary.max_cell = number_of(reading.cell_voltages_v, summary.max_cell_v);
    if (summary.min_cell_v && summary.max_cell_v) summary.cell_diff_v = *summary.max_cell_v - *summary.min_cell_v;
}

void summarise_temperatures(const Reading& reading, const Parameters& parameters, Summary& summary) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < reading.temperatures_c.size(); ++i) {
        const Number& sensor = reading.temperatures_c[i];
        const auto& sources = parameters.temperature_sources;
        if (!sensor || std::find(sources.begin(), sources.end(), static_cast<int>(i + 1)) == sources.end()) continue;
        sum += *sensor;
        ++count;
        // Of equal sensors the lowest number is the coldest, the highest number the warmest.
        if (!summary.min_temperature_c || *sensor < *summary.min_temperature_c)
            summary.min_temperature_c = sensor, summary.min_sensor = i + 1;
        if (!summary.max_temperature_c || *sensor >= *summary.max_temperature_c)
            summary.max_temperature_c = sensor, summary.max_sensor = i + 1;
    }
    if (count > 0) summary.temperature_c = sum / count;
}

void summarise_amounts(const Reading& reading, Summary& summary) {
    summary.current_a = reading.current_a;
    // A switched-off FET conducts in the other direction only; what is left is an offset of the shunt.
    if (summary.current_a && reading.discharge_fet == false) summary.current_a = std::max(0.0, *summary.current_a);
    if (summary.current_a && reading.charge_fet == false) summary.current_a = std::min(0.0, *summary.current_a);
    if (summary.current_a && reading.voltage_v) summary.power_w = *summary.current_a * *reading.voltage_v;

    if (reading.capacity_remaining_ah)
        summary.remaining_ah = reading.capacity_remaining_ah;
    else if (reading.capacity_ah && reading.soc_percent)
        summary.remaining_ah = *reading.capacity_ah * *reading.soc_percent / 100;
    if (summary.remaining_ah && reading.capacity_ah)
        summary.consumed_ah = -std::abs(*reading.capacity_ah - *summary.remaining_ah);
}

/// Neither direction is allowed, and the limits say so.
void block(Limits& limits) {
    limits.ccl_a = 0;
    limits.dcl_a = 0;
    limits.allow_charge = false;
    limits.allow_discharge = false;
    limits.charge_limitation = blocked_by_bms;
    limits.discharge_limitation = blocked_by_bms;
}

}  // namespace

Summary summarise(const Reading& reading, const Parameters& parameters) {
    Summary summary;
    summarise_cells(reading, parameters, summary);
    summarise_temperatures(reading, parameters, summary);
    summarise_amounts(reading, summary);
    return summary;
}

void set_limits(Battery& battery, const Parameters& parameters) {
    const Reading& reading = battery.reading;
    Limits& limits = battery.limits;
    const Number cells = reading.cell_count;
    const auto per_pack = [&](double per_cell) -> Number {
        if (!cells) return std::nullopt;
        return std::round(per_cell * *cells * 100) / 100;
    };
    limits.cvl_v = per_pack(parameters.max_cell_v);
    limits.low_voltage_v = per_pack(parameters.min_cell_v);
    limits.max_cell_v = parameters.max_cell_v;
    limits.allow_charge = reading.charge_fet.value_or(true) && !battery.config_blocks;
    limits.allow_discharge = reading.discharge_fet.value_or(true) && !battery.config_blocks;
    limits.allow_balance = reading.balance_fet;
    limits.allow_heat = reading.heating_enabled;
    limits.ccl_a = *limits.allow_charge ? parameters.max_charge_current_a : 0.0;
    limits.dcl_a = *limits.allow_discharge ? parameters.max_discharge_current_a : 0.0;
    limits.charge_limitation = *limits.allow_charge ? "Max Battery Charge Current" : blocked_by_bms;
    limits.discharge_limitation = *limits.allow_discharge ? "Max Battery Discharge Current" : blocked_by_bms;
    limits.charge_mode = "Bulk │ Linear Mode";
}

bool apply_silence(Battery& battery, const Parameters& parameters, std::chrono::milliseconds silent,
                   std::chrono::milliseconds poll) {
    const bool was_online = battery.online;
    const LinkState was_state = battery.link.state;
    const Level was_cable = battery.cable_alarm;
    const bool never = battery.link.polls == 0;

    const auto stale_limit = std::max<std::chrono::milliseconds>(stale_after, 2 * poll);
    const auto lost_limit = std::max<std::chrono::milliseconds>(lost_after, stale_limit);
    const bool stale = silent > stale_limit;
    const bool lost = silent > lost_limit;
    battery.link.state = never   ? LinkState::starting
                         : lost  ? LinkState::lost
                         : stale ? LinkState::stale
                                 : LinkState::fresh;
    battery.online = !never && !stale;

    const Summary& cells = battery.summary;
    const bool cells_in_window = cells.min_cell_v && cells.max_cell_v &&
                                 *cells.min_cell_v > parameters.block_min_cell_v &&
                                 *cells.max_cell_v < parameters.block_max_cell_v;
    const bool may_go_on = cells_in_window && !parameters.block_on_disconnect;
    const bool given_up = lost && (!may_go_on || silent > parameters.block_timeout);
    if (given_up)
        battery.cable_alarm = Level::alarm;
    else if (silent > std::max<std::chrono::milliseconds>(warn_after, lost_limit) && parameters.cable_alarm)
        battery.cable_alarm = Level::warning;
    if (given_up || (stale && parameters.block_on_disconnect)) block(battery.limits);

    return battery.online != was_online || battery.link.state != was_state || battery.cable_alarm != was_cable;
}

}  // namespace bmsd::control
