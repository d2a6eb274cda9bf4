// JK (Jikong) BMS with a 4-pin TTL port: 4E 57 frames holding tagged records.
// Facts: dossier jkbms (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/family.hpp"
#include "bms/soundness.hpp"
#include "framing/checksum.hpp"
#include "framing/find.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

// ---- records (§5) --------------------------------------------------------------------------------
constexpr std::uint8_t tag_cells = 0x79;  // the only record that carries its own length
constexpr std::uint8_t tag_mosfet_temperature = 0x80;
constexpr std::uint8_t tag_temperature_1 = 0x81;
constexpr std::uint8_t tag_temperature_2 = 0x82;
constexpr std::uint8_t tag_current = 0x84;
constexpr std::uint8_t tag_cell_count = 0x8A;
constexpr std::uint8_t tag_warnings = 0x8B;
constexpr std::uint8_t tag_date = 0xB5;
constexpr std::uint8_t tag_manufacturer = 0xBA;
constexpr std::uint8_t tag_protocol = 0xC0;

/// Every tag that a known firmware sends, in its order, with the bytes behind it.
constexpr std::array records = {
    Record{0x80, 2},  Record{0x81, 2}, Record{0x82, 2},  Record{0x83, 2}, Record{0x84, 2}, Record{0x85, 1},
    Record{0x86, 1},  Record{0x87, 2}, Record{0x89, 4},  Record{0x8A, 2}, Record{0x8B, 2}, Record{0x8C, 2},
    Record{0x8E, 2},  Record{0x8F, 2}, Record{0x90, 2},  Record{0x91, 2}, Record{0x92, 2}, Record{0x93, 2},
    Record{0x94, 2},  Record{0x95, 2}, Record{0x96, 2},  Record{0x97, 2}, Record{0x98, 2}, Record{0x99, 2},
    Record{0x9A, 2},  Record{0x9B, 2}, Record{0x9C, 2},  Record{0x9D, 1}, Record{0x9E, 2}, Record{0x9F, 2},
    Record{0xA0, 2},  Record{0xA1, 2}, Record{0xA2, 2},  Record{0xA3, 2}, Record{0xA4, 2}, Record{0xA5, 2},
    Record{0xA6, 2},  Record{0xA7, 2}, Record{0xA8, 2},  Record{0xA9, 1}, Record{0xAA, 4}, Record{0xAB, 1},
    Record{0xAC, 1},  Record{0xAD, 2}, Record{0xAE, 1},  Record{0xAF, 1}, Record{0xB0, 2}, Record{0xB1, 1},
    Record{0xB2, 10}, Record{0xB3, 1}, Record{0xB4, 8},  Record{0xB5, 4}, Record{0xB6, 4}, Record{0xB7, 15},
    Record{0xB8, 1},  Record{0xB9, 4}, Record{0xBA, 24}, Record{0xC0, 1},
};

constexpr Row in_record(std::uint8_t record, NumberMember to, Wire type, double scale = 1,
                        std::optional<std::int64_t> absent = {}) {
    return {to, 0, type, scale, 0, absent, record};
}
constexpr std::array rows = {
    in_record(0x83, &Reading::voltage_v, u16be, 0.01),
    in_record(0x85, &Reading::soc_percent, u8),
    in_record(0x87, &Reading::cycles, u16be),
    in_record(0x89, &Reading::total_charge_ah, u32be),
    in_record(tag_cell_count, &Reading::cell_count, u16be, 1, 0),
    in_record(0x8E, &Reading::max_battery_voltage_v, u16be, 0.01),
    in_record(0x8F, &Reading::min_battery_voltage_v, u16be, 0.01),
    in_record(0x97, &Reading::max_discharge_current_a, u16be),
    in_record(0x99, &Reading::max_charge_current_a, u16be),
    in_record(0xAA, &Reading::capacity_ah, u32be),
    in_record(0xB6, &Reading::runtime_s, u32be, 60),
    in_record(0xB9, &Reading::capacity_full_ah, u32be, 1, 0),
};
constexpr std::array flags = {
    FlagRow{&Reading::charge_fet, 0, u16be, 0x0001, false, 0x8C},
    FlagRow{&Reading::discharge_fet, 0, u16be, 0x0002, false, 0x8C},
    FlagRow{&Reading::balancing_active, 0, u16be, 0x0004, false, 0x8C},
    FlagRow{&Reading::balance_fet, 0, u8, 0xFF, false, 0x9D},
};
constexpr std::array texts = {
    TextRow{&Reading::custom_name, 0, 8, 0xB4},
    TextRow{&Reading::software_version, 0, 15, 0xB7},
};

