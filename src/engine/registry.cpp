#include "engine/registry.hpp"

#include <algorithm>
#include <utility>

#include "engine/memory.hpp"
#include "model/python_text.hpp"
#include "model/words.hpp"

namespace bmsd::engine {
namespace {

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// Without an address the reference writes 0x01.
std::string place_id(const Identity& identity) {
    return port_id(identity.port) + "__" + address_id(identity.address.value_or(1));
}

/// What the second one of this serial number is called.
std::string second_id(const std::string& serial, const Identity& identity) {
    return serial + "_" + place_id(identity);
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

bool Registry::is_asked(const std::string& place) const {
    return std::any_of(ports_.begin(), ports_.end(),
                       [&](const std::string& port) { return place == port || place.starts_with(port + " address "); });
}

bool Registry::is_bound_elsewhere(const std::string& serial, const Identity& battery) {
    const auto [owner, unknown] = owners_.try_emplace(serial);
    if (unknown && memory_) owner->second = memory_->place(serial);
    if (owner->second.empty() || owner->second == place_of(battery)) return false;
    if (is_asked(owner->second)) return true;
    // Its port is not in use any more: the battery may be here now, unless this one was here as the second already.
    return memory_ && memory_->recall(second_id(serial, battery));
}

bool Registry::is_free(const std::string& serial, const Identity& battery) {
    return !is_bound_elsewhere(serial, battery) && is_yielded(serial);
}

bool Registry::is_yielded(const std::string& id) {
    const auto user = users_.find(id);
    if (user == users_.end()) return true;
    const Yield yield = user->second.yield;  // who yields is no longer in the list
    return yield();
}

std::string Registry::claim(const bms::Family& family, const Battery& battery, const Report& report, Yield yield) {
    const Identity& identity = battery.identity;
    const std::string serial = wanted(family, battery);
    std::string id = serial.empty() ? place_id(identity) : serial;
    if (serial.empty() ? !is_yielded(id) : !is_free(serial, identity)) {
        const auto user = users_.find(id);
        const std::string& other = user != users_.end() ? user->second.place : owners_[id];
        const std::string second = second_id(id, identity);
        report(Severity::warning, "two batteries call themselves " + id + ": " + other + " and " + place_of(identity) +
                                      "; the second is shown as " + second +
                                      " (give each its own name or serial number in the vendor's app)");
        id = second;
    } else if (!serial.empty() && !owners_[serial].empty()) {
        bind(serial, identity);
    }
    users_[id] = {place_of(identity), std::move(yield)};
    return id;
}

void Registry::bind(const std::string& serial, const Identity& place) {
    owners_[serial] = place_of(place);
    if (memory_) memory_->keep_place(serial, owners_[serial]);
}

}  // namespace bmsd::engine
