#include "model/words.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <numeric>
#include <vector>

namespace bmsd {
namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// One bit per letter, which others may share.
std::uint64_t letters_of(std::string_view word) noexcept {
    std::uint64_t letters = 0;
    for (const char c : word) letters |= std::uint64_t{1} << (static_cast<unsigned char>(lower(c)) % 64);
    return letters;
}

/// No distance is smaller: each edit brings at most one letter that one word lacks, and takes one that the other does.
std::size_t letters_apart(std::string_view a, std::string_view b) noexcept {
    const std::uint64_t in_a = letters_of(a), in_b = letters_of(b);
    return static_cast<std::size_t>(std::max(std::popcount(in_a & ~in_b), std::popcount(in_b & ~in_a)));
}

}  // namespace

bool same_word(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

std::size_t word_distance(std::string_view a, std::string_view b, std::size_t limit) {
    const auto lengths = std::minmax({a.size(), b.size()});
    if (lengths.second - lengths.first >= limit) return limit;
    while (!a.empty() && !b.empty() && lower(a.front()) == lower(b.front())) a.remove_prefix(1), b.remove_prefix(1);
    while (!a.empty() && !b.empty() && lower(a.back()) == lower(b.back())) a.remove_suffix(1), b.remove_suffix(1);
    if (const std::size_t longer = std::max(a.size(), b.size()); longer <= 1) return std::min(longer, limit);
    // What is left after the same beginning and end takes at least two edits.
    if (limit <= 2 || letters_apart(a, b) >= limit) return limit;
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        std::size_t least = row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t substituted = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({substituted, row[j] + 1, row[j + 1] + 1});
            least = std::min(least, row[j + 1]);
        }
        if (least >= limit) return limit;  // it never becomes less
    }
    return std::min(row[b.size()], limit);
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string_view cut_text(std::string_view text, std::size_t most) noexcept {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return text.substr(0, most);
}

std::string quoted(std::string_view text) {
    return "'" + std::string(text) + "'";
}

std::string address_text(std::uint32_t address) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%02X", address);
    return text;
}

std::string address_id(std::uint32_t address) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%02x", address);
    return text;
}

std::string duration_text(std::chrono::seconds duration) {
    struct Unit {
        long seconds;
        char letter;
    };
    constexpr Unit units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    std::string out = duration.count() < 0 ? "-" : "";
    long rest = static_cast<long>(std::abs(duration.count()));
    for (std::size_t i = 0; i < std::size(units); ++i) {
        if (rest < units[i].seconds) continue;
        out += std::to_string(rest / units[i].seconds) + units[i].letter;
        rest %= units[i].seconds;
        if (i + 1 < std::size(units) && rest >= units[i + 1].seconds)
            out += " " + std::to_string(rest / units[i + 1].seconds) + units[i + 1].letter;
        return out;
    }
    return out + "0s";
}

}  // namespace bmsd
