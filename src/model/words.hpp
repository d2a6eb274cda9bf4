// Comparing what people type with what we know.
#pragma once

#include <cstddef>
#include <string_view>

namespace bmsd {

/// Equal but for the case of ASCII letters.
[[nodiscard]] bool same_word(std::string_view a, std::string_view b) noexcept;

/// Number of single-character edits between two words, ignoring case (Levenshtein).
[[nodiscard]] std::size_t word_distance(std::string_view a, std::string_view b);

/// Without blanks, tabs and line ends on either side.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

}  // namespace bmsd
