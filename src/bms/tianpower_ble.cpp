// TianPower packs over Bluetooth: questions 55 04 cc AA, answers of 20 bytes 55 14 cc .. AA without any checksum.
// Facts: dossier eg4_lifepower §12; offsets are from the beginning of the answer.
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/family.hpp"
#include "bms/soundness.hpp"
#include "framing/find.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

constexpr std::size_t answer_size = 20;
constexpr std::size_t first_content = 3;
constexpr std::uint8_t end_mark = 0xAA;

constexpr std::size_t cells_per_answer = 8;
constexpr std::size_t most_cells = 24;
constexpr std::size_t most_sensors = 8;

enum Command : std::uint8_t {
    ask_software = 0x81,
    ask_hardware = 0x82,
    ask_general = 0x83,
    ask_pack = 0x84,
    ask_switches = 0x85,
    ask_sensors = 0x87,
    ask_cells_1 = 0x88,
    ask_cells_9 = 0x89,
    ask_cells_17 = 0x8A,
};

// ---- what the answers hold -------------------------------------------------------------------------
constexpr std::array software_texts = {TextRow{&Reading::software_version, 3, 16}};
constexpr std::array hardware_texts = {TextRow{&Reading::hardware_version, 3, 16}};
constexpr std::array general_rows = {
    Row{&Reading::soc_percent, 3, u16be},
    Row{&Reading::voltage_v, 5, u16be, 0.01},
    Row{&Reading::environment_temperature_c, 9, i16be, 0.1},
    Row{&Reading::mosfet_temperature_c, 11, i16be, 0.1},
    Row{&Reading::current_a, 13, i16be, 0.01},
    Row{&Reading::soh_percent, 17, u16be},
};
constexpr std::uint16_t at_sensor_count = 4;
constexpr std::array pack_rows = {
    Row{&Reading::cell_count, 3, u8},
    Row{&Reading::temperature_count, at_sensor_count, u8},
    Row{&Reading::capacity_ah, 5, u16be, 0.01},
    Row{&Reading::capacity_remaining_ah, 7, u16be, 0.01},
    Row{&Reading::cycles, 9, u16be},
};
constexpr std::uint16_t at_switches = 4;
constexpr std::uint8_t switch_bits = 0x03;
constexpr std::array switches_flags = {FlagRow{&Reading::balancing_active, 13, u16be}};

bool outside(const Number& value, double low, double high) {
    return value && !(*value >= low && *value <= high);
}

/// 0: not known.
std::size_t as_size(const Number& count, std::size_t most) {
    return std::min(static_cast<std::size_t>(count.value_or(0)), most);
}

/// Without a checksum only the content can tell a damaged answer.
std::string_view finish_general(const Request&, const Asking&, std::span<const std::uint8_t>, Reading& reading) {
    if (outside(reading.soh_percent, 0, 100)) return "the state of health is above 100 %";
    if (outside(reading.voltage_v, 2, most_cells * 5.0)) return "the pack voltage is impossible";
    if (outside(reading.environment_temperature_c, -50, 120) || outside(reading.mosfet_temperature_c, -50, 150))
        return "a temperature is impossible";
    return {};
}

std::string_view finish_pack(const Request&, const Asking&, std::span<const std::uint8_t>, Reading& reading) {
    if (outside(reading.cell_count, 1, most_cells)) return "the number of cells is impossible";
    if (outside(reading.temperature_count, 0, most_sensors)) return "the number of temperature sensors is impossible";
    if (reading.capacity_remaining_ah > 1.2 * *reading.capacity_ah) return "more charge is left than the pack can hold";
    // What was told of others is of none.
    if (reading.cell_voltages_v.size() > as_size(reading.cell_count, most_cells)) reading.cell_voltages_v.clear();
    if (reading.temperatures_c.size() > as_size(reading.temperature_count, most_sensors))
        reading.temperatures_c.clear();
    return {};
}

