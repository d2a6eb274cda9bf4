#include "model/python_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "model/decimals.hpp"

namespace bmsd {

std::string python_text(double number) {
    const double size = std::abs(number);
    const bool exponent = size != 0 && (size < 1e-4 || size >= 1e16);
    std::array<char, 32> buffer;  // the longest has 17 digits, a sign, a point and leading zeros or an exponent
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                   exponent ? std::chars_format::scientific : std::chars_format::fixed);
    std::string text{buffer.data(), end.ptr};
    if (!exponent && text.find('.') == std::string::npos) text += ".0";
    return text;
}

/// No two decimal numbers of up to 15 digits are the same double: what was rounded to a few decimals has no shorter
/// text.
char* write_python_text(char* to, double number, int decimals) {
    const auto whole = in_last_decimals(number, decimals);
    const double size = std::abs(number);
    const bool decimal = whole && *whole / power_of_ten(decimals) == size;
    if (!decimal || (size != 0 && size < 1e-4)) {
        const std::string text = python_text(number);
        return std::copy(text.begin(), text.end(), to);
    }
    char* end = write_fixed(to, std::signbit(number), *whole, decimals);
    if (decimals == 0) end = std::copy_n(".0", 2, end);
    while (end[-1] == '0' && end[-2] != '.') --end;
    return end;
}

}  // namespace bmsd
