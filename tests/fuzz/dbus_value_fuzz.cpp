// What a client writes over D-Bus: any variant is read, or refused, and what it becomes can be shown and sent again.
// Input: type of the variant, format to show it in, then its content.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>

#include <sys/socket.h>
#include <systemd/sd-bus.h>

#include "require.hpp"
#include "venus/items_signal.hpp"
#include "venus/utf8.hpp"
#include "venus/value.hpp"

namespace {

using namespace bmsd;
using test::require;
using venus::Kind;
using venus::Value;

constexpr std::string_view types = "bynqiuxtdsog";

/// A connection that only makes messages: nobody is at its other end.
sd_bus* connection() {
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
bool append(sd_bus_message* message, std::uint8_t type, std::span<const std::uint8_t> content) {
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

void check_conversions(const Value& value) {
    if (const auto whole = venus::convert(value, Kind::integer))
        require(std::holds_alternative<std::int32_t>(*whole), "an integer is one");
    if (const auto real = venus::convert(value, Kind::real))
        require(std::isfinite(std::get<double>(*real)), "a number is finite");
    const auto text = venus::convert(value, Kind::text);
    require(text && std::holds_alternative<std::string>(*text), "everything can be a text");
    require(venus::convert(*text, Kind::text) == text, "a text stays what it is");
}

void check_shown(const Value& value, std::uint8_t choice) {
    const venus::Format format{.style = static_cast<venus::Format::Style>(choice % 4),
                               .decimals = static_cast<std::int8_t>(choice / 4 % 8),
                               .text_decimals = static_cast<std::int8_t>(choice / 32),
                               .unit = "V"};
    const std::string text = venus::text_of(venus::view(value), format);
    require(venus::valid_utf8(text) == text, "what is shown is UTF-8");
    require(venus::own(venus::view(value)) == value, "a value that was read is kept as it is");
    if (const double* number = std::get_if<double>(&value)) {
        const double rounded = round_to(*number, format.decimals);
        require(std::isfinite(rounded) && !(rounded == 0 && std::signbit(rounded)), "a rounded number is a number");
        require(std::abs(rounded - *number) <= std::max(0.51, 1e-15 * std::abs(*number)), "it is rounded, no more");
    }

    static venus::ItemsSignal signal;
    signal.begin();
    require(signal.empty(), "nothing was added");
    signal.add("/Dc/0/Voltage", value, format);
    const auto bytes = signal.finish();
    std::uint32_t body = 0;
    std::memcpy(&body, bytes.data() + 4, sizeof body);
    require(bytes.size() > body && (bytes.size() - body) % 8 == 0, "the header of a message ends at a multiple of 8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    sd_bus_message* message = nullptr;
    if (sd_bus_message_new_method_call(connection(), &message, "com.example", "/", "com.example.Item", "SetValue") < 0)
        std::abort();
    if (append(message, data[0], std::span(data, size).subspan(2)) && sd_bus_message_seal(message, 1, 0) >= 0) {
        if (const auto value = venus::read(message)) {
            check_conversions(*value);
            check_shown(*value, data[1]);
        }
    }
    sd_bus_message_unref(message);
    return 0;
}
