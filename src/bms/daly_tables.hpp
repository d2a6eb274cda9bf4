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
    Row{&Reading::min_cell_voltage_v, 3, Wire::u16be, 0.001},
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

}  // namespace bmsd::bms
