// What travels on a CAN bus.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace bmsd {

/// One data frame.
struct CanFrame {
    std::uint32_t id = 0;   ///< 11 bits, or 29 if extended
    bool extended = false;  ///< 29 bit identifier
    std::uint8_t size = 0;  ///< bytes of data, 0..8
    std::array<std::uint8_t, 8> data{};

    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept { return std::span(data).first(size); }
    bool operator==(const CanFrame&) const = default;
};

/// Bits of an extended identifier.
inline constexpr std::uint32_t can_id_mask = 0x1FFFFFFF;

/// Frames of interest on a bus: those whose id has these bits.
struct CanFilter {
    std::uint32_t id = 0;
    std::uint32_t mask = can_id_mask;
    bool extended = false;

    [[nodiscard]] constexpr bool matches(const CanFrame& frame) const noexcept {
        return frame.extended == extended && ((frame.id ^ id) & mask) == 0;
    }
    bool operator==(const CanFilter&) const = default;
};

}  // namespace bmsd
