// Valence U-BMS: up to 55 modules behind one controller, 11-bit frames, and a heartbeat without which its contactor
// opens. Facts: dossier ubms_can (sections are quoted as "§").
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

/// Place of each message in the table below.
enum : std::size_t { revision, status, info, trace, cells, balancing, board_c, cell_c };

constexpr std::size_t most_modules = 55;
constexpr std::size_t cells_per_module = 4;  // §5: 4-cell modules; others are not supported
constexpr std::size_t modules_per_balance_frame = 7;
constexpr std::size_t modules_per_sensor_frame = 3;
constexpr std::int64_t no_current = 32768;
constexpr double module_ah = 130;  // §5: U27-12XP

constexpr std::uint16_t at_number = 0;  // of the U-BMS, in the frames of the modules

// ---- §5 ------------------------------------------------------------------------------------------------
/// Limits hold in drive mode only; else the battery has none to tell.
bool drives(const CanView& view) {
    const auto data = view.find(status);
    return !data.empty() && (data[1] & 3) == 2;
}

/// Byte 5 holds the low, byte 7 the high half of the charge limit.
Number charge_limit(std::span<const std::uint8_t> data) {
    return static_cast<double>(data[5] | data[7] << 8);
}

bool encode_status(std::size_t, const Asking& asking, const Reading&, CanFrame& frame) {
    frame.data[1] |= 2;  // drive
    frame.data[5] = static_cast<std::uint8_t>(asking.options.series * asking.options.parallel);
    return true;
}

std::string_view take_info(std::size_t, const Asking& asking, std::span<const std::uint8_t> data, Reading& reading) {
    const auto amperes = static_cast<double>(get(data, 1, u16le) - no_current);
    reading.current_a = (asking.options.invert_current ? -amperes : amperes) + 0.0;
    // A single contactor shows as discharge contactor only, although it charges as well; both count as off while its
    // opening is requested.
    const bool opens = data[6] & 0x01;
    const bool closed = data[6] & 0x02;
    reading.discharge_fet = closed && !opens;
    reading.charge_fet = (closed || (data[6] & 0x10)) && !opens;
    return {};
}
bool encode_info(std::size_t, const Asking& asking, const Reading& state, CanFrame& frame) {
    const double amperes = state.current_a.value_or(0) * (asking.options.invert_current ? -1 : 1);
    frame.data[0] = static_cast<std::uint8_t>(std::clamp(std::lround(state.voltage_v.value_or(0)), 0L, 255L));
    put(frame.data, 1, u16le, std::clamp<std::int64_t>(std::llround(amperes) + no_current, 0, 0xFFFF));
    put(frame.data, 3, u16le, std::llround(state.max_discharge_current_a.value_or(0)));
    const auto limit = static_cast<unsigned>(std::lround(state.max_charge_current_a.value_or(0)));
    frame.data[5] = static_cast<std::uint8_t>(limit & 0xFF);
    frame.data[7] = static_cast<std::uint8_t>(limit >> 8);
    frame.data[6] = static_cast<std::uint8_t>((state.discharge_fet.value_or(true) ? 0x02 : 0) |
                                              (state.charge_fet.value_or(true) ? 0x10 : 0));
    return true;
}

/// Versions are in tenths: 43 is 4.3.
std::string version(std::uint8_t raw) {
    char text[8];
    std::snprintf(text, sizeof text, "%u.%u", raw / 10U, raw % 10U);
    return text;
}
std::string_view take_revision(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (data[3] != 0 && data[3] != 1 && data[3] != 3) return "the type is none of LV, HV, SHV";  // §6
    reading.software_version = version(data[0]);
    reading.hardware_version = version(data[4]);
    return {};
}
std::uint8_t raw_version(const Text& text) {
    return static_cast<std::uint8_t>(std::lround(std::strtod(text.value_or("").c_str(), nullptr) * 10));
}
bool encode_revision(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    frame.data[0] = raw_version(state.software_version);
    frame.data[4] = raw_version(state.hardware_version);
    return true;
}

// ---- modules -------------------------------------------------------------------------------------------
std::size_t modules_of(const Asking& asking) {
    return std::min<std::size_t>(most_modules, std::size_t{asking.options.series} * asking.options.parallel);
}

/// Cell 0..3 of a module: three in its first frame, the fourth in its second.
Number cell_of(const CanView& view, std::size_t module, std::size_t cell) {
    const auto data = view.find(cells, 2 * module + cell / 3);
    const std::size_t at = 2 + 2 * (cell % 3);
    if (data.size() < at + 2 || data[1] != 0) return std::nullopt;
    return static_cast<double>(get(data, at, u16be)) / 1000;
}

