// JK BMS on CAN: four frames of 11 bits (V1), since 2023 also frames of 29 bits with all cells (V2). It speaks unasked.
// Facts: dossier jkbms_can (sections are quoted as "§").
#include <algorithm>
#include <cmath>

#include "bms/cell_count.hpp"
#include "bms/jk_errors.hpp"
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

constexpr std::size_t cells_per_frame = 4;
constexpr std::size_t cell_frames = 8;  // §5: some documents list 32 cells
constexpr std::size_t most_sensors = 5;

/// Place of each message in the table below.
enum : std::size_t { status, extremes, temperatures, alarms, capacity, sensors, errors, info, switches, cells };

// ---- alarms of the short frames (§7) -----------------------------------------------------------------
struct Pair {
    std::uint8_t number;
    Alarm alarm;
    Alarm also;  ///< the same where it means one thing only
};
constexpr Pair pair(std::uint8_t number, Alarm alarm) {
    return {number, alarm, alarm};
}
// Temperature difference (9) is no alarm here.
constexpr std::array pairs = {
    pair(0, Alarm::high_cell_voltage),
    pair(1, Alarm::low_cell_voltage),
    pair(2, Alarm::high_voltage),
    pair(3, Alarm::low_voltage),
    pair(4, Alarm::cell_imbalance),
    pair(5, Alarm::high_discharge_current),
    pair(6, Alarm::high_charge_current),
    Pair{7, Alarm::high_temperature, Alarm::high_charge_temperature},
    Pair{8, Alarm::low_temperature, Alarm::low_charge_temperature},
    pair(10, Alarm::low_soc),
    pair(11, Alarm::internal_failure),
    pair(12, Alarm::internal_failure),
    pair(13, Alarm::internal_failure),
    pair(14, Alarm::internal_failure),
};

/// 1 serious, 2 important, 3 general.
std::string_view take_alarms(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    const auto word = static_cast<std::uint32_t>(get(data, 0, u32le));
    for (const Pair& one : pairs) {
        const std::uint32_t code = (word >> (2 * one.number)) & 3;
        if (code == 0) continue;
        const Level level = code == 3 ? Level::warning : Level::alarm;
        reading.alarms.raise(one.alarm, level);
        reading.alarms.raise(one.also, level);
    }
    return {};
}

/// Sent while there is an alarm only.
bool encode_alarms(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    std::uint32_t word = 0;
    for (const Pair& one : pairs) {
        const Level level =
            std::min(state.alarms[one.alarm].value_or(Level::ok), state.alarms[one.also].value_or(Level::ok));
        if (level != Level::ok) word |= (level == Level::alarm ? 1U : 3U) << (2 * one.number);
    }
    put(frame.data, 0, u32le, word);
    return word != 0;
}

// ---- temperatures --------------------------------------------------------------------------------------
std::uint8_t raw_temperature(const Number& celsius) {
    return celsius ? static_cast<std::uint8_t>(std::clamp(std::lround(*celsius) + 50, 1L, 254L)) : std::uint8_t{0xFF};
}

bool encode_temperatures(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    Number low, high;
    for (const Number& sensor : state.temperatures_c)
        if (sensor) {
            low = std::min(low.value_or(*sensor), *sensor);
            high = std::max(high.value_or(*sensor), *sensor);
        }
    frame.data = {raw_temperature(high), 1, raw_temperature(low), 2, raw_temperature(high)};
    return true;
}

bool encode_sensors(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    frame.data.fill(0xFF);
    frame.data[0] = 0x1F;
    const auto at = [&](std::size_t i) { return i < state.temperatures_c.size() ? state.temperatures_c[i] : Number{}; };
    const Number all[most_sensors] = {at(0), at(1), state.mosfet_temperature_c, at(2), at(3)};
    for (std::size_t i = 0; i < most_sensors; ++i) frame.data[1 + i] = raw_temperature(all[i]);
    return true;
}

