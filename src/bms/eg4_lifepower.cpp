// EG4 LifePower, Revov, Narada, Basen and Tian-Power boards: binary frames 7E .. 0D with counted groups of words. Two
// dialects, which differ in the start byte only: 7E, and 7C of Revov and Narada.
// Facts: dossier eg4_lifepower (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/family.hpp"
#include "bms/soundness.hpp"
#include "framing/lifepower.hpp"
#include "framing/rtn.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

// ---- groups of the analog data (§5) ----------------------------------------------------------------
constexpr std::uint8_t group_cells = 0x01;
constexpr std::uint8_t group_current = 0x02;
constexpr std::uint8_t group_temperatures = 0x05;
constexpr std::uint8_t group_status = 0x06;
constexpr std::uint8_t group_voltage = 0x08;
constexpr std::uint8_t first_wide_group = 0x0B, last_wide_group = 0x10;  // words of four bytes
constexpr std::uint8_t last_known_group = 0x11;

constexpr std::size_t most_cells = 24;  // §6
constexpr std::size_t status_size = 10;
constexpr std::uint16_t cell_voltage_bits = 0x3FFF;
constexpr std::uint16_t cell_balancing_bit = 0x8000;
constexpr std::int64_t no_current = 30000;

constexpr std::array groups_in_tables = {
    Record{group_current, 2}, Record{0x03, 2},          Record{0x04, 2}, Record{group_status, status_size},
    Record{0x07, 2},          Record{group_voltage, 2}, Record{0x09, 2},
};

constexpr Row in_group(std::uint8_t group, NumberMember to, double scale, double bias = 0) {
    return {to, 0, u16be, scale, bias, {}, group};
}
constexpr std::array rows = {
    in_group(group_current, &Reading::current_a, -0.01, no_current / 100.0),
    in_group(0x03, &Reading::soc_percent, 0.01),
    in_group(0x04, &Reading::capacity_ah, 0.01),
    in_group(0x07, &Reading::cycles, 1),
    in_group(group_voltage, &Reading::voltage_v, 0.01),
    in_group(0x09, &Reading::soh_percent, 0.01),
};

// §7: opened or switched off by hand; the protocol tells nothing else of the switches.
constexpr std::uint16_t at_switches = 5;
constexpr std::array flags = {
    FlagRow{&Reading::charge_fet, at_switches, u8, 0x03, true, group_status},
    FlagRow{&Reading::discharge_fet, at_switches, u8, 0x0C, true, group_status},
};

