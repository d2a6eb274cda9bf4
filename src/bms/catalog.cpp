#include "bms/catalog.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "model/words.hpp"

namespace bmsd::bms {

extern const Family daly;
extern const Family daren_485;
extern const Family daly_d2;
extern const Family daly_p81;
extern const Family eg4_lifepower;
extern const Family jkbms;
extern const Family jkbms_pb;
extern const Family lltjbd;
extern const Family renogy;
extern const Family renogy_few;
extern const Family revov_7c;
extern const Family tianpower_ble;
// On CAN.
extern const Family daly_can;
extern const Family jkbms_can;
extern const Family lltjbd_can;
extern const Family pylontech_can;
extern const Family rv_c_can;
extern const Family ubms_can;

namespace {

// Most used and least harmful to ask first; slow ones last.
constexpr std::array<const Family*, 18> families = {
    &jkbms,
    &jkbms_pb,
    &lltjbd,
    &daly,
    &daren_485,
    &eg4_lifepower,
    &revov_7c,
    &renogy,
    &daly_d2,
    &daly_p81,
    &renogy_few,
    &tianpower_ble,
    // On CAN.
    &jkbms_can,
    &daly_can,
    &ubms_can,
    &rv_c_can,
    &pylontech_can,
    &lltjbd_can,
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

namespace {

template <class Wanted>
std::vector<const Family*> only(std::span<const Family* const> all, const Wanted& wanted) {
    std::vector<const Family*> kept;
    std::copy_if(all.begin(), all.end(), std::back_inserter(kept), wanted);
    return kept;
}

}  // namespace

std::vector<const Family*> on_wires(std::span<const Family* const> all) {
    return only(all, [](const Family* family) { return !family->serial.rates.empty(); });
}

std::vector<const Family*> on_can(std::span<const Family* const> all) {
    return only(all, [](const Family* family) { return family->can != nullptr; });
}

std::vector<const Family*> with_requests(std::span<const Family* const> all) {
    return only(all, [](const Family* family) { return !family->requests.empty(); });
}

std::string_view nearest_type(std::string_view name) {
    NearestWord nearest(name);
    const auto consider = [&](std::string_view word, std::string_view type) {
        // Who leaves out how it is connected ("Ubms" of "Ubms_Can") means this one.
        const auto stem = word.substr(0, word.find('_'));
        nearest.consider(type, stem.size() < word.size() && same_word(stem, name) ? 1 : word_distance(word, name));
    };
    for (const Family* family : families) {
        consider(family->type, family->type);
        for (const std::string_view alias : family->aliases) consider(alias, family->type);
    }
    return nearest.best();
}

std::string unknown_type(std::string_view name) {
    return '"' + std::string(name) + "\" is no known BMS type; the nearest is " + std::string(nearest_type(name)) +
           ", `bmsd list` shows all";
}

}  // namespace bmsd::bms
