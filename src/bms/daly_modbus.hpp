// What Daly's two Modbus dialects have in common: D2 (one unit) and P81 (a unit per board, which signs with another
// number). Facts: dossier daly §12 and §13.
#pragma once

#include "bms/family.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms::daly_modbus {

/// The only unit of D2; it answers as itself.
inline constexpr std::uint32_t d2_unit = 0xD2;

/// A block of `count` registers from `first` on that is read.
constexpr Request block(std::string_view name, std::string_view meaning, When when, std::uint16_t first,
                        std::uint16_t count) {
    return {.name = name,
            .meaning = meaning,
            .when = when,
            .selector = std::uint32_t{first} << 16 | count,
            .answer_type = static_cast<std::uint8_t>(framing::modbus::Function::read_holding),
            .answer_size = static_cast<std::uint16_t>(5 + 2 * count),
            .timeout = milliseconds{500},
            .layout = {.size = static_cast<std::uint16_t>(2 * count)}};
}

/// Family::other.
inline constexpr Request other_registers =
    block("other", "registers that other hosts read or write", When::on_demand, 0, 0);

/// A register that a control sets: to `per_unit` times Asking::value.
constexpr Request setting(std::string_view name, std::string_view meaning, std::uint16_t number,
                          std::uint16_t per_unit) {
    return {.name = name,
            .meaning = meaning,
            .when = When::on_demand,
            .selector = std::uint32_t{number} << 16 | per_unit,
            .answer_type = static_cast<std::uint8_t>(framing::modbus::Function::write_single),
            .answer_size = 8};
}

void build(const Request& request, const Asking& asking, Bytes& out);
[[nodiscard]] Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received);
[[nodiscard]] bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked);
void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out);

/// Where the block with the cells has what its tables cannot say; offsets in bytes.
struct Pack {
    std::uint16_t current;  ///< register of the current
    std::uint16_t sensors;  ///< first of eight temperatures
    std::size_t most_cells;
};

/// Cuts the cells to those fitted, reads sensors and current, and says why the content is impossible. The tables have
/// read the counts before.
[[nodiscard]] std::string_view finish_pack(const Pack& pack, const Asking& asking,
                                           std::span<const std::uint8_t> payload, Reading& reading);
/// Its reverse, tables included.
void encode_pack(const Pack& pack, const Request& request, const Asking& asking, const Reading& state, Bytes& payload);

/// Which cells are balanced, by one bit each: cell 1 is bit 0 of the first of `words` registers. They are not told by
/// boards whose balancer works without a bit being set, nor where all bits of the first two registers are set.
void read_balance_bits(std::span<const std::uint8_t> payload, std::size_t at, std::size_t words, Reading& reading);
void write_balance_bits(const Reading& state, std::size_t at, std::size_t words, Bytes& payload);

/// A register of 1 mA around 30000; 0 and FFFF: there is none.
[[nodiscard]] Number balance_current(std::int64_t raw);
/// A register of 1 °C from -40 on; 0, FF and FFFF: there is no sensor.
[[nodiscard]] Number optional_temperature(std::int64_t raw);

/// For Guide::notes.
inline constexpr std::string_view limits_inform =
    R"(- The over-current limits set in the BMS are where its protection acts; they do not limit the current. Set
  `MAX_BATTERY_CHARGE_CURRENT` and `MAX_BATTERY_DISCHARGE_CURRENT`.
)";

/// The settings (registers 80..A8 of D2, 100..128 of P81), 41 registers.
inline constexpr std::uint16_t settings_registers = 41;
inline constexpr std::array settings_rows = {
    Row{&Reading::capacity_ah, 0x00, Wire::u16be, 0.1, 0, 0},
    Row{&Reading::max_battery_voltage_v, 0x1E, Wire::u16be, 0.1, 0, 0},
    Row{&Reading::min_battery_voltage_v, 0x22, Wire::u16be, 0.1, 0, 0},
};
[[nodiscard]] std::string_view finish_settings(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                               Reading& reading);
void encode_settings(const Request& request, const Asking&, const Reading& state, Bytes& payload);

/// Reads the settings, the first of which is register `first`.
constexpr Request settings_request(std::uint16_t first) {
    Request request = block("settings", "rated capacity and limits", When::sometimes, first, settings_registers);
    request.period = seconds{300};
    request.mandatory = false;
    request.layout.rows = settings_rows;
    request.finish = finish_settings;
    request.encode = encode_settings;
    return request;
}

}  // namespace bmsd::bms::daly_modbus
