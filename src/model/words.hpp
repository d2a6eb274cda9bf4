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

/// Number of single-character edits between two words, ignoring case (Levenshtein); `limit` if it is that or more.
[[nodiscard]] std::size_t word_distance(std::string_view a, std::string_view b,
                                        std::size_t limit = std::string_view::npos);

/// Of the words it is shown that are less than `limit` edits away, the one most like a given one; of equally like ones
/// the first. Keeps views of them.
class NearestWord {
public:
    explicit NearestWord(std::string_view word, std::size_t limit = std::string_view::npos) noexcept
        : word_(word), distance_(limit) {}

    void consider(std::string_view candidate) { consider(candidate, word_distance(candidate, word_, distance_)); }
    /// For who knows better how far it is.
    void consider(std::string_view candidate, std::size_t distance) noexcept {
        if (distance < distance_) best_ = candidate, distance_ = distance;
    }
    /// Empty if it was shown none that is.
    [[nodiscard]] std::string_view best() const noexcept { return best_; }

private:
    std::string_view word_, best_;
    std::size_t distance_;
};

/// Without blanks, tabs and line ends on either side.
[[nodiscard]] std::string_view trim(std::string_view text) noexcept;

/// The first `most` bytes of a UTF-8 text, or fewer: no character is torn.
[[nodiscard]] std::string_view cut_text(std::string_view text, std::size_t most) noexcept;

/// Bytes of the name that somebody gives a battery: bounds what strangers can make us keep.
inline constexpr std::size_t longest_custom_name = 255;

/// What a person has written, as messages show it: 'text'.
[[nodiscard]] std::string quoted(std::string_view text);

/// A bus address as people read it, e.g. "0x0A".
[[nodiscard]] std::string address_text(std::uint32_t address);

/// The same as it stands in identities and service names, where the Python driver writes "0x0a".
[[nodiscard]] std::string address_id(std::uint32_t address);

/// The biggest unit that is not zero and the next smaller one, as users of the reference know it: "1d 2h", "29m 39s",
/// "2h", "0s" for nothing; "-5m" for what is past.
[[nodiscard]] std::string duration_text(std::chrono::seconds duration);

}  // namespace bmsd
