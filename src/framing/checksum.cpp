#include "framing/checksum.hpp"

#include <array>
#include <numeric>

namespace bmsd::framing {
namespace {

consteval std::array<std::uint16_t, 256> make_crc_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < 256; ++i) {
        std::uint16_t crc = static_cast<std::uint16_t>(i);
        for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc & 1) ? (crc >> 1) ^ 0xA001 : crc >> 1);
        table[i] = crc;
    }
    return table;
}
constexpr auto crc_table = make_crc_table();

}  // namespace

std::uint8_t sum8(std::span<const std::uint8_t> bytes) noexcept {
    return static_cast<std::uint8_t>(sum16(bytes));
}

std::uint16_t sum16(std::span<const std::uint8_t> bytes) noexcept {
    return static_cast<std::uint16_t>(std::accumulate(bytes.begin(), bytes.end(), 0U));
}

std::uint16_t crc16_modbus(std::span<const std::uint8_t> bytes) noexcept {
    std::uint16_t crc = 0xFFFF;
    for (const std::uint8_t byte : bytes) crc = static_cast<std::uint16_t>((crc >> 8) ^ crc_table[(crc ^ byte) & 0xFF]);
    return crc;
}

bool has_crc16_modbus(std::span<const std::uint8_t> bytes) noexcept {
    if (bytes.size() < 3) return false;
    const auto crc = crc16_modbus(bytes.first(bytes.size() - 2));
    return bytes[bytes.size() - 2] == (crc & 0xFF) && bytes[bytes.size() - 1] == (crc >> 8);
}

}  // namespace bmsd::framing