constexpr AlarmBit warning(std::uint8_t bit, Alarm alarm, Level level) {
    return {alarm, level, 0, u16be, bit, tag_warnings};
}
// §7. Bits 4, 8 and 9 depend on the direction of the current: see finish().
constexpr std::array alarms = {
    warning(0, Alarm::low_soc, Level::alarm),
    warning(1, Alarm::high_internal_temperature, Level::alarm),
    warning(2, Alarm::high_voltage, Level::alarm),
    warning(3, Alarm::low_voltage, Level::alarm),
    warning(5, Alarm::high_charge_current, Level::warning),
    warning(6, Alarm::high_discharge_current, Level::warning),
    warning(7, Alarm::cell_imbalance, Level::warning),
    warning(10, Alarm::high_cell_voltage, Level::warning),
    warning(11, Alarm::low_cell_voltage, Level::warning),
    warning(12, Alarm::internal_failure, Level::alarm),
    warning(13, Alarm::internal_failure, Level::alarm),
};
constexpr std::uint16_t too_hot_bits = 0x0110;
constexpr std::uint16_t too_cold_bits = 0x0200;
constexpr std::array temperature_alarms = {Alarm::high_charge_temperature, Alarm::high_temperature,
                                           Alarm::low_charge_temperature, Alarm::low_temperature};

constexpr std::size_t cells_in(std::span<const std::uint8_t> record) {
    return std::min(record.size() / 3, max_cells);
}

/// The records of an answer.
struct Walk {
    Records found;
    bool broken_off = false;  ///< at an unknown tag: what was found before it stays, what follows is not known
};

Walk walk(std::span<const std::uint8_t> payload) {
    Walk walk;
    while (!payload.empty()) {
        walk.broken_off = true;
        const std::uint8_t tag = payload[0];
        std::size_t skip = 1;
        std::size_t size = 0;
        if (tag == tag_cells) {
            if (payload.size() < 2) break;
            skip = 2;
            size = payload[1];
        } else {
            const auto known =
                std::find_if(records.begin(), records.end(), [&](const Record& r) { return r.tag == tag; });
            if (known == records.end()) break;
            size = known->width;
        }
        if (payload.size() < skip + size) break;
        walk.found[tag] = payload.subspan(skip, size);
        payload = payload.subspan(skip + size);
        walk.broken_off = false;
    }
    return walk;
}

/// §5: raw 0..100 are degrees, above that 100 - raw.
Number temperature(std::span<const std::uint8_t> record) {
    if (record.empty()) return std::nullopt;
    const auto raw = static_cast<double>(get(record, 0, u16be));
    return raw <= 100 ? raw : 100 - raw;
}

std::uint16_t raw_temperature(double celsius) {
    return static_cast<std::uint16_t>(celsius >= 0 ? std::min(std::lround(celsius), 100L) : 100 - std::lround(celsius));
}

/// The version of the protocol, which comes last; old firmware does not send it. Absent: nobody can tell.
std::optional<std::uint8_t> protocol(const Walk& walk, std::span<const std::uint8_t> payload) {
    if (const auto sent = walk.found[tag_protocol]; !sent.empty()) return sent[0];
    if (!walk.broken_off) return std::uint8_t{0};
    const auto last = payload.last(std::min<std::size_t>(payload.size(), 2));
    if (last.size() == 2 && last[0] == tag_protocol && last[1] <= 1) return last[1];
    return std::nullopt;
}

/// §5, tag 84: sign and zero depend on the version of the protocol.
double current(std::uint16_t raw, std::uint8_t version) {
    if (version == 1) return (raw & 0x8000 ? 1 : -1) * (raw & 0x7FFF) / 100.0;
    return (10000 - raw) / 100.0;
}

