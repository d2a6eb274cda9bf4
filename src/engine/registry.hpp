// Keeps identities apart: no two batteries may have the same one.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "engine/settings.hpp"
#include "model/battery.hpp"

namespace bmsd::engine {

class BatteryMemory;

/// All identities in use, over all ports.
class Registry {
public:
    explicit Registry(bool port_as_id) : port_as_id_(port_as_id) {}

    /// Where it is kept which identities are bound to which places; it must outlive the registry.
    void set_memory(BatteryMemory& memory) { memory_ = &memory; }
    /// This port is among those that are asked, and stays so if it is closed for a while.
    void add_port(const std::string& port) { ports_.insert(port); }

    /// Asked when another battery claims the same identity: true if it was given up with release().
    using Yield = std::function<bool()>;

    /// The identity of a battery that has answered: wanted(), else port and address. If another battery has it already
    /// and does not yield, port and address are appended and `report` names both.
    [[nodiscard]] std::string claim(const bms::Family& family, const Battery& battery, const Report& report,
                                    Yield yield);
    /// Its serial number or name if it has a credible one, unless the user wants the port; else empty.
    [[nodiscard]] std::string wanted(const bms::Family& family, const Battery& battery) const;
    /// Whether nobody has this serial number or whoever has it yields, and it is not bound to another place.
    [[nodiscard]] bool is_free(const std::string& serial, const Identity& battery);
    /// Two batteries call themselves so: from now on it is the name of the one in this place, also while none is there.
    void bind(const std::string& serial, const Identity& place);
    /// The battery is gone.
    void release(const std::string& id) { users_.erase(id); }

private:
    struct User {
        std::string place;
        Yield yield;
    };

    [[nodiscard]] bool is_yielded(const std::string& id);
    [[nodiscard]] bool is_bound_elsewhere(const std::string& serial, const Identity& battery);
    [[nodiscard]] bool is_asked(const std::string& place) const;

    bool port_as_id_;
    BatteryMemory* memory_ = nullptr;
    std::set<std::string> ports_;
    std::map<std::string, User> users_;          ///< by identity
    std::map<std::string, std::string> owners_;  ///< places that serial numbers are bound to; empty: to none
};

/// What the Python driver calls a battery without a serial number, of hardware version and capacity: "21_280.0Ah".
/// Empty for one that has a serial number, or an unknown capacity. Several batteries may share it.
[[nodiscard]] std::string former_id(const bms::Family& family, const Battery& battery);

/// Last part of a port's name, fit for identities: "ttyUSB0", "host_502".
[[nodiscard]] std::string port_id(const std::string& port);

/// Where a battery is, for messages: "/dev/ttyUSB0 address 0x01".
[[nodiscard]] std::string place_of(const std::string& port, std::optional<std::uint32_t> address);
[[nodiscard]] std::string place_of(const Identity& identity);

}  // namespace bmsd::engine
