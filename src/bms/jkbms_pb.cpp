// JK PB / "JK Inverter BMS" on RS485: a Modbus-style write of two zero bytes triggers a 300-byte frame
// 55 AA EB 90, followed by the normal Modbus acknowledge, which alone carries the address.
// Facts: dossier jkbms_pb (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "bms/family.hpp"
#include "bms/jk_errors.hpp"
#include "bms/soundness.hpp"
#include "framing/checksum.hpp"
#include "framing/find.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

constexpr std::array<std::uint8_t, 4> header = {0x55, 0xAA, 0xEB, 0x90};
constexpr std::size_t frame_size = 300;
constexpr std::size_t acknowledge_size = 8;
/// The acknowledge may follow one padding byte; dossier §3 looks at up to 12 bytes behind the frame.
constexpr std::size_t acknowledge_window = 12;
constexpr std::int64_t no_sensor = -2000;  // §5.1: 0xF830 = sensor absent

// ---- status, type 02 (§5.1) ----------------------------------------------------------------------
constexpr std::uint16_t at_cell_mask = 70;
constexpr std::uint16_t at_highest_cell = 78;
constexpr std::uint16_t at_lowest_cell = 79;
constexpr std::uint16_t at_errors = 166;
constexpr std::uint16_t at_sensor_mask = 214;
constexpr std::uint16_t at_sensor_4 = 256;
constexpr std::uint16_t at_sensor_5 = 258;

constexpr std::array status_rows = {
    Row{&Reading::mosfet_temperature_c, 144, i16le, 0.1, 0, no_sensor},
    Row{&Reading::voltage_v, 150, u32le, 0.001},
    Row{&Reading::current_a, 158, i32le, 0.001},
    Row{&Reading::balance_current_a, 170, i16le, 0.001},
    Row{&Reading::soc_percent, 173, u8},
    Row{&Reading::capacity_remaining_ah, 174, u32le, 0.001},
    Row{&Reading::capacity_full_ah, 178, u32le, 0.001},
    Row{&Reading::cycles, 182, u32le},
    Row{&Reading::total_charge_ah, 186, u32le, 0.001},
    Row{&Reading::soh_percent, 190, u8},
    Row{&Reading::runtime_s, 194, u32le},
    Row{&Reading::heater_current_a, 236, u16le, 0.001},
};
constexpr std::array status_cells = {
    CellRow{&Reading::cell_voltages_v, 6, u16le, 0.001, 32, 2},
    CellRow{&Reading::cell_resistances_ohm, 80, u16le, 0.001, 32, 2},
};
constexpr std::array status_sensors = {
    Sensor{0, 162, i16le, 0.1, 0, no_sensor},
    Sensor{1, 164, i16le, 0.1, 0, no_sensor},
    Sensor{2, at_sensor_4, i16le, 0.1, 0, no_sensor},
    Sensor{3, at_sensor_5, i16le, 0.1, 0, no_sensor},
};
/// Bit of the presence mask (offset 214) that belongs to each of the sensors above.
constexpr std::array<int, 4> sensor_bits = {1, 2, 4, 5};

constexpr std::array status_flags = {
    FlagRow{&Reading::balancing_active, 172},
    FlagRow{&Reading::charge_fet, 198},
    FlagRow{&Reading::discharge_fet, 199},
    FlagRow{&Reading::heater_on, 215},
};

constexpr auto status_alarms = jk_errors<jk_error_list.size()>(at_errors);
constexpr std::array never_raised = {Alarm::low_soc, Alarm::cell_imbalance};

// ---- settings, type 01 (§5.2) --------------------------------------------------------------------
constexpr std::uint16_t at_configured_cells = 114;
constexpr std::uint16_t at_heating_start = 284;
constexpr std::uint16_t at_heating_stop = 285;

constexpr std::array settings_rows = {
    Row{&Reading::max_charge_current_a, 50, u32le, 0.001},
    Row{&Reading::max_discharge_current_a, 62, u32le, 0.001},
    // Charge under-temperature protection and release: heating temperatures of older hardware.
    Row{&Reading::heating_start_c, 98, i32le, 0.1},
    Row{&Reading::heating_stop_c, 102, i32le, 0.1},
    Row{&Reading::capacity_ah, 130, u32le, 0.001},
};
constexpr std::array settings_flags = {
    FlagRow{&Reading::balance_fet, 126, u32le},
    FlagRow{&Reading::heating_enabled, 282, u16le, 0x0001},
};

