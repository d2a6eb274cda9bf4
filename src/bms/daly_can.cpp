// Daly smart BMS on CAN: the answers of its classic protocol, one frame of 29 bits each, asked one by one.
// Facts: dossier daly_can (sections are quoted as "§"); the content of the answers: dossier daly §5 and §7.
#include <algorithm>
#include <cmath>
#include <string>

#include "bms/daly_alarms.hpp"
#include "bms/daly_tables.hpp"
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

// §2: answer 0x18 CC 40 AA, question 0x18 CC AA 40; CC command, AA board number, 40 the host.
constexpr std::uint32_t first_board = 1;
constexpr std::uint32_t last_board = 16;
constexpr std::uint32_t answer_base = 0x18004000;
constexpr std::uint32_t question_base = 0x18000040;

constexpr std::size_t cells_per_frame = 3;
constexpr std::size_t values_per_frame = 7;  // sensors and letters
constexpr std::size_t most_cells = 48;
constexpr std::size_t cell_frames = 16;
constexpr std::size_t sensor_frames = 3;
constexpr std::size_t code_frames = 5;

/// Place of each message in the table below, and of the question that asks for it.
enum : std::size_t { status, totals, fets, alarms, cells, sensors, balancing, hottest, extremes, rated, code };

std::size_t fitted(const Number& count, std::size_t most) {
    return count && *count >= 1 && *count <= static_cast<double>(most) ? static_cast<std::size_t>(*count) : 0;
}

std::size_t frames_for(std::size_t values, std::size_t per_frame) {
    return (values + per_frame - 1) / per_frame;
}

/// §3: answers of several frames number them from 1 in their first byte; FF marks one that is none.
int part_of(const CanMessage&, const CanFrame& frame) {
    return frame.data[0] == 0xFF ? -1 : frame.data[0] - 1;
}

void number(std::size_t part, CanFrame& frame) {
    frame.data[0] = static_cast<std::uint8_t>(part + 1);
}

// ---- single frames -----------------------------------------------------------------------------------
std::string_view take_status(std::size_t, const Asking&, std::span<const std::uint8_t>, Reading& reading) {
    if (fitted(reading.cell_count, most_cells) == 0) return "the number of cells is impossible";  // §6
    if (*reading.temperature_count > max_temperatures) return "the number of temperature sensors is impossible";
    return {};
}

std::string_view take_totals(std::size_t, const Asking& asking, std::span<const std::uint8_t> data, Reading& reading) {
    reading.current_a = daly_current(data, asking.options);
    // §5, plausibility.
    if (!(*reading.voltage_v >= 8 && *reading.voltage_v <= 120)) return "the pack voltage is impossible";
    if (std::abs(*reading.current_a) >= 1000) return "the current is impossible";
    if (*reading.soc_percent > 100) return "the state of charge is impossible";
    return {};
}

bool encode_totals(std::size_t, const Asking& asking, const Reading& state, CanFrame& frame) {
    put_daly_current(state, asking.options, frame.data);
    return true;
}

std::string_view take_switches(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    read_daly_direction(data, reading);
    return {};
}

bool encode_switches(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put_daly_direction(state, frame.data);
    return true;
}

bool encode_balancing(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    for (std::size_t cell = 0; cell < std::min(state.cell_balancing.size(), most_cells); ++cell)
        if (state.cell_balancing[cell]) frame.data[cell / 8] |= static_cast<std::uint8_t>(1U << (cell % 8));
    return true;
}

// ---- answers of several frames -----------------------------------------------------------------------
bool encode_cells(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    const auto& voltages = state.cell_voltages_v;
    number(part, frame);
    for (std::size_t k = 0; k < cells_per_frame; ++k)
        if (const std::size_t cell = part * cells_per_frame + k; cell < voltages.size())
            put(frame.data, 1 + 2 * k, Wire::u16be, std::lround(voltages[cell].value_or(0) * 1000));
    return part * cells_per_frame < voltages.size();
}

bool encode_sensors(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    number(part, frame);
    for (std::size_t k = 0; k < values_per_frame; ++k)
        if (const std::size_t sensor = part * values_per_frame + k; sensor < state.temperatures_c.size())
            frame.data[1 + k] = static_cast<std::uint8_t>(
                std::clamp(std::lround(state.temperatures_c[sensor].value_or(0)) + 40, 0L, 255L));
    return part * values_per_frame < state.temperatures_c.size();
}