/// §5, ALL_TEMP: a cleared bit of the mask, 00 or FF: no sensor there. 4 and 5 exist on PB boards only.
void take_sensors(std::span<const std::uint8_t> data, Reading& reading) {
    const auto sensor = [&](std::size_t i) -> Number {
        const std::uint8_t raw = data[1 + i];
        if (((data[0] >> i) & 1) == 0 || raw == 0x00 || raw == 0xFF) return std::nullopt;
        return raw - 50.0;
    };
    reading.mosfet_temperature_c = sensor(2);
    for (const std::size_t i : {0U, 1U, 3U, 4U}) reading.temperatures_c.push_back(sensor(i));
    while (reading.temperatures_c.size() > 2 && !reading.temperatures_c.back()) reading.temperatures_c.pop_back();
    const auto known = [](const Number& one) { return one.has_value(); };
    if (std::none_of(reading.temperatures_c.begin(), reading.temperatures_c.end(), known))
        reading.temperatures_c.clear();
}

// ---- cells ---------------------------------------------------------------------------------------------
bool encode_cells(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    const auto& voltages = state.cell_voltages_v;
    for (std::size_t k = 0; k < cells_per_frame; ++k)
        if (const std::size_t cell = part * cells_per_frame + k; cell < voltages.size())
            put(frame.data, 2 * k, u16le, std::lround(voltages[cell].value_or(0) * 1000));
    return part * cells_per_frame < voltages.size();
}

/// Cells up to the highest that is not zero; false if a frame below that one is missing: the list is never shifted.
bool take_cells(const CanView& view, Reading& reading) {
    std::size_t count = 0;
    for (std::size_t part = 0; part < cell_frames; ++part)
        if (const auto data = view.find(cells, part); !data.empty())
            for (std::size_t k = 0; k < cells_per_frame; ++k)
                if (get(data, 2 * k, u16le) != 0) count = part * cells_per_frame + k + 1;
    for (std::size_t cell = 0; cell < count; ++cell) {
        const auto data = view.find(cells, cell / cells_per_frame);
        if (data.empty()) return false;
        const auto raw = get(data, 2 * (cell % cells_per_frame), u16le);
        reading.cell_voltages_v.push_back(raw == 0 ? Number{} : Number{static_cast<double>(raw) / 1000});
    }
    return true;
}

/// §6: the slowest frames, those with the cells, may come a second after the first.
constexpr std::chrono::seconds first_cells{2};
/// §5: how long a cell frame that only the sum misses is waited for.
constexpr std::chrono::seconds patience_for_cells{5};

Verdict finish_cells(const CanView& view, const Asking& asking, Reading& reading) {
    if (!take_cells(view, reading)) return {"a frame with cell voltages is missing", ErrorClass::truncated};
    if (reading.cell_voltages_v.empty()) {
        if (asking.recorded || view.listening() >= first_cells) return {};
        return {"cell voltages may still come", ErrorClass::truncated};
    }
    double sum = 0;
    bool all = true;
    for (const Number& cell : reading.cell_voltages_v) {
        sum += cell.value_or(0);
        all = all && cell.has_value();
    }
    const auto count = static_cast<double>(reading.cell_voltages_v.size());
    const bool lacks_some = std::abs(sum - *reading.voltage_v) > sum / count / 2;
    if (lacks_some && (asking.recorded || view.listening() < patience_for_cells))
        return {"the cells do not add up to the pack voltage: the last ones are missing", ErrorClass::truncated};
    if (lacks_some) reading.cell_count = estimated_cells(reading, asking.known);
    reading.cell_count = std::max(reading.cell_count.value_or(count), count);
    if (all && !lacks_some) reading.voltage_v = sum;  // finer than the 0.1 V of the status
    return {};
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    if (!(*reading.voltage_v > 5 && *reading.voltage_v < 120)) return {"the pack voltage is impossible"};  // §6
    if (reading.max_cell_voltage_v && *reading.max_cell_voltage_v < *reading.min_cell_voltage_v)
        return {"the highest cell is below the lowest"};
    if (asking.options.invert_current) reading.current_a = -*reading.current_a + 0.0;
    if (const Verdict verdict = finish_cells(view, asking, reading); !verdict.why.empty()) return verdict;
    // V1 knows the highest and the lowest cell only.
    if (!reading.cell_count) reading.cell_count = estimated_cells(reading, asking.known);
    if (const auto data = view.find(sensors); !data.empty()) take_sensors(data, reading);
    if (const auto data = view.find(temperatures); !data.empty() && reading.temperatures_c.empty())
        for (const std::size_t at : {0U, 2U})
            if (data[at] != 0x00 && data[at] != 0xFF) reading.temperatures_c.push_back(data[at] - 50.0);
    return {};
}

