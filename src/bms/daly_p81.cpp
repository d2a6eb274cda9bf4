// Daly smart BMS, series H, K, M and S ("ESS-DL-BMS"): like Modbus RTU, but board n is asked as unit 0x80 + n and
// answers as 0x50 + n. Facts: dossier daly (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <cmath>

#include "bms/daly_controls.hpp"
#include "bms/daly_modbus.hpp"
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;
namespace dm = daly_modbus;

constexpr std::uint32_t first_board = 0x81;
constexpr std::uint32_t last_board = 0x90;

// ---- cells, registers 00..3F (§13) -----------------------------------------------------------------
constexpr std::uint16_t in_cells(unsigned number) {
    return static_cast<std::uint16_t>(2 * number);
}
// The lowest cell is in no block, and the highest alone is no use: both are found among the cells.
constexpr std::array cells_rows = {
    Row{&Reading::voltage_v, in_cells(0x38), u16be, 0.1},
    Row{&Reading::soc_percent, in_cells(0x3A), u16be, 0.1},
    Row{&Reading::cell_count, in_cells(0x3C), u16be},
    Row{&Reading::temperature_count, in_cells(0x3D), u16be},
};
constexpr std::array cells_cells = {CellRow{&Reading::cell_voltages_v, in_cells(0x00), u16be, 0.001, 48, 2}};
constexpr dm::Pack pack{.current = in_cells(0x39), .sensors = in_cells(0x30), .most_cells = 48};

// ---- status, registers 41..7E (§13) ----------------------------------------------------------------
constexpr unsigned first_of_status = 0x41;
constexpr std::uint16_t in_status(unsigned number) {
    return static_cast<std::uint16_t>(2 * (number - first_of_status));
}
constexpr std::array status_rows = {
    Row{&Reading::capacity_remaining_ah, in_status(0x4B), u16be, 0.1},
    Row{&Reading::cycles, in_status(0x4C), u16be},
};
constexpr std::array status_flags = {
    FlagRow{&Reading::balancing_active, in_status(0x4D), u16be},
    FlagRow{&Reading::charge_fet, in_status(0x52), u16be},
    FlagRow{&Reading::discharge_fet, in_status(0x53), u16be},
    FlagRow{&Reading::heater_on, in_status(0x55), u16be},
};

/// Half a register of the alarms.
constexpr std::uint16_t low(unsigned number) {
    return static_cast<std::uint16_t>(in_status(number) + 1);
}
constexpr std::uint16_t high(unsigned number) {
    return in_status(number);
}
/// An alarm with a level of three bits from `bit` on: 1 is a warning, 2 and more an alarm.
struct LevelBits {
    std::uint16_t at;
    std::uint8_t bit;
    Alarm alarm;
};
constexpr std::array level_bits = {
    LevelBits{low(0x6D), 0, Alarm::high_cell_voltage},
    LevelBits{low(0x6D), 3, Alarm::low_cell_voltage},
    LevelBits{high(0x6D), 0, Alarm::cell_imbalance},
    LevelBits{high(0x6D), 3, Alarm::high_charge_temperature},
    LevelBits{low(0x6E), 0, Alarm::low_charge_temperature},
    LevelBits{low(0x6E), 3, Alarm::high_temperature},
    LevelBits{high(0x6E), 0, Alarm::low_temperature},
    LevelBits{low(0x6F), 0, Alarm::high_voltage},
    LevelBits{low(0x6F), 3, Alarm::low_voltage},
    LevelBits{high(0x6F), 0, Alarm::high_charge_current},
    LevelBits{high(0x6F), 3, Alarm::high_discharge_current},
    LevelBits{low(0x70), 0, Alarm::low_soc},
    LevelBits{high(0x70), 0, Alarm::high_internal_temperature},
};
// The levels are the same as those of A5 (§7).
constexpr std::array single_bits = {
    AlarmBit{Alarm::high_internal_temperature, Level::warning, low(0x6E), u8, 6},
    AlarmBit{Alarm::high_internal_temperature, Level::warning, high(0x6E), u8, 6},
    AlarmBit{Alarm::high_discharge_current, Level::alarm, low(0x6F), u8, 6},
};
constexpr auto status_alarms = [] {
    std::array<AlarmBit, 3 * level_bits.size() + single_bits.size()> rows{};
    std::size_t next = 0;
    for (const LevelBits& entry : level_bits)
        for (std::uint8_t i = 0; i < 3; ++i)
            rows[next++] = {entry.alarm, i == 0 ? Level::warning : Level::alarm, entry.at, u8,
                            static_cast<std::uint8_t>(entry.bit + i)};
    for (const AlarmBit& row : single_bits) rows[next++] = row;
    return rows;
}();

// ---- the others (§13) ------------------------------------------------------------------------------
constexpr std::array balancer_flags = {FlagRow{&Reading::balance_fet, 0, u16be}};
constexpr std::array versions_texts = {
    TextRow{&Reading::software_version, 0, 28},
    TextRow{&Reading::hardware_version, 28, 14},
};

