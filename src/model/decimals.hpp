// Numbers with a fixed count of decimals, which is how nearly every number leaves the program.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace bmsd {

inline constexpr std::array<double, 16> powers_of_ten = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                         1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
/// 10 to the power of 0..15, exact.
[[nodiscard]] constexpr double power_of_ten(int exponent) noexcept {
    return powers_of_ten[static_cast<std::size_t>(exponent)];
}

/// The size of `number` in units of its last of 0..15 decimals: its exact binary value, rounded, ties to even. Nothing
/// for a billion of them and more, and for what is no number.
[[nodiscard]] std::optional<std::uint32_t> in_last_decimals(double number, int decimals) noexcept;

/// Rounds the exact binary value to 0..15 decimals, ties to even, as Python's round(); never gives -0.
[[nodiscard]] double round_to(double number, int decimals) noexcept;

/// Room for any double with 0..15 decimals.
inline constexpr std::size_t fixed_room = 340;
/// Writes what printf's "%.*f" would, with 0..15 decimals and without the 0 at the end; returns the end.
[[nodiscard]] char* write_fixed(char* to, double number, int decimals) noexcept;
/// The same for what in_last_decimals() says of a number.
[[nodiscard]] char* write_fixed(char* to, bool negative, std::uint32_t size, int decimals) noexcept;

}  // namespace bmsd
