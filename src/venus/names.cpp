#include "venus/names.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace bmsd::venus {
namespace {

constexpr std::size_t longest_bus_name = 255;
constexpr std::string_view scheme_mark = "://";

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_word(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// "tcp" of "tcp://host:502"; empty for a device.
std::string_view scheme(std::string_view port) {
    const auto mark = port.find(scheme_mark);
    return mark == std::string_view::npos ? std::string_view{} : port.substr(0, mark);
}

/// Whether all pieces between separators pass.
template <class Test>
bool all_pieces(std::string_view text, char separator, Test test) {
    for (;;) {
        const auto end = text.find(separator);
        if (!test(text.substr(0, end))) return false;
        if (end == std::string_view::npos) return true;
        text.remove_prefix(end + 1);
    }
}

}  // namespace

std::string_view port_name(std::string_view port) noexcept {
    const auto slash = port.rfind('/');
    return slash == std::string_view::npos ? port : port.substr(slash + 1);
}

std::string service_name(const Identity& identity, bool legacy) {
    std::string suffix{scheme(identity.port)};
    if (!suffix.empty()) suffix += '_';
    suffix += port_name(identity.port);
    if (!named_by_port(identity.address, identity.address_text))
        suffix += "__" + identity.address_text;
    else if (legacy)
        suffix += "__0";
    for (char& c : suffix)
        if (!is_word(c) && c != '-') c = '_';
    if (suffix.empty() || is_digit(suffix[0])) suffix.insert(0, 1, '_');
    return ("com.victronenergy.battery." + suffix).substr(0, longest_bus_name);
}

std::string connection_text(const Identity& identity) {
    const bool is_device_or_url = identity.port.find_first_of("/:") != std::string::npos;
    if (!is_device_or_url) {
        const std::uint32_t address = identity.address.value_or(0);
        return "CAN socketcan:" + identity.port + (address != 0 ? "__" + std::to_string(address) : "");
    }
    const auto mark = identity.port.find(scheme_mark);
    std::string text = mark == std::string::npos ? "Serial " + identity.port
                                                 : "TCP " + identity.port.substr(mark + scheme_mark.size());
    if (identity.address) {
        std::array<char, 16> address;
        std::snprintf(address.data(), address.size(), "__0x%02X", *identity.address);
        text += address.data();
    }
    return text;
}

std::string serial_text(std::string_view id) {
    std::string serial(id);
    for (char& c : serial)
        if (!is_word(c)) c = '_';
    return serial;
}

std::string product_name(const Identity& identity) {
    return "SerialBattery " + serial_text(identity) + " @ " + std::string{port_name(identity.port)} + " (" +
           identity.label + ")";
}

bool is_service_name(std::string_view name) noexcept {
    const auto element = [](std::string_view piece) {
        return !piece.empty() && !is_digit(piece.front()) &&
               std::all_of(piece.begin(), piece.end(), [](char c) { return is_word(c) || c == '-'; });
    };
    return name.size() <= longest_bus_name && name.find('.') != std::string_view::npos &&
           all_pieces(name, '.', element);
}

bool is_object_path(std::string_view path) noexcept {
    const auto element = [](std::string_view piece) {
        return !piece.empty() && std::all_of(piece.begin(), piece.end(), is_word);
    };
    return path == "/" || (path.starts_with('/') && all_pieces(path.substr(1), '/', element));
}

}  // namespace bmsd::venus