// ---- the tables (§5) -----------------------------------------------------------------------------------
// Positive is charging, whatever the vendor's document says (§5, sign of the current).
constexpr std::array status_rows = {
    Row{&Reading::voltage_v, 0, u16le, 0.1},
    Row{&Reading::current_a, 2, u16le, 0.1, -400},
    Row{&Reading::soc_percent, 4, u8},
};
constexpr std::array extremes_rows = {
    Row{&Reading::max_cell_voltage_v, 0, u16le, 0.001},
    Row{&Reading::max_cell_number, 2, u8, 1, 0, 0},
    Row{&Reading::min_cell_voltage_v, 3, u16le, 0.001},
    Row{&Reading::min_cell_number, 5, u8, 1, 0, 0},
};
constexpr std::array capacity_rows = {
    Row{&Reading::capacity_remaining_ah, 0, u16le, 0.1},
    Row{&Reading::capacity_ah, 2, u16le, 0.1},
    Row{&Reading::cycles, 6, u16le},
};
constexpr std::array info_rows = {
    Row{&Reading::runtime_s, 0, u32le},
    Row{&Reading::heater_current_a, 4, u16le, 0.001},
    Row{&Reading::soh_percent, 6, u8},
};
constexpr std::array switches_flags = {
    FlagRow{&Reading::charge_fet, 0, u8, 0x01},
    FlagRow{&Reading::discharge_fet, 0, u8, 0x02},
    FlagRow{&Reading::balancing_active, 0, u8, 0x04},
    FlagRow{&Reading::heater_on, 0, u8, 0x08},
};
/// Errors 1..17; the bits above have another meaning here.
constexpr auto error_bits = jk_errors<17>(0);

constexpr CanMessage short_frame(std::string_view name, std::string_view meaning, std::uint32_t id, int period_ms,
                                 Layout layout) {
    return {.name = name,
            .meaning = meaning,
            .id = id,
            .per_address = 1,
            .period = milliseconds{period_ms},
            .layout = layout};
}
constexpr CanMessage long_frame(std::string_view name, std::string_view meaning, std::uint32_t id, int period_ms,
                                Layout layout) {
    CanMessage message = short_frame(name, meaning, id, period_ms, layout);
    message.extended = true;
    return message;
}
constexpr CanMessage with(CanMessage message, TakeFrame take, EncodeFrame encode) {
    message.take = take;
    message.encode = encode;
    return message;
}
constexpr CanMessage needed(CanMessage message, Need need, int valid_ms) {
    message.need = need;
    message.valid = milliseconds{valid_ms};
    return message;
}
constexpr CanMessage sporadic(CanMessage message) {
    message.sporadic = true;
    return message;
}
constexpr CanMessage in_frames(CanMessage message, std::uint16_t parts, std::uint32_t per_part) {
    message.parts = parts;
    message.per_part = per_part;
    message.cyclic = true;
    return message;
}