bool encode_code(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    const std::string& letters = state.serial_number.value_or("");
    number(part, frame);
    for (std::size_t k = 0; k < values_per_frame; ++k) {
        const std::size_t i = part * values_per_frame + k;
        frame.data[1 + k] = static_cast<std::uint8_t>(i < letters.size() ? letters[i] : ' ');
    }
    return true;
}

/// So many frames of the cells came without a gap; absent: there is one.
std::optional<std::size_t> cell_frames_in_a_row(const CanView& view) {
    std::size_t row = 0;
    for (std::size_t part = 0; part < cell_frames; ++part)
        if (!view.find(cells, part).empty() && row++ != part) return std::nullopt;
    return row;
}

/// The cells, if their number is known; false if a frame of them is missing: the rest is never shifted (daly §5.6).
bool take_cells(const CanView& view, Reading& reading) {
    const std::size_t count = fitted(reading.cell_count, most_cells);
    for (std::size_t part = 0; part < frames_for(count, cells_per_frame); ++part) {
        const auto data = view.find(cells, part);
        if (data.empty()) return false;
        for (std::size_t k = 0; k < cells_per_frame && part * cells_per_frame + k < count; ++k)
            reading.cell_voltages_v.push_back(static_cast<double>(get(data, 1 + 2 * k, Wire::u16be)) / 1000);
    }
    return true;
}

void take_sensors(const CanView& view, Reading& reading) {
    const std::size_t count = fitted(reading.temperature_count, max_temperatures);
    for (std::size_t part = 0; part < frames_for(count, values_per_frame); ++part) {
        const auto data = view.find(sensors, part);
        for (std::size_t k = 0; k < values_per_frame && part * values_per_frame + k < count; ++k)
            reading.temperatures_c.push_back(data.empty() ? Number{} : Number{data[1 + k] - 40.0});
    }
    const auto known = [](const Number& sensor) { return sensor.has_value(); };
    if (std::any_of(reading.temperatures_c.begin(), reading.temperatures_c.end(), known)) return;
    // Coldest and warmest, where the list of all is not told (§10).
    reading.temperatures_c.clear();
    const auto data = view.find(hottest);
    if (data.empty() || reading.temperature_count == 0.0) return;
    reading.temperatures_c.push_back(data[2] - 40.0);
    if (reading.temperature_count != 1.0) reading.temperatures_c.push_back(data[0] - 40.0);
}

/// §5: byte 0 bit 0 is cell 1.
void take_balancing(const CanView& view, Reading& reading) {
    const auto data = view.find(balancing);
    if (data.empty()) return;
    read_daly_balancing(data, reading, fitted(reading.cell_count, most_cells));
}

/// The battery code: printable characters only, blanks at the ends cut; a frame of it is missing: none.
void take_code(const CanView& view, Reading& reading) {
    std::string letters;
    for (std::size_t part = 0; part < code_frames; ++part) {
        const auto data = view.find(code, part);
        if (data.empty()) return;
        for (const std::uint8_t c : data.subspan(1))
            if (c >= 0x20 && c < 0x7F) letters += static_cast<char>(c);
    }
    const auto first = letters.find_first_not_of(' ');
    if (first == std::string::npos) return;
    reading.serial_number = letters.substr(first, letters.find_last_not_of(' ') - first + 1);
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    if (asking.recorded && view.has_impossible())
        return {"a frame of an answer has the number FF, which marks it as invalid", ErrorClass::malformed};
    // A recording may have stopped before the last of the cells (daly §5.6).
    const bool stopped = asking.recorded && cell_frames_in_a_row(view);
    if (!take_cells(view, reading)) {
        if (!stopped) return {"a frame with cell voltages is missing", ErrorClass::truncated};
        reading.cell_voltages_v.clear();
    }
    take_sensors(view, reading);
    take_balancing(view, reading);
    take_code(view, reading);
    if (!reading.capacity_ah && reading.voltage_v) reading.capacity_ah = asking.options.capacity_ah;
    return {};
}

// ---- the tables --------------------------------------------------------------------------------------
constexpr std::array alarm_bits = daly_alarms([](std::uint8_t byte) { return byte; });

