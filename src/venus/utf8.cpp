#include "venus/utf8.hpp"

#include <cstdint>

namespace bmsd::venus {
namespace {

/// What sd-bus accepts: no surrogates, no noncharacters, no NUL (texts end there).
bool may_stand(std::uint32_t character) {
    return character != 0 && character < 0x110000 && (character & 0xFFFFF800) != 0xD800 &&
           (character < 0xFDD0 || character > 0xFDEF) && (character & 0xFFFE) != 0xFFFE;
}

/// Bytes of the character at the start of `text`; 0 if there is none.
std::size_t character_size(std::string_view text) {
    const auto lead = static_cast<std::uint8_t>(text[0]);
    if (lead < 0x80) return may_stand(lead) ? 1 : 0;
    const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
    if (lead < 0xC0 || lead > 0xF7 || text.size() < size) return 0;
    std::uint32_t character = lead & (0x7Fu >> size);
    for (std::size_t i = 1; i < size; ++i) {
        const auto next = static_cast<std::uint8_t>(text[i]);
        if ((next & 0xC0) != 0x80) return 0;
        character = (character << 6) | (next & 0x3Fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};  // fewer bytes would do: overlong
    return character >= smallest[size] && may_stand(character) ? size : 0;
}

}  // namespace

std::string valid_utf8(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const std::size_t size = character_size(text);
        if (size == 0)
            valid += '?';
        else
            valid += text.substr(0, size);
        text.remove_prefix(size == 0 ? 1 : size);
    }
    return valid;
}

}  // namespace bmsd::venus
