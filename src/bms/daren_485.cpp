// Daren boards (DR-1363) on RS485: frames of hexadecimal characters, one pack per DIP address.
// Facts: dossier daren_485 (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/ascii_hex_reply.hpp"
#include "bms/daren_485_analog.hpp"
#include "bms/family.hpp"
#include "bms/soundness.hpp"
#include "framing/ascii_hex.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace ascii_hex = framing::ascii_hex;

constexpr std::uint8_t version = 0x22;
constexpr std::uint8_t battery = 0x4A;  // CID1

// ---- parameters, command 47 (§5.2) ---------------------------------------------------------------
constexpr std::uint16_t limits_size = 65;
constexpr std::uint16_t at_cell_high = 1;
constexpr std::uint16_t at_cell_low = 3;
constexpr std::uint16_t at_cell_count = 15;
constexpr std::uint16_t at_charge_limit = 17;
constexpr std::uint16_t at_capacity = 19;
constexpr std::uint16_t at_barcode = 45;
constexpr std::uint16_t text_width = 20;

// The limit holds for charging only: of discharging the battery says nothing.
constexpr std::array limits_rows = {Row{&Reading::max_charge_current_a, at_charge_limit, u16be, 0.01}};

/// Text up to the padding, which is FF, 00 or blanks.
std::string padded_text(std::span<const std::uint8_t> bytes) {
    const auto end = std::find(bytes.begin(), bytes.end(), std::uint8_t{0xFF});
    return text(bytes.first(static_cast<std::size_t>(end - bytes.begin())));
}

void set_text(Text& to, std::string value) {
    if (value.empty())
        to.reset();
    else
        to = std::move(value);
}

std::string_view finish_limits(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    const auto cell_number = static_cast<double>(get(payload, at_cell_count, u16be));
    // §5.2: the pack limits hold the values of a cell.
    reading.max_battery_voltage_v = static_cast<double>(get(payload, at_cell_high, u16be)) * cell_number / 1000;
    reading.min_battery_voltage_v = static_cast<double>(get(payload, at_cell_low, u16be)) * cell_number / 1000;
    // What every poll tells as well is taken from there.
    if (!reading.cell_count) reading.cell_count = cell_number;
    if (!reading.capacity_ah) reading.capacity_ah = static_cast<double>(get(payload, at_capacity, u16be)) / 100;
    if (!reading.unique_id) set_text(reading.unique_id, padded_text(payload.subspan(at_barcode, text_width)));
    return {};
}

void encode_limits(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(limits_size, 0);
    encode(request.layout, state, payload);
    const double cell_number = std::clamp(state.cell_count.value_or(1), 1.0, 24.0);
    const auto set = [&](std::size_t at, const Number& value, double scale) {
        put(payload, at, u16be, std::lround(std::clamp(value.value_or(0) * scale, 0.0, 65535.0)));
    };
    set(at_cell_count, cell_number, 1);
    set(at_cell_high, state.max_battery_voltage_v, 1000 / cell_number);
    set(at_cell_low, state.min_battery_voltage_v, 1000 / cell_number);
    set(at_capacity, state.capacity_ah, 100);
    if (state.unique_id)
        std::copy_n(state.unique_id->begin(), std::min<std::size_t>(state.unique_id->size(), text_width),
                    payload.begin() + at_barcode);
}

// ---- versions, command 51 (§5.3) -----------------------------------------------------------------
constexpr std::uint16_t versions_size = 33;  // the rest, two or four bytes, is unknown
constexpr std::size_t name_width = 10;
constexpr std::size_t at_type = 0;
constexpr std::size_t at_product = 10;
constexpr std::size_t at_project = 20;
constexpr std::size_t at_software = 30;

std::string_view finish_versions(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    std::string names;
    for (const std::size_t at : {at_product, at_project, at_type}) {
        const std::string name = padded_text(payload.subspan(at, name_width));
        if (!names.empty() && !name.empty()) names += ' ';
        names += name;
    }
    set_text(reading.hardware_version, std::move(names));
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string software;
    bool set = false;
    for (const std::uint8_t byte : payload.subspan(at_software, 3)) {
        if (!software.empty()) software += '.';
        software += digits[byte >> 4];
        software += digits[byte & 0xF];
        set = set || byte != 0;
    }
    set_text(reading.software_version, set ? std::move(software) : std::string{});
    return {};
}