// ---- about, type 03 (§5.3) -----------------------------------------------------------------------
constexpr std::uint16_t at_production_date = 78;

constexpr std::array about_texts = {
    TextRow{&Reading::model, 6, 15},
    TextRow{&Reading::hardware_version, 22, 8},
    TextRow{&Reading::software_version, 30, 8},
    // The device name is what the Python driver identifies a battery by; kept to find its settings again.
    TextRow{&Reading::unique_id, 46, 16},
    TextRow{&Reading::serial_number, 86, 16},
};

/// Leading number of a version such as "15.41" or "11.288H"; 0 if there is none.
double version_number(const Text& version) {
    double number = 0;
    if (version) std::from_chars(version->data(), version->data() + version->size(), number);
    return number;
}

/// Keeps the cells whose bit is set in `mask`, in order.
void keep_connected(Cells& cells, std::uint32_t mask) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < cells.size(); ++i)
        if ((mask >> i) & 1) cells[kept++] = cells[i];
    cells.resize(kept);
}

std::string_view finish_status(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    const auto mask = static_cast<std::uint32_t>(get(payload, at_cell_mask, u32le));
    keep_connected(reading.cell_voltages_v, mask);
    keep_connected(reading.cell_resistances_ohm, mask);
    if (const int cells = std::popcount(mask)) reading.cell_count = cells;

    // A cleared presence bit is reliable, a set one is not: most boards send 0xFF.
    const auto present = static_cast<std::uint8_t>(payload[at_sensor_mask]);
    auto& sensors = reading.temperatures_c;
    for (std::size_t i = 0; i < sensors.size(); ++i)
        if (!((present >> sensor_bits[i]) & 1)) sensors[i].reset();
    if (!(present & 1)) reading.mosfet_temperature_c.reset();
    // Sensors 4 and 5 exist from firmware 14 on; older firmware sends 0.0 there.
    const bool has_4_and_5 = reading.software_version
                                 ? version_number(reading.software_version) >= 14
                                 : get(payload, at_sensor_4, i16le) != 0 || get(payload, at_sensor_5, i16le) != 0;
    if (!has_4_and_5) sensors.resize(2);
    if (std::none_of(sensors.begin(), sensors.end(), [](const Number& sensor) { return sensor.has_value(); }))
        sensors.clear();

    // Old firmware leaves about 7 A of garbage here while the heater is off.
    if (reading.heater_on != true) reading.heater_current_a.reset();
    return {};
}

void encode_status(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(frame_size, 0);
    encode(request.layout, state, payload);
    const auto& cells = state.cell_voltages_v;
    const auto mask = static_cast<std::uint32_t>((std::uint64_t{1} << std::min<std::size_t>(cells.size(), 32)) - 1);
    put(payload, at_cell_mask, u32le, mask);
    if (!cells.empty()) {
        const auto [low, high] = std::minmax_element(cells.begin(), cells.end());
        payload[at_highest_cell] = static_cast<std::uint8_t>(high - cells.begin());
        payload[at_lowest_cell] = static_cast<std::uint8_t>(low - cells.begin());
    }
    payload[at_sensor_mask] = 0xFF;
    if (!state.mosfet_temperature_c) payload[at_sensor_mask] &= 0xFE;
}

std::string_view finish_settings(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    // §5.2, offsets 284/285: only newer boards keep heating temperatures there; on older ones the bytes
    // are an over-temperature alarm (typically 60/50), which the guard start < stop <= rejects.
    const std::string hardware = reading.hardware_version.value_or("");
    const bool newer = hardware > "15A" || (hardware == "15A" && version_number(reading.software_version) >= 15.41);
    const auto start = get(payload, at_heating_start, i8);
    const auto stop = get(payload, at_heating_stop, i8);
    if (newer && start < stop && start <= 40) {
        reading.heating_start_c = static_cast<double>(start);
        reading.heating_stop_c = static_cast<double>(stop);
    }
    // What every poll tells as well is taken from there.
    const auto cells = get(payload, at_configured_cells, u32le);
    if (!reading.cell_count && cells >= 1 && cells <= 32) reading.cell_count = static_cast<double>(cells);
    return {};
}