constexpr AlarmBit bit(std::uint16_t at, std::uint8_t number, Alarm alarm, Level level = Level::alarm) {
    return {alarm, level, at, u8, number, group_status};
}
constexpr AlarmBit warning(std::uint16_t at, std::uint8_t number, Alarm alarm) {
    return bit(at, number, alarm, Level::warning);
}
// §7. Not listed are states (charging, heating ...) and what only the makers' service looks at.
constexpr std::uint16_t at_protection = 3;
constexpr std::uint8_t over_current_bit = 3;
constexpr std::array alarms = {
    bit(0, 3, Alarm::low_cell_voltage),
    bit(0, 4, Alarm::internal_failure),
    bit(0, 5, Alarm::internal_failure),
    bit(0, 6, Alarm::internal_failure),
    bit(0, 7, Alarm::internal_failure),
    bit(1, 0, Alarm::internal_failure),
    bit(1, 1, Alarm::internal_failure),
    bit(1, 2, Alarm::internal_failure),
    bit(1, 3, Alarm::high_internal_temperature),
    bit(1, 5, Alarm::internal_failure),
    bit(1, 6, Alarm::internal_failure),
    bit(1, 7, Alarm::internal_failure),
    bit(2, 0, Alarm::high_temperature),
    bit(2, 1, Alarm::low_temperature),
    bit(2, 6, Alarm::internal_failure),
    bit(at_protection, 2, Alarm::high_discharge_current),
    bit(at_protection, over_current_bit, Alarm::high_discharge_current),  // while charging: see finish_analog()
    bit(at_protection, 4, Alarm::high_voltage),
    bit(at_protection, 5, Alarm::low_voltage),
    bit(at_protection, 6, Alarm::high_charge_temperature),
    bit(at_protection, 7, Alarm::low_charge_temperature),
    bit(4, 0, Alarm::low_temperature),
    bit(4, 1, Alarm::high_temperature),
    bit(4, 4, Alarm::low_soc),
    bit(5, 5, Alarm::high_internal_temperature),
    warning(5, 6, Alarm::low_temperature),
    warning(7, 0, Alarm::low_soc),
    warning(8, 0, Alarm::high_temperature),
    warning(8, 1, Alarm::low_temperature),
    warning(8, 2, Alarm::high_internal_temperature),
    warning(8, 3, Alarm::low_soc),
    warning(8, 4, Alarm::cell_imbalance),
    warning(8, 5, Alarm::high_temperature),
    warning(8, 6, Alarm::low_temperature),
    warning(9, 0, Alarm::high_cell_voltage),
    warning(9, 1, Alarm::low_cell_voltage),
    warning(9, 2, Alarm::high_voltage),
    warning(9, 3, Alarm::low_voltage),
    warning(9, 4, Alarm::high_charge_current),
    warning(9, 5, Alarm::high_discharge_current),
    warning(9, 6, Alarm::high_charge_temperature),
    warning(9, 7, Alarm::low_charge_temperature),
};

constexpr std::size_t word_size(std::uint8_t group) {
    return group >= first_wide_group && group <= last_wide_group ? 4 : 2;
}

/// Finds the groups; a group whose word size nobody knows ends the walk. False: one reaches beyond the payload.
bool walk(std::span<const std::uint8_t> payload, Records& found) {
    while (!payload.empty() && payload[0] <= last_known_group) {
        if (payload.size() < 2) return false;
        const std::uint8_t group = payload[0];
        const std::size_t size = payload[1] * word_size(group);
        if (payload.size() < 2 + size) return false;
        found[group] = payload.subspan(2, size);
        payload = payload.subspan(2 + size);
    }
    return true;
}

void read_cells(std::span<const std::uint8_t> words, Reading& reading) {
    reading.cell_voltages_v.clear();
    reading.cell_balancing.clear();
    for (std::size_t at = 0; at + 2 <= words.size(); at += 2) {
        const auto word = static_cast<std::uint16_t>(get(words, at, u16be));
        reading.cell_voltages_v.push_back((word & cell_voltage_bits) / 1000.0);
        reading.cell_balancing.push_back((word & cell_balancing_bit) != 0);
    }
    reading.cell_count = static_cast<double>(reading.cell_voltages_v.size());
    const auto& balancing = reading.cell_balancing;
    reading.balancing_active = std::find(balancing.begin(), balancing.end(), true) != balancing.end();
}

/// §5, group 05: the high byte says what is measured, the low byte how many degrees above -50.
enum SensorType : std::uint8_t {
    cell_sensor = 0x00,
    ambient_sensor = 0x20,
    mosfet_sensor = 0x40,
    mosfet_sensor_2 = 0x80
};
constexpr int coldest_c = -50;

void read_sensors(std::span<const std::uint8_t> words, Reading& reading) {
    reading.temperatures_c.clear();
    reading.mosfet_temperature_c.reset();
    reading.environment_temperature_c.reset();
    for (std::size_t at = 0; at + 2 <= words.size(); at += 2) {
        const double celsius = words[at + 1] + coldest_c;
        switch (words[at]) {
            case cell_sensor:
                if (reading.temperatures_c.size() < max_temperatures) reading.temperatures_c.push_back(celsius);
                break;
            case mosfet_sensor:
            case mosfet_sensor_2:  // the hottest counts
                reading.mosfet_temperature_c = std::max(reading.mosfet_temperature_c.value_or(celsius), celsius);
                break;
            case ambient_sensor: reading.environment_temperature_c = celsius; break;
            default: break;
        }
    }
}