/// Reference id (§5): NUL to blank, factory text removed, trimmed, runs of blanks to '_'.
std::string reference_id(std::span<const std::uint8_t> record) {
    std::string words;
    Bytes blanked(record.begin(), record.end());
    std::replace(blanked.begin(), blanked.end(), std::uint8_t{0}, std::uint8_t{' '});
    std::string all = text(blanked);
    constexpr std::string_view factory = "Input Userda";
    if (const auto at = all.find(factory); at != std::string::npos) all.erase(at, factory.size());
    bool gap = false;
    for (const char c : all) {
        if (c == ' ') {
            gap = !words.empty();
            continue;
        }
        if (gap) words += '_';
        gap = false;
        words += c;
    }
    return words;
}

std::string_view finish(const Request& request, const Asking&, std::span<const std::uint8_t> payload,
                        Reading& reading) {
    const Walk walked = walk(payload);
    const Records& found = walked.found;
    forget(request.layout, reading);
    decode(request.layout, found, reading);

    const auto cells = found[tag_cells];
    if (cells.empty() || cells.size() % 3 != 0) return "the answer holds no list of cell voltages";  // §6
    reading.cell_voltages_v.clear();
    for (std::size_t i = 0; i < cells_in(cells); ++i)
        reading.cell_voltages_v.push_back(static_cast<double>(get(cells, 3 * i + 1, u16be)) / 1000);
    // 0 mV is an open wire: it keeps its place in the list but is no lowest cell (§5, tag 79).
    reading.min_cell_voltage_v.reset();
    reading.max_cell_voltage_v.reset();
    const auto& list = reading.cell_voltages_v;
    if (std::find(list.begin(), list.end(), Number{0.0}) != list.end())
        for (const Number& cell : list) {
            if (cell == 0.0) continue;
            if (!reading.min_cell_voltage_v || cell < reading.min_cell_voltage_v) reading.min_cell_voltage_v = cell;
            if (!reading.max_cell_voltage_v || cell > reading.max_cell_voltage_v) reading.max_cell_voltage_v = cell;
        }
    if (reading.cell_count && (*reading.cell_count < 1 || *reading.cell_count > 32))
        return "the cell count is impossible";
    if (reading.soc_percent > 100) reading.soc_percent.reset();

    reading.mosfet_temperature_c = temperature(found[tag_mosfet_temperature]);
    reading.temperatures_c.clear();
    if (!found[tag_temperature_1].empty()) reading.temperatures_c.push_back(temperature(found[tag_temperature_1]));
    if (!found[tag_temperature_2].empty()) reading.temperatures_c.push_back(temperature(found[tag_temperature_2]));

    reading.current_a.reset();
    if (const auto version = protocol(walked, payload); version && !found[tag_current].empty())
        reading.current_a = current(static_cast<std::uint16_t>(get(found[tag_current], 0, u16be)), *version);

    if (!found[tag_warnings].empty()) {
        const auto word = static_cast<std::uint16_t>(get(found[tag_warnings], 0, u16be));
        const bool charging = reading.current_a > 0;
        for (const Alarm alarm : temperature_alarms) reading.alarms.known(alarm);
        if (word & too_hot_bits)
            reading.alarms.raise(charging ? Alarm::high_charge_temperature : Alarm::high_temperature, Level::warning);
        if (word & too_cold_bits)
            reading.alarms.raise(charging ? Alarm::low_charge_temperature : Alarm::low_temperature, Level::warning);
    }

    // Factory texts, not names (§5, B4).
    if (reading.custom_name == "Input Us" || reading.custom_name == "60300001") reading.custom_name.reset();
    if (auto& version = reading.software_version) {
        version->erase(version->find_last_not_of("_ ") + 1);
        if (version->empty()) version.reset();
    }
    reading.production_date.reset();
    if (const std::string date = text(found[tag_date]); date.size() == 4 &&
                                                        date.find_first_not_of("0123456789") == std::string::npos &&
                                                        date.substr(2) >= "01" && date.substr(2) <= "12")
        reading.production_date = "20" + date.substr(0, 2) + "-" + date.substr(2, 2);
    reading.unique_id.reset();
    if (std::string id = reference_id(found[tag_manufacturer]); !id.empty()) reading.unique_id = std::move(id);
    return {};
}

