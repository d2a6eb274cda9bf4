#include "model/python_text.hpp"

#include <array>
#include <charconv>
#include <cmath>

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

}  // namespace bmsd