/// §6: what a battery cannot say. The checksum lets half of all single flipped bits pass, so this has to be strict.
std::string_view impossible(const Reading& reading) {
    constexpr double highest_cell_v = 5;
    constexpr double tolerance = 0.05;
    double sum = 0;
    bool complete = true;
    const bool broken_wire = reading.alarms[Alarm::internal_failure] == Level::alarm;  // §7, bit 0.4
    for (const Number& cell : reading.cell_voltages_v) {
        if (*cell > highest_cell_v && !broken_wire) return "a cell voltage is impossible";
        complete = complete && *cell > 0;  // an open wire reads 0 V
        sum += *cell;
    }
    if (complete && std::abs(*reading.voltage_v - sum) > tolerance * sum)
        return "the cells do not add up to the pack voltage";
    return {};
}

std::string_view finish_analog(const Request& request, const Asking&, std::span<const std::uint8_t> payload,
                               Reading& reading) {
    Records groups;
    walk(payload, groups);
    const auto cells = groups[group_cells];
    if (cells.empty() || cells.size() > 2 * most_cells) return "the answer holds no list of 1 to 24 cells";
    if (groups[group_voltage].empty()) return "the answer does not tell the pack voltage";

    // §7, bit 3.3: over-current in the direction of the current. The table stands for discharging.
    std::array<std::uint8_t, status_size> status{};
    const auto sent = groups[group_status].first(std::min(groups[group_status].size(), status_size));
    std::copy(sent.begin(), sent.end(), status.begin());
    const auto current = groups[group_current];
    const bool charging = !current.empty() && get(current, 0, u16be) < no_current;
    const bool too_much_charge = charging && ((status[at_protection] >> over_current_bit) & 1);
    if (too_much_charge) status[at_protection] &= static_cast<std::uint8_t>(~(1U << over_current_bit));
    if (!sent.empty()) groups[group_status] = status;

    for (const Row& row : rows) (reading.*row.to).reset();  // what is not sent is not known
    for (const FlagRow& row : flags) (reading.*row.to).reset();
    decode(request.layout, groups, reading);
    if (sent.size() <= at_switches)
        for (const FlagRow& row : flags) (reading.*row.to).reset();
    if (too_much_charge) reading.alarms.raise(Alarm::high_charge_current, Level::alarm);

    read_cells(cells, reading);
    read_sensors(groups[group_temperatures], reading);
    reading.capacity_remaining_ah.reset();
    if (reading.capacity_ah && reading.soc_percent)
        reading.capacity_remaining_ah = *reading.capacity_ah * std::min(*reading.soc_percent, 100.0) / 100;
    if (reading.soh_percent > 100) reading.soh_percent.reset();
    return impossible(reading);
}

/// Appends a group of zeros. Bytes do not move when they grow, so the span stays good.
std::span<std::uint8_t> add_group(Bytes& payload, std::uint8_t group, std::size_t words) {
    payload.push_back(group);
    payload.push_back(static_cast<std::uint8_t>(words));
    const std::size_t at = payload.size();
    payload.resize(at + words * word_size(group));
    return std::span(payload).subspan(at);
}

void write_cells(const Reading& state, std::span<std::uint8_t> words) {
    for (std::size_t i = 0; 2 * i < words.size(); ++i) {
        const double volts = std::clamp(state.cell_voltages_v[i].value_or(0), 0.0, cell_voltage_bits / 1000.0);
        const bool balancing = i < state.cell_balancing.size() && state.cell_balancing[i];
        put(words, 2 * i, u16be, std::lround(volts * 1000) | (balancing ? cell_balancing_bit : 0));
    }
}