/// An answer of eight bytes.
constexpr CanMessage answer(std::string_view name, std::string_view meaning, std::uint32_t command,
                            std::size_t question, Layout layout) {
    layout.size = 8;
    return {.name = name,
            .meaning = meaning,
            .id = answer_base + (command << 16) + first_board,
            .extended = true,
            .per_address = 1,
            .valid = milliseconds{5000},  // §5
            .asked_by = question,
            .layout = layout};
}
constexpr CanMessage with(CanMessage message, TakeFrame take, EncodeFrame encode) {
    message.take = take;
    message.encode = encode;
    return message;
}
constexpr CanMessage mandatory(CanMessage message) {
    message.need = Need::mandatory;
    return message;
}
constexpr CanMessage several(CanMessage message, std::uint16_t parts) {
    message.parts = parts;
    return message;
}
/// What never changes is asked once and holds.
constexpr CanMessage for_ever(CanMessage message) {
    message.valid = milliseconds{0};
    return message;
}

constexpr std::array messages = {
    mandatory(with(answer("status", "cells, sensors, cycles", 0x94, status, {.rows = daly_status_rows}), take_status,
                   nullptr)),
    mandatory(with(answer("totals", "voltage, current, state of charge", 0x90, totals, {.rows = daly_totals_rows}),
                   take_totals, encode_totals)),
    mandatory(with(
        answer("switches", "FETs, remaining capacity", 0x93, fets, {.rows = daly_fets_rows, .flags = daly_fets_flags}),
        take_switches, encode_switches)),
    mandatory(answer("alarms", "all alarms", 0x98, alarms, {.alarms = alarm_bits})),
    mandatory(several(with(answer("cells", "cell voltages", 0x95, cells, {}), nullptr, encode_cells), cell_frames)),
    several(with(answer("sensors", "temperatures", 0x96, sensors, {}), nullptr, encode_sensors), sensor_frames),
    with(answer("balancing", "which cells are balanced", 0x97, balancing, {}), nullptr, encode_balancing),
    answer("hottest", "coldest and warmest sensor", 0x92, hottest, {}),
    answer("extremes", "lowest and highest cell", 0x91, extremes, {.rows = daly_extremes_rows}),
    for_ever(answer("rated", "rated capacity", 0x50, rated, {.rows = daly_rated_rows})),
    for_ever(several(with(answer("code", "battery code", 0x57, code, {}), nullptr, encode_code), code_frames)),
};

/// §3: the data of a question are zeros.
constexpr CanQuestion question(std::string_view name, std::uint32_t command, When when = When::every_poll) {
    return {.name = name,
            .meaning = "asks for it",
            .id = question_base + (command << 16) + (first_board << 8),
            .extended = true,
            .per_address = 0x100,
            .when = when};
}

constexpr std::array questions = {
    question("status", 0x94),
    question("totals", 0x90),
    question("switches", 0x93),
    question("alarms", 0x98),
    question("cells", 0x95),
    question("sensors", 0x96),
    question("balancing", 0x97),
    question("hottest", 0x92),
    question("extremes", 0x91),
    question("rated", 0x50, When::identify),
    question("code", 0x57, When::identify),
};

std::string identity(const Reading& reading) {
    return reading.serial_number.value_or("");
}

constexpr std::array<std::uint32_t, 2> bitrates = {250000, 500000};
constexpr CanLink on_bus{
    .bitrates = bitrates, .messages = messages, .questions = questions, .part_of = part_of, .finish = finish};

constexpr std::array<std::string_view, 1> aliases = {"DalyCan"};
constexpr std::array<std::string_view, 1> sold_as = {"Daly Smart BMS with CAN port"};

}  // namespace

extern const Family daly_can;
constexpr Family daly_can{
    .key = "daly_can",
    .type = "Daly_Can",
    .label = "Daly CAN",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .addresses = {.used = true,
                  .first = first_board,
                  .last = last_board,
                  .standard = first_board,
                  .meaning = "the board number"},
    .timing = {.poll = milliseconds{1000}},
    .identity = identity,
    .doubt = daly_doubt,
    .guide =
        {.can = true,
         .connector = R"(- The CAN socket of the BMS; 250 kbit/s unless the vendor's program says otherwise.
)",
         .addresses =
             R"(- The board number itself, 0x01..0x10; a single battery has 1. Set a different one in each with the vendor's PC
  program (the setting of the phone app does not take).
)",
         .vendor_app =
             R"(- Port setting "CAN", not the protocol of an inverter: with that the BMS also sends frames of another kind, unasked.
- "Sleep time" (seconds): 65535, or the BMS falls asleep and answers nobody.
)",
         .notes = R"(- Two boards with one number answer at the same time: values jump. Give each its own number.
- If the current has the wrong sign: INVERT_CURRENT_MEASUREMENT = -1.
)"},
};
static_assert(sound_on_can(daly_can));

}  // namespace bmsd::bms
