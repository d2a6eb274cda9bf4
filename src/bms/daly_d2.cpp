// Daly smart BMS, "D2" protocol: Modbus RTU with the one unit D2, on newer UART, RS485 and Bluetooth modules.
// Facts: dossier daly (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/daly_alarms.hpp"
#include "bms/daly_controls.hpp"
#include "bms/daly_modbus.hpp"
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace dm = daly_modbus;

/// Where a register stands in a block that begins with `first`.
constexpr std::uint16_t at(unsigned number, unsigned first = 0) {
    return static_cast<std::uint16_t>(2 * (number - first));
}

// ---- status, registers 00..3D (§12) ----------------------------------------------------------------
constexpr std::array status_rows = {
    Row{&Reading::voltage_v, at(0x28), u16be, 0.1},
    Row{&Reading::soc_percent, at(0x2A), u16be, 0.1},
    Row{&Reading::max_cell_voltage_v, at(0x2B), u16be, 0.001},
    Row{&Reading::min_cell_voltage_v, at(0x2C), u16be, 0.001},
    Row{&Reading::capacity_remaining_ah, at(0x30), u16be, 0.1},
    Row{&Reading::cell_count, at(0x31), u16be},
    Row{&Reading::temperature_count, at(0x32), u16be},
    Row{&Reading::cycles, at(0x33), u16be},
};
constexpr std::array status_cells = {CellRow{&Reading::cell_voltages_v, at(0x00), u16be, 0.001, 32, 2}};
constexpr std::array status_flags = {
    FlagRow{&Reading::balancing_active, at(0x34), u16be},
    FlagRow{&Reading::charge_fet, at(0x35), u16be},
    FlagRow{&Reading::discharge_fet, at(0x36), u16be},
};
// The alarm bytes of A5, two in a register, the earlier one low.
constexpr std::array status_alarms =
    daly_alarms([](std::uint8_t byte) { return static_cast<std::uint16_t>(at(0x3A) + (byte ^ 1)); });

constexpr dm::Pack pack{.current = at(0x29), .sensors = at(0x20), .most_cells = 32};

constexpr unsigned first_of_balance = 0x3E;
constexpr std::uint16_t status_registers = 0x3E;
constexpr std::uint16_t status_registers_of_others = 0x50;  // asked by other hosts: what `balance` reads is included

// ---- versions, registers A9..C8 (§12) --------------------------------------------------------------
constexpr std::array versions_texts = {TextRow{&Reading::software_version, 0, 16}};
constexpr std::size_t at_hardware = 16;
constexpr std::size_t at_older_hardware = 32;

// ---- what the tables cannot say --------------------------------------------------------------------
std::string_view finish_balance(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                Reading& reading) {
    dm::read_balance_bits(payload, at(0x3E, first_of_balance), 2, reading);
    reading.balance_current_a = dm::balance_current(get(payload, at(0x40, first_of_balance), u16be));
    reading.mosfet_temperature_c = dm::optional_temperature(get(payload, at(0x42, first_of_balance), u16be));
    return {};
}

void encode_balance(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(request.layout.size, 0);
    dm::write_balance_bits(state, at(0x3E, first_of_balance), 2, payload);
    if (state.balance_current_a)
        put(payload, at(0x40, first_of_balance), u16be, 30000 + std::lround(1000 * *state.balance_current_a));
    if (state.mosfet_temperature_c)
        put(payload, at(0x42, first_of_balance), u16be, 40 + std::lround(*state.mosfet_temperature_c));
}

std::string_view finish_status(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                               Reading& reading) {
    if (const auto why = dm::finish_pack(pack, asking, payload, reading); !why.empty()) return why;
    // What `balance` tells is of this poll, or absent: not every board answers it. Other hosts may ask it first.
    if (!asking.recorded) {
        reading.cell_balancing.clear();
        reading.balance_current_a.reset();
        reading.mosfet_temperature_c.reset();
    }
    if (payload.size() == at(status_registers_of_others))
        return finish_balance(request, asking, payload.subspan(at(first_of_balance)), reading);
    return {};
}

void encode_status(const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    dm::encode_pack(pack, request, asking, state, payload);
}

