#include "app/check_sum.hpp"

#include <cstdint>
#include <cstdio>

#include "framing/checksum.hpp"

namespace bmsd::app {

std::string check_sum(std::string_view text) {
    char digits[5];
    const unsigned sum = framing::crc16_modbus({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    std::snprintf(digits, sizeof digits, "%04X", sum & 0xFFFFU);
    return digits;
}

}  // namespace bmsd::app
