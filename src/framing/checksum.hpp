// Checksums used on battery buses.
#pragma once

#include <cstdint>
#include <span>

namespace bmsd::framing {

/// Sum of all bytes modulo 256 (JK 55 AA EB 90 frames, Daly A5).
[[nodiscard]] std::uint8_t sum8(std::span<const std::uint8_t> bytes) noexcept;

/// Sum of all bytes modulo 65536 (JK 4E 57 frames).
[[nodiscard]] std::uint16_t sum16(std::span<const std::uint8_t> bytes) noexcept;

/// Modbus CRC-16: initial value FFFF, reflected polynomial A001; sent low byte first.
[[nodiscard]] std::uint16_t crc16_modbus(std::span<const std::uint8_t> bytes) noexcept;

/// True if the last two bytes are the Modbus CRC of the others; false for fewer than three bytes.
[[nodiscard]] bool has_crc16_modbus(std::span<const std::uint8_t> bytes) noexcept;

}  // namespace bmsd::framing
