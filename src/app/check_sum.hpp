// Whether a file is still what was written: flash wears, and a changed digit is a valid number.
#pragma once

#include <string>
#include <string_view>

namespace bmsd::app {

/// The CRC-16 of Modbus over `text` as four hexadecimal digits. Notices every changed byte.
[[nodiscard]] std::string check_sum(std::string_view text);

}  // namespace bmsd::app
