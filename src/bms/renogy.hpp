// What both Renogy dialects have in common: the registers and what they mean. Facts: dossier renogy (sections are
// quoted as "§").
#pragma once

#include <array>

#include "bms/family.hpp"

namespace bmsd::bms::renogy_modbus {

using enum Wire;

// ---- registers (§5) ------------------------------------------------------------------------------
// Each register that is read is a record, so that a block of any size says what its registers say: other hosts read
// in other blocks, and their recordings are understood as well.
inline constexpr unsigned first_register = 5000;
constexpr std::uint8_t tag(unsigned number) {
    return static_cast<std::uint8_t>(number - first_register);
}

inline constexpr unsigned cell_count = 5000;
inline constexpr unsigned first_cell = 5001;
inline constexpr unsigned sensor_count = 5017;
inline constexpr unsigned first_sensor = 5018;
inline constexpr unsigned board_temperature = 5035;
inline constexpr unsigned environment_count = 5036;
inline constexpr unsigned environment_temperature = 5037;
inline constexpr unsigned current = 5042;
inline constexpr unsigned voltage = 5043;
inline constexpr unsigned remaining = 5044;
inline constexpr unsigned capacity = 5046;
inline constexpr unsigned cycles = 5048;
inline constexpr unsigned charge_voltage_limit = 5049;
inline constexpr unsigned discharge_voltage_limit = 5050;
inline constexpr unsigned charge_current_limit = 5051;
inline constexpr unsigned discharge_current_limit = 5052;
inline constexpr unsigned cell_alarms = 5100;
inline constexpr unsigned temperature_alarms = 5102;
inline constexpr unsigned other_alarms = 5104;
inline constexpr unsigned status_1 = 5106;
inline constexpr unsigned status_2 = 5107;
inline constexpr unsigned cell_errors = 5108;
inline constexpr unsigned serial_number = 5110;
inline constexpr unsigned model = 5122;
inline constexpr unsigned firmware = 5130;
inline constexpr unsigned manufacturer = 5132;

inline constexpr unsigned usual_cells = 4;
inline constexpr std::size_t cells_at_most = 16;
inline constexpr std::size_t sensors_at_most = 16;

inline constexpr std::array records = {
    Record{tag(cell_count), 2},
    Record{tag(sensor_count), 2},
    Record{tag(board_temperature), 2},
    Record{tag(environment_temperature), 2},
    Record{tag(current), 2},
    Record{tag(voltage), 2},
    Record{tag(remaining), 4},
    Record{tag(capacity), 4},
    Record{tag(cycles), 2},
    Record{tag(charge_voltage_limit), 2},
    Record{tag(discharge_voltage_limit), 2},
    Record{tag(charge_current_limit), 2},
    Record{tag(discharge_current_limit), 2},
    Record{tag(other_alarms), 4},
    Record{tag(status_1), 2},
    Record{tag(status_2), 2},
    Record{tag(serial_number), 16},
    Record{tag(model), 16},
    Record{tag(firmware), 4},
    Record{tag(manufacturer), 16},
};

constexpr Row in_register(unsigned number, NumberMember to, Wire type, double scale = 1,
                          std::optional<std::int64_t> absent = {}) {
    return {to, 0, type, scale, 0, absent, tag(number)};
}
inline constexpr Row cell_count_row = in_register(cell_count, &Reading::cell_count, u16be);
inline constexpr Row sensor_count_row = in_register(sensor_count, &Reading::temperature_count, u16be);
inline constexpr Row current_row = in_register(current, &Reading::current_a, i16be, 0.01);
inline constexpr Row voltage_row = in_register(voltage, &Reading::voltage_v, u16be, 0.1);
inline constexpr Row remaining_row = in_register(remaining, &Reading::capacity_remaining_ah, u32be, 0.001);
inline constexpr Row capacity_row = in_register(capacity, &Reading::capacity_ah, u32be, 0.001, 0);
inline constexpr std::array cells_rows = {cell_count_row, sensor_count_row};
inline constexpr std::array environment_rows = {
    in_register(board_temperature, &Reading::mosfet_temperature_c, i16be, 0.1, 0),  // 0: not fitted
    in_register(environment_temperature, &Reading::environment_temperature_c, i16be, 0.1),
};
inline constexpr std::array pack_rows = {
    current_row, voltage_row, remaining_row, capacity_row, in_register(cycles, &Reading::cycles, u16be),
};
inline constexpr std::array limits_rows = {
    in_register(charge_voltage_limit, &Reading::max_battery_voltage_v, u16be, 0.1),
    in_register(discharge_voltage_limit, &Reading::min_battery_voltage_v, u16be, 0.1),
    in_register(charge_current_limit, &Reading::max_charge_current_a, u16be, 0.01),
    in_register(discharge_current_limit, &Reading::max_discharge_current_a, i16be, -0.01),
};

/// Bytes of the answers that begin with 5100.
inline constexpr std::uint16_t status_size = 2 * (status_2 + 1 - cell_alarms);
inline constexpr std::uint16_t long_status_size = 2 * (cell_errors + 1 - cell_alarms);

inline constexpr std::array status_flags = {
    FlagRow{&Reading::charge_fet, 0, u16be, 0x0002, false, tag(status_1)},
    FlagRow{&Reading::discharge_fet, 0, u16be, 0x0004, false, tag(status_1)},
    FlagRow{&Reading::heater_on, 0, u16be, 0x2000, false, tag(status_2)},
};
inline constexpr std::uint16_t on_battery_power = 0x0008;  // in status_1
inline constexpr TextRow serial_text{&Reading::serial_number, 0, 16, tag(serial_number)};
inline constexpr TextRow model_text{&Reading::hardware_version, 0, 16, tag(model)};
inline constexpr TextRow firmware_text{&Reading::software_version, 0, 4, tag(firmware)};
inline constexpr std::array about_texts = {serial_text, model_text, firmware_text};
inline constexpr std::array manufacturer_texts = {TextRow{&Reading::manufacturer, 0, 16, tag(manufacturer)}};

constexpr AlarmBit other(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::alarm, 0, u32be, bit, tag(other_alarms)};
}
constexpr AlarmBit protection(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::alarm, 0, u16be, bit, tag(status_1)};
}
constexpr AlarmBit warning(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::warning, 0, u16be, bit, tag(status_2)};
}
// §7. Those of single cells and sensors have one bit each: see finish_status().
inline constexpr std::array status_alarms = {
    other(31, Alarm::high_internal_temperature),
    other(30, Alarm::low_temperature),
    other(29, Alarm::high_temperature),
    other(28, Alarm::low_temperature),
    other(27, Alarm::high_temperature),
    other(26, Alarm::low_temperature),
    other(21, Alarm::high_charge_current),
    other(19, Alarm::high_discharge_current),
    protection(15, Alarm::low_voltage),
    protection(14, Alarm::high_charge_temperature),
    protection(13, Alarm::low_charge_temperature),
    protection(12, Alarm::high_temperature),
    protection(11, Alarm::low_temperature),
    protection(10, Alarm::high_discharge_current),
    protection(9, Alarm::high_charge_current),
    protection(8, Alarm::high_cell_voltage),
    protection(7, Alarm::low_cell_voltage),
    protection(6, Alarm::high_voltage),
    protection(5, Alarm::high_discharge_current),
    protection(4, Alarm::high_charge_current),
    protection(0, Alarm::high_discharge_current),
    warning(7, Alarm::high_temperature),
    warning(6, Alarm::low_temperature),
    warning(5, Alarm::high_charge_temperature),
    warning(4, Alarm::low_charge_temperature),
    warning(3, Alarm::high_voltage),
    warning(2, Alarm::low_voltage),
    warning(1, Alarm::high_cell_voltage),
    warning(0, Alarm::low_cell_voltage),
};