void write_sensors(const Reading& state, Bytes& payload) {
    Bounded<std::uint8_t, 2 * (max_temperatures + 2)> words;
    const auto add = [&](SensorType type, const Number& celsius) {
        if (!celsius) return;
        words.push_back(type);
        words.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(*celsius - coldest_c, 0.0, 255.0))));
    };
    for (const Number& celsius : state.temperatures_c) add(cell_sensor, celsius);
    add(mosfet_sensor, state.mosfet_temperature_c);
    add(ambient_sensor, state.environment_temperature_c);
    const auto group = add_group(payload, group_temperatures, words.size() / 2);
    std::copy(words.begin(), words.end(), group.begin());
}

void encode_analog(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.clear();
    MutableRecords groups;
    write_cells(state, add_group(payload, group_cells, std::min(state.cell_voltages_v.size(), most_cells)));
    for (const Record& group : groups_in_tables) {
        if (group.tag == group_status) write_sensors(state, payload);
        groups[group.tag] = add_group(payload, group.tag, group.width / 2U);
    }
    add_group(payload, 0x0A, 1);
    encode(request.layout, state, groups);
    if (state.current_a > 0 && state.alarms[Alarm::high_charge_current] == Level::alarm)
        groups[group_status][at_protection] |= 1U << over_current_bit;
}

// ---- texts (§4) ------------------------------------------------------------------------------------
constexpr std::uint8_t read_analog = 0x01;
constexpr std::uint8_t read_firmware = 0x33;
constexpr std::uint8_t read_hardware = 0x42;
constexpr std::uint8_t read_protection = 0x43;
constexpr std::uint8_t read_unknown = 0x06;
constexpr std::size_t longest_text = 64;

TextMember text_of(const Request& request) {
    return request.selector == read_hardware ? &Reading::hardware_version : &Reading::software_version;
}

std::string_view finish_text(const Request& request, const Asking&, std::span<const std::uint8_t> payload,
                             Reading& reading) {
    Bytes kept;
    for (const std::uint8_t c : payload.first(std::min(payload.size(), longest_text)))
        if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
            c == '_' || c == ' ')
            kept.push_back(c);
    Text& to = reading.*text_of(request);
    to.reset();
    if (std::string words = text(kept); !words.empty()) to = std::move(words);
    return {};
}

void encode_text(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    const std::string words = (state.*text_of(request)).value_or("");
    payload.assign(words.begin(), words.begin() + static_cast<long>(std::min(words.size(), longest_text)));
    // No payload at all would be a request, and one byte may be a refusal.
    if (payload.size() < 2) payload.resize(2, ' ');
}

// §11: turnaround 20..150 ms; §6: 0.3 s are enough to know that nobody answers.
constexpr milliseconds answer_begins{300};

/// The requests of the dialect with this start byte, which Request::answer_type keeps for build() and wrap().
consteval std::array<Request, 3> requests_from(std::uint8_t start) {
    return {
        Request{.name = "hardware",
                .meaning = "hardware_version",
                .when = When::identify,
                .mandatory = false,  // §4: one of the two texts may fail
                .selector = read_hardware,
                .answer_type = start,
                .answer_size = 7,
                .timeout = answer_begins,
                .finish = finish_text,
                .encode = encode_text},
        Request{.name = "firmware",
                .meaning = "software_version",
                .when = When::identify,
                .mandatory = false,
                .selector = read_firmware,
                .answer_type = start,
                .answer_size = 28,
                .timeout = answer_begins,
                .finish = finish_text,
                .encode = encode_text},
        Request{.name = "analog",
                .meaning = "everything that changes",
                .when = When::every_poll,
                .selector = read_analog,
                .answer_type = start,
                .answer_size = 94,  // 16 cells; 134 with the totals that some send
                .timeout = answer_begins,
                .layout =
                    {.size = status_size, .rows = rows, .flags = flags, .alarms = alarms, .records = groups_in_tables},
                .finish = finish_analog,
                .encode = encode_analog},
    };
}
/// Asked by other programs only; nothing in the answers is needed.
consteval std::array<Request, 2> on_demand_from(std::uint8_t start) {
    const auto of_others = [start](std::string_view name, std::string_view meaning, std::uint8_t command) {
        return Request{.name = name,
                       .meaning = meaning,
                       .when = When::on_demand,
                       .mandatory = false,
                       .selector = command,
                       .answer_type = start,
                       .answer_size = 10,
                       .timeout = answer_begins};
    };
    return {of_others("unknown", "four bytes of unknown meaning (Revov)", read_unknown),
            of_others("protection", "limits set in the BMS (Basen)", read_protection)};
}
constexpr auto on_demand_7e = on_demand_from(framing::lifepower::start_7e);
constexpr auto on_demand_7c = on_demand_from(framing::lifepower::start_7c);
constexpr auto requests_7e = requests_from(framing::lifepower::start_7e);
constexpr auto requests_7c = requests_from(framing::lifepower::start_7c);