bool encode_cells(std::size_t part, const Asking& asking, const Reading& state, CanFrame& frame) {
    const std::size_t module = part / 2;
    if (module >= modules_of(asking) || state.cell_voltages_v.empty()) return false;
    const std::size_t first = part % 2 == 0 ? 0 : 3;
    const std::size_t count = part % 2 == 0 ? 3 : 1;
    // Strings in parallel have the same voltages here; a pack with fewer cells than modules begins anew.
    const std::size_t base = module % asking.options.series * cells_per_module;
    for (std::size_t k = 0; k < count; ++k) {
        const Number& volts = state.cell_voltages_v[(base + first + k) % state.cell_voltages_v.size()];
        put(frame.data, 2 + 2 * k, u16be, std::llround(volts.value_or(0) * 1000));
    }
    frame.size = static_cast<std::uint8_t>(2 + 2 * count);
    return true;
}

/// One byte per module, one bit per cell: 0 balances.
bool encode_balancing(std::size_t part, const Asking& asking, const Reading& state, CanFrame& frame) {
    frame.data.fill(0xFF);
    for (std::size_t k = 0; k < modules_per_balance_frame; ++k) {
        const std::size_t module = part * modules_per_balance_frame + k;
        if (module >= modules_of(asking)) continue;
        for (std::size_t cell = 0; cell < cells_per_module; ++cell)
            if (const std::size_t i = module * cells_per_module + cell;
                i < state.cell_balancing.size() && state.cell_balancing[i])
                frame.data[1 + k] &= static_cast<std::uint8_t>(~(1U << cell));
    }
    return part * modules_per_balance_frame < modules_of(asking);
}

/// Hundredths of degrees, three modules per frame.
bool encode_sensors(std::size_t part, const Asking& asking, const Reading& state, CanFrame& frame) {
    if (state.temperatures_c.empty()) return false;
    for (std::size_t k = 0; k < modules_per_sensor_frame; ++k) {
        const std::size_t module = part * modules_per_sensor_frame + k;
        const Number& celsius = state.temperatures_c[module % state.temperatures_c.size()];
        if (module < modules_of(asking)) put(frame.data, 2 + 2 * k, i16be, std::llround(celsius.value_or(0) * 100));
    }
    return part * modules_per_sensor_frame < modules_of(asking);
}

/// The cells in series: of modules in parallel the one that is farthest from the mean of all, so that neither the
/// highest nor the lowest cell of the battery goes unseen.
void take_cells(const CanView& view, const Asking& asking, Reading& reading) {
    const std::size_t series = std::min<std::size_t>(asking.options.series, max_cells / cells_per_module);
    double sum = 0;
    std::size_t known = 0;
    for (std::size_t module = 0; module < modules_of(asking); ++module)
        for (std::size_t cell = 0; cell < cells_per_module; ++cell)
            if (const Number volts = cell_of(view, module, cell)) sum += *volts, ++known;
    if (known == 0) return;
    const double mean = sum / static_cast<double>(known);
    double first_string = 0;
    bool whole = true;
    for (std::size_t i = 0; i < series * cells_per_module; ++i) {
        Number worst;
        for (std::size_t parallel = 0; parallel < asking.options.parallel; ++parallel) {
            const std::size_t module = parallel * asking.options.series + i / cells_per_module;
            const Number volts = cell_of(view, module, i % cells_per_module);
            if (volts && (!worst || std::abs(*volts - mean) > std::abs(*worst - mean))) worst = volts;
            if (parallel == 0 && volts) first_string += *volts;
            if (parallel == 0 && !volts) whole = false;
        }
        reading.cell_voltages_v.push_back(worst);
    }
    if (whole) reading.voltage_v = first_string;  // §5: modules 1..S, finer than the status
    const auto missing = [](const Number& one) { return !one.has_value(); };
    if (std::any_of(reading.cell_voltages_v.begin(), reading.cell_voltages_v.end(), missing))
        reading.cell_voltages_v.clear();
}

/// All modules, in the order of their numbers.
void take_balancing(const CanView& view, const Asking& asking, Reading& reading) {
    for (std::size_t module = 0; module < modules_of(asking); ++module) {
        const auto data = view.find(balancing, module / modules_per_balance_frame);
        const std::size_t at = 1 + module % modules_per_balance_frame;
        if (at >= data.size()) {
            reading.cell_balancing.clear();
            reading.balancing_active.reset();
            return;
        }
        for (std::size_t cell = 0; cell < cells_per_module && reading.cell_balancing.size() < max_cells; ++cell) {
            const bool active = ((data[at] >> cell) & 1) == 0;
            reading.cell_balancing.push_back(active);
            reading.balancing_active = reading.balancing_active.value_or(false) || active;
        }
    }
}

