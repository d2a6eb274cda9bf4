// The frames DD ... 77 of JBD: `DD REG STATUS LEN DATA[LEN] CKH CKL 77` from the BMS, and in the same shape
// `DD A5|5A REG LEN DATA[LEN] CKH CKL 77` to it. Dossier lltjbd §3.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bmsd::framing {

inline constexpr std::uint8_t dd77_start = 0xDD;
inline constexpr std::uint8_t dd77_end = 0x77;
/// Bytes before the data.
inline constexpr std::size_t dd77_head = 4;
/// Bytes of a frame without data.
inline constexpr std::size_t dd77_overhead = 7;
/// Most data that fit.
inline constexpr std::size_t dd77_most_data = 255;

/// What the search for a frame found.
struct Dd77 {
    enum class Fault : std::uint8_t {
        none,      ///< no byte DD at all
        cut,       ///< a frame begins, but does not end yet
        end,       ///< the byte 77 is not where the length says
        checksum,  ///< the checksum does not fit
    };
    std::span<const std::uint8_t> frame = {};  ///< whole and sound; empty: none
    std::size_t missing = dd77_overhead;       ///< without a frame: so many bytes end the shortest that seems to begin
    Fault fault = Fault::none;                 ///< without a frame: what is wrong with the first that seems to begin
};

/// The first sound frame that begins at or after `from`. DD and 77 occur inside data: only length, end mark and
/// checksum together make a frame.
[[nodiscard]] Dd77 find_dd77(std::span<const std::uint8_t> bytes, std::size_t from = 0) noexcept;

/// Checksum over what lies between the first two bytes of a frame and its checksum. It does not cover the second byte:
/// in an answer that is the register.
[[nodiscard]] std::uint16_t checksum_dd77(std::span<const std::uint8_t> covered) noexcept;

}  // namespace bmsd::framing