// ---- framing (§3) ----------------------------------------------------------------------------------
namespace wire = framing::lifepower;
using wire::Look;

void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    payload = payload.first(std::min(payload.size(), wire::most_payload));
    out.clear();
    for (const std::size_t byte :
         {std::size_t{request.answer_type}, std::size_t{asking.address}, std::size_t{request.selector}, payload.size()})
        out.push_back(static_cast<std::uint8_t>(byte));
    out.insert(out.end(), payload.begin(), payload.end());
    out.push_back(wire::checksum(out));
    out.push_back(wire::end_mark);
}

void build(const Request& request, const Asking& asking, Bytes& out) {
    constexpr std::array<std::uint8_t, 1> all = {0xE0};
    wrap(request, asking, request.selector == read_protection ? std::span(all) : std::span<const std::uint8_t>{}, out);
}

constexpr std::string_view another_master =
    "another master asks on this bus: a battery with all DIP switches off polls the others, or an inverter does";

Reply waiting(ErrorClass fault, std::string_view why) {
    return {Reply::Progress::waiting, wire::least_answer, {}, fault, why};
}

/// What a sound frame is worth.
Reply judge(const Request& request, const Asking& asking, std::span<const std::uint8_t> frame) {
    const auto payload = frame.subspan(wire::head_size, frame.size() - wire::head_size - wire::tail_size);
    const bool same_address = frame[wire::at_address] == asking.address;
    const bool same_command = frame[wire::at_command] == request.selector;
    if (payload.empty())
        return waiting(ErrorClass::unexpected,
                       same_address && same_command
                           ? "only our own request came back: the adapter echoes, the BMS is silent"
                           : another_master);
    if (!same_address)
        return waiting(ErrorClass::unexpected, "another address answered: the data belong to another battery");
    if (!same_command) return waiting(ErrorClass::unexpected, "a late answer to another request came");
    // The hardware version may be a text of one character; a refusal is none (§3).
    if (payload.size() == 1 && (request.selector != read_hardware || payload[0] < ' '))
        return {Reply::Progress::failed, 0, {}, ErrorClass::refused, framing::rtn_meaning(payload[0])};
    Records groups;
    if (request.selector == read_analog && !walk(payload, groups))
        return waiting(ErrorClass::malformed, "a group of values reaches beyond the end of the answer");
    return {Reply::Progress::complete, 0, payload, {}, {}};
}