std::string_view finish_about(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    reading.production_date.reset();
    const std::string date = text(payload.subspan(at_production_date, 8));
    if (date.size() == 6 && date.find_first_not_of("0123456789") == std::string::npos)
        reading.production_date = "20" + date.substr(0, 2) + "-" + date.substr(2, 2) + "-" + date.substr(4, 2);
    return {};
}

void encode_about(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(frame_size, 0);
    encode(request.layout, state, payload);
    if (const auto& date = state.production_date; date && date->size() == 10) {
        const std::string digits = date->substr(2, 2) + date->substr(5, 2) + date->substr(8, 2);
        std::copy(digits.begin(), digits.end(), payload.begin() + at_production_date);
    }
}

constexpr std::array requests = {
    Request{.name = "about",
            .meaning = "model, versions, serial number",
            .when = When::identify,
            .selector = 0x161C,
            .answer_type = 3,
            .answer_size = frame_size + acknowledge_size,
            .timeout = milliseconds{1000},
            .layout = {.size = frame_size, .texts = about_texts},
            .finish = finish_about,
            .encode = encode_about},
    Request{.name = "settings",
            .meaning = "limits and capacity set in the BMS",
            .when = When::sometimes,
            .period = seconds{300},
            .mandatory = false,
            .selector = 0x161E,
            .answer_type = 1,
            .answer_size = frame_size + acknowledge_size,
            .timeout = milliseconds{1000},
            .layout = {.size = frame_size, .rows = settings_rows, .flags = settings_flags},
            .finish = finish_settings},
    Request{.name = "status",
            .meaning = "everything that changes",
            .when = When::every_poll,
            .selector = 0x1620,
            .answer_type = 2,
            .answer_size = frame_size + acknowledge_size,
            .timeout = milliseconds{500},
            .layout = {.size = frame_size,
                       .rows = status_rows,
                       .cells = status_cells,
                       .sensors = status_sensors,
                       .flags = status_flags,
                       .alarms = status_alarms},
            .finish = finish_status,
            .encode = encode_status},
};

// ---- framing (§3) --------------------------------------------------------------------------------
void append_crc(Bytes& out, std::size_t from) {
    const auto crc = framing::crc16_modbus(std::span(out).subspan(from));
    out.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    out.push_back(static_cast<std::uint8_t>(crc >> 8));
}

/// `ADDR 10 16 RR 00 01`: common beginning of the trigger and of its acknowledge.
void append_head(const Request& request, const Asking& asking, Bytes& out) {
    out.push_back(static_cast<std::uint8_t>(asking.address));
    out.push_back(0x10);
    out.push_back(static_cast<std::uint8_t>(request.selector >> 8));
    out.push_back(static_cast<std::uint8_t>(request.selector & 0xFF));
    out.push_back(0x00);
    out.push_back(0x01);
}

void build(const Request& request, const Asking& asking, Bytes& out) {
    out.clear();
    append_head(request, asking, out);
    for (const std::uint8_t byte : std::array<std::uint8_t, 3>{0x02, 0x00, 0x00}) out.push_back(byte);
    append_crc(out, 0);
}

void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    out.assign(payload.begin(), payload.end());
    out.resize(frame_size);
    std::copy(header.begin(), header.end(), out.begin());
    out[4] = request.answer_type;
    out[frame_size - 1] = framing::sum8(std::span(out).first(frame_size - 1));
    append_head(request, asking, out);
    append_crc(out, frame_size);
    out.push_back(0x00);  // padding of newer firmware
}

