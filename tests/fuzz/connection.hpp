// Messages of D-Bus from the bytes of a fuzzer.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "venus/bus.hpp"

namespace bmsd::test {

inline constexpr std::string_view types = "bynqiuxtdsog";

/// A connection that only makes messages: nobody is at its other end.
inline sd_bus* connection() {
    static sd_bus* const bus = [] {
        int ends[2];
        sd_bus* made = nullptr;
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || sd_bus_new(&made) < 0 ||
            sd_bus_set_fd(made, ends[0], ends[0]) < 0 || sd_bus_start(made) < 0)
            throw std::runtime_error("no connection");
        return made;
    }();
    return bus;
}

/// Appends `content` as a variant of this type; false if D-Bus has no such value.
inline bool append_variant(sd_bus_message* message, std::uint8_t type, std::span<const std::uint8_t> content) {
    if (type % 16 >= types.size()) {  // a list of integers: empty it is the invalid value
        const std::size_t bytes = content.size() / 4 * 4;
        return sd_bus_message_open_container(message, 'v', "ai") >= 0 &&
               sd_bus_message_append_array(message, 'i', content.data(), bytes) >= 0 &&
               sd_bus_message_close_container(message) >= 0;
    }
    const std::string signature(1, types[type % 16]);
    if (sd_bus_message_open_container(message, 'v', signature.c_str()) < 0) return false;
    const std::string text(content.begin(), content.end());
    std::uint64_t number = 0;
    std::memcpy(&number, content.data(), std::min(content.size(), sizeof number));
    if (signature == "b") number &= 1;
    const bool is_text = types.find(signature) >= types.find('s');
    const void* value = is_text ? static_cast<const void*>(text.c_str()) : &number;
    return sd_bus_message_append_basic(message, signature.front(), value) >= 0 &&
           sd_bus_message_close_container(message) >= 0;
}

inline venus::Message new_message() {
    sd_bus_message* message = nullptr;
    if (sd_bus_message_new_method_call(connection(), &message, "com.example", "/", "com.example.Item", "SetValue") < 0)
        std::abort();
    return venus::Message{message};
}

}  // namespace bmsd::test
