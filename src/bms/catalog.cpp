#include "bms/catalog.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "model/words.hpp"

namespace bmsd::bms {

extern const Family daren_485;
extern const Family jkbms;
extern const Family jkbms_pb;
extern const Family renogy;

namespace {

constexpr std::array<const Family*, 4> families = {
    &jkbms,
    &jkbms_pb,
    &daren_485,
    &renogy,
};

}  // namespace

std::span<const Family* const> catalog() noexcept {
    return families;
}

const Family* find_family(std::string_view name) noexcept {
    for (const Family* family : families) {
        if (same_word(family->type, name) || same_word(family->key, name)) return family;
        for (const std::string_view alias : family->aliases)
            if (same_word(alias, name)) return family;
    }
    return nullptr;
}

std::vector<const Family*> find_families(std::string_view name) {
    std::vector<const Family*> found;
    const Family* first = find_family(name);
    if (!first) return found;
    const bool is_key = same_word(first->key, name) && !same_word(first->type, name);
    for (const Family* family : families)
        if (family == first || (!is_key && family->type == first->type)) found.push_back(family);
    return found;
}

std::string_view nearest_type(std::string_view name) {
    std::string_view best;
    std::size_t best_distance = 0;
    const auto consider = [&](std::string_view word, std::string_view type) {
        const std::size_t distance = word_distance(word, name);
        if (best.empty() || distance < best_distance) best = type, best_distance = distance;
    };
    for (const Family* family : families) {
        consider(family->type, family->type);
        for (const std::string_view alias : family->aliases) consider(alias, family->type);
    }
    return best;
}

}  // namespace bmsd::bms