/// Of each module the temperature of its cells; where these are not told, the extremes.
void take_temperatures(const CanView& view, const Asking& asking, Reading& reading) {
    for (std::size_t module = 0; module < modules_of(asking) && module < max_temperatures; ++module) {
        const auto data = view.find(cell_c, module / modules_per_sensor_frame);
        const std::size_t at = 2 + 2 * (module % modules_per_sensor_frame);
        if (data.size() < at + 2) {
            reading.temperatures_c.clear();
            break;
        }
        reading.temperatures_c.push_back(static_cast<double>(get(data, at, i16be)) / 100);
    }
    if (reading.temperatures_c.empty() && reading.min_cell_temperature_c)
        reading.temperatures_c = {reading.min_cell_temperature_c, reading.max_cell_temperature_c};
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    reading.cell_count = static_cast<double>(asking.options.series * cells_per_module);
    reading.capacity_ah = asking.options.capacity_ah.value_or(module_ah * asking.options.parallel);
    take_cells(view, asking, reading);
    if (const auto data = view.find(info); !data.empty()) {
        if (!reading.voltage_v && data[0] != 0) reading.voltage_v = data[0];  // scale 1 V, as the U-BMS must be set
        if (drives(view)) {
            reading.max_discharge_current_a = static_cast<double>(get(data, 3, u16le));
            reading.max_charge_current_a = charge_limit(data);
        }
    }
    take_balancing(view, asking, reading);
    take_temperatures(view, asking, reading);
    return {};
}

/// §4, rule 1: never before the U-BMS has shown itself.
bool has_shown_itself(const CanView& view) {
    return !view.find(revision).empty() && !view.find(status).empty();
}

// ---- alarms (§7) -----------------------------------------------------------------------------------------
constexpr AlarmBit raised(Alarm alarm, Level level, std::uint16_t at, std::uint8_t bit) {
    return {alarm, level, at, u8, bit};
}
constexpr std::array status_alarms = {
    raised(Alarm::low_cell_voltage, Level::alarm, 2, 4),
    raised(Alarm::low_cell_voltage, Level::alarm, 7, 3),
    raised(Alarm::low_cell_voltage, Level::warning, 3, 6),
    raised(Alarm::high_cell_voltage, Level::alarm, 2, 5),
    raised(Alarm::high_cell_voltage, Level::alarm, 7, 2),
    raised(Alarm::high_cell_voltage, Level::warning, 3, 7),
    raised(Alarm::low_soc, Level::warning, 2, 3),
    raised(Alarm::high_temperature, Level::alarm, 2, 2),
    raised(Alarm::high_temperature, Level::alarm, 2, 7),
    raised(Alarm::high_temperature, Level::warning, 2, 1),
    raised(Alarm::low_temperature, Level::alarm, 1, 6),
    raised(Alarm::low_temperature, Level::alarm, 1, 7),
    raised(Alarm::low_temperature, Level::warning, 1, 5),
    raised(Alarm::high_internal_temperature, Level::alarm, 4, 4),
    raised(Alarm::high_internal_temperature, Level::alarm, 4, 5),
    raised(Alarm::high_internal_temperature, Level::warning, 4, 3),
    raised(Alarm::high_discharge_current, Level::alarm, 4, 1),
    raised(Alarm::high_discharge_current, Level::alarm, 4, 2),
    raised(Alarm::high_discharge_current, Level::warning, 4, 0),
    raised(Alarm::cell_imbalance, Level::warning, 3, 5),
    raised(Alarm::internal_failure, Level::alarm, 2, 0),
    raised(Alarm::internal_failure, Level::alarm, 3, 1),
    raised(Alarm::internal_failure, Level::alarm, 3, 2),
    raised(Alarm::internal_failure, Level::alarm, 3, 3),
    raised(Alarm::internal_failure, Level::alarm, 3, 4),
    raised(Alarm::internal_failure, Level::alarm, 7, 5),
    raised(Alarm::internal_failure, Level::alarm, 7, 6),
};

// ---- the tables (§2) -----------------------------------------------------------------------------------
constexpr std::array status_rows = {
    Row{&Reading::soc_percent, 0, u8},
    Row{&Reading::module_count, 5, u8},
};
constexpr std::array trace_rows = {
    Row{&Reading::max_cell_temperature_c, 0, u8, 1, -40},
    Row{&Reading::min_cell_temperature_c, 1, u8, 1, -40},
    Row{&Reading::max_cell_voltage_v, 4, u16le, 0.001},
    Row{&Reading::min_cell_voltage_v, 6, u16le, 0.001},
};