/// Sources disagree which bit is charge and which discharge: only where both say the same is it known.
std::string_view finish_switches(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    const std::uint8_t bits = payload[at_switches] & switch_bits;
    reading.charge_fet = bits == switch_bits ? Flag{true} : bits == 0 ? Flag{false} : Flag{};
    reading.discharge_fet = reading.charge_fet;
    return {};
}

std::string_view finish_sensors(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                Reading& reading) {
    auto& sensors = reading.temperatures_c;
    sensors.resize(as_size(reading.temperature_count, most_sensors));
    for (std::size_t i = 0; i < sensors.size(); ++i) {
        sensors[i] = static_cast<double>(get(payload, first_content + 2 * i, i16be)) / 10;
        if (outside(sensors[i], -50, 120)) return "a temperature is impossible";
    }
    return {};
}

/// Number of the first cell, from 0, in the answer to this request.
std::size_t first_cell(const Request& request) {
    return (request.selector - ask_cells_1) * cells_per_answer;
}

std::string_view finish_cells(const Request& request, const Asking&, std::span<const std::uint8_t> payload,
                              Reading& reading) {
    auto& cells = reading.cell_voltages_v;
    const std::size_t first = first_cell(request);
    cells.resize(as_size(reading.cell_count, most_cells));
    const std::size_t end = std::min(cells.size(), first + cells_per_answer);
    for (std::size_t i = first; i < end; ++i) {
        cells[i] = static_cast<double>(get(payload, first_content + 2 * (i - first), u16be)) / 1000;
        if (outside(cells[i], 0, 5)) return "a cell voltage is impossible";
    }
    if (end != cells.size() || end <= first || !reading.voltage_v) return {};
    // The last cells are there: they must be a battery. An open wire reads 0 V and proves nothing.
    double sum = 0;
    for (const Number& cell : cells) {
        if (cell.value_or(0) == 0) return {};
        sum += *cell;
    }
    return outside(reading.voltage_v, 0.95 * sum, 1.05 * sum) ? "the cells do not add up to the pack voltage"
                                                              : std::string_view{};
}

bool has_cell_9(const Reading& known) {
    return known.cell_count > cells_per_answer;
}
bool has_cell_17(const Reading& known) {
    return known.cell_count > 2 * cells_per_answer;
}

// ---- the other way round, for the simulator --------------------------------------------------------
void encode_pack(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(answer_size, 0);
    encode(request.layout, state, payload);
    payload[at_sensor_count] = static_cast<std::uint8_t>(std::min(state.temperatures_c.size(), most_sensors));
}

void encode_switches(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(answer_size, 0);
    encode(request.layout, state, payload);
    if (state.charge_fet == true) payload[at_switches] |= 0x02;
    if (state.discharge_fet == true) payload[at_switches] |= 0x01;
}

void encode_sensors(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(answer_size, 0);
    for (std::size_t i = 0; i < std::min(state.temperatures_c.size(), most_sensors); ++i)
        put(payload, first_content + 2 * i, i16be, std::lround(state.temperatures_c[i].value_or(0) * 10));
}

void encode_cells(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(answer_size, 0);
    const auto& cells = state.cell_voltages_v;
    const std::size_t first = first_cell(request);
    for (std::size_t i = first; i < std::min(cells.size(), first + cells_per_answer); ++i)
        put(payload, first_content + 2 * (i - first), u16be, std::lround(cells[i].value_or(0) * 1000));
}

constexpr Request question(std::string_view name, std::string_view meaning, Command command, When when,
                           const Layout& layout = {.size = answer_size}) {
    return {.name = name,
            .meaning = meaning,
            .when = when,
            .selector = command,
            .answer_size = answer_size,
            .timeout = milliseconds{1000},
            .layout = layout};
}

constexpr Request code(Request request, Finish finish, Encode encode, bool (*wanted)(const Reading&) = nullptr) {
    request.finish = finish;
    request.encode = encode;
    request.wanted = wanted;
    return request;
}

