// JBD UP series on CAN, set to the protocol of Victron: 11-bit frames once per second, unasked.
// Facts: dossier lltjbd_can (sections are quoted as "§").
#include <cmath>
#include <cstdio>
#include <string>

#include "bms/soundness.hpp"
#include "bms/victron_dialect.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace dialect = victron_dialect;

/// Place of each message in the table below.
enum : std::size_t { limits, charge, values, alarms, maker, firmware, model, extremes, cell_name, capacity, serial };

constexpr std::string_view dummy_serial = "JBD87654321";  // §3: unless somebody programmed another
constexpr double kelvin = 273;

// §7. General, contactor: no alarm of ours.
constexpr std::array pairs = {
    dialect::Pair{2, Alarm::high_cell_voltage},        dialect::Pair{4, Alarm::low_cell_voltage},
    dialect::Pair{6, Alarm::high_temperature},         dialect::Pair{8, Alarm::low_temperature},
    dialect::Pair{10, Alarm::high_charge_temperature}, dialect::Pair{12, Alarm::low_charge_temperature},
    dialect::Pair{14, Alarm::high_discharge_current},  dialect::Pair{16, Alarm::high_charge_current},
    dialect::Pair{20, Alarm::high_discharge_current},  dialect::Pair{22, Alarm::internal_failure},
    dialect::Pair{24, Alarm::cell_imbalance},
};

std::string_view take_alarms(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    dialect::take_pairs(pairs, data, reading);
    return {};
}

bool encode_alarms(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    dialect::put_pairs(pairs, state.alarms, frame.data);
    return true;
}

/// Whole percent, and behind the health hundredths of them, if the frame has those.
std::string_view take_charge(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    reading.soc_percent = static_cast<double>(get(data, 0, u16le));
    // What is no percentage there is something else of another make.
    if (data.size() >= 6)
        if (const auto fine = get(data, 4, u16le); fine != 0 && fine <= 10000)
            reading.soc_percent = static_cast<double>(fine) / 100;
    return {};
}

bool encode_charge(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    const double percent = state.soc_percent.value_or(0);
    put(frame.data, 0, u16le, std::llround(percent));
    put(frame.data, 4, u16le, std::llround(percent * 100));
    return true;
}

/// Cycles stand behind the values where the frame is long enough.
std::string_view take_values(std::size_t, const Asking& asking, std::span<const std::uint8_t> data, Reading& reading) {
    if (data.size() >= 8) reading.cycles = static_cast<double>(get(data, 6, u16le));
    if (asking.options.invert_current) reading.current_a = -*reading.current_a + 0.0;
    if (!(*reading.voltage_v >= 8 && *reading.voltage_v <= 120)) return "the pack voltage is impossible";
    return {};
}

bool encode_values(std::size_t, const Asking& asking, const Reading& state, CanFrame& frame) {
    put(frame.data, 6, u16le, std::llround(state.cycles.value_or(0)));
    if (asking.options.invert_current) put(frame.data, 2, i16le, -get(frame.data, 2, i16le));
    return true;
}

bool encode_firmware(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    const std::string& text = state.software_version.value_or("");
    unsigned version = 0;
    if (std::sscanf(text.c_str(), "0x%4X", &version) == 1) put(frame.data, 2, u16le, version);
    return true;
}

bool encode_model(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    dialect::put_half(state.hardware_version, part, frame);
    return true;
}

bool encode_serial(std::size_t part, const Asking&, const Reading& state, CanFrame& frame) {
    dialect::put_half(state.serial_number, part, frame);
    return true;
}

/// §4: every board of JBD writes this in front of the number of its lowest cell.
bool encode_cell_name(std::size_t, const Asking&, const Reading&, CanFrame& frame) {
    dialect::put_half("ID:01.01", 0, frame);
    return true;
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    dialect::take_halves(view.find(model, 0), view.find(model, 1), reading.hardware_version);
    dialect::take_halves(view.find(serial, 0), view.find(serial, 1), reading.serial_number);
    reading.cell_count = estimated_cells(reading, asking.known);
    return {};
}

/// §4: the frames prove the dialect; only what the texts say points to the maker.
Certainty certainty(const CanView& view, const Reading& reading) {
    const auto online = view.find(firmware);
    const bool has_capacity = !view.find(capacity).empty() || (online.size() >= 6 && get(online, 4, u16le) > 0);
    if (view.find(extremes).empty() || !has_capacity) return Certainty::none;
    const std::string& hardware = reading.hardware_version.value_or("");
    const bool up_series = hardware.starts_with("UP") && hardware.find('S') != std::string::npos;
    const auto name = view.find(cell_name);
    const bool named = name.size() >= 3 && name[0] == 'I' && name[1] == 'D' && name[2] == ':';
    const bool jbd =
        reading.manufacturer.value_or("").find("JBD") != std::string::npos || hardware.find("JBD") != std::string::npos;
    return up_series || named || jbd ? Certainty::certain : Certainty::none;
}

