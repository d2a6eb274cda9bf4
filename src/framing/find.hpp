// Searching received bytes for the beginning of a frame.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bmsd::framing {

/// Position of the first full occurrence of `mark` at or after `from`; if there is none, of a
/// beginning of `mark` that is cut by the end of the bytes; if neither, bytes.size().
[[nodiscard]] std::size_t find_mark(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> mark,
                                    std::size_t from = 0) noexcept;

}  // namespace bmsd::framing
