#include "engine/registry.hpp"

#include <utility>

#include "model/python_text.hpp"
#include "model/words.hpp"

namespace bmsd::engine {
namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string former_id(const bms::Family& family, const Battery& battery) {
    const Number& capacity = battery.reading.capacity_ah;
    if (!capacity || (family.identity && !family.identity(battery.reading).empty())) return {};
    std::string id;
    for (const char c : battery.identity.hardware)
        if (is_alphanumeric(c)) id += c;
    if (!id.empty()) id += '_';
    return id + python_text(*capacity) + "Ah";
}

std::string port_id(const std::string& port) {
    std::string id = port.substr(port.rfind('/') + 1);
    for (char& c : id)
        if (!is_alphanumeric(c)) c = '_';
    return id;
}

std::string place_of(const std::string& port, std::optional<std::uint32_t> address) {
    return address ? port + " address " + address_id(*address) : port;
}

std::string place_of(const Identity& identity) {
    return place_of(identity.port, identity.address);
}

std::string Registry::wanted(const bms::Family& family, const Battery& battery) const {
    return port_as_id_ || !family.identity ? std::string{} : family.identity(battery.reading);
}

bool Registry::is_free(const std::string& id, const Identity& battery) {
    const auto owner = owners_.find(id);
    if (owner != owners_.end() && owner->second != place_of(battery)) return false;
    const auto user = users_.find(id);
    if (user == users_.end()) return true;
    const Yield yield = user->second.yield;  // who yields is no longer in the list
    return yield();
}

std::string Registry::claim(const bms::Family& family, const Battery& battery, const Report& report, Yield yield) {
    const Identity& identity = battery.identity;
    // Without an address the reference writes 0x01.
    const std::string place = port_id(identity.port) + "__" + address_id(identity.address.value_or(1));
    std::string id = wanted(family, battery);
    if (id.empty()) id = place;
    if (!is_free(id, identity)) {
        const auto user = users_.find(id);
        const std::string& other = user != users_.end() ? user->second.place : owners_[id];
        report(Severity::warning, "two batteries call themselves " + id + ": " + other + " and " + place_of(identity) +
                                      "; the second is shown as " + id + "_" + place +
                                      " (give each its own name or serial number in the vendor's app)");
        id += "_" + place;
    }
    users_[id] = {place_of(identity), std::move(yield)};
    return id;
}

void Registry::bind(const std::string& id, const Identity& place) {
    owners_[id] = place_of(place);
}

}  // namespace bmsd::engine
