#include "engine/registry.hpp"

#include "model/words.hpp"

namespace bmsd::engine {
std::string port_id(const std::string& port) {
    std::string id = port.substr(port.rfind('/') + 1);
    for (char& c : id)
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))) c = '_';
    return id;
}

std::string place_of(const std::string& port, std::optional<std::uint32_t> address) {
    return address ? port + " address " + address_id(*address) : port;
}

std::string place_of(const Identity& identity) {
    return place_of(identity.port, identity.address);
}

std::string Registry::claim(const bms::Family& family, const Battery& battery, const Report& report) {
    const Identity& identity = battery.identity;
    // Without an address the reference writes 0x01.
    const std::string place = port_id(identity.port) + "__" + address_id(identity.address.value_or(1));
    std::string id = port_as_id_ || !family.identity ? std::string{} : family.identity(battery.reading);
    if (id.empty()) id = place;
    if (const auto other = users_.find(id); other != users_.end()) {
        report(Severity::warning, "two batteries call themselves " + id + ": " + other->second + " and " +
                                      place_of(identity) + "; the second is shown as " + id + "_" + place +
                                      " (give each its own name or serial number in the vendor's app)");
        id += "_" + place;
    }
    users_[id] = place_of(identity);
    return id;
}

}  // namespace bmsd::engine
