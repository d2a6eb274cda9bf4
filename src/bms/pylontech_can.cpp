// The CAN dialect of Pylontech's low-voltage batteries, spoken by many others: 11-bit frames once per second.
// Facts: dossier pylontech part A (sections are quoted as "§").
#include <algorithm>
#include <cmath>
#include <string>

#include "bms/soundness.hpp"
#include "bms/victron_dialect.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace dialect = victron_dialect;

/// Place of each message in the table below.
enum : std::size_t {
    limits,
    charge,
    values,
    protections,
    permissions,
    maker,
    firmware,
    alarms,
    extremes,
    second_half,
    extremes_k,
    capacity,
    serial,
};

constexpr double kelvin = 273;

// ---- frame 0x359 (§5A, §7A): protections in bytes 0 and 1, warnings at the same places of 2 and 3 -----
constexpr AlarmBit protection(Alarm alarm, std::uint16_t at, std::uint8_t bit) {
    return {alarm, Level::alarm, at, u8, bit};
}
constexpr AlarmBit warning(Alarm alarm, std::uint16_t at, std::uint8_t bit) {
    return {alarm, Level::warning, at, u8, bit};
}
// The flags of voltage mean a cell or the module.
constexpr std::array protection_bits = {
    protection(Alarm::high_voltage, 0, 1),
    protection(Alarm::low_voltage, 0, 2),
    protection(Alarm::high_temperature, 0, 3),
    protection(Alarm::low_temperature, 0, 4),
    protection(Alarm::high_discharge_current, 0, 7),
    protection(Alarm::high_charge_current, 1, 0),
    protection(Alarm::internal_failure, 1, 3),
    protection(Alarm::high_cell_voltage, 0, 1),
    protection(Alarm::low_cell_voltage, 0, 2),
    warning(Alarm::high_cell_voltage, 2, 1),
    warning(Alarm::low_cell_voltage, 2, 2),
    warning(Alarm::high_voltage, 2, 1),
    warning(Alarm::low_voltage, 2, 2),
    warning(Alarm::high_temperature, 2, 3),
    warning(Alarm::low_temperature, 2, 4),
    warning(Alarm::high_discharge_current, 2, 7),
    warning(Alarm::high_charge_current, 3, 0),
    warning(Alarm::internal_failure, 3, 3),
};
constexpr std::array protection_rows = {
    Row{&Reading::module_count, 4, u8},
};

bool encode_protections(std::size_t, const Asking&, const Reading&, CanFrame& frame) {
    frame.data[5] = 'P';
    frame.data[6] = 'N';
    return true;
}

// §5A, Victron's 35A of modern packs.
constexpr std::array pairs = {
    dialect::Pair{2, Alarm::high_voltage},
    dialect::Pair{4, Alarm::low_voltage},
    dialect::Pair{6, Alarm::high_temperature},
    dialect::Pair{8, Alarm::low_temperature},
    dialect::Pair{10, Alarm::high_charge_temperature},
    dialect::Pair{12, Alarm::low_charge_temperature},
    dialect::Pair{14, Alarm::high_discharge_current},
    dialect::Pair{16, Alarm::high_charge_current},
    dialect::Pair{22, Alarm::internal_failure},
    dialect::Pair{24, Alarm::cell_imbalance},
};

std::string_view take_alarms(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    dialect::take_pairs(pairs, data, reading);
    return {};
}

/// The base protocol of most: without it.
bool not_sent(std::size_t, const Asking&, const Reading&, CanFrame&) {
    return false;
}

// ---- the other frames ----------------------------------------------------------------------------------
/// Real batteries send the discharge limit positive, some negative; the lower voltage is not always there.
std::string_view take_limits(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    reading.max_discharge_current_a = std::abs(*reading.max_discharge_current_a);
    if (data.size() >= 8 && get(data, 6, u16le) > 0)
        reading.min_battery_voltage_v = static_cast<double>(get(data, 6, u16le)) / 10;
    return {};
}

bool encode_limits(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put(frame.data, 6, u16le, std::llround(state.min_battery_voltage_v.value_or(0) * 10));
    return true;
}

/// Hundredths of percent behind the health, of some senders: only if they agree with the whole ones.
std::string_view take_charge(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    const auto whole = static_cast<double>(get(data, 0, u16le));
    reading.soc_percent = whole;
    if (data.size() >= 6) {
        const double fine = static_cast<double>(get(data, 4, u16le)) / 100;
        if (fine > 0 && std::abs(fine - whole) <= 1) reading.soc_percent = fine;
    }
    return {};
}

bool encode_charge(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put(frame.data, 0, u16le, std::llround(state.soc_percent.value_or(0)));
    return true;
}

std::string_view take_values(std::size_t, const Asking& asking, std::span<const std::uint8_t>, Reading& reading) {
    if (asking.options.invert_current) reading.current_a = -*reading.current_a + 0.0;
    // §10A: right after it was switched on a battery sends zeros.
    if (!(*reading.voltage_v >= 8 && *reading.voltage_v <= 120)) return "the pack voltage is impossible";
    return {};
}