void encode_versions(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(35, 0);
    std::fill_n(payload.begin(), at_software, std::uint8_t{' '});
    if (state.hardware_version)
        std::copy_n(state.hardware_version->begin(), std::min(state.hardware_version->size(), name_width),
                    payload.begin() + at_product);
    const std::string software = state.software_version.value_or("");
    for (std::size_t i = 0; software.size() == 8 && i < 3; ++i) {
        const int byte = ascii_hex::byte_of(static_cast<std::uint8_t>(software[3 * i]),
                                            static_cast<std::uint8_t>(software[3 * i + 1]));
        if (byte >= 0) payload[at_software + i] = static_cast<std::uint8_t>(byte);
    }
}

// ---- serial number and totals, command B0 (§5.3) -------------------------------------------------
constexpr std::uint8_t module_serial = 0x03;
constexpr std::uint8_t module_totals = 0x04;
constexpr std::array<std::uint8_t, 3> read_module = {0xB0, 0x01, 0x01};  // command, group, read
constexpr std::uint16_t serial_size = 119;
constexpr std::uint16_t totals_size = 24;
constexpr std::size_t at_serial = 6;
constexpr std::size_t serial_width = 30;
constexpr std::size_t at_born = 96;
constexpr std::size_t reference_width = 15;

constexpr std::array totals_rows = {
    Row{&Reading::total_charge_ah, 12, u32be},
    Row{&Reading::total_discharge_ah, 16, u32be},
};

/// Date from three bytes that spell it in decimal digits; empty if it was never set.
std::string born(std::span<const std::uint8_t> bytes) {
    std::string date = "20";
    for (const std::uint8_t byte : bytes) {
        if (byte == 0 || (byte >> 4) > 9 || (byte & 0xF) > 9) return {};
        if (date.size() > 2) date += '-';
        date += static_cast<char>('0' + (byte >> 4));
        date += static_cast<char>('0' + (byte & 0xF));
    }
    return date;
}

std::string_view finish_serial(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    set_text(reading.serial_number, padded_text(payload.subspan(at_serial, serial_width)));
    if (reading.serial_number) reading.unique_id = padded_text(payload.subspan(at_serial, reference_width));
    set_text(reading.production_date, born(payload.subspan(at_born, 3)));
    return {};
}

void put_module_head(std::uint8_t module, Bytes& payload) {
    std::copy(read_module.begin(), read_module.end(), payload.begin());
    payload[3] = module;
    payload[4] = 0xFF;
    payload[5] = static_cast<std::uint8_t>(payload.size() - at_serial);
}

void encode_serial(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(serial_size, 0xFF);
    put_module_head(module_serial, payload);
    if (state.serial_number)
        std::copy_n(state.serial_number->begin(), std::min(state.serial_number->size(), serial_width),
                    payload.begin() + at_serial);
    if (const auto& date = state.production_date; date && date->size() == 10)
        for (std::size_t i = 0; i < 3; ++i) {
            const auto at = [&](std::size_t k) { return static_cast<std::uint8_t>((*date)[2 + 3 * i + k]); };
            const int byte = ascii_hex::byte_of(at(0), at(1));
            if (byte >= 0) payload[at_born + i] = static_cast<std::uint8_t>(byte);
        }
}

std::string_view finish_totals(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    // What every poll tells as well is taken from there.
    if (!reading.capacity_remaining_ah)
        reading.capacity_remaining_ah = static_cast<double>(get(payload, 6, u16be)) / 100;
    if (!reading.capacity_ah) reading.capacity_ah = static_cast<double>(get(payload, 8, u16be)) / 100;
    return {};
}

void encode_totals(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(totals_size, 0);
    encode(request.layout, state, payload);
    put_module_head(module_totals, payload);
    const auto set = [&](std::size_t at, const Number& ah) {
        put(payload, at, u16be, std::lround(std::clamp(100 * ah.value_or(0), 0.0, 65535.0)));
    };
    set(6, state.capacity_remaining_ah);
    set(8, state.capacity_ah);
    set(10, state.capacity_ah);
}

// ---- requests (§4) -------------------------------------------------------------------------------
constexpr std::uint32_t analog = 0x42;
constexpr std::uint32_t parameters = 0x47;
constexpr std::uint32_t protocol = 0x4F;
constexpr std::uint32_t manufacturer = 0x51;
constexpr std::uint32_t unknown = 0x83;
constexpr std::uint32_t module = 0xB0;

constexpr std::uint16_t answer_size(std::size_t info) {
    return static_cast<std::uint16_t>(ascii_hex::overhead + 2 * info);
}
constexpr milliseconds patience{1000};  // §10.2