constexpr std::array messages = {
    // §10: the battery is gone when this one is missing for 2 s; an alarm ends when its frame stays away for 2 s.
    needed(short_frame("status", "voltage, current, state of charge", 0x2F4, 20, {.size = 5, .rows = status_rows}),
           Need::always, 2000),
    needed(short_frame("extremes", "highest and lowest cell", 0x4F4, 100, {.size = 6, .rows = extremes_rows}),
           Need::optional, 5000),
    with(short_frame("temperatures", "highest and lowest temperature", 0x5F4, 500, {.size = 5}), nullptr,
         encode_temperatures),
    sporadic(needed(
        with(short_frame("alarms", "alarms, while there are any", 0x7F4, 100, {.size = 4}), take_alarms, encode_alarms),
        Need::optional, 2000)),
    long_frame("capacity", "capacities and cycles", 0x18F128F4, 100, {.size = 8, .rows = capacity_rows}),
    with(long_frame("sensors", "all temperatures", 0x18F228F4, 500, {.size = 6}), nullptr, encode_sensors),
    long_frame("errors", "protections", 0x18F328F4, 100, {.size = 4, .alarms = error_bits}),
    long_frame("info", "run time, health", 0x18F428F4, 500, {.size = 7, .rows = info_rows}),
    long_frame("switches", "FETs, balancing, heater", 0x18F528F4, 500, {.size = 1, .flags = switches_flags}),
    with(in_frames(long_frame("cells", "cell voltages", 0x18E028F4, 1000, {.size = 8}), cell_frames, 0x10000), nullptr,
         encode_cells),
};

/// §6: three frames of the same OEM document, with content that fits, are it.
Certainty certainty(const CanView& view, const Reading&) {
    return view.find(extremes).empty() || view.find(temperatures).empty() ? Certainty::none : Certainty::certain;
}

constexpr std::array never_raised = {Alarm::low_voltage,
                                     Alarm::high_voltage,
                                     Alarm::low_cell_voltage,
                                     Alarm::high_cell_voltage,
                                     Alarm::low_soc,
                                     Alarm::high_charge_current,
                                     Alarm::high_discharge_current,
                                     Alarm::cell_imbalance,
                                     Alarm::internal_failure,
                                     Alarm::high_temperature,
                                     Alarm::low_temperature,
                                     Alarm::high_charge_temperature,
                                     Alarm::low_charge_temperature};

constexpr std::array<std::uint32_t, 1> of_silver_boards = {1};
constexpr std::array<std::uint32_t, 2> bitrates = {250000, 500000};
constexpr CanLink on_bus{.bitrates = bitrates, .messages = messages, .finish = finish, .certainty = certainty};

constexpr std::array<std::string_view, 1> aliases = {"JkbmsCan"};
constexpr std::array<std::string_view, 2> sold_as = {"JK BMS with CAN module", "JK PB with CAN"};

}  // namespace

extern const Family jkbms_can;
constexpr Family jkbms_can{
    .key = "jkbms_can",
    .type = "Jkbms_Can",
    .label = "JKBMS CAN",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .addresses = {.used = true,
                  .first = 0,
                  .last = 15,
                  .standard = 0,
                  .meaning = "the DIP switches of PB boards; boards without them have 0, old silver ones 1",
                  .factory = of_silver_boards},
    .timing = {.poll = milliseconds{1000}},
    .never_raised = never_raised,
    .guide =
        {.can = true,
         .connector =
             R"(- The connector printed CAN (GND, CAN-H, CAN-L); it only lives on boards that were ordered with CAN.
)",
         .addresses =
             R"(- PB boards: the DIP switches, switch n counts 2^(n-1); all down is address 0, which is fine on CAN.
- Boards without switches have address 0 (old silver ones 1) and cannot share a bus.
)",
         .dip_switches = 4,
         .vendor_app =
             R"(- CAN protocol 0 ("JK BMS CAN Protocol (250K) V2.0") or 6 ("... (500K) V2.0"). Any other choice is the protocol of
  an inverter.
)",
         .notes = R"(- The interface must have the bitrate of that choice.
- Several batteries each need their own address; the vendor's master/slave mode does not work with this.
)"},
};
static_assert(sound_on_can(jkbms_can));

}  // namespace bmsd::bms