bool encode_values(std::size_t, const Asking& asking, const Reading&, CanFrame& frame) {
    if (asking.options.invert_current) put(frame.data, 2, i16le, -get(frame.data, 2, i16le));
    return true;
}

/// Cut at the first byte that cannot be printed: some put other things behind the name.
std::string_view take_maker(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    std::size_t length = 0;
    while (length < data.size() && data[length] >= 0x20 && data[length] < 0x7F) ++length;
    if (std::string name = text(data.first(length)); !name.empty()) reading.manufacturer = std::move(name);
    return {};
}

bool encode_maker(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    frame.data.fill(' ');
    const std::string& name = state.manufacturer.value_or("PYLON");
    for (std::size_t i = 0; i < std::min<std::size_t>(8, name.size()); ++i)
        frame.data[i] = static_cast<std::uint8_t>(name[i]);
    return true;
}

/// Senders of Victron's style put the letters of the model here.
std::string_view take_extremes(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (dialect::is_text(data)) return {};
    reading.max_cell_temperature_c = static_cast<double>(get(data, 0, i16le)) / 10;
    reading.min_cell_temperature_c = static_cast<double>(get(data, 2, i16le)) / 10;
    reading.max_cell_voltage_v = static_cast<double>(get(data, 4, u16le)) / 1000;
    reading.min_cell_voltage_v = static_cast<double>(get(data, 6, u16le)) / 1000;
    return {};
}

bool encode_extremes(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    if (!state.max_cell_voltage_v || !state.min_cell_voltage_v) return false;
    put(frame.data, 0, i16le, std::llround(state.max_cell_temperature_c.value_or(20) * 10));
    put(frame.data, 2, i16le, std::llround(state.min_cell_temperature_c.value_or(20) * 10));
    put(frame.data, 4, u16le, std::llround(*state.max_cell_voltage_v * 1000));
    put(frame.data, 6, u16le, std::llround(*state.min_cell_voltage_v * 1000));
    return true;
}

/// Whole degrees: only where the finer frame did not come.
std::string_view take_extremes_k(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (reading.max_cell_voltage_v) return {};
    reading.min_cell_voltage_v = static_cast<double>(get(data, 0, u16le)) / 1000;
    reading.max_cell_voltage_v = static_cast<double>(get(data, 2, u16le)) / 1000;
    reading.min_cell_temperature_c = static_cast<double>(get(data, 4, u16le)) - kelvin;
    reading.max_cell_temperature_c = static_cast<double>(get(data, 6, u16le)) - kelvin;
    return {};
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    dialect::take_halves(view.find(extremes), view.find(second_half), reading.hardware_version);
    dialect::take_halves(view.find(serial, 0), view.find(serial, 1), reading.serial_number);
    reading.cell_count = estimated_cells(reading, asking.known);
    return {};
}

/// §6A.
Certainty certainty(const CanView& view, const Reading& reading) {
    if (view.find(limits).empty() || view.find(charge).empty()) return Certainty::none;
    const auto flags = view.find(protections);
    if (flags.empty()) return Certainty::none;
    const bool signed_pn = flags[5] == 'P' && flags[6] == 'N';
    return signed_pn || reading.manufacturer ? Certainty::dialect : Certainty::none;
}

/// Some have zeros, or blanks, for a number.
std::string identity(const Reading& reading) {
    const std::string& own = reading.serial_number.value_or("");
    return own.find_first_not_of("0 ") == std::string::npos ? std::string{} : own;
}

// ---- the tables (§5A) ----------------------------------------------------------------------------------
constexpr std::array limits_rows = {
    Row{&Reading::max_battery_voltage_v, 0, u16le, 0.1},
    Row{&Reading::max_charge_current_a, 2, i16le, 0.1},
    Row{&Reading::max_discharge_current_a, 4, i16le, 0.1},
};
constexpr std::array values_rows = {
    Row{&Reading::voltage_v, 0, i16le, 0.01},
    Row{&Reading::current_a, 2, i16le, 0.1},
};
constexpr std::array permission_flags = {
    FlagRow{&Reading::charge_fet, 0, u8, 0x80},
    FlagRow{&Reading::discharge_fet, 0, u8, 0x40},
};

// ---- what Pytes sends beside these, or in their place (§5A) --------------------------------------------
// What the common frames have told stays: these may be older, or of somebody else.
std::string_view take_pytes_limits(std::size_t part, const Asking& asking, std::span<const std::uint8_t> data,
                                   Reading& reading) {
    if (reading.max_charge_current_a) return {};
    decode({.size = 6, .rows = limits_rows}, data, reading);
    return take_limits(part, asking, data, reading);
}