/// Asked by other programs only; nothing in it is needed.
bool never(const Reading&) {
    return false;
}

void encode_protocol(const Request&, const Asking&, const Reading&, Bytes& payload) {
    payload.assign(1, 200);
}

constexpr std::array requests = {
    Request{.name = "versions",
            .meaning = "hardware and software version",
            .when = When::identify,
            .mandatory = false,
            .selector = manufacturer,
            .answer_size = answer_size(35),
            .timeout = patience,
            .layout = {.size = versions_size},
            .finish = finish_versions,
            .encode = encode_versions},
    Request{.name = "serial",
            .meaning = "serial number and date of production",
            .when = When::identify,  // mandatory: without it the bar code of the BMS is its name (§9)
            .selector = module,
            .answer_type = module_serial,
            .answer_size = answer_size(serial_size),
            .timeout = patience,
            .layout = {.size = serial_size},
            .finish = finish_serial,
            .encode = encode_serial},
    Request{.name = "totals",
            .meaning = "charge that went in and out so far",
            .when = When::sometimes,
            .period = seconds{300},
            .mandatory = false,
            .selector = module,
            .answer_type = module_totals,
            .answer_size = answer_size(totals_size),
            .timeout = patience,
            .layout = {.size = totals_size, .rows = totals_rows},
            .finish = finish_totals,
            .encode = encode_totals},
    Request{.name = "limits",
            .meaning = "limits set in the BMS",
            .when = When::sometimes,
            .period = seconds{60},
            .mandatory = false,
            .selector = parameters,
            .answer_size = answer_size(limits_size),
            .timeout = patience,
            .layout = {.size = limits_size, .rows = limits_rows},
            .finish = finish_limits,
            .encode = encode_limits},
    Request{.name = "analog",
            .meaning = "everything that changes",
            .when = When::every_poll,
            .selector = analog,
            .answer_size = answer_size(99),  // 16 cells, 4 sensors
            .timeout = patience,
            .layout = daren::analog_layout,
            .finish = daren::finish_analog,
            .encode = daren::encode_analog},
    Request{.name = "protocol",
            .meaning = "version of the protocol; not asked, understood in recordings",
            .when = When::identify,
            .mandatory = false,
            .selector = protocol,
            .answer_size = answer_size(1),
            .timeout = patience,
            .wanted = never,
            .layout = {.size = 1},
            .encode = encode_protocol},
};

constexpr Request of_others(std::string_view name, std::string_view meaning, std::uint32_t selector) {
    return {.name = name,
            .meaning = meaning,
            .when = When::on_demand,
            .mandatory = false,
            .selector = selector,
            .answer_size = answer_size(8),
            .timeout = patience};
}
/// Nothing in the answers is needed.
constexpr std::array on_demand = {
    of_others("clock", "date and time", 0x4D),
    of_others("unknown", "what other programs ask, of unknown meaning", unknown),
};

// ---- framing (§3) --------------------------------------------------------------------------------
bool has_group(const Request& request) {
    return request.selector == analog || request.selector == parameters;
}

void build(const Request& request, const Asking& asking, Bytes& out) {
    const auto address = static_cast<std::uint8_t>(asking.address);
    const std::array<std::uint8_t, 5> of_module = {0x01, 0x01, request.answer_type, 0xFF, 0x00};
    constexpr std::array<std::uint8_t, 2> of_unknown = {0x01, 0x01};
    // §4: the pack itself; 01 for one that does not accept that.
    const std::array<std::uint8_t, 1> group = {asking.otherwise ? std::uint8_t{0x01} : address};
    out.clear();
    ascii_hex::append(out, {version, address, battery, static_cast<std::uint8_t>(request.selector)},
                      request.selector == module    ? std::span<const std::uint8_t>(of_module)
                      : request.selector == unknown ? std::span<const std::uint8_t>(of_unknown)
                      : has_group(request)          ? std::span<const std::uint8_t>(group)
                                                    : std::span<const std::uint8_t>{});
}

void wrap(const Request&, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    out.clear();
    ascii_hex::append(out, {version, static_cast<std::uint8_t>(asking.address), battery, 0x00}, payload);
}