// The pack comes before what needs the number of its cells and sensors.
constexpr std::array requests = {
    question("software", "version", ask_software, When::identify, {.size = answer_size, .texts = software_texts}),
    question("hardware", "version", ask_hardware, When::identify, {.size = answer_size, .texts = hardware_texts}),
    code(question("general", "voltage, current, state of charge", ask_general, When::every_poll,
                  {.size = answer_size, .rows = general_rows}),
         finish_general, nullptr),
    code(question("pack", "cells, sensors and capacity", ask_pack, When::every_poll,
                  {.size = answer_size, .rows = pack_rows}),
         finish_pack, encode_pack),
    code(question("switches", "charge_fet and discharge_fet, balancing", ask_switches, When::every_poll,
                  {.size = answer_size, .flags = switches_flags}),
         finish_switches, encode_switches),
    code(question("sensors", "temperatures_c", ask_sensors, When::every_poll), finish_sensors, encode_sensors),
    code(question("cells", "voltages of cells 1 to 8", ask_cells_1, When::every_poll), finish_cells, encode_cells),
    code(question("cells 9", "voltages of cells 9 to 16", ask_cells_9, When::every_poll), finish_cells, encode_cells,
         has_cell_9),
    code(question("cells 17", "voltages of cells 17 to 24", ask_cells_17, When::every_poll), finish_cells, encode_cells,
         has_cell_17),
};

// ---- framing ---------------------------------------------------------------------------------------
constexpr std::array<std::uint8_t, 2> start = {0x55, answer_size};

void build(const Request& request, const Asking&, Bytes& out) {
    out.clear();
    for (const std::uint8_t byte : {start[0], std::uint8_t{4}, static_cast<std::uint8_t>(request.selector), end_mark})
        out.push_back(byte);
}

void wrap(const Request& request, const Asking&, std::span<const std::uint8_t> payload, Bytes& out) {
    payload = payload.first(std::min(payload.size(), answer_size));
    out.assign(payload.begin(), payload.end());
    out.resize(answer_size);
    std::copy(start.begin(), start.end(), out.begin());
    out[start.size()] = static_cast<std::uint8_t>(request.selector);
    out[answer_size - 1] = end_mark;
}

Reply examine(const Request& request, const Asking&, std::span<const std::uint8_t> received) {
    Reply best{Reply::Progress::waiting, answer_size, {}, ErrorClass::truncated, "no answer"};
    if (!received.empty())
        best.fault = ErrorClass::malformed, best.why = "bytes arrived, but no answer 55 14 .. AA among them";
    bool first = true;  // of several beginnings the first tells the story; others may be its content
    for (std::size_t at = framing::find_mark(received, start); at < received.size();
         at = framing::find_mark(received, start, at + 1)) {
        const auto rest = received.subspan(at);
        const auto report = [&](ErrorClass fault, std::string_view why) {
            if (first) best.fault = fault, best.why = why;
            first = false;
        };
        if (rest.size() < answer_size) {
            best.missing = std::min(best.missing, answer_size - rest.size());
            report(ErrorClass::truncated, "the answer is cut short");
        } else if (rest[answer_size - 1] != end_mark) {
            report(ErrorClass::malformed, "the end mark AA is missing");
        } else if (rest[start.size()] != request.selector) {
            report(ErrorClass::unexpected, "a late answer to another request came");
        } else {
            return {Reply::Progress::complete, 0, rest.first(answer_size), {}, {}};
        }
    }
    return best;
}

constexpr std::array<std::string_view, 1> sold_as = {"TianPower (Bluetooth, names TP_...)"};

}  // namespace

extern const Family tianpower_ble;
constexpr Family tianpower_ble{
    .key = "tianpower_ble",
    .type = "EG4_Lifepower",
    .label = "TianPower",
    .sold_as = sold_as,
    .timing = {.gap = milliseconds{0}, .between_bytes = milliseconds{200}, .poll = milliseconds{2000}},
    .requests = requests,
    .probe = 2,
    .build = build,
    .examine = examine,
    .integrity = Integrity::none,
    .wrap = wrap,
    .guide = {.bluetooth = true,
              .connector = "- Bluetooth only; the battery calls itself TP_ and a number. There is nothing to wire.\n"},
};
static_assert(sound(tianpower_ble));

}  // namespace bmsd::bms
