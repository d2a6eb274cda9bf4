// What both Renogy dialects have in common: Modbus RTU, blocks of holding registers from 5000 on.
// Facts: dossier renogy (sections are quoted as "§").
#include <algorithm>
#include <cmath>

#include "bms/modbus_reply.hpp"
#include "bms/renogy.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms::renogy_modbus {
namespace {

namespace modbus = framing::modbus;

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
    const auto sensors =
        static_cast<unsigned>(std::clamp(reading.temperature_count.value_or(sensors_at_most), 0.0, 255.0));
    if (sensors > sensors_at_most) return "the number of temperature sensors is impossible";
    if (!block.holds(first_sensor, i16be)) return {};
    reading.temperatures_c.clear();
    for (unsigned i = 0; i < sensors && block.holds(first_sensor + i, i16be); ++i)
        reading.temperatures_c.push_back(static_cast<double>(block(first_sensor + i, i16be)) / 10);
    // Without their number only the zeros behind the last one tell which there are.
    while (!reading.temperature_count && !reading.temperatures_c.empty() && reading.temperatures_c.back() == 0)
        reading.temperatures_c.pop_back();
    return {};
}

/// §6: what separates these batteries from any other Modbus device; §5: there is no register for the state of charge.
std::string_view finish_pack(const Asking& asking, bool told_capacity, Reading& reading) {
    constexpr double most_v = 16 * 4.2;
    if (reading.voltage_v && !(*reading.voltage_v >= 2 && *reading.voltage_v <= most_v))
        return "the pack voltage is impossible";
    if (reading.capacity_ah && !(*reading.capacity_ah >= 1 && *reading.capacity_ah <= 1000))
        return "the capacity is impossible";
    // A recording names its family.
    const bool known = asking.recorded || (asking.known && asking.known->cell_count);
    if (!reading.capacity_ah && told_capacity && !known) return "a battery without capacity is none";
    reading.soc_percent.reset();
    if (reading.capacity_ah && reading.capacity_remaining_ah)
        reading.soc_percent = std::min(100 * *reading.capacity_remaining_ah / *reading.capacity_ah, 100.0);
    return {};
}

/// §5: models RNGC tell the cycles with the bytes in wrong order. More than 10000 are none (dossier ble_modbus).
void turn_cycles(Reading& reading) {
    const bool turns = reading.hardware_version && reading.hardware_version->starts_with("RNGC");
    if (!turns || !reading.cycles || *reading.cycles <= 10000) return;
    const auto raw = static_cast<std::uint16_t>(*reading.cycles);
    reading.cycles = static_cast<std::uint16_t>(raw << 8 | raw >> 8);
}

void finish_status(const Block& block, const Records& found, Reading& reading) {
    // Switches count with all words of the status only (§5.2): a captured battery tells them on in its block from 5104
    // on, and nothing at all in the one from 5100 on.
    const bool whole = block.holds(cell_alarms) && block.holds(status_2);
    Layout told = status_layout;
    if (!whole) told.flags = {};
    decode(told, found, reading);
    Alarms& alarms = reading.alarms;
    const auto each = [&](unsigned number, Alarm over, Alarm under) {
        if (!block.holds(number, u32be)) return;
        const auto bits = static_cast<std::uint32_t>(block(number, u32be));
        for (const auto& [alarm, raised] : {std::pair{over, bits >> 16}, std::pair{under, bits & 0xFFFF}}) {
            alarms.known(alarm);
            if (raised != 0) alarms.raise(alarm, Level::alarm);
        }
    };
    each(cell_alarms, Alarm::high_cell_voltage, Alarm::low_cell_voltage);
    each(temperature_alarms, Alarm::high_temperature, Alarm::low_temperature);
    if (block.holds(cell_errors)) {
        alarms.known(Alarm::internal_failure);
        if (block(cell_errors) != 0) alarms.raise(Alarm::internal_failure, Level::alarm);
    }
    // §5.2: one firmware answers nothing but zeros, also while current flows: then nobody knows about the FETs.
    if (!whole) return;
    for (unsigned number = cell_alarms; number <= status_2; ++number)
        if (block(number) != 0) return;
    reading.charge_fet.reset();
    reading.discharge_fet.reset();
}

unsigned registers_of(const Request& request, const Asking& asking) {
    const unsigned count = request.selector & 0xFFFF;
    if (count != each_cell) return count;
    const double cells = asking.known ? asking.known->cell_count.value_or(cells_at_most) : cells_at_most;
    return static_cast<unsigned>(std::clamp<double>(cells, 1, cells_at_most));
}

/// The question of a request, or the recorded one of another host.
modbus::Question question(const Request& request, const Asking& asking) {
    if (const auto asked = modbus::parse_request(asking.asked);
        asked && asked->unit == asking.address && asked->function == modbus::Function::read_holding)
        return *asked;
    return {.unit = static_cast<std::uint8_t>(asking.address),
            .first = static_cast<std::uint16_t>(request.selector >> 16),
            .count = static_cast<std::uint16_t>(registers_of(request, asking)),
            .answers_as = {}};
}

}  // namespace

std::string_view finish(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                        Reading& reading) {
    const Block block{question(request, asking).first, payload};
    const Records found = split(block.first, payload);
    for (const Layout* layout :
         {&cells_layout, &environment_layout, &pack_layout, &limits_layout, &about_layout, &manufacturer_layout})
        decode(*layout, found, reading);
    if (const std::string_view why = finish_cells(block, reading); !why.empty()) return why;
    if (block.holds(environment_count) && block(environment_count) == 0) reading.environment_temperature_c.reset();
    const bool told_capacity = !found[tag(capacity)].empty();
    if (!found[tag(voltage)].empty() || told_capacity)
        if (const std::string_view why = finish_pack(asking, told_capacity, reading); !why.empty()) return why;
    if (!found[tag(discharge_current_limit)].empty())  // sent as a negative current by some, positive by others
        reading.max_discharge_current_a = std::abs(*reading.max_discharge_current_a);
    if (!found[tag(cycles)].empty() || !found[tag(model)].empty()) turn_cycles(reading);
    // Some of these words stand in what is asked once, too: what it raises would never be withdrawn.
    if (request.when == When::every_poll || asking.recorded) finish_status(block, found, reading);
    return {};
}

void encode(const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    const modbus::Question asked = question(request, asking);
    const unsigned first = asked.first;
    payload.assign(std::min<std::size_t>(2U * asked.count, 250), 0);
    const std::span<std::uint8_t> all(payload);
    const bool is_status = first == cell_alarms;
    bms::encode(is_status ? status_layout : request.layout, state, split(first, all));

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
    if (is_status && state.alarms[Alarm::internal_failure].value_or(Level::ok) != Level::ok) set(cell_errors, 1);
    if (block.holds(status_1) && state.current_a < 0) set(status_1, block(status_1) | on_battery_power);
}

// ---- framing (§3) --------------------------------------------------------------------------------
void build(const Request& request, const Asking& asking, Bytes& out) {
    const modbus::Frame frame = modbus::request(question(request, {.address = asking.address, .known = asking.known}));
    out.assign(frame.begin(), frame.end());
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    return to_reply(modbus::examine(question(request, asking), received));
}

void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    const modbus::Frame frame = modbus::answer(question(request, asking), payload);
    out.assign(frame.begin(), frame.end());
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

/// As users of the reference know it: "RENOGY RBT100LFP12S-G1".
std::string hardware(const Reading& reading) {
    const std::string version = reading.hardware_version.value_or("");
    return reading.manufacturer ? *reading.manufacturer + " " + version : version;
}

}  // namespace bmsd::bms::renogy_modbus