/// §12, note (b): some boards have the hardware version behind 16 empty bytes.
std::string_view finish_versions(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    const std::uint8_t begin = payload[at_hardware];
    const bool usual = begin > 0x20 && begin < 0x7F;
    const std::string version = text(payload.subspan(usual ? at_hardware : at_older_hardware, 16));
    reading.hardware_version.reset();
    if (!version.empty()) reading.hardware_version = version;
    return {};
}

void encode_versions(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(request.layout.size, 0);
    encode(request.layout, state, payload);
    const std::string& version = state.hardware_version.value_or("");
    std::copy_n(version.begin(), std::min<std::size_t>(version.size(), 16), payload.begin() + at_hardware);
}

// ---- requests (§12) --------------------------------------------------------------------------------
constexpr Request versions_request() {
    Request request = dm::block("versions", "software and hardware version", When::identify, 0xA9, 32);
    request.mandatory = false;
    request.layout.texts = versions_texts;
    request.finish = finish_versions;
    request.encode = encode_versions;
    return request;
}
constexpr Request status_request() {
    Request request = dm::block("status", "everything that changes", When::every_poll, 0x00, status_registers);
    request.layout.rows = status_rows;
    request.layout.cells = status_cells;
    request.layout.flags = status_flags;
    request.layout.alarms = status_alarms;
    request.finish = finish_status;
    request.encode = encode_status;
    return request;
}
constexpr Request balance_request() {
    Request request =
        dm::block("balance", "balanced cells, temperature of the MOSFETs", When::every_poll, first_of_balance, 9);
    request.mandatory = false;
    request.finish = finish_balance;
    request.encode = encode_balance;
    return request;
}
constexpr std::array requests = {status_request(), balance_request(), dm::settings_request(0x80), versions_request()};

// ---- what others ask (§12) ---------------------------------------------------------------------------
constexpr std::array balancer_flags = {FlagRow{&Reading::balance_fet, 0, u16be}};
constexpr Request balancer_request() {
    Request request = dm::block("balancer", "whether balancing is permitted", When::on_demand, 0xCF, 1);
    request.layout.flags = balancer_flags;
    return request;
}
constexpr std::array on_demand = {balancer_request()};

/// Other hosts ask for more registers along with the status.
bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    constexpr Request longer =
        dm::block("status", "status and balance", When::on_demand, 0x00, status_registers_of_others);
    return dm::matches(request, asking, asked) ||
           (request.selector == requests[0].selector && dm::matches(longer, asking, asked));
}

// ---- what may be changed (§12); no source tells of a write that succeeded -----------------------------
constexpr std::array charge_steps = {dm::setting("charge switch", "switches the charge MOSFET", 0xA5, 1)};
constexpr std::array discharge_steps = {dm::setting("discharge switch", "switches the discharge MOSFET", 0xA6, 1)};
constexpr std::array soc_steps = {dm::setting("set soc", "sets the state of charge", 0xA7, 10)};

constexpr std::array controls = {
    daly_controls::charge(charge_steps, true),
    daly_controls::discharge(discharge_steps, true),
    daly_controls::soc("state of charge, %", soc_steps, true),
};

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::string_view, 2> sold_as = {"Daly Smart BMS with Modbus", "Daly DL-... modules"};

}  // namespace

extern const Family daly_d2;
constexpr Family daly_d2{
    .key = "daly_d2",
    .type = "Daly",
    .label = "Daly",
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = dm::d2_unit,
                  .last = dm::d2_unit,
                  .standard = dm::d2_unit,
                  .meaning = "always the same: one battery per port"},
    .timing = {.gap = milliseconds{20}, .between_bytes = milliseconds{50}, .poll = milliseconds{1000}, .retries = 2},
    .current_limits = CurrentLimits::informing,  // §12: the first level of over-current, "info"
    .requests = requests,
    .on_demand = on_demand,
    .other = &dm::other_registers,
    .probe = 0,
    .build = dm::build,
    .examine = dm::examine,
    .matches = matches,
    .controls = controls,
    .wrap = dm::wrap,
    .guide = {.uart = true,
              .connector = "- UART or RS485 of the BMS; one battery per port, all have the same address.\n",
              .addresses = "- 0xD2, the same for all: nothing to set.\n",
              .vendor_app = daly_controls::sleep_time,
              .notes = dm::limits_inform},
};
static_assert(sound(daly_d2));

}  // namespace bmsd::bms
