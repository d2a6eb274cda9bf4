// The return codes of the 1363 protocols and their relatives: why a BMS says no.
#pragma once

#include <cstdint>
#include <string_view>

namespace bmsd::framing {

/// Meaning of the code with its number, as a static text; a code that no document lists is said to be unknown.
[[nodiscard]] constexpr std::string_view rtn_meaning(std::uint8_t code) noexcept {
    switch (code) {
        case 0x01: return "the BMS refused: wrong version (RTN 01)";
        case 0x02: return "the BMS refused: wrong checksum (RTN 02)";
        case 0x03: return "the BMS refused: wrong length checksum (RTN 03)";
        case 0x04: return "the BMS refused: it does not know this command (RTN 04)";
        case 0x05: return "the BMS refused: wrong format (RTN 05)";
        case 0x06: return "the BMS refused: invalid data (RTN 06)";
        default: return "the BMS refused with a code that is not documented";
    }
}

}  // namespace bmsd::framing
