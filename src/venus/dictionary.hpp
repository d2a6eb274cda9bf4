// Reading what other services say: dictionaries of variants.
#pragma once

#include <optional>
#include <string>

#include <systemd/sd-bus.h>

#include "venus/value.hpp"

namespace bmsd::venus {

/// The interface of all values on Venus OS' bus.
inline constexpr const char* bus_item = "com.victronenergy.BusItem";

/// Calls `take` with key and value for every entry of a dictionary a{sv}, which the message stands before. A value that
/// cannot be read, of a type that is not ours or no finite number, is nothing.
template <class Take>
void each_key(sd_bus_message* message, Take take) {
    if (sd_bus_message_enter_container(message, 'a', "{sv}") < 0) return;
    while (sd_bus_message_enter_container(message, 'e', "sv") > 0) {
        const char* key = nullptr;
        if (sd_bus_message_read_basic(message, 's', &key) < 0) return;
        const std::string name = key;
        take(name, read(message));
        if (sd_bus_message_exit_container(message) < 0) return;
    }
    sd_bus_message_exit_container(message);
}

/// The same without the values that cannot be read.
template <class Take>
void each_entry(sd_bus_message* message, Take take) {
    each_key(message, [&](const std::string& key, const std::optional<Value>& value) {
        if (value) take(key, *value);
    });
}

}  // namespace bmsd::venus