/// What is to be said of a start byte that begins no sound frame.
Reply fault_of(Look::State state) {
    switch (state) {
        case Look::State::no_end:
            return waiting(ErrorClass::malformed, "the end mark 0D is missing where the length says it is");
        case Look::State::mismatch: return waiting(ErrorClass::checksum, "the checksum of the frame is wrong");
        default: return waiting(ErrorClass::truncated, "the frame is cut short");
    }
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    Reply best = received.empty() ? waiting(ErrorClass::truncated, "no answer")
                                  : waiting(ErrorClass::malformed, "bytes arrived, but no frame 7E .. 0D among them");
    bool first = true;  // of several start bytes the first tells the story; others may be its content
    for (std::size_t at = wire::next_start(received, 0); at < received.size();) {
        const auto rest = received.subspan(at);
        const Look look = wire::look_at(rest);
        if (look.state == Look::State::sound) {
            best = judge(request, asking, rest.first(look.size));
            if (best.progress != Reply::Progress::waiting) return best;
            first = true;
            at = wire::next_start(received, at + look.size);
            continue;
        }
        const std::size_t missing = best.missing;
        if (first) best = fault_of(look.state);
        best.missing = look.state == Look::State::cut ? std::min(missing, look.size - rest.size()) : missing;
        first = false;
        // Its length may be damaged: a sound frame may still follow inside.
        at = wire::next_start(received, at + 1);
    }
    return best;
}

/// §9: who talks although nobody asked.
Reply unsolicited(const Asking&, std::span<const std::uint8_t> received) {
    for (std::size_t at = 0; (at = wire::next_start(received, at)) < received.size(); ++at) {
        const auto rest = received.subspan(at);
        if (wire::look_at(rest).state == Look::State::sound)
            return {Reply::Progress::failed,
                    0,
                    {},
                    ErrorClass::unexpected,
                    rest[wire::at_length] == 0 ? another_master : "a battery answers somebody else on this bus"};
    }
    return {};
}

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::string_view, 4> old_names = {"Lifepower", "Revov", "Narada", "TianPower"};
constexpr std::array<std::string_view, 5> sold_as = {"EG4 LiFePower4 (older firmware)", "Revov", "Narada",
                                                     "Basen (UART protocol)", "Tian-Power QT-YS00"};
constexpr std::array usual = {AddressRange{0x01, 0x0F}};

consteval Family dialect(std::string_view key, std::span<const std::string_view> aliases,
                         std::span<const Request> requests, std::span<const Request> on_demand) {
    return {
        .key = key,
        .type = "EG4_Lifepower",
        .label = "EG4 Lifepower",
        .aliases = aliases,
        .sold_as = sold_as,
        .serial = {rates},
        .addresses = {.used = true,
                      .first = 0x00,
                      .last = 0x0F,
                      .standard = 0x01,
                      .meaning = "the four DIP switches, switch 1 = 1, 2 = 2, 3 = 4, 4 = 8; 0 only for a battery that "
                                 "is alone, as it marks the master of a parallel chain",
                      .usual = usual},
        .timing = {.gap = milliseconds{100}, .between_bytes = milliseconds{50}, .poll = milliseconds{2000}},  // §11
        .requests = requests,
        .on_demand = on_demand,
        .probe = 2,
        .build = build,
        .examine = examine,
        .unsolicited = unsolicited,
        .integrity = Integrity::weak,
        .self_describing = true,
        .wrap = wrap,
        .guide =
            {.rs485 = true,
             .connector =
                 R"(- RS485 of the battery (RS232 on some), 9600 baud. Several: from battery to battery, the first one to the adapter.
)",
             .addresses =
                 R"(- The battery that is connected to the computer: address 1. Several need an address each, set with the DIP switches.
- All switches off (address 0) marks the master of a parallel chain. It asks the others by itself and collides with the
  computer: of several let no battery have them all off.
)",
             .dip_switches = 4,
             .notes =
                 R"(- Newer EG4 LiFePower4 speak another protocol (ASCII, "LifePower4") on the same socket and are silent here.
)"},
    };
}

}  // namespace

extern const Family eg4_lifepower;
constexpr Family eg4_lifepower = dialect("eg4_lifepower", old_names, requests_7e, on_demand_7e);
static_assert(sound(eg4_lifepower));

extern const Family revov_7c;
constexpr Family revov_7c = dialect("revov_7c", {}, requests_7c, on_demand_7c);
static_assert(sound(revov_7c));

}  // namespace bmsd::bms
