// JBD (Jiabaida), also LLT Power, Overkill Solar, Xiaoxiang: registers read with DD A5 .. 77 over UART, RS232 or RS485.
// Facts: dossier lltjbd (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <charconv>

#include "bms/family.hpp"
#include "bms/jbd_controls.hpp"
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
using namespace jbd;

// ---- basic information, register 03 (§5.1) -------------------------------------------------------
constexpr std::uint16_t at_date = 10;
constexpr std::uint16_t at_balancing = 12;  // cells 1..16, then cells 17..32; bit 0 is the first
constexpr std::uint16_t at_protection = 16;
constexpr std::uint16_t at_version = 18;
constexpr std::size_t most_cells = 32;
constexpr std::size_t most_sensors = 8;
/// Behind the sensors, newer boards only.
constexpr std::size_t newer_size = 9;
constexpr std::size_t at_full_capacity = 3;
constexpr std::size_t at_remaining_capacity = 5;
constexpr std::size_t at_balance_current = 7;

constexpr std::array basic_rows = {
    Row{&Reading::voltage_v, 0, u16be, 0.01},
    Row{&Reading::current_a, 2, i16be, 0.01},
    Row{&Reading::capacity_remaining_ah, 4, u16be, 0.01},
    Row{&Reading::capacity_ah, 6, u16be, 0.01},
    Row{&Reading::cycles, 8, u16be},
    Row{&Reading::soc_percent, 19, u8},
    Row{&Reading::cell_count, 21, u8},
};
constexpr std::array basic_flags = {
    FlagRow{&Reading::charge_fet, 20, u8, 0x01},
    FlagRow{&Reading::discharge_fet, 20, u8, 0x02},
    FlagRow{&Reading::fet_software_lock, at_protection, u16be, 0x1000},
};

constexpr AlarmBit protection(std::uint8_t bit, Alarm alarm, Level level) {
    return {alarm, level, at_protection, u16be, bit};
}
// §7. Bit 12 is the echo of a switch, 13 a charge time-out, 14 and 15 are reserved: no alarms.
constexpr std::array basic_alarms = {
    protection(0, Alarm::high_cell_voltage, Level::alarm),
    protection(1, Alarm::low_cell_voltage, Level::alarm),
    protection(2, Alarm::high_voltage, Level::alarm),
    protection(3, Alarm::low_voltage, Level::alarm),
    protection(4, Alarm::high_charge_temperature, Level::warning),
    protection(5, Alarm::low_charge_temperature, Level::warning),
    protection(6, Alarm::high_temperature, Level::warning),
    protection(7, Alarm::low_temperature, Level::warning),
    protection(8, Alarm::high_charge_current, Level::warning),
    protection(9, Alarm::high_discharge_current, Level::warning),
    protection(10, Alarm::high_discharge_current, Level::alarm),
    protection(11, Alarm::internal_failure, Level::alarm),
};

