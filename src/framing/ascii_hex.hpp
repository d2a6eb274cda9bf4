// Frames of the YD/T 1363 kind, spoken by many batteries: `~`, then hexadecimal characters only, then a carriage
// return.
//   ~ VER ADR CID1 CID2 LENGTH INFO CHKSUM CR
// VER, ADR, CID1, CID2: one byte, two characters each. LENGTH: one check digit and three digits, the number of
// characters of INFO. CHKSUM: four digits, two's complement of the sum of all characters between `~` and itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace bmsd::framing::ascii_hex {

/// Characters of a frame around its INFO, from `~` to the carriage return.
inline constexpr std::size_t overhead = 18;
/// Most bytes of INFO. LENGTH counts up to 0xFFF characters, but no answer comes near: one that says so is damaged, and
/// nobody waits for the rest of it.
inline constexpr std::size_t max_info = 500;

/// What stands in front of the INFO.
struct Head {
    std::uint8_t version = 0;
    std::uint8_t address = 0;
    std::uint8_t cid1 = 0;  ///< which kind of device
    std::uint8_t cid2 = 0;  ///< the command; in an answer the return code, 0 = done

    bool operator==(const Head&) const = default;
};

/// Check digit of a LENGTH, 0..15, for 0..0xFFF characters.
[[nodiscard]] std::uint8_t length_check(std::size_t characters) noexcept;

/// CHKSUM of the characters between `~` and itself.
[[nodiscard]] std::uint16_t checksum(std::span<const std::uint8_t> characters) noexcept;

/// The byte that two hexadecimal characters make, high digit first; -1 if they are none. Lower case counts.
[[nodiscard]] int byte_of(std::uint8_t high, std::uint8_t low) noexcept;

/// Appends the frame around `info` (at most max_info bytes) to anything that takes bytes by push_back.
template <class Out>
void append(Out& out, const Head& head, std::span<const std::uint8_t> info);

/// Appends the bytes that `characters` spell; stops at the first pair that is none.
template <class Out>
void unhex(Out& out, std::span<const std::uint8_t> characters) {
    for (std::size_t i = 0; i + 1 < characters.size(); i += 2) {
        const int byte = byte_of(characters[i], characters[i + 1]);
        if (byte < 0) return;
        out.push_back(static_cast<std::uint8_t>(byte));
    }
}

/// What received characters hold.
struct Found {
    /// Of what was seen the last in this list is told.
    enum class State : std::uint8_t {
        nothing,         ///< no byte
        garbage,         ///< bytes, but no `~`
        malformed,       ///< a `~`, but what follows cannot be a frame
        wrong_length,    ///< the check digit of LENGTH is wrong
        cut,             ///< the beginning of a frame; `missing` characters are still to come
        wrong_checksum,  ///< a frame arrived whole, but its CHKSUM is wrong
        frame,           ///< `head`, `info`
    };
    State state = State::nothing;
    std::size_t missing = overhead;  ///< at least so many characters of a frame are still to come
    Head head = {};
    std::span<const std::uint8_t> info = {};  ///< its characters, an even number, all hexadecimal
    std::size_t end = 0;                      ///< frame: where the search for the next one goes on
    std::string_view why = {};                ///< the state in words; static text
};

/// The first sound frame at or after `from`. Every `~` begins a frame anew; one that is not sound is skipped. Total.
[[nodiscard]] Found find_frame(std::span<const std::uint8_t> received, std::size_t from = 0) noexcept;

// ---- implementation of the template --------------------------------------------------------------
namespace detail {
inline constexpr std::string_view digits = "0123456789ABCDEF";
}

template <class Out>
void append(Out& out, const Head& head, std::span<const std::uint8_t> info) {
    std::uint16_t sum = 0;
    const auto push = [&](unsigned value, int width) {
        for (int shift = 4 * (width - 1); shift >= 0; shift -= 4) {
            const auto character = static_cast<std::uint8_t>(detail::digits[(value >> shift) & 0xF]);
            sum = static_cast<std::uint16_t>(sum + character);
            out.push_back(static_cast<typename Out::value_type>(character));
        }
    };
    out.push_back('~');
    for (const std::uint8_t byte : {head.version, head.address, head.cid1, head.cid2}) push(byte, 2);
    info = info.first(info.size() < max_info ? info.size() : max_info);
    const std::size_t characters = 2 * info.size();
    push(length_check(characters), 1);
    push(static_cast<unsigned>(characters), 3);
    for (const std::uint8_t byte : info) push(byte, 2);
    push(static_cast<std::uint16_t>(-sum), 4);
    out.push_back('\r');
}

}  // namespace bmsd::framing::ascii_hex
