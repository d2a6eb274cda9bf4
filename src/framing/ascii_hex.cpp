#include "framing/ascii_hex.hpp"

#include <algorithm>
#include <numeric>

namespace bmsd::framing::ascii_hex {
namespace {

constexpr std::uint8_t start = '~';
constexpr std::uint8_t end_mark = '\r';
constexpr std::size_t at_head = 1;
constexpr std::size_t at_length = 9;
constexpr std::size_t at_info = 13;

int digit(std::uint8_t c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
}

bool is_hex(std::uint8_t c) noexcept {
    return digit(c) >= 0;
}

/// The number that hexadecimal characters spell; the caller knows that they are.
unsigned number(std::span<const std::uint8_t> characters) noexcept {
    unsigned value = 0;
    for (const std::uint8_t c : characters) value = value << 4 | static_cast<unsigned>(digit(c));
    return value;
}

std::uint8_t byte_at(std::span<const std::uint8_t> frame, std::size_t at) noexcept {
    return static_cast<std::uint8_t>(number(frame.subspan(at, 2)));
}

/// What the bytes from a `~` on are; `end` counts from there.
Found judge(std::span<const std::uint8_t> rest) noexcept {
    using enum Found::State;
    const auto is = [](Found::State state, std::string_view why, std::size_t missing = overhead) {
        return Found{.state = state, .missing = missing, .why = why};
    };
    const auto spelt = static_cast<std::size_t>(std::find_if_not(rest.begin() + 1, rest.end(), is_hex) - rest.begin());
    if (spelt < at_info) {
        if (spelt < rest.size()) return is(malformed, "a frame holds characters that are no hexadecimal digits");
        return is(cut, "the frame is cut short", overhead - rest.size());
    }
    const std::size_t characters = number(rest.subspan(at_length + 1, 3));
    if (number(rest.subspan(at_length, 1)) != length_check(characters))
        return is(wrong_length, "the check digit of the length is wrong");
    if (characters % 2 != 0 || characters > 2 * max_info) return is(malformed, "the length of the frame is impossible");
    const std::size_t whole = overhead + characters;
    if (spelt < whole - 1) {
        if (spelt == rest.size()) return is(cut, "the frame is cut short", whole - rest.size());
        return is(malformed, rest[spelt] == end_mark ? "the frame ends before its length says"
                                                     : "a frame holds characters that are no hexadecimal digits");
    }
    if (rest.size() < whole) return is(cut, "the end of the frame is missing", 1);
    if (rest[whole - 1] != end_mark) return is(malformed, "the frame goes on behind its end");
    if (number(rest.subspan(whole - 5, 4)) != checksum(rest.subspan(at_head, whole - 1 - 5)))
        return is(wrong_checksum, "the checksum of the frame is wrong");
    const Head head{byte_at(rest, at_head), byte_at(rest, at_head + 2), byte_at(rest, at_head + 4),
                    byte_at(rest, at_head + 6)};
    return {frame, 0, head, rest.subspan(at_info, characters), whole, {}};
}

}  // namespace

std::uint8_t length_check(std::size_t characters) noexcept {
    const std::size_t sum = (characters >> 8 & 0xF) + (characters >> 4 & 0xF) + (characters & 0xF);
    return static_cast<std::uint8_t>((16 - sum % 16) % 16);
}

std::uint16_t checksum(std::span<const std::uint8_t> characters) noexcept {
    return static_cast<std::uint16_t>(-std::accumulate(characters.begin(), characters.end(), 0));
}

int byte_of(std::uint8_t high, std::uint8_t low) noexcept {
    return is_hex(high) && is_hex(low) ? digit(high) << 4 | digit(low) : -1;
}

Found find_frame(std::span<const std::uint8_t> received, std::size_t from) noexcept {
    Found best;
    best.why = "no answer";
    if (from < received.size())
        best = {.state = Found::State::garbage, .why = "bytes arrived, but no frame among them"};
    for (std::size_t at = from; at < received.size(); ++at) {
        if (received[at] != start) continue;
        Found found = judge(received.subspan(at));
        if (found.state == Found::State::frame) {
            found.end += at;
            return found;
        }
        if (found.state > best.state) best = found;
    }
    return best;
}

}  // namespace bmsd::framing::ascii_hex