/// A frame of one of up to four U-BMS, whose ids are `apart` from each other.
constexpr CanMessage message(std::string_view name, std::string_view meaning, std::uint32_t id, std::uint32_t apart,
                             int period_ms, Layout layout, TakeFrame take = nullptr, EncodeFrame encode = nullptr) {
    return {.name = name,
            .meaning = meaning,
            .id = id,
            .per_address = apart,
            .period = milliseconds{period_ms},
            .layout = layout,
            .take = take,
            .encode = encode};
}
constexpr CanMessage needed(CanMessage one, Need need) {
    one.need = need;
    return one;
}
/// Ids that all U-BMS share: their first byte tells which it is. A big system needs 11 s for a round (§10).
constexpr CanMessage of_modules(CanMessage one, std::uint16_t parts) {
    one.per_address = 0;
    one.parts = parts;
    one.per_part = 1;
    one.valid = milliseconds{12000};
    return one;
}

constexpr std::array messages = {
    [] {
        CanMessage one =
            needed(message("revision", "versions", 0x180, 1, 3000, {.size = 8}, take_revision, encode_revision),
                   Need::mandatory);
        one.valid = milliseconds{15000};
        return one;
    }(),
    needed(message("status", "state of charge, alarms", 0x0C0, 6, 600,
                   {.size = 8, .rows = status_rows, .alarms = status_alarms}, nullptr, encode_status),
           Need::always),
    needed(message("info", "current, limits, contactors", 0x0C1, 6, 600, {.size = 8}, take_info, encode_info),
           Need::mandatory),
    message("trace", "extreme cells and temperatures", 0x0C4, 6, 600, {.size = 8, .rows = trace_rows}),
    of_modules(message("cells", "cell voltages of the modules", 0x350, 0, 600, {.size = 4}, nullptr, encode_cells),
               2 * most_modules),
    of_modules(message("balancing", "cells that are balanced", 0x26A, 0, 600, {.size = 2}, nullptr, encode_balancing),
               8),
    of_modules(message("board temperatures", "of the modules", 0x67A, 0, 600, {.size = 4}, nullptr, encode_sensors),
               19),
    of_modules(message("cell temperatures", "of the modules", 0x76A, 0, 600, {.size = 4}, nullptr, encode_sensors), 19),
};

/// §4: the mode "drive", which keeps the contactor closed.
constexpr std::array questions = {
    CanQuestion{.name = "heartbeat",
                .meaning = "keeps the contactor closed: 20 s without it open it",
                .id = 0x440,
                .per_address = 2,
                .when = When::sometimes,
                .period = milliseconds{600},
                .size = 4,
                .data = {0x00, 0x02},
                .wanted = has_shown_itself},
};

bool ours(const CanMessage& one, std::uint32_t address, const CanFrame& frame) {
    return one.parts == 1 || frame.data[at_number] == address;
}

void stamp(std::uint32_t address, CanFrame& frame) {
    const auto in = [&](std::uint32_t first, std::uint32_t count) { return frame.id - first < count; };
    if (in(0x350, 2 * most_modules) || in(0x26A, 8) || in(0x67A, 19) || in(0x76A, 19))
        frame.data[at_number] = static_cast<std::uint8_t>(address);
}

constexpr std::array<std::uint32_t, 3> bitrates = {250000, 500000, 125000};
constexpr CanLink on_bus{
    .bitrates = bitrates, .messages = messages, .questions = questions, .ours = ours, .stamp = stamp, .finish = finish};

constexpr std::array<std::string_view, 2> aliases = {"UbmsCan", "Valence"};
constexpr std::array<std::string_view, 1> sold_as = {"Valence U-Charge XP with U-BMS (4-cell modules)"};

}  // namespace

extern const Family ubms_can;
constexpr Family ubms_can{
    .key = "ubms_can",
    .type = "Ubms_Can",
    .label = "UBMS CAN",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .addresses = {.used = true, .first = 1, .last = 4, .standard = 1, .meaning = "the number of the U-BMS on the bus"},
    .timing = {.poll = milliseconds{1000}},
    .current_limits = CurrentLimits::lapsing,  // §5: outside of drive mode
    .guide =
        {.can = true,
         .connector = R"(- The CAN socket of the U-BMS; 250 kbit/s, or 500 or 125 as it is set.
)",
         .addresses = R"(- The U-BMS are numbered 1 to 4 by their id offset; a single one is 1.
)",
         .vendor_app =
             R"(- In the U-BMS: SOC "minimum", voltage scale 1, VMU slave mode, single contactor C3; the modules of one string have
  the ids 1 and up without a gap.
)",
         .notes =
             R"(- **The contactor opens 20 s after this program ends or is stopped**, because nobody tells the U-BMS any more to stay
  in drive mode. Restarting takes less.
- Where a real VMU is on the bus, write CAN_LISTEN_ONLY = True: then nothing is sent.
- Tell how many modules are in series and in parallel: UBMS_CAN_MODULE_SERIES, UBMS_CAN_MODULE_PARALLEL.
)"},
};
static_assert(sound_on_can(ubms_can));

}  // namespace bmsd::bms
