// Batteries of RV-C (recreational vehicles): status messages of a DC source, 29-bit frames, unasked.
// Facts: dossier rv_c_can (sections are quoted as "§").
#include <algorithm>
#include <cmath>

#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

/// Place of each message in the table below.
enum : std::size_t { status_1, status_2, status_3, status_4, status_6, status_11, status_12 };

constexpr std::uint8_t battery_priority = 120;    // §5: the BMS; 119 is a GX that repeats it, others are chargers ...
constexpr std::uint32_t simulated_sender = 0x44;  // + instance; the address is dynamic, any will do (§2)

/// §2: the last three values of a type mean reserved, error, not available.
Number number(std::span<const std::uint8_t> data, std::size_t at, Wire type, Scale scale, double bias = 0) {
    const std::int64_t raw = get(data, at, type);
    const std::int64_t largest = (std::int64_t{1} << (8 * width(type))) - 1;
    if (raw > largest - 3) return std::nullopt;
    return scale.of(raw) + bias;
}

/// The reverse; what is not known is "not available".
void put_number(std::span<std::uint8_t> data, std::size_t at, Wire type, const Number& value, double scale,
                double bias = 0) {
    const std::int64_t largest = (std::int64_t{1} << (8 * width(type))) - 1;
    const double raw = value ? std::clamp(std::round((*value - bias) / scale), 0.0, static_cast<double>(largest - 3))
                             : static_cast<double>(largest);
    put(data, at, type, static_cast<std::int64_t>(raw));
}

/// §2: pairs of bits, 2 is an error, 3 not available.
unsigned pair(std::span<const std::uint8_t> data, std::size_t at, unsigned bit) {
    return (data[at] >> bit) & 3;
}

// ---- §5 ------------------------------------------------------------------------------------------------
std::string_view take_1(std::size_t, const Asking& asking, std::span<const std::uint8_t> data, Reading& reading) {
    reading.voltage_v = number(data, 2, u16le, 0.05);
    // Positive is discharging.
    if (const Number out = number(data, 4, u32le, 0.001, -2'000'000))
        reading.current_a = (asking.options.invert_current ? *out : -*out) + 0.0;
    if (reading.voltage_v && !(*reading.voltage_v >= 5 && *reading.voltage_v <= 120))
        return "the pack voltage is impossible";
    if (reading.current_a && std::abs(*reading.current_a) > 2000) return "the current is impossible";
    return {};
}
bool encode_1(std::size_t, const Asking& asking, const Reading& state, CanFrame& frame) {
    put_number(frame.data, 2, u16le, state.voltage_v, 0.05);
    const double in = state.current_a.value_or(0);
    put_number(frame.data, 4, u32le, asking.options.invert_current ? in : -in, 0.001, -2'000'000);
    return true;
}

std::string_view take_2(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    if (const Number celsius = number(data, 2, u16le, 0.03125, -273)) reading.temperatures_c.push_back(celsius);
    reading.soc_percent = number(data, 4, u8, 0.5);
    return {};
}
bool encode_2(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put_number(frame.data, 2, u16le, state.temperatures_c.empty() ? Number{} : state.temperatures_c.front(), 0.03125,
               -273);
    put_number(frame.data, 4, u8, state.soc_percent, 0.5);
    put_number(frame.data, 5, u16le, {}, 1);
    return true;
}

std::string_view take_3(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    reading.soh_percent = number(data, 2, u8, 0.5);
    if (data.size() >= 5) reading.capacity_remaining_ah = number(data, 3, u16le, 1);
    return {};
}
bool encode_3(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put_number(frame.data, 2, u8, state.soh_percent, 0.5);
    put_number(frame.data, 3, u16le, state.capacity_remaining_ah, 1);
    put_number(frame.data, 5, u8, {}, 1);
    put_number(frame.data, 6, u16le, {}, 1);
    return true;
}

std::string_view take_4(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    reading.max_battery_voltage_v = number(data, 3, u16le, 0.05);
    if (data.size() >= 7)
        if (const Number amperes = number(data, 5, u16le, 0.05, -1600))
            reading.max_charge_current_a = std::max(0.0, *amperes);
    return {};
}
bool encode_4(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put_number(frame.data, 3, u16le, state.max_battery_voltage_v, 0.05);
    put_number(frame.data, 5, u16le, state.max_charge_current_a, 0.05, -1600);
    frame.data[7] = 0x03;  // LiFePO4
    return true;
}

Flag flag(unsigned code) {
    return code > 1 ? Flag{} : Flag{code == 1};
}
std::string_view take_11(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    // Three independent sources: discharge first (§10).
    reading.discharge_fet = flag(pair(data, 2, 0));
    reading.charge_fet = flag(pair(data, 2, 2));
    reading.capacity_ah = number(data, 3, u16le, 1);
    return {};
}
bool encode_11(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    const auto code = [](const Flag& on) { return on ? (*on ? 1U : 0U) : 3U; };
    frame.data[2] = static_cast<std::uint8_t>(0xF0 | code(state.charge_fet) << 2 | code(state.discharge_fet));
    put_number(frame.data, 3, u16le, state.capacity_ah, 1);
    put_number(frame.data, 5, u16le, {}, 1);
    return true;
}

