#include "app/config_spelling.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <tuple>
#include <vector>

#include "model/words.hpp"

namespace bmsd::app {
namespace {

using Words = std::vector<std::string_view>;

constexpr std::array<std::string_view, 8> secret_words = {"password", "passwd", "pwd",    "pin",
                                                          "username", "token",  "secret", "login"};

Words words_of(std::string_view name) {
    constexpr std::string_view between = "_-. ";
    Words words;
    while (!name.empty()) {
        const auto end = name.find_first_of(between);
        if (const auto word = name.substr(0, end); !word.empty()) words.push_back(word);
        name.remove_prefix(end == std::string_view::npos ? name.size() : end + 1);
    }
    return words;
}

/// Equal, shortened or with one letter that is wrong, missing or too many.
bool alike(std::string_view a, std::string_view b) {
    const std::size_t shorter = std::min(a.size(), b.size());
    if (same_word(a, b)) return true;
    if (shorter >= 3 && same_word(a.substr(0, shorter), b.substr(0, shorter))) return true;
    return shorter >= 4 && word_distance(a, b, 2) < 2;
}

/// The keys' own names have fewer.
constexpr std::size_t most_words = 16;

/// What a key is called, or was.
struct Name {
    const Key* key;
    Words words;
};

const std::vector<Name>& all_names() {
    static const std::vector<Name> names = [] {
        std::vector<Name> all;
        for (const Group& group : key_groups())
            for (const Key& key : group.keys) {
                all.push_back({&key, words_of(key.name)});
                for (const OldName& old_name : key.old_names) all.push_back({&key, words_of(old_name.name)});
            }
        return all;
    }();
    return names;
}

/// How many words are alike, each of them counted once.
std::size_t shared_words(const Words& words, const Words& others) {
    std::bitset<most_words> taken;
    for (const std::string_view word : words)
        for (std::size_t i = 0; i < others.size(); ++i) {
            if (taken.test(i) || !alike(word, others[i])) continue;
            taken.set(i);
            break;
        }
    return taken.count();
}

/// The key that shares most words with the name and has fewest besides, at least two; of several one that decides how
/// the battery is treated.
const Key* related_to(std::string_view name) {
    const Words words = words_of(name);
    if (words.size() < 2) return nullptr;
    using Rank = std::tuple<std::size_t, std::ptrdiff_t, bool>;
    Rank best{1, 0, true};
    const Key* related = nullptr;
    for (const auto& [key, others] : all_names()) {
        const Rank rank{shared_words(words, others), -static_cast<std::ptrdiff_t>(others.size()), key->safety};
        if (rank <= best) continue;
        best = rank;
        related = key;
    }
    return related;
}

}  // namespace

const Key* meant_by(std::string_view name) {
    if (const Key* key = find_key(name).key) return key;
    if (const auto nearest = nearest_key(name, likely_misspelt + 1); !nearest.empty()) return find_key(nearest).key;
    return related_to(name);
}

bool is_secret(std::string_view name) {
    if (const Key* key = meant_by(name); key && key->secret) return true;
    const Words words = words_of(name);
    return !find_key(name).key && std::any_of(words.begin(), words.end(), [](std::string_view word) {
        return std::any_of(secret_words.begin(), secret_words.end(),
                           [&](std::string_view secret) { return alike(word, secret); });
    });
}

}  // namespace bmsd::app
