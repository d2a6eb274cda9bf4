// The answer of a Daren board to command 42: everything that changes. Tables, and the code for what varies in length.
// Facts: dossier daren_485 (sections are quoted as "§").
#pragma once

#include <array>

#include "bms/family.hpp"

namespace bmsd::bms::daren {

using enum Wire;

inline constexpr std::size_t most_cells = 24;
inline constexpr std::size_t most_sensors = max_temperatures;

/// §5.1. Cells and sensors vary in number, so the answer is walked: each field is a
/// record, tagged in the order of the answer.
enum Field : std::uint8_t {
    soc = 1,
    voltage,
    environment,
    pack_temperature,
    mosfet,
    current,
    resistance,
    soh,
    user,
    capacity,
    remaining,
    cycles,
    voltage_status,
    current_status,
    temperature_status,
    alarm_status,
    fet_status,
    cell_alarms,
    balance_low,
    balance_high,
    cell_alarms_high,
    machine_status,
    io_status,
    cells,    // its width varies
    sensors,  // its width varies
};
inline constexpr std::array records = {
    Record{soc, 2},
    Record{voltage, 2},
    Record{environment, 2},
    Record{pack_temperature, 2},
    Record{mosfet, 2},
    Record{current, 2},
    Record{resistance, 2},
    Record{soh, 2},
    Record{user, 1},
    Record{capacity, 2},
    Record{remaining, 2},
    Record{cycles, 2},
    Record{voltage_status, 2},
    Record{current_status, 2},
    Record{temperature_status, 2},
    Record{alarm_status, 2},
    Record{fet_status, 2},
    Record{cell_alarms, 8},
    Record{balance_low, 2},
    Record{balance_high, 2},
    Record{cell_alarms_high, 8},
    Record{machine_status, 1},
    Record{io_status, 2},
};

/// Bytes of a field.
constexpr std::uint8_t width_of(std::uint8_t field) {
    for (const Record& record : records)
        if (record.tag == field) return record.width;
    return 0;
}

constexpr Row in_field(Field field, NumberMember to, Wire type, double scale = 1) {
    return {to, 0, type, scale, 0, {}, field};
}
inline constexpr std::array analog_rows = {
    in_field(soc, &Reading::soc_percent, u16be, 0.01),
    in_field(voltage, &Reading::voltage_v, u16be, 0.01),
    in_field(environment, &Reading::environment_temperature_c, i16be, 0.1),
    in_field(mosfet, &Reading::mosfet_temperature_c, i16be, 0.1),
    in_field(current, &Reading::current_a, i16be, 0.01),
    in_field(soh, &Reading::soh_percent, u16be),
    in_field(capacity, &Reading::capacity_ah, u16be, 0.01),
    in_field(remaining, &Reading::capacity_remaining_ah, u16be, 0.01),
    in_field(cycles, &Reading::cycles, u16be),
};

// §7.5: which of the two bits is which MOSFET is not settled: sources disagree, and all recordings have both set.
inline constexpr std::uint16_t charge_fet_bit = 0x0001;
inline constexpr std::uint16_t discharge_fet_bit = 0x0002;
inline constexpr std::array analog_flags = {
    FlagRow{&Reading::charge_fet, 0, u16be, charge_fet_bit, false, fet_status},
    FlagRow{&Reading::discharge_fet, 0, u16be, discharge_fet_bit, false, fet_status},
};

constexpr AlarmBit in_status(Field field, std::uint8_t bit, Alarm alarm, Level level) {
    return {alarm, level, 0, u16be, bit, field};
}
// §7.1..7.4. No alarms: charging and discharging (current B0, B1), asleep (voltage B15), LED and buzzer enabled
// (alarm B5, B6). Failures told in other words: see raise_failures().
inline constexpr std::array analog_alarms = {
    in_status(voltage_status, 0, Alarm::high_cell_voltage, Level::alarm),
    in_status(voltage_status, 1, Alarm::low_cell_voltage, Level::alarm),
    in_status(voltage_status, 2, Alarm::high_voltage, Level::alarm),
    in_status(voltage_status, 3, Alarm::low_voltage, Level::alarm),
    in_status(voltage_status, 4, Alarm::high_cell_voltage, Level::warning),
    in_status(voltage_status, 5, Alarm::low_cell_voltage, Level::warning),
    in_status(voltage_status, 6, Alarm::high_voltage, Level::warning),
    in_status(voltage_status, 7, Alarm::low_voltage, Level::warning),
    in_status(voltage_status, 8, Alarm::cell_imbalance, Level::warning),
    in_status(voltage_status, 13, Alarm::fuse_blown, Level::alarm),
    in_status(voltage_status, 14, Alarm::cell_imbalance, Level::alarm),
    in_status(current_status, 2, Alarm::high_charge_current, Level::alarm),
    in_status(current_status, 3, Alarm::high_discharge_current, Level::alarm),
    in_status(current_status, 4, Alarm::high_discharge_current, Level::alarm),
    in_status(current_status, 5, Alarm::high_discharge_current, Level::alarm),
    in_status(current_status, 6, Alarm::high_charge_current, Level::warning),
    in_status(current_status, 7, Alarm::high_discharge_current, Level::warning),
    in_status(temperature_status, 0, Alarm::high_charge_temperature, Level::alarm),
    in_status(temperature_status, 1, Alarm::low_charge_temperature, Level::alarm),
    in_status(temperature_status, 2, Alarm::high_temperature, Level::alarm),
    in_status(temperature_status, 3, Alarm::low_temperature, Level::alarm),
    in_status(temperature_status, 4, Alarm::high_temperature, Level::alarm),
    in_status(temperature_status, 5, Alarm::low_temperature, Level::alarm),
    in_status(temperature_status, 6, Alarm::high_internal_temperature, Level::alarm),
    in_status(temperature_status, 7, Alarm::low_temperature, Level::alarm),
    in_status(temperature_status, 8, Alarm::high_charge_temperature, Level::warning),
    in_status(temperature_status, 9, Alarm::low_charge_temperature, Level::warning),
    in_status(temperature_status, 10, Alarm::high_temperature, Level::warning),
    in_status(temperature_status, 11, Alarm::low_temperature, Level::warning),
    in_status(temperature_status, 12, Alarm::high_temperature, Level::warning),
    in_status(temperature_status, 13, Alarm::low_temperature, Level::warning),
    in_status(temperature_status, 14, Alarm::high_internal_temperature, Level::warning),
    in_status(temperature_status, 15, Alarm::low_temperature, Level::warning),
    in_status(alarm_status, 0, Alarm::cell_imbalance, Level::warning),
    in_status(alarm_status, 1, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 2, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 3, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 4, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 7, Alarm::low_soc, Level::warning),
    in_status(alarm_status, 8, Alarm::high_internal_temperature, Level::alarm),
    in_status(alarm_status, 9, Alarm::high_internal_temperature, Level::warning),
    in_status(alarm_status, 10, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 11, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 12, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 13, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 14, Alarm::internal_failure, Level::alarm),
    in_status(alarm_status, 15, Alarm::internal_failure, Level::alarm),
};
inline constexpr std::uint16_t fet_failures = 0x000C;  // §7.5
inline constexpr std::uint8_t machine_failure = 0x20;  // §7.6
inline constexpr std::uint16_t io_failures = 0x3000;   // §7.6

inline constexpr Layout analog_layout{
    .size = 8, .rows = analog_rows, .flags = analog_flags, .alarms = analog_alarms, .records = records};

/// What is wrong with an answer whose cells are not complete; empty: nothing.
[[nodiscard]] std::string_view analog_flaw(std::span<const std::uint8_t> payload) noexcept;

/// Bytes that an answer has which holds as many cells and sensors as it says, and every field; 0: its cells are not
/// complete, or there are none.
[[nodiscard]] std::size_t whole_analog_size(std::span<const std::uint8_t> payload) noexcept;

[[nodiscard]] std::string_view finish_analog(const Request& request, const Asking& asking,
                                             std::span<const std::uint8_t> payload, Reading& reading);
void encode_analog(const Request& request, const Asking& asking, const Reading& state, Bytes& payload);

}  // namespace bmsd::bms::daren
