// Renogy Smart Lithium batteries: Modbus RTU, blocks of holding registers from 5000 on. Cells in steps of 0.1 V only.
// Facts: dossier renogy (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/family.hpp"
#include "bms/modbus_reply.hpp"
#include "bms/soundness.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace modbus = framing::modbus;

// ---- registers (§5) ------------------------------------------------------------------------------
// Each register that is read is a record, so that a block of any size says what its registers say: other hosts read
// in other blocks, and their recordings are understood as well.
constexpr unsigned first_register = 5000;
constexpr std::uint8_t tag(unsigned number) {
    return static_cast<std::uint8_t>(number - first_register);
}

constexpr unsigned cell_count = 5000;
constexpr unsigned first_cell = 5001;
constexpr unsigned sensor_count = 5017;
constexpr unsigned first_sensor = 5018;
constexpr unsigned board_temperature = 5035;
constexpr unsigned environment_count = 5036;
constexpr unsigned environment_temperature = 5037;
constexpr unsigned current = 5042;
constexpr unsigned voltage = 5043;
constexpr unsigned remaining = 5044;
constexpr unsigned capacity = 5046;
constexpr unsigned cycles = 5048;
constexpr unsigned charge_voltage_limit = 5049;
constexpr unsigned discharge_voltage_limit = 5050;
constexpr unsigned charge_current_limit = 5051;
constexpr unsigned discharge_current_limit = 5052;
constexpr unsigned cell_alarms = 5100;
constexpr unsigned temperature_alarms = 5102;
constexpr unsigned other_alarms = 5104;
constexpr unsigned status_1 = 5106;
constexpr unsigned status_2 = 5107;
constexpr unsigned cell_errors = 5108;
constexpr unsigned serial_number = 5110;
constexpr unsigned model = 5122;
constexpr unsigned firmware = 5130;

constexpr std::size_t cells_at_most = 16;
constexpr std::size_t sensors_at_most = 16;

constexpr std::array records = {
    Record{tag(cell_count), 2},
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
    Record{tag(serial_number), 16},
    Record{tag(model), 16},
    Record{tag(firmware), 4},
};

constexpr Row in_register(unsigned number, NumberMember to, Wire type, double scale = 1,
                          std::optional<std::int64_t> absent = {}) {
    return {to, 0, type, scale, 0, absent, tag(number)};
}
constexpr std::array cells_rows = {in_register(cell_count, &Reading::cell_count, u16be)};
constexpr std::array environment_rows = {
    in_register(board_temperature, &Reading::mosfet_temperature_c, i16be, 0.1, 0),  // 0: not fitted
    in_register(environment_temperature, &Reading::environment_temperature_c, i16be, 0.1),
};
constexpr std::array pack_rows = {
    in_register(current, &Reading::current_a, i16be, 0.01),
    in_register(voltage, &Reading::voltage_v, u16be, 0.1),
    in_register(remaining, &Reading::capacity_remaining_ah, u32be, 0.001),
    in_register(capacity, &Reading::capacity_ah, u32be, 0.001, 0),
    in_register(cycles, &Reading::cycles, u16be),
};
constexpr std::array limits_rows = {
    in_register(charge_voltage_limit, &Reading::max_battery_voltage_v, u16be, 0.1),
    in_register(discharge_voltage_limit, &Reading::min_battery_voltage_v, u16be, 0.1),
    in_register(charge_current_limit, &Reading::max_charge_current_a, u16be, 0.01),
    in_register(discharge_current_limit, &Reading::max_discharge_current_a, i16be, -0.01),
};

// The words of the status make sense together only: they are no records, but one answer that begins with 5100.
constexpr std::uint16_t in_status(unsigned number) {
    return static_cast<std::uint16_t>(2 * (number - cell_alarms));
}
constexpr std::size_t status_size = in_status(status_2) + 2;

constexpr std::array status_flags = {
    FlagRow{&Reading::charge_fet, in_status(status_1), u16be, 0x0002},
    FlagRow{&Reading::discharge_fet, in_status(status_1), u16be, 0x0004},
    FlagRow{&Reading::heater_on, in_status(status_2), u16be, 0x2000},
};
constexpr std::uint16_t on_battery_power = 0x0008;  // in status_1
constexpr std::array about_texts = {
    TextRow{&Reading::serial_number, 0, 16, tag(serial_number)},
    TextRow{&Reading::hardware_version, 0, 16, tag(model)},
    TextRow{&Reading::software_version, 0, 4, tag(firmware)},
};