std::string_view take_12(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    reading.cycles = number(data, 2, u16le, 1);
    return {};
}
bool encode_12(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    put_number(frame.data, 2, u16le, state.cycles, 1);
    return true;
}

// ---- alarms (§7) -----------------------------------------------------------------------------------------
struct Limit {
    std::uint8_t at;
    std::uint8_t bit;  ///< of the pair "limit"; that of "disconnect" stands two bits above
    Alarm alarm;
};
constexpr std::array limits = {
    Limit{2, 0, Alarm::high_voltage},    Limit{2, 4, Alarm::low_voltage},      Limit{3, 0, Alarm::low_soc},
    Limit{3, 4, Alarm::low_temperature}, Limit{4, 0, Alarm::high_temperature},
};
constexpr std::uint8_t current_at = 4;
constexpr std::uint8_t current_bit = 4;

/// Limit reached: warning; a disconnect, or an error of the status itself: alarm.
Level level_of(std::span<const std::uint8_t> data, std::uint8_t at, std::uint8_t bit) {
    const unsigned limit = pair(data, at, bit);
    const unsigned disconnect = pair(data, at, bit + 2U);
    if (disconnect == 1 || disconnect == 2 || limit == 2) return Level::alarm;
    return limit == 1 ? Level::warning : Level::ok;
}

void take_alarms(std::span<const std::uint8_t> data, Reading& reading) {
    for (const Limit& one : limits) {
        reading.alarms.known(one.alarm);
        reading.alarms.raise(one.alarm, level_of(data, one.at, one.bit));
    }
    // Which way the current was too high its sign tells; an error of the status means both.
    const Level level = level_of(data, current_at, current_bit);
    const bool error = pair(data, current_at, current_bit) == 2 || pair(data, current_at, current_bit + 2U) == 2;
    const double current = reading.current_a.value_or(0);
    reading.alarms.raise(Alarm::high_charge_current, error || current >= 0 ? level : Level::ok);
    reading.alarms.raise(Alarm::high_discharge_current, error || current <= 0 ? level : Level::ok);
}

bool encode_6(std::size_t, const Asking&, const Reading& state, CanFrame& frame) {
    frame.data.fill(0xFF);
    frame.data[2] = frame.data[3] = frame.data[4] = 0;
    const auto set = [&](std::uint8_t at, std::uint8_t bit, Level level) {
        if (level == Level::warning) frame.data[at] |= static_cast<std::uint8_t>(1U << bit);
        if (level == Level::alarm) frame.data[at] |= static_cast<std::uint8_t>(4U << bit);
    };
    for (const Limit& one : limits) set(one.at, one.bit, state.alarms[one.alarm].value_or(Level::ok));
    set(current_at, current_bit,
        std::max(state.alarms[Alarm::high_charge_current].value_or(Level::ok),
                 state.alarms[Alarm::high_discharge_current].value_or(Level::ok)));
    return true;
}

/// RV-C tells no cells; batteries of 12, 24, 36 and 48 V have four for each 12 V (§5, cells). What they want to be
/// charged to says it best, what was found before next best. The pack voltage does only once, as it moves, and names
/// the lowest number that is possible.
Number nominal_cells(const Reading& reading, const Reading* known) {
    constexpr double charged_four_v = 14.2, most_of_four_v = 14.8;
    constexpr double overshoot_v = 0.4;  // of a charger and its wires, whatever the number of cells
    const Number before = known ? known->cell_count : Number{};
    if (!reading.voltage_v) return before;
    const auto possible = [&](const Number& count) {
        return count && *count > 0 && *reading.voltage_v >= 2.0 * *count && *reading.voltage_v <= 3.8 * *count;
    };
    const Number& wanted = reading.max_battery_voltage_v;
    const Number by_wanted = wanted ? Number{4 * std::round(*wanted / charged_four_v)} : Number{};
    for (const Number& count : {by_wanted, before})
        if (possible(count)) return count;
    return 4 * std::max(1.0, std::ceil((*reading.voltage_v - overshoot_v) / most_of_four_v));
}

Verdict finish(const CanView& view, const Asking& asking, Reading& reading) {
    // §10: who told limits once and is silent about them is not charged.
    if (view.find(status_4).empty() && asking.known && asking.known->max_charge_current_a)
        reading.max_charge_current_a = 0;
    if (const auto data = view.find(status_6); !data.empty()) take_alarms(data, reading);
    reading.cell_count = nominal_cells(reading, asking.known);
    return {};
}