/// Address of the acknowledge of any of our registers within `bytes`, or -1.
/// selector 0 accepts every register of this family.
int acknowledged_by(std::span<const std::uint8_t> bytes, std::uint32_t selector) {
    for (std::size_t at = 0; at + acknowledge_size <= bytes.size(); ++at) {
        const auto ack = bytes.subspan(at, acknowledge_size);
        const std::uint32_t reg = static_cast<std::uint32_t>(ack[2] << 8 | ack[3]);
        if (ack[1] == 0x10 && ack[2] == 0x16 && (selector == 0 || reg == selector) && ack[4] == 0 && ack[5] == 1 &&
            framing::has_crc16_modbus(ack))
            return ack[0];
    }
    return -1;
}

/// True if `bytes` contain the Modbus exception `ADDR 90 code CRC`.
bool has_exception(std::span<const std::uint8_t> bytes, std::uint32_t address) {
    for (std::size_t at = 0; at + 5 <= bytes.size(); ++at)
        if (bytes[at] == address && bytes[at + 1] == 0x90 && framing::has_crc16_modbus(bytes.subspan(at, 5)))
            return true;
    return false;
}

constexpr std::string_view master_on_bus =
    "a JK BMS in master mode (address 0: all DIP switches off) is on this bus and talks by itself; "
    "give it an address 0x01..0x0F with its DIP switches";

constexpr std::string_view damaged_acknowledge =
    "the acknowledge behind the frame is damaged: nobody can say which battery answered";

Reply waiting(std::size_t missing, ErrorClass fault, std::string_view why,
              std::span<const std::uint8_t> acceptable = {}) {
    return {Reply::Progress::waiting, missing, acceptable, fault, why};
}

/// True if bytes of the frame at the beginning of `rest` were lost or replaced although its weak checksum fits by
/// chance: another frame begins inside it, or the acknowledge begins before its end.
bool torn(const Request& request, std::span<const std::uint8_t> rest) {
    const auto inside = rest.subspan(1, frame_size - 1);
    if (framing::find_mark(inside, header) + header.size() <= inside.size()) return true;
    const auto end = rest.subspan(frame_size - acknowledge_window);
    return acknowledged_by(end.first(std::min(end.size(), acknowledge_window + acknowledge_size - 1)),
                           request.selector) >= 0;
}

/// What the whole frame at the beginning of `rest` and the acknowledge behind it are worth.
Reply judge(const Request& request, const Asking& asking, std::span<const std::uint8_t> rest) {
    const std::size_t whole = request.answer_size;
    const auto frame = rest.first(frame_size);
    if (framing::sum8(frame.first(frame_size - 1)) != frame[frame_size - 1])
        return waiting(whole, ErrorClass::checksum, "the checksum of the frame is wrong");
    if (frame[4] != request.answer_type)
        return waiting(whole, ErrorClass::unexpected, "a frame of another type came (late answer to another request)");
    const auto behind = rest.subspan(frame_size, std::min(rest.size() - frame_size, acknowledge_window));
    const int acknowledged = acknowledged_by(behind, request.selector);
    if (acknowledged == static_cast<int>(asking.address)) return {Reply::Progress::complete, 0, frame, {}, {}};
    if (acknowledged >= 0)
        return waiting(
            whole, ErrorClass::unexpected,
            acknowledged == 0 ? master_on_bus : "another address acknowledged: the data belong to another battery");
    if (torn(request, rest)) return waiting(whole, ErrorClass::checksum, "bytes of the frame were lost on the way");

    // With a single battery on the line nobody else can have answered (§3 step 5).
    const auto acceptable = asking.alone ? frame : std::span<const std::uint8_t>{};
    if (behind.size() < acknowledge_size)
        return waiting(acknowledge_size - behind.size(), ErrorClass::truncated,
                       "the acknowledge behind the frame is missing", acceptable);
    if (behind.size() < acknowledge_window) return waiting(1, ErrorClass::checksum, damaged_acknowledge, acceptable);
    if (asking.alone) return {Reply::Progress::complete, 0, frame, {}, {}};
    return waiting(whole, ErrorClass::checksum, damaged_acknowledge);
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    const std::size_t whole = request.answer_size;
    Reply best = waiting(whole, ErrorClass::truncated,
                         received.empty() ? "no answer" : "bytes arrived, but no frame 55 AA EB 90 among them");
    std::size_t at = framing::find_mark(received, header);
    if (has_exception(received.first(at), asking.address))
        return {Reply::Progress::failed, 0, {}, ErrorClass::refused, "the BMS answered with a Modbus exception"};

    for (bool first = true; at < received.size(); first = false) {
        const auto rest = received.subspan(at);
        if (rest.size() < frame_size) {
            best.missing = whole - rest.size();
            if (first) best.why = "the frame is cut short";
            return best;
        }
        best = judge(request, asking, rest);
        if (!best.payload.empty()) return best;
        // A frame that is not ours may be chance: the real one may begin inside it (§3 step 3).
        at = framing::find_mark(received, header, at + 1);
    }
    return best;
}

