// Reading what other services say: dictionaries of variants.
#pragma once

#include <string>

#include <systemd/sd-bus.h>

#include "venus/value.hpp"

namespace bmsd::venus {

/// The interface of all values on Venus OS' bus.
inline constexpr const char* bus_item = "com.victronenergy.BusItem";

/// Calls `take` with key and value for every entry of a dictionary a{sv}, which the message stands before. Values of
/// other types than ours are left out.
template <class Take>
void each_entry(sd_bus_message* message, Take take) {
    if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char* key = nullptr;
        if (sd_bus_message_read_basic(message, 's', &key) < 0) return;
        const std::string name = key;
        if (const auto value = read(message))
            take(name, *value);
        else
            sd_bus_message_skip(message, "v");
        if (sd_bus_message_exit_container(message) < 0) return;
    }
    sd_bus_message_exit_container(message);
}

}  // namespace bmsd::venus