/// §5.1, offset 10: years since 2000, month, day in 7, 4 and 5 bits; absent if it is no day.
Text date(std::int64_t packed) {
    const auto year = 2000 + (packed >> 9);
    const auto month = (packed >> 5) & 15;
    const auto day = packed & 31;
    if (month < 1 || month > 12 || day < 1) return std::nullopt;
    const auto two_digits = [](std::int64_t number) {
        return std::string{static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
    };
    return std::to_string(year) + "-" + two_digits(month) + "-" + two_digits(day);
}

/// The reverse of date(), for the simulator; 0 if there is none.
std::int64_t packed_date(const Text& date) {
    if (!date || date->size() != 10) return 0;
    const auto part = [&](std::size_t at, std::size_t size) {
        int number = 0;
        std::from_chars(date->data() + at, date->data() + at + size, number);
        return number;
    };
    return std::clamp(part(0, 4) - 2000, 0, 127) << 9 | (part(5, 2) & 15) << 5 | (part(8, 2) & 31);
}

/// §5.1: one sensor counts as the battery's; of several the first sits on the MOSFETs.
void read_sensors(std::span<const std::uint8_t> payload, Reading& reading) {
    const std::size_t count = payload[at_sensor_count];
    reading.mosfet_temperature_c.reset();
    reading.temperatures_c.clear();
    for (std::size_t i = 0; i < count; ++i) {
        const double celsius = static_cast<double>(get(payload, basic_size + 2 * i, u16be) - 2731) / 10;
        if (i == 0 && count > 1)
            reading.mosfet_temperature_c = celsius;
        else
            reading.temperatures_c.push_back(celsius);
    }
}

void read_balancing(std::span<const std::uint8_t> payload, Reading& reading) {
    const auto low = static_cast<std::uint32_t>(get(payload, at_balancing, u16be));
    const auto high = static_cast<std::uint32_t>(get(payload, at_balancing + 2, u16be));
    const std::uint32_t cells = low | high << 16;
    reading.balancing_active = cells != 0;
    reading.cell_balancing.clear();
    for (std::size_t cell = 0; cell < static_cast<std::size_t>(*reading.cell_count); ++cell)
        reading.cell_balancing.push_back((cells >> cell) & 1);
}

std::string_view finish_basic(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    if (*reading.cell_count < 1 || *reading.cell_count > most_cells) return "the number of cells is impossible";
    if (payload[at_sensor_count] > most_sensors) return "the number of temperature sensors is impossible";
    read_sensors(payload, reading);
    read_balancing(payload, reading);
    reading.production_date = date(get(payload, at_date, u16be));
    reading.software_version =
        std::to_string(payload[at_version] >> 4) + "." + std::to_string(payload[at_version] & 0x0F);

    reading.capacity_full_ah.reset();
    reading.balance_current_a.reset();
    const auto newer = payload.subspan(basic_size + 2 * std::size_t{payload[at_sensor_count]});
    if (newer.size() < newer_size) return {};
    if (const auto full = get(newer, at_full_capacity, u16be); full != 0)
        reading.capacity_full_ah = static_cast<double>(full) / 100;
    reading.balance_current_a = static_cast<double>(get(newer, at_balance_current, i16be)) / 1000;
    return {};
}

void encode_balancing(const Reading& state, std::span<std::uint8_t> payload) {
    std::uint32_t cells = 0;
    const auto& flags = state.cell_balancing;
    for (std::size_t cell = 0; cell < std::min(flags.size(), most_cells); ++cell)
        if (flags[cell]) cells |= std::uint32_t{1} << cell;
    // A battery that does not say which: JBD discharges the highest cell.
    if (const auto& list = state.cell_voltages_v; flags.empty() && state.balancing_active == true && !list.empty())
        cells = std::uint32_t{1} << std::min<std::ptrdiff_t>(std::max_element(list.begin(), list.end()) - list.begin(),
                                                             most_cells - 1);
    put(payload, at_balancing, u16be, cells & 0xFFFF);
    put(payload, at_balancing + 2, u16be, cells >> 16);
}

void encode_version(const Reading& state, std::span<std::uint8_t> payload) {
    const std::string version = state.software_version.value_or("0.0");
    unsigned high = 0;
    unsigned low = 0;
    const char* const end = version.data() + version.size();
    const char* const dot = std::from_chars(version.data(), end, high).ptr;
    if (dot != end) std::from_chars(dot + 1, end, low);
    payload[at_version] = static_cast<std::uint8_t>(std::min(high, 15U) << 4 | std::min(low, 15U));
}

void encode_basic(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    Temperatures sensors;
    if (state.mosfet_temperature_c) sensors.push_back(state.mosfet_temperature_c);
    for (const Number& sensor : state.temperatures_c)
        if (sensors.size() < most_sensors) sensors.push_back(sensor);
    payload.assign(basic_size + 2 * sensors.size() + newer_size, 0);
    const std::span<std::uint8_t> all(payload);
    encode(request.layout, state, all);
    put(all, at_date, u16be, packed_date(state.production_date));
    encode_balancing(state, all);
    encode_version(state, all);
    payload[at_sensor_count] = static_cast<std::uint8_t>(sensors.size());

    constexpr std::array<Row, 3> newer = {
        Row{&Reading::capacity_full_ah, at_full_capacity, u16be, 0.01},
        Row{&Reading::capacity_remaining_ah, at_remaining_capacity, u16be, 0.01},
        Row{&Reading::balance_current_a, at_balance_current, i16be, 0.001},
    };
    constexpr std::array<Sensor, 1> sensor = {Sensor{0, 0, u16be, 0.1, -273.1}};
    for (std::size_t i = 0; i < sensors.size(); ++i) {
        Reading one;
        one.temperatures_c.push_back(sensors[i].value_or(0));
        encode({.size = 2, .sensors = sensor}, one, all.subspan(basic_size + 2 * i, 2));
    }
    encode({.size = newer_size, .rows = newer}, state, all.subspan(basic_size + 2 * sensors.size()));
}

// ---- cells, register 04 (§5.2) and name, register 05 (§5.3) --------------------------------------
/// Where the number of cells and the list disagree, what both have is taken. 0 mV is legal.
std::string_view finish_cells(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    std::size_t count = std::min(payload.size() / 2, max_cells);
    if (reading.cell_count) count = std::min(count, static_cast<std::size_t>(*reading.cell_count));
    reading.cell_voltages_v.clear();
    for (std::size_t cell = 0; cell < count; ++cell)
        reading.cell_voltages_v.push_back(static_cast<double>(get(payload, 2 * cell, u16be)) / 1000);
    return {};
}

void encode_cells(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    const std::size_t count = std::clamp<std::size_t>(state.cell_voltages_v.size(), 1, most_cells);
    payload.assign(2 * count, 0);
    constexpr CellRow row{&Reading::cell_voltages_v, 0, u16be, 0.001, most_cells, 2};
    CellRow present = row;
    present.count = static_cast<std::uint8_t>(count);
    encode({.size = static_cast<std::uint16_t>(2 * count), .cells = {&present, 1}}, state, payload);
}

std::string_view finish_name(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    reading.hardware_version = name_in(payload);
    return {};
}

void encode_name(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    const std::string name = state.hardware_version.value_or("");
    payload.assign(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(std::min(name.size(), most_name)));
}

constexpr std::array requests = {
    Request{.name = "name",
            .meaning = "model of the board",
            .when = When::identify,
            .selector = read(name_register),
            .answer_size = 7 + 25,
            .timeout = answer_within,
            .layout = {.size = 1},
            .finish = finish_name,
            .encode = encode_name},
    Request{.name = "basic",
            .meaning = "everything that changes, except cell voltages",
            .when = When::every_poll,
            .selector = read(basic_register),
            .answer_size = 7 + basic_size + 2 * 3,
            .timeout = answer_within,
            .layout = {.size = basic_size, .rows = basic_rows, .flags = basic_flags, .alarms = basic_alarms},
            .finish = finish_basic,
            .encode = encode_basic},
    Request{.name = "cells",
            .meaning = "cell voltages",
            .when = When::every_poll,
            .selector = read(cells_register),
            .answer_size = 7 + 2 * 16,
            .timeout = answer_within,
            .layout = {.size = 2},
            .finish = finish_cells,
            .encode = encode_cells},
};

// ---- settings in the EEPROM (§5.5): need factory mode, never asked by the daemon -----------------
/// What every poll says as well: the poll wins.
struct PolledToo {
    std::uint8_t at;
    NumberMember to;
    double scale;
};
constexpr std::array polled_too = {
    PolledToo{0x10, &Reading::capacity_ah, 100},
    PolledToo{0x17, &Reading::cycles, 1},
    PolledToo{0x2F, &Reading::cell_count, 1},
};
std::string_view finish_polled_too(const Request& request, const Asking&, std::span<const std::uint8_t> payload,
                                   Reading& reading) {
    for (const PolledToo& known : polled_too)
        if (known.at == register_of(request) && !(reading.*known.to))
            reading.*known.to = static_cast<double>(get(payload, 0, u16be)) / known.scale;
    return {};
}

std::string_view finish_date(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    if (!reading.production_date) reading.production_date = date(get(payload, 0, u16be));
    return {};
}

constexpr std::array charge_limit_rows = {Row{&Reading::max_charge_current_a, 0, i16be, 0.01}};
constexpr std::array discharge_limit_rows = {Row{&Reading::max_discharge_current_a, 0, i16be, -0.01}};
/// Limits above 327.67 A overflow and look negative: unknown.
std::string_view finish_limit(const Request& request, const Asking&, std::span<const std::uint8_t>, Reading& reading) {
    Number& limit = reading.*request.layout.rows[0].to;
    if (limit < 0) limit.reset();
    return {};
}

/// A text register begins with its length.
std::string_view finish_model(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    reading.model = name_in(payload.subspan(1, payload[0]));
    return {};
}

constexpr Request setting(std::uint8_t at, std::string_view name, std::string_view meaning, Layout layout,
                          Finish finish = nullptr) {
    return {.name = name,
            .meaning = meaning,
            .when = When::on_demand,
            .selector = read(at),
            .answer_size = 7 + 2,
            .timeout = answer_within,
            .layout = layout,
            .finish = finish};
}
constexpr Layout word = {.size = 2};

constexpr std::array on_demand = {
    setting(counters_register, "counters", "how often each protection acted (12 counters)", {.size = counters_size}),
    setting(0x10, "design-capacity", "factory mode: nominal capacity", word, finish_polled_too),
    setting(0x15, "date", "factory mode: production date", word, finish_date),
    setting(0x17, "cycle-count", "factory mode: cycles", word, finish_polled_too),
    setting(0x28, "charge-limit", "factory mode: charge over-current protection",
            {.size = 2, .rows = charge_limit_rows}, finish_limit),
    setting(0x29, "discharge-limit", "factory mode: discharge over-current protection",
            {.size = 2, .rows = discharge_limit_rows}, finish_limit),
    setting(switches_register, "switches", "factory mode: which functions are on, the balancer among them",
            {.size = 2, .flags = switches_flags}),
    setting(0x2F, "cell-count", "factory mode: cells in series", word, finish_polled_too),
    setting(model_register, "model", "factory mode: model text", {.size = 1}, finish_model),
    other_register,
};

/// §5.1, offset 18: users know the version as the hardware version.
std::string hardware(const Reading& reading) {
    return reading.software_version.value_or("");
}

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::string_view, 6> aliases = {"LLT/JBD", "LLT_JBD", "JBD", "LLT", "Overkill", "Xiaoxiang"};
constexpr std::array<std::string_view, 11> sold_as = {
    "JBD / Jiabaida SPxxSyyy, DPxxSyyy, APxxSyyy",
    "LLT Power",
    "Overkill Solar",
    "Xiaoxiang Smart BMS",
    "Smart BMS",
    "Liontron",
    "Basen",
    "Epoch",
    "Supervolt",
    "Lossigy",
    "everything used with the Xiaoxiang app",
};

}  // namespace

