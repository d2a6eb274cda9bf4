// Asking and answering in JBD's DD..77 protocol, whatever wire it travels on. Facts: dossier lltjbd (quoted as "§").
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "bms/family.hpp"

namespace bmsd::bms::jbd {

// Registers (§4, §5.5, §8).
inline constexpr std::uint8_t enter_register = 0x00;  ///< factory mode
inline constexpr std::uint8_t leave_register = 0x01;
inline constexpr std::uint8_t basic_register = 0x03;
inline constexpr std::uint8_t cells_register = 0x04;
inline constexpr std::uint8_t name_register = 0x05;
inline constexpr std::uint8_t order_register = 0x0A;
inline constexpr std::uint8_t switches_register = 0x2D;
inline constexpr std::uint8_t model_register = 0xA1;
inline constexpr std::uint8_t counters_register = 0xAA;
inline constexpr std::uint8_t remaining_register = 0xE0;
inline constexpr std::uint8_t fets_register = 0xE1;

/// Bit of the switches register that permits balancing.
inline constexpr std::uint16_t balancer_bit = 0x0004;
/// Bits of the FET register; 1 = off.
inline constexpr std::uint16_t charge_bit = 0x0001;
inline constexpr std::uint16_t discharge_bit = 0x0002;

/// Data of the basic information up to the sensors, and where it says how many sensors and cells there are.
inline constexpr std::size_t basic_size = 23;
inline constexpr std::size_t at_sensor_count = 22;
inline constexpr std::size_t counters_size = 24;
/// §5.3: longest device name.
inline constexpr std::size_t most_name = 31;
/// §11: an answer begins within 10 to 100 ms; the reference waits for 250 ms.
inline constexpr milliseconds answer_within{300};

// A selector holds direction, register and two bytes of data: `DD A5 RR 00` or `DD 5A RR 02 DD DD`. Where the data
// depend on what is to be set, they are the bit it is about.
inline constexpr std::uint8_t reads = 0xA5;
inline constexpr std::uint8_t writes = 0x5A;
/// In the place of the data of a read: whichever register was asked for.
inline constexpr std::uint16_t any = 0xFFFF;

/// Selector of a read.
constexpr std::uint32_t read(std::uint8_t at, std::uint16_t which = 0) {
    return std::uint32_t{reads} << 24 | std::uint32_t{at} << 16 | which;
}
/// Selector of a write.
constexpr std::uint32_t write(std::uint8_t at, std::uint16_t data) {
    return std::uint32_t{writes} << 24 | std::uint32_t{at} << 16 | data;
}
constexpr std::uint8_t register_of(const Request& request) {
    return static_cast<std::uint8_t>(request.selector >> 16);
}
constexpr std::uint16_t data_of(const Request& request) {
    return static_cast<std::uint16_t>(request.selector);
}
constexpr bool is_write(const Request& request) {
    return request.selector >> 24 == writes;
}

/// What other tools read as well: any register, whose answer says nothing that a Reading holds.
inline constexpr Request other_register = {.name = "other-register",
                                           .meaning = "any other register, e.g. 24, cell over-voltage",
                                           .when = When::on_demand,
                                           .selector = read(0x24, any),
                                           .answer_size = 7 + 2,
                                           .timeout = answer_within,
                                           .layout = {.size = 1}};

/// A text of the BMS: up to `most_name` bytes; absent if it is empty.
[[nodiscard]] Text name_in(std::span<const std::uint8_t> bytes);

void build(const Request& request, const Asking& asking, Bytes& out);
[[nodiscard]] Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received);
[[nodiscard]] bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked);
/// `payload` beyond the 255 bytes a frame can carry is cut.
void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out);

/// The data of a write; nothing if something is not known that they depend on.
[[nodiscard]] std::optional<std::uint16_t> data_to_write(const Request& request, const Asking& asking);

}  // namespace bmsd::bms::jbd
