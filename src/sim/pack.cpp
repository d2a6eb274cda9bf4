#include "sim/pack.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <numeric>

namespace bmsd::sim {
namespace {

constexpr double soh_percent = 99;
constexpr double cycles_at_start = 120;
constexpr double runtime_at_start_s = 200.0 * 86400;

// The profile: a slow house battery.
constexpr double profile_c_rate = 0.15;
constexpr double reverse_full_percent = 99;
constexpr double reverse_empty_percent = 10;
constexpr double ripple = 0.2;  // share of the current that the house's loads make come and go
constexpr double ripple_period_s = 600;

/// Longest time over which the current is taken as constant.
constexpr double slice_s = 10;

constexpr double room_c = 22.5;
constexpr double room_drift_c = 2;
constexpr double room_period_s = 7200;
constexpr std::size_t sensors = 4;
constexpr double mosfet_idle_c = 4;  // above the room
constexpr double mosfet_c_per_a = 0.1;
constexpr double mosfet_lag_s = 180;

/// What is asked within a poll comes from one measurement, or from two that follow each other.
constexpr double measured_every_s = 0.45;

constexpr double balance_from_v = 3.40;
constexpr double balance_spread_v = 0.005;
constexpr double balance_current_a = -0.8;

struct CurvePoint {
    double soc_percent;
    double volts;
};
/// Open-circuit voltage of a cell; reaches beyond 0..100 % for the cells that are ahead or behind.
constexpr std::array curve = {
    CurvePoint{-10, 2.40}, CurvePoint{0, 2.80},  CurvePoint{5, 3.05},  CurvePoint{10, 3.18},  CurvePoint{20, 3.24},
    CurvePoint{30, 3.27},  CurvePoint{40, 3.29}, CurvePoint{60, 3.31}, CurvePoint{80, 3.33},  CurvePoint{90, 3.345},
    CurvePoint{96, 3.37},  CurvePoint{98, 3.40}, CurvePoint{99, 3.43}, CurvePoint{100, 3.48}, CurvePoint{110, 3.65},
};

double open_circuit_voltage(double soc_percent) {
    const double soc = std::clamp(soc_percent, curve.front().soc_percent, curve.back().soc_percent);
    const auto above = std::find_if(curve.begin() + 1, curve.end() - 1,
                                    [&](const CurvePoint& point) { return soc <= point.soc_percent; });
    const auto below = above - 1;
    const double share = (soc - below->soc_percent) / (above->soc_percent - below->soc_percent);
    return std::lerp(below->volts, above->volts, share);
}

/// A number in -1..1 that is always the same for the same pack and index.
double scatter(std::uint32_t number, std::size_t index) {
    std::uint64_t x = (std::uint64_t{number} << 32) + index + 0x9E3779B97F4A7C15;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
    x ^= x >> 31;
    return static_cast<double>(x >> 11) / static_cast<double>(std::uint64_t{1} << 52) - 1;
}

double rounded(double value, double step) {
    return std::round(value / step) * step;
}

double wave(double time_s, double period_s, double phase = 0) {
    return std::sin(2 * std::numbers::pi * time_s / period_s + phase);
}

}  // namespace

Pack::Pack(const PackOptions& options)
    : options_(options),
      full_ah_(options.capacity_ah * soh_percent / 100),
      remaining_ah_(full_ah_ * std::clamp(options.soc_percent, 0.0, 100.0) / 100),
      total_charge_ah_(cycles_at_start * options.capacity_ah),
      total_discharge_ah_(total_charge_ah_) {
    options_.cells = std::clamp<std::size_t>(options.cells, 1, max_cells);
    for (std::size_t cell = 0; cell < options_.cells; ++cell)
        cell_offsets_percent_.push_back(options_.imbalance_percent * scatter(options_.number, cell));
    // The state of charge of the pack is the mean of its cells.
    const double mean = std::accumulate(cell_offsets_percent_.begin(), cell_offsets_percent_.end(), 0.0) /
                        static_cast<double>(options_.cells);
    for (double& offset : cell_offsets_percent_) offset -= mean;
    charging_ = options_.soc_percent < reverse_full_percent;
    current_a_ = profile_current();
    mosfet_c_ = room_c + mosfet_idle_c;

    char serial[16];
    std::snprintf(serial, sizeof serial, "24%010u", options_.number);
    reading_.serial_number = serial;
    reading_.unique_id = serial;
    reading_.custom_name = options_.name;
    reading_.model = options_.model;
    reading_.hardware_version = options_.hardware_version;
    reading_.software_version = options_.software_version;
    reading_.production_date = "2024-03-15";

    reading_.cell_count = static_cast<double>(options_.cells);
    reading_.capacity_ah = options_.capacity_ah;
    reading_.module_count = 1;
    reading_.capacity_full_ah = full_ah_;
    reading_.soh_percent = soh_percent;
    reading_.max_charge_current_a = std::round(options_.capacity_ah * 0.5);
    reading_.max_discharge_current_a = std::round(options_.capacity_ah * 0.7);
    reading_.max_battery_voltage_v = 3.65 * static_cast<double>(options_.cells);
    reading_.min_battery_voltage_v = 2.50 * static_cast<double>(options_.cells);
    reading_.heating_start_c = 0;
    reading_.heating_stop_c = 5;
    reading_.charge_fet = reading_.discharge_fet = reading_.balance_fet = true;
    reading_.heater_on = reading_.heating_enabled = false;
    reading_.cell_voltages_v.resize(options_.cells);
    for (std::size_t cell = 0; cell < options_.cells; ++cell)
        reading_.cell_resistances_ohm.push_back(
            rounded(0.065 + 0.005 * scatter(options_.number, max_cells + cell), 0.001));
    reading_.temperature_count = static_cast<double>(sensors);
    reading_.temperatures_c.resize(sensors);
    for (std::size_t alarm = 0; alarm < alarm_count; ++alarm) reading_.alarms.known(static_cast<Alarm>(alarm));
    measure();
}

void Pack::set_soc(double percent) {
    remaining_ah_ = full_ah_ * std::clamp(percent, 0.0, 100.0) / 100;
    measure();
}

void Pack::step(std::chrono::duration<double> dt) {
    if (dt.count() <= 0) return;
    for (double left = dt.count(); left > 0; left -= slice_s) advance(std::min(left, slice_s));
    since_measurement_s_ += dt.count();
    if (since_measurement_s_ >= measured_every_s) {
        since_measurement_s_ = 0;
        ++measurements_;
    }
    measure();
}

void Pack::advance(double seconds) {
    time_s_ += seconds;
    const double soc = 100 * remaining_ah_ / full_ah_;
    if (soc >= reverse_full_percent) charging_ = false;
    if (soc <= reverse_empty_percent) charging_ = true;
    current_a_ = profile_current();
    balance(seconds);

    const double moved_ah = current_a_ * seconds / 3600;
    remaining_ah_ = std::clamp(remaining_ah_ + moved_ah, 0.0, full_ah_);
    total_charge_ah_ += std::max(moved_ah, 0.0);
    total_discharge_ah_ += std::max(-moved_ah, 0.0);

    const double target_c = sensor_temperature(0) + mosfet_idle_c + mosfet_c_per_a * std::abs(current_a_);
    mosfet_c_ += (target_c - mosfet_c_) * (1 - std::exp(-seconds / mosfet_lag_s));
}

/// An active balancer: what the highest cell gives, the lowest one gets.
void Pack::balance(double seconds) {
    if (options_.balancer_a <= 0 || reading_.balancing_active != true) return;
    const auto [lowest, highest] = std::minmax_element(cell_offsets_percent_.begin(), cell_offsets_percent_.end());
    const double moved_percent = 100 * options_.balancer_a * seconds / 3600 / full_ah_;
    *highest -= moved_percent;
    *lowest += moved_percent;
}

void Pack::set_current(double current_a) {
    options_.fixed_current_a = current_a;
    current_a_ = current_a;
    measure();
}

double Pack::profile_current() const {
    if (options_.fixed_current_a) return *options_.fixed_current_a;
    const double phase = std::numbers::pi * scatter(options_.number, 2 * max_cells);
    const double strength = 1 + ripple * wave(time_s_, ripple_period_s, phase);
    return (charging_ ? 1 : -1) * profile_c_rate * options_.capacity_ah * strength;
}

double Pack::sensor_temperature(std::size_t sensor) const {
    const double phase = std::numbers::pi * scatter(options_.number, 2 * max_cells + 1 + sensor);
    return room_c + room_drift_c * wave(time_s_, room_period_s, phase);
}

/// 0, 1 or 2 digits more, never the same in two measurements; the values at different places do not move in step.
double Pack::jitter(std::size_t place) const {
    return options_.jitter ? static_cast<double>((measurements_ + place) % 3) : 0;
}

void Pack::measure() {
    measure_cells();
    reading_.current_a = rounded(current_a_ + 0.1 * jitter(0), 0.001);
    reading_.told_charging = current_a_ == 0 ? Flag{} : Flag{current_a_ > 0};
    reading_.soc_percent = 100 * remaining_ah_ / full_ah_;
    reading_.capacity_remaining_ah = remaining_ah_;
    reading_.total_charge_ah = total_charge_ah_;
    reading_.total_discharge_ah = total_discharge_ah_;
    reading_.cycles = std::floor(total_charge_ah_ / options_.capacity_ah);
    reading_.runtime_s = std::floor(runtime_at_start_s + time_s_);
    reading_.mosfet_temperature_c = rounded(mosfet_c_ + 0.1 * jitter(0), 0.1);
    reading_.environment_temperature_c = rounded(sensor_temperature(sensors), 0.1);
    for (std::size_t sensor = 0; sensor < sensors; ++sensor)
        reading_.temperatures_c[sensor] = rounded(sensor_temperature(sensor) + 0.1 * jitter(sensor), 0.1);
    const auto [coldest, warmest] = std::minmax_element(reading_.temperatures_c.begin(), reading_.temperatures_c.end());
    reading_.min_cell_temperature_c = *coldest;
    reading_.max_cell_temperature_c = *warmest;
}

void Pack::measure_cells() {
    const double soc = 100 * remaining_ah_ / full_ah_;
    double sum = 0, lowest = 0, highest = 0;
    for (std::size_t cell = 0; cell < options_.cells; ++cell) {
        const double volts = rounded(open_circuit_voltage(soc + cell_offsets_percent_[cell]) +
                                         current_a_ * options_.cell_resistance_ohm + 0.001 * jitter(cell),
                                     0.001);
        reading_.cell_voltages_v[cell] = volts;
        sum += volts;
        if (cell == 0 || volts < lowest) lowest = volts, reading_.min_cell_number = static_cast<double>(cell + 1);
        if (cell == 0 || volts > highest) highest = volts, reading_.max_cell_number = static_cast<double>(cell + 1);
    }
    reading_.voltage_v = sum;
    reading_.min_cell_voltage_v = lowest;
    reading_.max_cell_voltage_v = highest;
    const bool balancing = current_a_ > 0 && highest >= balance_from_v && highest - lowest >= balance_spread_v;
    reading_.balancing_active = balancing;
    reading_.balance_current_a = balancing ? balance_current_a : 0.0;
}

}  // namespace bmsd::sim