/// §6.
Certainty certainty(const CanView& view, const Reading&) {
    return view.find(status_4).empty() && view.find(status_11).empty() ? Certainty::none : Certainty::certain;
}

// ---- who sends -------------------------------------------------------------------------------------------
bool ours(const CanMessage&, std::uint32_t address, const CanFrame& frame) {
    return frame.data[0] == address && frame.data[1] == battery_priority;
}

void stamp(std::uint32_t address, CanFrame& frame) {
    frame.id |= (simulated_sender + address) & 0xFF;
    frame.data[0] = static_cast<std::uint8_t>(address);
    frame.data[1] = battery_priority;
}

/// Id of a message with the usual priority 6, which is not compared, and without its sender.
constexpr std::uint32_t id_of_dgn(std::uint32_t dgn) {
    return 6U << 26 | dgn << 8;
}
constexpr std::uint32_t dgn_mask = 0x1FFFFU << 8;

constexpr CanMessage message(std::string_view name, std::string_view meaning, std::uint32_t dgn, std::uint16_t needs,
                             TakeFrame take, EncodeFrame encode) {
    return {.name = name,
            .meaning = meaning,
            .id = id_of_dgn(dgn),
            .extended = true,
            .mask = dgn_mask,
            .layout = {.size = needs},
            .take = take,
            .encode = encode};
}
constexpr CanMessage mandatory(CanMessage one) {
    one.need = Need::mandatory;
    return one;
}
/// §6.
constexpr CanMessage proof(CanMessage one) {
    one.proves = true;
    return one;
}
/// §11: these come every five seconds.
constexpr CanMessage slow(CanMessage one) {
    one.period = milliseconds{5000};
    one.valid = milliseconds{15000};
    return one;
}

constexpr std::array messages = {
    mandatory(message("status 1", "voltage and current", 0x1FFFD, 8, take_1, encode_1)),
    mandatory(message("status 2", "temperature and state of charge", 0x1FFFC, 5, take_2, encode_2)),
    message("status 3", "health and remaining capacity", 0x1FFFB, 3, take_3, encode_3),
    proof(slow(message("status 4", "charging wanted", 0x1FEC9, 5, take_4, encode_4))),
    slow(message("status 6", "limits reached", 0x1FEC7, 5, nullptr, encode_6)),
    proof(slow(message("status 11", "switches and capacity", 0x1FEA5, 5, take_11, encode_11))),
    slow(message("status 12", "cycles", 0x1FDF8, 4, take_12, encode_12)),
};

std::optional<std::uint32_t> address_of(const CanFrame& frame) {
    const auto fits = [&](const CanMessage& one) { return ((frame.id ^ one.id) & one.mask) == 0; };
    if (!frame.extended || frame.size < 2 || frame.data[1] != battery_priority) return std::nullopt;
    if (frame.data[0] == 0 || frame.data[0] > 250) return std::nullopt;
    if (std::none_of(messages.begin(), messages.end(), fits)) return std::nullopt;
    return frame.data[0];
}

constexpr std::array<std::uint32_t, 1> bitrates = {250000};
constexpr CanLink on_bus{.bitrates = bitrates,
                         .messages = messages,
                         .senders = true,
                         .ours = ours,
                         .stamp = stamp,
                         .finish = finish,
                         .certainty = certainty,
                         .address_of = address_of};

constexpr std::array<std::string_view, 2> aliases = {"RvcCan", "RV-C"};
constexpr std::array<std::string_view, 4> sold_as = {"Lithionics NeverDie", "Battle Born", "Renogy REGO",
                                                     "other batteries with RV-C"};

}  // namespace

extern const Family rv_c_can;
constexpr Family rv_c_can{
    .key = "rv_c_can",
    .type = "RV_C_Can",
    .label = "RV-C CAN",
    .aliases = aliases,
    .sold_as = sold_as,
    .can = &on_bus,
    .addresses = {.used = true,
                  .first = 1,
                  .last = 250,
                  .standard = 1,
                  .meaning = "the DC instance: 1 is the main house bank, 2 the chassis, 3 and more others"},
    .timing = {.poll = milliseconds{1000}},
    .voltage_limits = true,
    .cells_untold = true,
    .guide =
        {.can = true,
         .connector =
             R"(- The RV-C network of the vehicle, 250 kbit/s; on a GX a VE.Can socket with the right adapter cable.
)",
         .addresses = R"(- The DC instance, set in the battery or its display: 1 is the main house bank.
)",
         .notes = R"(- Nothing is ever sent on this bus.
- Only devices with priority 120 (battery monitors) are read; chargers, inverters and a GX that repeats values are not.
- RV-C tells no single cells. Venus OS has its own program for some of these batteries: let only one of the two run.
)"},
};
static_assert(sound_on_can(rv_c_can));

}  // namespace bmsd::bms