/// Whether an answer can be that of this request.
bool fits(const Request& request, std::span<const std::uint8_t> info) {
    const bool flag = !info.empty() && info[0] <= 1;  // §10.7
    const std::size_t whole = daren::whole_analog_size(info);
    // Both begin alike; an analog answer of the parameters' length is one only if its counts say so.
    const bool analog_counts = whole != 0 && (info.size() != limits_size || info.size() == whole);
    switch (request.selector) {
        case analog: return flag && (analog_counts || info.size() != limits_size);
        case parameters: return flag && !analog_counts && info.size() == limits_size;
        case manufacturer:
            return info.size() >= versions_size && info.size() <= versions_size + 4 && info[0] != read_module[0];
        case module:
            return info.size() >= request.layout.size && info[0] == read_module[0] && info[3] == request.answer_type;
        case protocol: return info.size() == request.layout.size;
        default: return true;
    }
}

std::string_view flaw(const Request& request, std::span<const std::uint8_t> info) {
    return request.selector == analog ? daren::analog_flaw(info) : std::string_view{};
}

constexpr AsciiHexDialect dialect{
    version, battery, fits, flaw,
    "a pack in master mode polls the others on this bus: switch its master mode off (DIP switches 5 and 6), or connect "
    "to its port for the host"};

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    Reply reply = examine_ascii_hex(dialect, request, asking, received);
    constexpr std::uint8_t invalid_data = 0x06;
    reply.otherwise = reply.fault == ErrorClass::refused && reply.why == refusal_of(invalid_data) && has_group(request);
    return reply;
}

/// Other hosts write another group or module function: the command and, for a module, its number count.
bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const ascii_hex::Found found = ascii_hex::find_frame(asked);
    if (found.state != ascii_hex::Found::State::frame || found.end != asked.size()) return false;
    if (found.head.version != version || found.head.cid1 != battery || found.head.address != asking.address ||
        found.head.cid2 != request.selector)
        return false;
    if (request.selector != module) return true;
    return found.info.size() >= 6 && ascii_hex::byte_of(found.info[4], found.info[5]) == request.answer_type;
}

/// §9: what a pack in master mode looks like.
Reply unsolicited(const Asking&, std::span<const std::uint8_t> received) {
    return unsolicited_ascii_hex(dialect, received);
}

/// §9: the serial number of the pack, else the bar code of its BMS.
std::string identity(const Reading& reading) {
    const auto credible = [](const Text& id) {
        return id && id->size() >= 6 && id->find('?') == std::string::npos &&
               id->find_first_not_of("0F ") != std::string::npos;
    };
    if (credible(reading.serial_number)) return *reading.serial_number;
    if (credible(reading.unique_id)) return *reading.unique_id;
    return {};
}

constexpr std::array<std::uint32_t, 2> rates = {19200, 9600};
constexpr std::array<std::string_view, 2> aliases = {"Daren", "DR-1363"};
constexpr std::array<std::string_view, 6> sold_as = {"Daren DR-JC03", "Daren DR-JC04", "DR48100JC-03-V2",
                                                     "Basen",         "HUANY04",       "Tian-Power (DR boards)"};
constexpr std::array usual = {AddressRange{0x01, 0x0F}};

}  // namespace

extern const Family daren_485;
constexpr Family daren_485{
    .key = "daren_485",
    .type = "Daren485",
    .label = "Daren 485",
    .aliases = aliases,
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = 0x00,
                  .last = 0x0F,
                  .standard = 0x01,
                  .meaning = "the DIP switches; 0 only for a pack that is alone on its bus",
                  .usual = usual},
    // §11
    .timing = {.gap = milliseconds{100}, .between_bytes = milliseconds{100}, .poll = milliseconds{1000}, .retries = 1},
    .requests = requests,
    .on_demand = on_demand,
    .probe = 4,
    .build = build,
    .examine = examine,
    .unpack = unpack_ascii_hex,
    .matches = matches,
    .unsolicited = unsolicited,
    .wrap = wrap,
    .identity = identity,
    .guide =
        {.rs485 = true,
         .connector =
             R"(- Connect to the port for the host (RS232 or RS485-2). On the bus between the packs a pack in master mode asks the
  others itself, and its questions collide with ours.
- The protocol is called DR-1363; 19200 baud on most packs, 9600 on some.
)",
         .addresses =
             R"(- Every pack has its number set with DIP switches 1 to 4; no two may be the same.
- Number 0 is for a pack that is alone: do not use it on a bus with others.
- DIP switches 5 and 6 make a pack the master of the others: leave them off and list every pack in BATTERY_ADDRESSES.
)",
         .dip_switches = 4},
};
static_assert(sound(daren_485));

}  // namespace bmsd::bms