extern const Family lltjbd;
constexpr Family lltjbd{
    .key = "lltjbd",
    .type = "LltJbd",
    .label = "LLT/JBD",
    .aliases = aliases,
    .sold_as = sold_as,
    .serial = {rates},
    // §2: asleep the first request is swallowed, repeat it up to three times. §11: 20 ms between answer and request,
    // a pause of 150 ms ends an answer.
    .timing = {.gap = milliseconds{20},
               .between_bytes = milliseconds{150},
               .poll = milliseconds{1000},
               .retries = 3,
               .probes = 4},
    .low_soc_by_threshold = true,  // §7
    .requests = requests,
    .on_demand = on_demand,
    .probe = 1,
    .build = build,
    .examine = examine,
    .matches = matches,
    .controls = controls,
    .wrap = wrap,
    // No identity: the serial number in the EEPROM is 0 in practice and needs factory mode; two equal packs would be
    // told apart by nothing else (§9), so port and address name the battery.
    .hardware = hardware,
    .guide = {.rs485 = true,
              .uart = true,
              .connector =
                  R"(- The UART (TTL) socket, or the RS232 or RS485 socket where the board has one.
  9600 baud on all of them.
)",
              .addresses =
                  "- This protocol has no address: one battery per port, each with an adapter of its own, also on "
                  "RS485.\n",
              .notes = R"(- A BMS asleep loses the first request; it is asked again up to three times.
- Rack batteries with an UP board (UP16S...) speak another protocol: `BMS_TYPE = LltJbd_Up16s`.
- The BMS has no serial number: the battery is named after its port. Give the adapter a fixed name.
- The current limits and the balancer switch can be read in the BMS' factory mode only, which is never entered by itself.
)"},
};
static_assert(sound(lltjbd));

}  // namespace bmsd::bms