void encode_records(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    const std::size_t cells = std::min<std::size_t>(state.cell_voltages_v.size(), 32);
    std::size_t size = 2 + 3 * cells;
    for (const Record& record : records) size += 1U + record.width;
    payload.assign(size, 0);

    payload[0] = tag_cells;
    payload[1] = static_cast<std::uint8_t>(3 * cells);
    const std::span<std::uint8_t> all(payload);
    for (std::size_t i = 0; i < cells; ++i) {
        payload[2 + 3 * i] = static_cast<std::uint8_t>(i + 1);
        put(all, 3 + 3 * i, u16be, std::lround(state.cell_voltages_v[i].value_or(0) * 1000));
    }
    MutableRecords found;
    std::size_t at = 2 + 3 * cells;
    for (const Record& record : records) {
        payload[at] = record.tag;
        found[record.tag] = all.subspan(at + 1, record.width);
        at += 1U + record.width;
    }
    encode(request.layout, state, found);

    const auto put_temperature = [&](std::uint8_t tag, const Number& celsius) {
        put(found[tag], 0, u16be, raw_temperature(celsius.value_or(0)));
    };
    put_temperature(tag_mosfet_temperature, state.mosfet_temperature_c);
    for (std::size_t i = 0; i < 2; ++i)
        put_temperature(i == 0 ? tag_temperature_1 : tag_temperature_2,
                        i < state.temperatures_c.size() ? state.temperatures_c[i] : Number{});
    found[tag_protocol][0] = 1;
    const double amperes = state.current_a.value_or(0);
    put(found[tag_current], 0, u16be,
        std::min(std::lround(std::abs(amperes) * 100), 0x7FFFL) | (amperes > 0 ? 0x8000 : 0));

    auto word = static_cast<std::uint16_t>(get(found[tag_warnings], 0, u16be));
    const auto raised = [&](Alarm alarm) { return state.alarms[alarm] == Level::warning; };
    if (raised(Alarm::high_charge_temperature) || raised(Alarm::high_temperature)) word |= 0x0010;
    if (raised(Alarm::low_charge_temperature) || raised(Alarm::low_temperature)) word |= too_cold_bits;
    put(found[tag_warnings], 0, u16be, word);

    if (const auto& date = state.production_date; date && date->size() >= 7) {
        const std::string digits = date->substr(2, 2) + date->substr(5, 2);
        std::copy(digits.begin(), digits.end(), found[tag_date].begin());
    }
    if (state.unique_id)
        std::copy_n(state.unique_id->begin(), std::min<std::size_t>(state.unique_id->size(), 24),
                    found[tag_manufacturer].begin());
}

constexpr std::uint8_t read_all = 0x06;
constexpr std::uint8_t read_one = 0x03;       // with identifier 00: everything, too
constexpr std::uint32_t any_command = 0x100;  // selector of what others ask

constexpr std::array requests = {
    Request{.name = "all",
            .meaning = "read everything at once",
            .when = When::every_poll,
            .selector = read_all,
            .answer_size = 291,  // 16 cells: 243 + 3 * 16
            .timeout = milliseconds{500},
            .layout = {.size = 24, .rows = rows, .flags = flags, .texts = texts, .alarms = alarms, .records = records},
            .finish = finish,
            .encode = encode_records},
};

constexpr Request other = {.name = "other",
                           .meaning = "what other hosts tell the BMS: activation, password, writes",
                           .when = When::on_demand,
                           .selector = any_command,
                           .answer_size = 22};

// ---- framing (§3) --------------------------------------------------------------------------------
constexpr std::array<std::uint8_t, 2> start = {0x4E, 0x57};
constexpr std::size_t head_size = 11;  // up to and including the transport type
constexpr std::size_t tail_size = 9;   // record number, end mark, unused CRC, checksum
constexpr std::size_t at_command = 8;
constexpr std::size_t at_transport = 10;
enum Transport : std::uint8_t { asked = 0, answered = 1, reported = 2 };
constexpr std::uint8_t from_pc = 3;