std::string_view take_pytes_charge(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (!reading.soc_percent) reading.soc_percent = static_cast<double>(get(data, 0, u16le));
    if (!reading.soh_percent) reading.soh_percent = static_cast<double>(get(data, 2, u16le));
    reading.cycles = static_cast<double>(get(data, 6, u16le));
    return {};
}

std::string_view take_pytes_values(std::size_t part, const Asking& asking, std::span<const std::uint8_t> data,
                                   Reading& reading) {
    if (reading.voltage_v) return {};
    decode({.size = 6, .rows = values_rows, .sensors = dialect::values_sensors}, data, reading);
    return take_values(part, asking, data, reading);
}

std::string_view take_pytes_capacity(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (!reading.capacity_ah) reading.capacity_ah = static_cast<double>(get(data, 0, u32le)) / 1000;
    reading.capacity_remaining_ah = static_cast<double>(get(data, 4, u32le)) / 1000;
    return {};
}

constexpr std::array messages = {
    dialect::of_cycle(dialect::message("limits", "voltages and currents allowed", 0x351,
                                       {.size = 6, .rows = limits_rows}, take_limits, encode_limits)),
    dialect::of_cycle(dialect::message("charge", "state of charge and health", 0x355,
                                       {.size = 4, .rows = dialect::charge_rows}, take_charge, encode_charge),
                      Need::mandatory),
    dialect::of_cycle(dialect::message("values", "voltage, current, temperature", 0x356,
                                       {.size = 6, .rows = values_rows, .sensors = dialect::values_sensors},
                                       take_values, encode_values),
                      Need::mandatory),
    dialect::message("protections", "protections and warnings", 0x359,
                     {.size = 7, .rows = protection_rows, .alarms = protection_bits}, nullptr, encode_protections),
    dialect::message("permissions", "charging and discharging allowed", 0x35C, {.size = 1, .flags = permission_flags}),
    dialect::message("maker", "who made it", 0x35E, {.size = 8}, take_maker, encode_maker),
    dialect::message("firmware", "firmware", 0x35F, {.size = 4}, dialect::take_firmware, not_sent),
    dialect::message("alarms", "alarms in Victron's form", 0x35A, {.size = 8}, take_alarms, not_sent),
    dialect::message("extremes", "extreme cells and sensors", 0x370, {.size = 8}, take_extremes, encode_extremes),
    dialect::message("model", "second half of the model's name, or where the extremes are", 0x371, {.size = 8}, nullptr,
                     not_sent),
    dialect::message("extremes in kelvin", "the same, coarser", 0x373, {.size = 8}, take_extremes_k, not_sent),
    dialect::message("capacity", "installed capacity", 0x379, {.size = 2, .rows = dialect::capacity_rows}),
    dialect::two_halves(dialect::message("serial", "serial number", 0x380, {.size = 8}, nullptr, not_sent), 1),
    dialect::message("limits of Pytes", "voltages and currents allowed", 0x400, {.size = 6}, take_pytes_limits,
                     not_sent),
    dialect::message("charge of Pytes", "state of charge, health, cycles", 0x404, {.size = 8}, take_pytes_charge,
                     not_sent),
    dialect::message("values of Pytes", "voltage, current, temperature", 0x405, {.size = 6}, take_pytes_values,
                     not_sent),
    dialect::message("capacity of Pytes", "capacities", 0x409, {.size = 8}, take_pytes_capacity, not_sent),
};

constexpr std::array<std::uint32_t, 1> bitrates = {500000};
constexpr CanLink on_bus{.bitrates = bitrates,
                         .messages = messages,
                         .questions = dialect::questions,
                         .marks = dialect::marks,
                         .finish = finish,
                         .certainty = certainty};

constexpr std::array<std::string_view, 2> aliases = {"Pylontech", "Pylon_Can"};
constexpr std::array<std::string_view, 4> sold_as = {"Pylontech US2000, US3000, US5000", "Pytes", "Deye, Felicity, EG4",
                                                     "Seplos, Pace, JK set to the protocol of Pylontech"};

}  // namespace

extern const Family pylontech_can;
constexpr Family pylontech_can{
    .key = "pylontech_can",
    .type = "Pylontech_Can",
    .label = "CAN-BMS (Pylontech dialect)",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .timing = {.poll = milliseconds{1000}},
    .voltage_limits = true,
    .cells_untold = true,
    .identity = identity,
    .guide =
        {.can = true,
         .connector =
             R"(- The CAN socket of the battery (often A/CAN), mostly RJ45 with CAN-H on pin 4 and CAN-L on pin 5: follow its manual.
  500 kbit/s.
)",
         .vendor_app = R"(- Boards of other makes: choose the protocol "Pylon" or "Pylontech".
)",
         .notes = R"(- Venus OS understands these frames itself: let only one of the two publish the battery.
- Several packs on one stack appear as one battery.
- Some batteries fall silent unless a host says every second that it is there: this program does, unless an inverter
  already does.
)"},
};
static_assert(sound_on_can(pylontech_can));

}  // namespace bmsd::bms
