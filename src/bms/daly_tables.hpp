// What stands in the answers of Daly's classic protocol, whichever way their eight bytes come. Facts: dossier daly §5.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "bms/family.hpp"

namespace bmsd::bms {

inline constexpr std::array daly_status_rows = {
    Row{&Reading::cell_count, 0, Wire::u8},
    Row{&Reading::temperature_count, 1, Wire::u8},
    Row{&Reading::cycles, 5, Wire::u16be},
};
inline constexpr std::array daly_rated_rows = {
    Row{&Reading::capacity_ah, 0, Wire::u32be, 0.001, 0, 0},
};
inline constexpr std::array daly_totals_rows = {
    Row{&Reading::voltage_v, 0, Wire::u16be, 0.1},
    Row{&Reading::soc_percent, 6, Wire::u16be, 0.1},
};
inline constexpr std::array daly_extremes_rows = {
    Row{&Reading::max_cell_voltage_v, 0, Wire::u16be, 0.001},
    Row{&Reading::max_cell_number, 2, Wire::u8, 1, 0, 0},
    Row{&Reading::min_cell_voltage_v, 3, Wire::u16be, 0.001},
    Row{&Reading::min_cell_number, 5, Wire::u8, 1, 0, 0},
};
inline constexpr std::array daly_fets_rows = {
    Row{&Reading::capacity_remaining_ah, 4, Wire::u32be, 0.001},
};
inline constexpr std::array daly_fets_flags = {
    FlagRow{&Reading::charge_fet, 1},
    FlagRow{&Reading::discharge_fet, 2},
};

/// Raw value of no current (§5.1).
inline constexpr double daly_current_zero = 30000;

/// §5.2: most boards count discharging upwards, those with an active balancer charging.
inline double daly_current(std::span<const std::uint8_t> totals, const Options& options) {
    const double up = (static_cast<double>(get(totals, 4, Wire::u16be)) - daly_current_zero) / 10;
    return (options.invert_current ? up : -up) + 0.0;
}

/// The reverse, for the simulator.
inline void put_daly_current(const Reading& state, const Options& options, std::span<std::uint8_t> totals) {
    const double up = state.current_a.value_or(0) * (options.invert_current ? 10 : -10);
    put(totals, 4, Wire::u16be, std::lround(std::clamp(up + daly_current_zero, 0.0, 65535.0)));
}

/// §5.8: byte 0 bit 0 is cell 1. While nobody knows the number of cells, only whether any is balanced.
inline void read_daly_balancing(std::span<const std::uint8_t> bits, Reading& reading, std::size_t cells) {
    constexpr std::size_t most = 48;
    const auto balanced = [&](std::size_t cell) { return ((bits[cell / 8] >> (cell % 8)) & 1) != 0; };
    reading.cell_balancing.clear();
    reading.balancing_active = false;
    for (std::size_t cell = 0; cell < (cells == 0 ? most : cells); ++cell) {
        if (cells > 0) reading.cell_balancing.push_back(balanced(cell));
        if (balanced(cell)) reading.balancing_active = true;
    }
}

/// §5.5: byte 0 of 0x93.
inline constexpr std::uint8_t daly_charges = 1;
inline constexpr std::uint8_t daly_discharges = 2;

inline void read_daly_direction(std::span<const std::uint8_t> switches, Reading& reading) {
    reading.told_charging.reset();
    if (switches[0] == daly_charges || switches[0] == daly_discharges)
        reading.told_charging = switches[0] == daly_charges;
}

/// The reverse, for the simulator.
inline void put_daly_direction(const Reading& state, std::span<std::uint8_t> switches) {
    if (state.told_charging) switches[0] = *state.told_charging ? daly_charges : daly_discharges;
}

/// Family::doubt. §5.2: what the sign means differs between boards, and only their own word tells.
inline std::string_view daly_doubt(const Reading& reading) {
    if (!reading.told_charging || !reading.current_a || std::abs(*reading.current_a) <= 1) return {};
    if ((*reading.current_a > 0) == *reading.told_charging) return {};
    return "the current has the wrong sign: it says that the battery is charged while the BMS says that it is "
           "discharged, or the reverse; change INVERT_CURRENT_MEASUREMENT of this port";
}

}  // namespace bmsd::bms