void frame(std::uint8_t command, std::uint8_t source, Transport transport, std::span<const std::uint8_t> payload,
           Bytes& out) {
    const std::size_t length = head_size + payload.size() + tail_size - start.size();
    out.assign(start.begin(), start.end());
    out.push_back(static_cast<std::uint8_t>(length >> 8));
    out.push_back(static_cast<std::uint8_t>(length & 0xFF));
    out.insert(out.end(), 4, 0x00);  // terminal number
    out.push_back(command);
    out.push_back(source);
    out.push_back(transport);
    out.insert(out.end(), payload.begin(), payload.end());
    out.insert(out.end(), 4, 0x00);  // record number
    out.push_back(0x68);
    out.insert(out.end(), 2, 0x00);  // unused CRC
    const auto sum = framing::sum16(out);
    out.push_back(static_cast<std::uint8_t>(sum >> 8));
    out.push_back(static_cast<std::uint8_t>(sum & 0xFF));
}

void build(const Request& request, const Asking&, Bytes& out) {
    constexpr std::array<std::uint8_t, 1> everything = {0x00};
    frame(static_cast<std::uint8_t>(request.selector), from_pc, asked, everything, out);
}

void wrap(const Request& request, const Asking&, std::span<const std::uint8_t> payload, Bytes& out) {
    frame(static_cast<std::uint8_t>(request.selector), 0, answered, payload, out);
}

/// The shortest answer: one cell, and none of the last four tags (§4).
constexpr std::size_t least_answer = 209 + 3;

/// The first sound frame at or after `at`; on failure says what is there instead.
struct Found {
    std::span<const std::uint8_t> frame;  ///< empty: none
    std::size_t missing = 0;              ///< 0: nothing more is expected to follow
    ErrorClass fault = ErrorClass::truncated;
    std::string_view why = "no answer";
};

Found find_frame(std::span<const std::uint8_t> received, std::size_t at) {
    Found result{{}, least_answer, ErrorClass::truncated, "no answer"};
    if (!received.empty())
        result.fault = ErrorClass::malformed, result.why = "bytes arrived, but no frame 4E 57 among them";
    bool plausible = false;  // the first frame of a possible length tells the story; others may be its content
    for (at = framing::find_mark(received, start, at); at < received.size();
         at = framing::find_mark(received, start, at + 1)) {
        const auto rest = received.subspan(at);
        const auto report = [&](ErrorClass fault, std::string_view why, std::size_t missing = least_answer) {
            result.missing = std::min(result.missing, missing);
            if (!plausible) result.fault = fault, result.why = why;
        };
        if (rest.size() < 4) {
            report(ErrorClass::truncated, "the frame is cut short", least_answer - rest.size());
            break;
        }
        const std::size_t length = std::size_t{rest[2]} << 8 | rest[3];
        const std::size_t total = length + start.size();
        if (length < 0x13 || length > 0x200) {
            report(ErrorClass::malformed, "the length of the frame is impossible");
            continue;
        }
        if (rest.size() < total) {
            // Its length may be damaged: a sound frame may still follow inside.
            report(ErrorClass::truncated, "the frame is cut short", total - rest.size());
        } else if (rest[total - 5] != 0x68) {
            report(ErrorClass::malformed, "the end mark 68 is missing");
        } else if (const auto sum = framing::sum16(rest.first(total - 4));  // without the unused CRC
                   rest[total - 2] != (sum >> 8) || rest[total - 1] != (sum & 0xFF)) {
            report(ErrorClass::checksum, "the checksum of the frame is wrong");
        } else {
            return {rest.first(total), 0, {}, {}};
        }
        plausible = true;
    }
    return result;
}

bool reads(std::uint8_t command) {
    return command == read_all || command == read_one;
}

/// §4: a read may be asked and answered with either command; §8: whatever else is answered with the same.
bool answers(const Request& request, const Asking& asking, std::uint8_t command) {
    if (request.selector != any_command) return reads(command);
    const auto asked = find_frame(asking.asked, 0).frame;
    return !asked.empty() && !reads(command) && asked[at_command] == command;
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    Reply best{Reply::Progress::waiting, least_answer, {}, ErrorClass::truncated, "no answer"};
    for (std::size_t at = 0;;) {
        const Found found = find_frame(received, at);
        if (found.frame.empty()) {
            best.missing = found.missing;
            best.fault = found.fault;
            best.why = found.why;
            return best;
        }
        const bool is_answer = found.frame[at_transport] == answered;
        if (is_answer && answers(request, asking, found.frame[at_command]))
            return {Reply::Progress::complete,
                    0,
                    found.frame.subspan(head_size, found.frame.size() - head_size - tail_size),
                    {},
                    {},
                    false,
                    request.selector == any_command};
        best.fault = ErrorClass::unexpected;
        best.why = is_answer ? "an answer to another command came"
                   : found.frame[at_transport] == asked
                       ? "only our own request came back: the adapter echoes, the BMS is silent"
                       : "the BMS sent a report nobody asked for";
        at = static_cast<std::size_t>(found.frame.data() - received.data()) + found.frame.size();
        if (at >= received.size()) return best;
    }
}

