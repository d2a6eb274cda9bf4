#include "model/decimals.hpp"

#include <array>
#include <charconv>
#include <cmath>

namespace bmsd {

std::optional<std::uint32_t> in_last_decimals(double number, int decimals) noexcept {
    const double power = power_of_ten(decimals);
    const double size = std::abs(number) * power;
    if (!(size < 1e9)) return std::nullopt;
    const auto whole = static_cast<std::uint32_t>(size);
    double beyond_half = size - whole - 0.5;
    // The product is inexact in its last bits: near a tie it takes what the multiplication has lost.
    if (std::abs(beyond_half) < 1e-6) beyond_half += std::fma(std::abs(number), power, -size);
    return beyond_half > 0 || (beyond_half == 0 && whole % 2 == 1) ? whole + 1 : whole;
}

double round_to(double number, int decimals) noexcept {
    if (const auto size = in_last_decimals(number, decimals)) {
        const double rounded = *size / power_of_ten(decimals);
        return number < 0 && *size != 0 ? -rounded : rounded;
    }
    std::array<char, fixed_room> digits;
    double rounded = number;
    std::from_chars(digits.data(), write_fixed(digits.data(), number, decimals), rounded);
    return rounded + 0.0;
}

char* write_fixed(char* to, double number, int decimals) noexcept {
    const auto whole = in_last_decimals(number, decimals);
    if (!whole) return std::to_chars(to, to + fixed_room, number, std::chars_format::fixed, decimals).ptr;
    return write_fixed(to, std::signbit(number), *whole, decimals);
}

/// What a battery measures is a whole number with a point in it: that costs a tenth of the general way.
char* write_fixed(char* to, bool negative, std::uint32_t size, int decimals) noexcept {
    if (negative) *to++ = '-';
    int digits = decimals + 1;
    for (double beyond = 10 * power_of_ten(decimals); beyond <= size; beyond *= 10) ++digits;
    char* const end = to + digits + (decimals > 0 ? 1 : 0);
    char* at = end;
    const auto write_digits = [&](int count) {
        for (; count > 0; --count, size /= 10) *--at = static_cast<char>('0' + size % 10);
    };
    write_digits(decimals);
    if (decimals > 0) *--at = '.';
    write_digits(digits - decimals);
    return end;
}

}  // namespace bmsd
