// Words of people: comparing what they type with what we know, and writing what they read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bmsd {

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;

/// Number of single-character edits between two words, ignoring case (Levenshtein).
[[nodiscard]] std::size_t word_distance(std::string_view a, std::string_view b);

/// Without blanks, tabs and line ends on either side.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// A bus address as people read it, e.g. "0x0A".
[[nodiscard]] std::string address_text(std::uint32_t address);

/// The same as it stands in identities and service names, where the Python driver writes "0x0a".
[[nodiscard]] std::string address_id(std::uint32_t address);

/// The biggest unit that is not zero and the next smaller one, as users of the reference know it: "1d 2h", "29m 39s",
/// "2h", "0s" for nothing; "-5m" for what is past.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace bmsd