constexpr AlarmBit other(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::alarm, in_status(other_alarms), u32be, bit};
}
constexpr AlarmBit protection(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::alarm, in_status(status_1), u16be, bit};
}
constexpr AlarmBit warning(std::uint8_t bit, Alarm alarm) {
    return {alarm, Level::warning, in_status(status_2), u16be, bit};
}
// §7. Those of single cells and sensors have one bit each: see finish_status().
constexpr std::array status_alarms = {
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

constexpr Layout cells_layout{.size = 16, .rows = cells_rows, .records = records};
constexpr Layout environment_layout{.size = 16, .rows = environment_rows, .records = records};
constexpr Layout pack_layout{.size = 16, .rows = pack_rows, .records = records};
constexpr Layout limits_layout{.size = 16, .rows = limits_rows, .records = records};
constexpr Layout status_layout{.size = status_size, .flags = status_flags, .alarms = status_alarms};
constexpr Layout about_layout{.size = 16, .texts = about_texts, .records = records};

/// A block of registers that was read.
struct Block {
    unsigned first;
    std::span<const std::uint8_t> bytes;

    [[nodiscard]] bool holds(unsigned number, Wire type = u16be) const noexcept {
        return number >= first && 2 * std::size_t{number - first} + width(type) <= bytes.size();
    }
    [[nodiscard]] std::int64_t operator()(unsigned number, Wire type = u16be) const noexcept {
        return get(bytes, 2 * std::size_t{number - first}, type);
    }
};

/// The records of `bytes`, which begin with register `first`.
template <class Byte>
std::array<std::span<Byte>, 256> split(unsigned first, std::span<Byte> bytes) {
    std::array<std::span<Byte>, 256> found;
    for (const Record& record : records) {
        const unsigned number = first_register + record.tag;
        const std::size_t at = 2 * std::size_t{number - first};
        if (number >= first && at + record.width <= bytes.size()) found[record.tag] = bytes.subspan(at, record.width);
    }
    return found;
}

// ---- what the tables cannot say ------------------------------------------------------------------
std::string_view finish_cells(const Block& block, Reading& reading) {
    if (reading.cell_count && !(*reading.cell_count >= 1 && *reading.cell_count <= cells_at_most))
        return "the number of cells is impossible";
    if (block.holds(first_cell)) {
        reading.cell_voltages_v.clear();
        const auto cells = static_cast<unsigned>(reading.cell_count.value_or(cells_at_most));
        for (unsigned i = 0; i < cells && block.holds(first_cell + i); ++i)
            reading.cell_voltages_v.push_back(static_cast<double>(block(first_cell + i)) / 10);
    }
    if (!block.holds(sensor_count)) return {};
    const std::int64_t sensors = block(sensor_count);
    if (sensors > static_cast<std::int64_t>(sensors_at_most)) return "the number of temperature sensors is impossible";
    reading.temperatures_c.clear();
    for (unsigned i = 0; i < sensors && block.holds(first_sensor + i, i16be); ++i)
        reading.temperatures_c.push_back(static_cast<double>(block(first_sensor + i, i16be)) / 10);
    return {};
}

/// §6: what separates these batteries from any other Modbus device; §5: there is no register for the state of charge.
std::string_view finish_pack(const Asking& asking, bool told_capacity, Reading& reading) {
    constexpr double most_v = 16 * 4.2;
    if (reading.voltage_v && !(*reading.voltage_v >= 2 && *reading.voltage_v <= most_v))
        return "the pack voltage is impossible";
    if (reading.capacity_ah && !(*reading.capacity_ah >= 1 && *reading.capacity_ah <= 1000))
        return "the capacity is impossible";
    const bool known = asking.known && asking.known->cell_count;
    if (!reading.capacity_ah && told_capacity && !known) return "a battery without capacity is none";
    reading.soc_percent.reset();
    if (reading.capacity_ah && reading.capacity_remaining_ah)
        reading.soc_percent = std::min(100 * *reading.capacity_remaining_ah / *reading.capacity_ah, 100.0);
    return {};
}

void finish_status(const Block& block, Reading& reading) {
    Alarms& alarms = reading.alarms;
    const auto each = [&](unsigned number, Alarm over, Alarm under) {
        const auto bits = static_cast<std::uint32_t>(block(number, u32be));
        if (bits >> 16) alarms.raise(over, Level::alarm);
        if (bits & 0xFFFF) alarms.raise(under, Level::alarm);
    };
    each(cell_alarms, Alarm::high_cell_voltage, Alarm::low_cell_voltage);
    each(temperature_alarms, Alarm::high_temperature, Alarm::low_temperature);
    if (block.holds(cell_errors)) {
        alarms.known(Alarm::internal_failure);
        if (block(cell_errors) != 0) alarms.raise(Alarm::internal_failure, Level::alarm);
    }
    // §5.2: one firmware answers nothing but zeros, also while current flows: then nobody knows about the FETs.
    const auto words = block.bytes.first(status_size);
    if (std::all_of(words.begin(), words.end(), [](std::uint8_t byte) { return byte == 0; })) {
        reading.charge_fet.reset();
        reading.discharge_fet.reset();
    }
}

/// The question of a request, or the recorded one of another host.
modbus::Question question(const Request& request, const Asking& asking) {
    if (const auto asked = modbus::parse_request(asking.asked)) return *asked;
    return {.unit = static_cast<std::uint8_t>(asking.address),
            .first = static_cast<std::uint16_t>(request.selector >> 16),
            .count = static_cast<std::uint16_t>(request.selector & 0xFFFF),
            .answers_as = {}};
}

std::string_view finish(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                        Reading& reading) {
    const Block block{question(request, asking).first, payload};
    const Records found = split(block.first, payload);
    for (const Layout* layout : {&cells_layout, &environment_layout, &pack_layout, &limits_layout, &about_layout})
        decode(*layout, found, reading);
    if (const std::string_view why = finish_cells(block, reading); !why.empty()) return why;
    if (block.holds(environment_count) && block(environment_count) == 0) reading.environment_temperature_c.reset();
    if (!found[tag(voltage)].empty())
        if (const std::string_view why = finish_pack(asking, !found[tag(capacity)].empty(), reading); !why.empty())
            return why;
    if (!found[tag(discharge_current_limit)].empty())  // sent as a negative current by some, positive by others
        reading.max_discharge_current_a = std::abs(*reading.max_discharge_current_a);
    if (request.layout.records.empty()) finish_status(block, reading);
    return {};
}

void encode_block(const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    const modbus::Question asked = question(request, asking);
    const unsigned first = asked.first;
    payload.assign(std::min<std::size_t>(2U * asked.count, 250), 0);
    const std::span<std::uint8_t> all(payload);
    if (request.layout.records.empty())
        encode(request.layout, state, all);
    else
        encode(request.layout, state, split(first, all));

    const Block block{first, payload};
    const auto set = [&](unsigned number, std::int64_t raw) {
        if (block.holds(number)) put(all, 2 * std::size_t{number - first}, u16be, raw);
    };
    const std::size_t cells = std::min(state.cell_voltages_v.size(), cells_at_most);
    set(cell_count, static_cast<std::int64_t>(cells));
    for (unsigned i = 0; i < cells; ++i)
        set(first_cell + i, std::lround(10 * std::clamp(state.cell_voltages_v[i].value_or(0), 0.0, 6500.0)));
    const std::size_t sensors = std::min(state.temperatures_c.size(), sensors_at_most);
    set(sensor_count, static_cast<std::int64_t>(sensors));
    for (unsigned i = 0; i < sensors; ++i)
        set(first_sensor + i, std::lround(10 * std::clamp(state.temperatures_c[i].value_or(0), -3000.0, 3000.0)));
    set(environment_count, state.environment_temperature_c ? 1 : 0);
    if (block.holds(status_1) && state.current_a < 0) set(status_1, block(status_1) | on_battery_power);
}

// ---- requests (§4) -------------------------------------------------------------------------------
constexpr std::uint32_t read(unsigned first, unsigned count) {
    return first << 16 | count;
}
constexpr std::uint16_t answer_size(unsigned count) {
    return static_cast<std::uint16_t>(5 + 2 * count);
}
constexpr milliseconds patience{600};  // §11: usually 20..80 ms, the reference waits up to 1 s

// An answer does not tell its registers: no two blocks have the same size, so that a late one cannot pass for another.
constexpr std::array requests = {
    Request{.name = "about",
            .meaning = "serial number, model, firmware",
            .when = When::identify,
            .mandatory = false,
            .selector = read(other_alarms, 28),
            .answer_size = answer_size(28),
            .timeout = patience,
            .layout = about_layout,
            .finish = finish,
            .encode = encode_block},
    Request{.name = "limits",
            .meaning = "limits set in the BMS",
            .when = When::sometimes,
            .period = seconds{60},
            .mandatory = false,
            .selector = read(charge_voltage_limit, 4),
            .answer_size = answer_size(4),
            .timeout = patience,
            .layout = limits_layout,
            .finish = finish,
            .encode = encode_block},
    Request{.name = "environment",
            .meaning = "temperatures of the board and around it",
            .when = When::sometimes,
            .period = seconds{30},
            .mandatory = false,
            .selector = read(board_temperature, 6),
            .answer_size = answer_size(6),
            .timeout = patience,
            .layout = environment_layout,
            .finish = finish,
            .encode = encode_block},
    Request{.name = "pack",
            .meaning = "current, voltage, charge, cycles",
            .when = When::every_poll,
            .selector = read(current, 7),
            .answer_size = answer_size(7),
            .timeout = patience,
            .layout = pack_layout,
            .finish = finish,
            .encode = encode_block},
    Request{.name = "cells",
            .meaning = "cell voltages and temperatures",
            .when = When::every_poll,
            .selector = read(cell_count, 34),
            .answer_size = answer_size(34),
            .timeout = patience,
            .layout = cells_layout,
            .finish = finish,
            .encode = encode_block},
    Request{.name = "status",
            .meaning = "alarms and switches",
            .when = When::every_poll,
            .selector = read(cell_alarms, 8),
            .answer_size = answer_size(8),
            .timeout = patience,
            .layout = status_layout,
            .finish = finish,
            .encode = encode_block},
};

/// The registers that belong to each request: from where its block begins to where the next one does.
constexpr std::array<unsigned, 7> borders = {cell_count,  board_temperature, current, charge_voltage_limit,
                                             cell_alarms, other_alarms,      5132};

// ---- framing (§3) --------------------------------------------------------------------------------
void build(const Request& request, const Asking& asking, Bytes& out) {
    const modbus::Frame frame = modbus::request(question(request, {.address = asking.address}));
    out.assign(frame.begin(), frame.end());
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    return to_reply(modbus::examine(question(request, asking), received));
}

void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    const modbus::Frame frame = modbus::answer(question(request, asking), payload);
    out.assign(frame.begin(), frame.end());
}