// ---- what the tables cannot say --------------------------------------------------------------------
std::string_view finish_cells(const Request&, const Asking& asking, std::span<const std::uint8_t> payload,
                              Reading& reading) {
    return dm::finish_pack(pack, asking, payload, reading);
}

void encode_cells(const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    dm::encode_pack(pack, request, asking, state, payload);
}

std::string_view finish_status(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    if (get(payload, in_status(0x48), u16be) > 2) return "the state is neither idle nor charging nor discharging";
    dm::read_balance_bits(payload, in_status(0x4F), 3, reading);
    reading.balance_current_a = dm::balance_current(get(payload, in_status(0x4E), u16be));
    reading.mosfet_temperature_c = dm::optional_temperature(get(payload, in_status(0x5A), u16be));
    // Which error a bit of this register means, no source tells.
    reading.alarms.known(Alarm::internal_failure);
    if (get(payload, in_status(0x66), u16be) != 0) reading.alarms.raise(Alarm::internal_failure, Level::warning);
    return {};
}

void encode_status(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(request.layout.size, 0);
    encode(request.layout, state, payload);
    if (state.current_a.value_or(0) != 0) put(payload, in_status(0x48), u16be, *state.current_a > 0 ? 1 : 2);
    dm::write_balance_bits(state, in_status(0x4F), 3, payload);
    if (state.balance_current_a)
        put(payload, in_status(0x4E), u16be, 30000 + std::lround(1000 * *state.balance_current_a));
    put(payload, in_status(0x5A), u16be,
        state.mosfet_temperature_c ? 40 + std::lround(*state.mosfet_temperature_c) : 0xFF);
    if (state.alarms[Alarm::internal_failure].value_or(Level::ok) != Level::ok) put(payload, in_status(0x66), u16be, 1);
}

// ---- requests (§13) --------------------------------------------------------------------------------
constexpr Request cells_request() {
    Request request = dm::block("cells", "cells, sensors, voltage, current", When::every_poll, 0x00, 64);
    request.layout.rows = cells_rows;
    request.layout.cells = cells_cells;
    request.finish = finish_cells;
    request.encode = encode_cells;
    return request;
}
constexpr Request status_request() {
    Request request = dm::block("status", "charge, switches, alarms", When::every_poll, first_of_status, 62);
    request.layout.rows = status_rows;
    request.layout.flags = status_flags;
    request.layout.alarms = status_alarms;
    request.finish = finish_status;
    request.encode = encode_status;
    return request;
}
constexpr Request balancer_request() {
    Request request = dm::block("balancer", "whether balancing is permitted", When::sometimes, 0xCF, 1);
    request.period = seconds{60};
    request.mandatory = false;
    request.layout.flags = balancer_flags;
    return request;
}
constexpr Request versions_request() {
    Request request = dm::block("versions", "software and hardware version", When::identify, 0x178, 74);
    request.mandatory = false;
    request.layout.texts = versions_texts;
    return request;
}
constexpr std::array requests = {cells_request(), status_request(), balancer_request(), dm::settings_request(0x100),
                                 versions_request()};

// ---- what may be changed (§13); no source tells of a write that succeeded -----------------------------
constexpr std::array charge_steps = {dm::setting("charge switch", "switches the charge MOSFET", 0x121, 1)};
constexpr std::array discharge_steps = {dm::setting("discharge switch", "switches the discharge MOSFET", 0x122, 1)};
constexpr std::array balance_steps = {dm::setting("balancer switch", "permits balancing", 0xCF, 0xFFFF)};

// The register of the state of charge is not known for certain: it cannot be set.
constexpr std::array controls = {
    daly_controls::charge(charge_steps, true),
    daly_controls::discharge(discharge_steps, true),
    Control{.name = "balance",
            .meaning = "balancing permitted or not",
            .steps = balance_steps,
            .shows = daly_controls::shows_balance,
            .untested = true},
};

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::string_view, 2> sold_as = {"Daly Smart BMS H, K, M, S series", "ESS-DL-BMS"};

}  // namespace

extern const Family daly_p81;
constexpr Family daly_p81{
    .key = "daly_p81",
    .type = "Daly",
    .label = "Daly",
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = first_board,
                  .last = last_board,
                  .standard = first_board,
                  .meaning = "0x80 + board number 1..16"},
    .timing = {.gap = milliseconds{20}, .between_bytes = milliseconds{50}, .poll = milliseconds{1000}, .retries = 2},
    .current_limits = CurrentLimits::informing,  // §12: the first level of over-current, "info"
    .requests = requests,
    .other = &dm::other_registers,
    .probe = 0,
    .build = dm::build,
    .examine = dm::examine,
    .matches = dm::matches,
    .controls = controls,
    .wrap = dm::wrap,
    .guide = {.rs485 = true,
              .connector = "- RS485 of the BMS.\n",
              .addresses = "- Board number N (1..16) is bus address 0x80 + N: 0x81..0x90. One battery has number 1.\n",
              .vendor_app = daly_controls::sleep_time,
              .notes = dm::limits_inform},
};
static_assert(sound(daly_p81));

}  // namespace bmsd::bms