Reply unsolicited(const Asking&, std::span<const std::uint8_t> received) {
    const std::size_t at = framing::find_mark(received, header);
    if (at + frame_size > received.size()) return {};
    const int by = acknowledged_by(received.subspan(at + frame_size), 0);
    return {Reply::Progress::failed,
            0,
            {},
            ErrorClass::unexpected,
            by == 0 ? master_on_bus : "a JK frame came that nobody asked for: another master is on this bus"};
}

/// §9: serial number; else the device name, unless it is the model name of the factory.
std::string identity(const Reading& reading) {
    const auto credible = [](const Text& id) { return id && id->find_first_not_of("0F?") != std::string::npos; };
    if (credible(reading.serial_number)) return *reading.serial_number;
    if (credible(reading.unique_id) && reading.unique_id != reading.model) return *reading.unique_id;
    return {};
}

std::string hardware(const Reading& reading) {
    if (!reading.hardware_version || !reading.software_version) return reading.hardware_version.value_or("");
    return *reading.hardware_version + " / " + *reading.software_version;
}

constexpr std::array<std::uint32_t, 1> rates = {115200};
constexpr std::array<std::string_view, 2> aliases = {"JkbmsPb", "JKBMS_PB_Model"};
constexpr std::array<std::string_view, 5> sold_as = {"JK-PB1A16S10P", "JK-PB2A16S15P", "JK-PB2A16S20P",
                                                     "JK Inverter BMS", "JK-B2A8S30P (UART protocol 1)"};
constexpr std::array refused = {
    RefusedAddress{0x00,
                   "all DIP switches off = master mode, in which RS485 answers nobody; set an address 0x01..0x0F with "
                   "the DIP switches of the battery and write it into BATTERY_ADDRESSES"},
};

}  // namespace

extern const Family jkbms_pb;
constexpr Family jkbms_pb{
    .key = "jkbms_pb",
    .type = "Jkbms_pb",
    .label = "JKBMS PB Model",
    .aliases = aliases,
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = 0x01,
                  .last = 0x0F,
                  .standard = 0x01,
                  .meaning = "the four DIP switches, switch 1 = 1, 2 = 2, 3 = 4, 4 = 8",
                  .refused = refused},
    // §11: 75 ms between commands are error-free, 50 ms leave stale bytes.
    .timing = {.gap = milliseconds{75}, .between_bytes = milliseconds{40}, .poll = milliseconds{1000}, .retries = 1},
    .requests = requests,
    .never_raised = never_raised,
    .probe = 2,
    .build = build,
    .examine = examine,
    .unsolicited = unsolicited,
    .wrap = wrap,
    .identity = identity,
    .hardware = hardware,
    .guide =
        {.rs485 = true,
         .connector = R"(- Link the batteries by CAT cable through their RS485-2 sockets (either of the two right RJ45).
- First battery to the computer with the RS485-to-USB cable that came with it; or RJ45 pins 2 and 7 = A, 1 and 8 = B,
  3 and 6 = GND.
)",
         .addresses =
             R"(- A single battery answers at 0x01 by default. Several need an address each, set with the DIP switches on the front.
- All switches off is master mode: RS485 is off and the battery answers nobody.
)",
         .dip_switches = 4,
         .vendor_app = R"(- "UART1 protocol" must be the default: 0 or 1 by firmware ("001 - JK BMS RS485 Modbus V1.0").
)",
         .notes = "- CH340/CH341 and FT2232H adapters work; FT232R adapters are known to cut answers short.\n"},
};
static_assert(sound(jkbms_pb));

}  // namespace bmsd::bms