/// Other hosts read blocks of other sizes: their first register says which request they come nearest.
bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const auto other = modbus::parse_request(asked);
    if (!other || other->unit != asking.address || other->function != modbus::Function::read_holding) return false;
    const auto begin = std::find(borders.begin(), borders.end(), request.selector >> 16);
    if (begin == borders.end() || begin + 1 == borders.end()) return false;
    if (*begin == cell_alarms) return other->first == cell_alarms && 2U * other->count >= status_size;
    return other->first >= *begin && other->first < *(begin + 1);
}

Reply unsolicited(const Asking&, std::span<const std::uint8_t> received) {
    for (std::size_t at = 0; at + 8 <= received.size(); ++at)
        if (modbus::parse_request(received.subspan(at, 8)))
            return {Reply::Progress::failed,
                    0,
                    {},
                    ErrorClass::unexpected,
                    "another master (a Renogy monitor or a BT module) asks the batteries: disconnect it"};
    return {};
}

/// §9: the serial number; a date of production in its place is shared by all batteries of that day.
std::string identity(const Reading& reading) {
    const auto& serial = reading.serial_number;
    if (!serial || serial->size() < 8 || serial->find('?') != std::string::npos) return {};
    const bool digits_only = serial->find_first_not_of("0123456789") == std::string::npos;
    if (serial->size() == 8 && digits_only && serial->starts_with("20")) return {};
    const bool one_character = serial->find_first_not_of(serial->front()) == std::string::npos;
    return one_character ? std::string{} : *serial;
}

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::string_view, 4> sold_as = {"Renogy RBT100LFP12-BT", "Renogy RBT100LFP12SH-G1",
                                                     "Renogy Smart Lithium Iron Phosphate battery",
                                                     "Renogy Pro series (RNGRBP..., RNGC...)"};
constexpr std::array<std::uint32_t, 1> factory = {0xF7};
constexpr std::array usual = {AddressRange{0x30, 0x3F}, AddressRange{0x48, 0x49}, AddressRange{0xF7, 0xF7}};

}  // namespace

extern const Family renogy;
constexpr Family renogy{
    .key = "renogy",
    .type = "Renogy",
    .label = "Renogy",
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = 0x01,
                  .last = 0xF7,
                  .standard = 0x30,
                  .meaning = "Modbus units; a Renogy monitor or BT-2 hands out 0x30..0x3F, newer batteries that never "
                             "met one have 0xF7",
                  .factory = factory,
                  .usual = usual},
    // §11: at least 5 ms of silence (Modbus wants 3.5 characters, 4 ms at this rate).
    .timing = {.gap = milliseconds{5}, .between_bytes = milliseconds{50}, .poll = milliseconds{1000}, .retries = 1},
    .cell_step_v = 0.1,
    .requests = requests,
    .probe = 3,
    .build = build,
    .examine = examine,
    .matches = matches,
    .unsolicited = unsolicited,
    .wrap = wrap,
    .identity = identity,
    .guide =
        {.rs485 = true,
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
)"},
};
static_assert(sound(renogy));

}  // namespace bmsd::bms
