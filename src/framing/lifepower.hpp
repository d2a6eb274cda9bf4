// Binary frames of EG4 LifePower, Revov, Narada and their relatives: start 7E or 7C, address, command, length n, n
// bytes of payload, checksum, end mark 0D. The payload may hold any of these marks: only the length says where a frame
// ends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bmsd::framing::lifepower {

inline constexpr std::uint8_t start_7e = 0x7E;
inline constexpr std::uint8_t start_7c = 0x7C;
inline constexpr std::size_t head_size = 4;  ///< start, address, command, length
inline constexpr std::size_t tail_size = 2;  ///< checksum, end mark
inline constexpr std::size_t at_address = 1;
inline constexpr std::size_t at_command = 2;
inline constexpr std::size_t at_length = 3;
inline constexpr std::size_t most_payload = 255;
inline constexpr std::uint8_t end_mark = 0x0D;
/// Nothing that answers is shorter: a frame without payload is a request.
inline constexpr std::size_t least_answer = head_size + 1 + tail_size;

/// XOR of all bytes, XORed with their sum modulo 256. Weak: about half of all single flipped bits change both alike.
[[nodiscard]] std::uint8_t checksum(std::span<const std::uint8_t> bytes) noexcept;

/// Position of the first start byte at or after `from`; bytes.size() if there is none.
[[nodiscard]] std::size_t next_start(std::span<const std::uint8_t> bytes, std::size_t from) noexcept;

/// What stands at a start byte.
struct Look {
    enum class State : std::uint8_t {
        sound,     ///< a whole frame of `size` bytes
        cut,       ///< a whole frame needs at least `size` bytes
        no_end,    ///< no end mark where the length says it is
        mismatch,  ///< the checksum is wrong
    };
    State state = State::cut;
    std::size_t size = least_answer;
};

/// Looks at the bytes from a start byte to the end of what was received.
[[nodiscard]] Look look_at(std::span<const std::uint8_t> rest) noexcept;

}  // namespace bmsd::framing::lifepower