inline constexpr Layout cells_layout{.size = 16, .rows = cells_rows, .records = records};
inline constexpr Layout environment_layout{.size = 16, .rows = environment_rows, .records = records};
inline constexpr Layout pack_layout{.size = 16, .rows = pack_rows, .records = records};
inline constexpr Layout limits_layout{.size = 16, .rows = limits_rows, .records = records};
inline constexpr Layout status_layout{
    .size = status_size, .flags = status_flags, .alarms = status_alarms, .records = records};
// What the short one says is read by finish(): no quantity may stand in two tables.
inline constexpr Layout long_status_layout{.size = long_status_size, .records = records};
inline constexpr Layout about_layout{.size = 16, .texts = about_texts, .records = records};
inline constexpr Layout manufacturer_layout{.size = 16, .texts = manufacturer_texts, .records = records};

// ---- requests (§4) -------------------------------------------------------------------------------
/// Request::selector of a block of registers.
constexpr std::uint32_t read(unsigned first, unsigned count) {
    return first << 16 | count;
}
constexpr std::uint16_t answer_size(unsigned count) {
    return static_cast<std::uint16_t>(5 + 2 * count);
}
/// Instead of a number of registers: as many as there are cells.
inline constexpr unsigned each_cell = 0xFFFF;
inline constexpr milliseconds patience{600};  // §11: usually 20..80 ms, the reference waits up to 1 s