/// §9: the manufacturer text when it is a serial number: digits, and no model name in it.
std::string identity(const Reading& reading) {
    const auto& id = reading.unique_id;
    const bool serial = id && id->size() >= 8 && id->find("JK") == std::string::npos &&
                        std::count_if(id->begin(), id->end(), [](char c) { return c >= '0' && c <= '9'; }) >= 8;
    return serial ? *id : std::string{};
}

/// Version text of the Python driver, e.g. `JKBMS 11.XW S11.262H 16S (20230601)`.
std::string hardware(const Reading& reading) {
    if (!reading.software_version) return {};
    std::string version;
    for (const char c : *reading.software_version) {
        const char blank = c == '_' ? ' ' : c;
        if (blank != ' ' || (!version.empty() && version.back() != ' ')) version += blank;
    }
    std::string out = "JKBMS " + version;
    if (reading.cell_count) out += " " + std::to_string(std::lround(*reading.cell_count)) + "S";
    if (const auto& date = reading.production_date; date && date->size() == 7)
        out += " (" + date->substr(0, 4) + date->substr(5, 2) + "01)";
    return out;
}

constexpr std::array<std::uint32_t, 1> rates = {115200};
constexpr std::array<std::string_view, 3> aliases = {"JK_BMS", "JK_DZ11B1A24S", "Jikong"};
constexpr std::array<std::string_view, 6> sold_as = {"JK-BD4/BD6 (TTL port)",
                                                     "JK-B1A/B2A (TTL port)",
                                                     "JK-B2A24S20P",
                                                     "Heltec BMS",
                                                     "Hankzor",
                                                     "JK PB with UART1 protocol 0 (4G-GPS)"};

}  // namespace

extern const Family jkbms;
constexpr Family jkbms{
    .key = "jkbms",
    .type = "Jkbms",
    .label = "JKBMS",
    .aliases = aliases,
    .sold_as = sold_as,
    .serial = {rates},
    .timing = {.gap = milliseconds{100}, .between_bytes = milliseconds{250}, .poll = milliseconds{1000}, .retries = 1},
    .requests = requests,
    .other = &other,
    .probe = 0,
    .build = build,
    .examine = examine,
    .wrap = wrap,
    .identity = identity,
    .hardware = hardware,
    .guide = {.uart = true,
              .connector = R"(- The labels on the case are wrong. The port to use is a 4-pin TTL/UART connector:
  - JK-BD4A17S4P; BD6A17S6P, 20S6P, 24S6P; BD6A17S8P, 20S8P, 24S8P: the 4-pin connector in the middle of the board
    edge; the wide one is the LCD.
  - JK-B1A8S20P, B2A8S20P: from left temperature, (small), TTL/UART 4-pin, LCD, heater.
  - JK-BD6A20S10P, BD6A24S10P; B1A20S15P, B1A24S15P, B2A24S15P, B2A24S20P: the 4-pin connector printed GPS. The one
    printed CAN/RS485 is GND, CAN-H, CAN-L and alive on customised units only.
- RS485 needs JK's own RS485 module between this port and the adapter: yellow A, white B, black GND.
)",
              .vendor_app = "- \"UART1 protocol\", where the app has it: 0 (4G-GPS common protocol).\n",
              // §10.6: other boards of that series answer to another protocol only, and without current and SoC.
              .notes =
                  "- The balancer JK_DZ11B1A24S is said to speak the same protocol; nobody has recorded it. Its \n"
                  "  relatives JK-DZ08/DZ11 with RS485 do not, and measure neither current nor state of charge.\n"},
};
static_assert(sound(jkbms));

}  // namespace bmsd::bms
