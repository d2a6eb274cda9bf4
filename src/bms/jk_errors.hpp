// The error word of JK's boards since 2023, over whichever link it comes. Facts: dossier jkbms_pb §7.
#pragma once

#include <array>

#include "bms/layout.hpp"

namespace bmsd::bms {

struct JkError {
    std::uint8_t bit;
    Alarm alarm;
    Level level = Level::alarm;
};

// Bits 0, 18, 19, 23 and 28 are no alarm: wire resistance, GPS, factory password, PCL module.
inline constexpr std::array jk_error_list = {
    JkError{1, Alarm::high_internal_temperature},
    JkError{2, Alarm::internal_failure},
    JkError{3, Alarm::internal_failure},
    JkError{4, Alarm::high_cell_voltage},
    JkError{5, Alarm::high_voltage},
    JkError{6, Alarm::high_charge_current},
    JkError{7, Alarm::high_charge_current},
    JkError{8, Alarm::high_charge_temperature},
    JkError{9, Alarm::low_charge_temperature},
    JkError{10, Alarm::internal_failure},
    JkError{11, Alarm::low_cell_voltage},
    JkError{12, Alarm::low_voltage},
    JkError{13, Alarm::high_discharge_current},
    JkError{14, Alarm::high_discharge_current},
    JkError{15, Alarm::high_temperature},
    JkError{16, Alarm::internal_failure},
    JkError{17, Alarm::internal_failure},
    JkError{20, Alarm::internal_failure},
    JkError{21, Alarm::high_temperature},
    JkError{22, Alarm::internal_failure, Level::warning},
    JkError{24, Alarm::internal_failure},
    JkError{25, Alarm::high_discharge_current},
    JkError{26, Alarm::high_discharge_current},
    JkError{27, Alarm::low_temperature},
};

/// Rows of the first `count` errors for a word at `at`.
template <std::size_t count>
constexpr std::array<AlarmBit, count> jk_errors(std::uint16_t at) {
    std::array<AlarmBit, count> rows{};
    for (std::size_t i = 0; i < count; ++i)
        rows[i] = {jk_error_list[i].alarm, jk_error_list[i].level, at, Wire::u32le, jk_error_list[i].bit};
    return rows;
}

}  // namespace bmsd::bms