/// Request::finish and Request::encode of a block of any size.
[[nodiscard]] std::string_view finish(const Request& request, const Asking& asking,
                                      std::span<const std::uint8_t> payload, Reading& reading);
void encode(const Request& request, const Asking& asking, const Reading& state, Bytes& payload);

/// A block of `count` registers from `first` on.
constexpr Request block(std::string_view name, std::string_view meaning, When when, unsigned first, unsigned count,
                        const Layout& layout, seconds period = {}) {
    return {.name = name,
            .meaning = meaning,
            .when = when,
            .period = period,
            .mandatory = when == When::every_poll,
            .selector = read(first, count),
            .answer_size = answer_size(count == each_cell ? usual_cells : count),
            .timeout = patience,
            .layout = layout,
            .finish = finish,
            .encode = encode};
}

void build(const Request& request, const Asking& asking, Bytes& out);
[[nodiscard]] Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received);
void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out);
[[nodiscard]] Reply unsolicited(const Asking& asking, std::span<const std::uint8_t> received);
[[nodiscard]] std::string identity(const Reading& reading);
[[nodiscard]] std::string hardware(const Reading& reading);

// ---- the datasheet -------------------------------------------------------------------------------
inline constexpr std::array<std::uint32_t, 1> rates = {9600};
inline constexpr std::array<std::string_view, 4> sold_as = {"Renogy RBT100LFP12-BT", "Renogy RBT100LFP12SH-G1",
                                                            "Renogy Smart Lithium Iron Phosphate battery",
                                                            "Renogy Pro series (RNGRBP..., RNGC...)"};
inline constexpr std::array<std::uint32_t, 1> factory = {0xF7};
inline constexpr std::array usual = {AddressRange{0x30, 0x3F}, AddressRange{0x48, 0x49}, AddressRange{0xF7, 0xF7}};
inline constexpr Addresses addresses{
    .used = true,
    .first = 0x01,
    .last = 0xF7,
    .standard = 0x30,
    .meaning =
        "Modbus units; a Renogy monitor or BT-2 hands out 0x30..0x3F, newer batteries that never "
        "met one have 0xF7",
    .factory = factory,
    .usual = usual};
/// §11: at least 5 ms of silence (Modbus wants 3.5 characters, 4 ms at this rate).
inline constexpr Timing timing{
    .gap = milliseconds{5}, .between_bytes = milliseconds{50}, .poll = milliseconds{1000}, .retries = 1};
inline constexpr Guide guide{
    .rs485 = true,
    .connector =
        R"(- Both RJ45 sockets of the battery are the same bus. Renogy numbers the pins the other way round from common RJ45
  drawings: find A and B with a meter.
- Disconnect Renogy's monitor and BT-2 while the computer asks: they ask as well, and two masters disturb each other.
)",
    .addresses =
        R"(- A single battery that never got an address answers at 0x30, newer ones (RBT100LFP12SH-G1) at 0xF7.
- Several: connect all of them to a Renogy battery monitor or BT-2 first; it hands out the addresses, 0x30 to the
  first, 0x31 to the second, up to 0x3F. Then unplug it and connect the batteries to the computer.
- Two batteries that are both still at 0xF7 answer at the same time, and nothing can be understood.
)",
    .notes =
        R"(- A battery in shelf mode is silent: it is activated through pins 3 and 4 of its socket.
- Cell voltages come in steps of 0.1 V: a difference between cells below that cannot be seen.
- The battery reports no balancing.
- A Pro (RNGRBP..., RNGC...) may report its current in steps ten times as large, so that a tenth of it is shown. Then
  `CURRENT_REPORTED_BY_BMS = -30, 30` with `CURRENT_MEASURED_BY_USER = -300, 300` puts it right.
)"};

/// The datasheet of a dialect but for its name and how it is probed.
constexpr Family dialect(std::string_view key, std::span<const Request> requests, std::size_t probe,
                         bool (*matches)(const Request&, const Asking&, std::span<const std::uint8_t>)) {
    return {.key = key,
            .type = "Renogy",
            .label = "Renogy",
            .sold_as = sold_as,
            .serial = {rates},
            .addresses = addresses,
            .timing = timing,
            .cell_step_v = 0.1,
            .requests = requests,
            .probe = probe,
            .build = build,
            .examine = examine,
            .matches = matches,
            .unsolicited = unsolicited,
            .wrap = wrap,
            .identity = identity,
            .hardware = hardware,
            .guide = guide};
}

}  // namespace bmsd::bms::renogy_modbus