/// §9.
std::string identity(const Reading& reading) {
    const std::string& own = reading.serial_number.value_or("");
    return own.find_first_not_of('0') == std::string::npos || own == dummy_serial ? std::string{} : own;
}

// ---- the tables (§3) -----------------------------------------------------------------------------------
constexpr std::array limits_rows = {
    Row{&Reading::max_battery_voltage_v, 0, u16le, 0.1},
    Row{&Reading::max_charge_current_a, 2, u16le, 0.1},
    Row{&Reading::max_discharge_current_a, 4, u16le, 0.1},
    Row{&Reading::min_battery_voltage_v, 6, u16le, 0.1},
};
constexpr std::array values_rows = {
    Row{&Reading::voltage_v, 0, u16le, 0.01},
    Row{&Reading::current_a, 2, i16le, 0.1},
};
constexpr std::array extremes_rows = {
    Row{&Reading::min_cell_voltage_v, 0, u16le, 0.001},
    Row{&Reading::max_cell_voltage_v, 2, u16le, 0.001},
    Row{&Reading::min_cell_temperature_c, 4, u16le, 1, -kelvin},
    Row{&Reading::max_cell_temperature_c, 6, u16le, 1, -kelvin},
};
constexpr std::array maker_texts = {
    TextRow{&Reading::manufacturer, 0, 8},
};

// §5: shorter frames are ignored.
constexpr std::array messages = {
    dialect::of_cycle(
        dialect::message("limits", "voltages and currents allowed", 0x351, {.size = 8, .rows = limits_rows})),
    dialect::of_cycle(dialect::message("charge", "state of charge and health", 0x355,
                                       {.size = 4, .rows = dialect::charge_rows}, take_charge, encode_charge),
                      Need::mandatory),
    dialect::of_cycle(dialect::message("values", "voltage, current, temperature", 0x356,
                                       {.size = 6, .rows = values_rows, .sensors = dialect::values_sensors},
                                       take_values, encode_values),
                      Need::always),
    dialect::of_cycle(
        dialect::message("alarms", "alarms and warnings", 0x35A, {.size = 8}, take_alarms, encode_alarms)),
    dialect::message("maker", "who made it", 0x35E, {.size = 8, .texts = maker_texts}),
    dialect::message("firmware", "firmware", 0x35F, {.size = 4}, dialect::take_firmware, encode_firmware),
    dialect::two_halves(dialect::message("model", "model", 0x370, {.size = 8}, nullptr, encode_model), 1),
    dialect::of_cycle(
        dialect::message("extremes", "extreme cells and sensors", 0x373, {.size = 8, .rows = extremes_rows})),
    dialect::message("cell name", "where the lowest cell is", 0x374, {.size = 3}, nullptr, encode_cell_name),
    dialect::message("capacity", "installed capacity", 0x379, {.size = 2, .rows = dialect::capacity_rows}),
    dialect::two_halves(dialect::message("serial", "serial number", 0x380, {.size = 8}, nullptr, encode_serial), 1),
};

constexpr std::array<std::uint32_t, 2> bitrates = {500000, 250000};
constexpr CanLink on_bus{.bitrates = bitrates,
                         .messages = messages,
                         .questions = dialect::questions,
                         .marks = dialect::marks,
                         .finish = finish,
                         .certainty = certainty};

constexpr std::array<std::string_view, 1> aliases = {"LltJbdCan"};
constexpr std::array<std::string_view, 1> sold_as = {"JBD UP16S015 and others of the UP series"};

}  // namespace

extern const Family lltjbd_can;
constexpr Family lltjbd_can{
    .key = "lltjbd_can",
    .type = "LltJbd_Can",
    .label = "LLT/JBD CAN",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .timing = {.poll = milliseconds{1000}},
    .voltage_limits = true,
    .cells_untold = true,
    .identity = identity,
    .guide =
        {.can = true,
         .connector = R"(- The CAN socket of the UP board, with Victron's cable "type A"; 500 kbit/s.
)",
         .vendor_app = R"(- Display: PackSet / CANBus, or the PC program: set "Can-Victron".
)",
         .notes =
             R"(- Chained packs appear as one battery: the master reports totals. No single cells, no switches on CAN.
- Venus OS understands these frames itself: let only one of the two publish the battery.
- Many makes send the same frames: the battery is taken for a JBD only where its texts say so, or BMS_TYPE names it.
)"},
};
static_assert(sound_on_can(lltjbd_can));

}  // namespace bmsd::bms
