#include "venus/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include <systemd/sd-bus.h>

#include "model/decimals.hpp"
#include "model/python_text.hpp"
#include "venus/overloaded.hpp"
#include "venus/utf8.hpp"

namespace bmsd::venus {
namespace {

std::string hex(std::int64_t number) {
    std::array<char, 24> buffer;
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number, 16);
    std::string text = "0x";
    for (const char* c = buffer.data(); c != end.ptr; ++c) text += *c >= 'a' ? static_cast<char>(*c - 'a' + 'A') : *c;
    return text;
}

std::string number_text(double number, const Format& format) {
    std::array<char, number_room> buffer;
    return {buffer.data(), write_text(buffer.data(), number, format)};
}

std::string list_text(const List& list) {
    std::string text = "[";
    for (const auto& item : list) {
        if (text.size() > 1) text += ", ";
        text += std::visit(Overloaded{[](std::int32_t number) { return std::to_string(number); },
                                      [](double number) { return python_text(number); },
                                      [](const std::string& word) { return "'" + word + "'"; }},
                           item);
    }
    return text + "]";
}

bool fits_int32(double number) {
    return number == std::trunc(number) && number >= std::numeric_limits<std::int32_t>::min() &&
           number <= std::numeric_limits<std::int32_t>::max();
}

/// A number as the narrowest value that holds it.
std::optional<Value> number_value(double number) {
    if (!std::isfinite(number)) return std::nullopt;
    if (fits_int32(number)) return Value{static_cast<std::int32_t>(number)};
    return Value{number};
}

std::optional<double> number_of(const Value& value) {
    if (const auto* on = std::get_if<bool>(&value)) return *on ? 1 : 0;
    if (const auto* integer = std::get_if<std::int32_t>(&value)) return *integer;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    if (const auto* text = std::get_if<std::string>(&value)) {
        double number = 0;
        const auto end = std::from_chars(text->data(), text->data() + text->size(), number);
        if (end.ec == std::errc{} && end.ptr == text->data() + text->size()) return number;
    }
    return std::nullopt;
}

/// `as_text`: for an item that holds a text. A double would show 1099511627776 as 1099511627776.0, and knows the first
/// sixteen digits only.
template <class T>
std::optional<Value> read_number(sd_bus_message* message, char type, bool as_text = false) {
    T number{};
    if (sd_bus_message_read_basic(message, type, &number) < 0) return std::nullopt;
    return as_text ? Value{std::to_string(number)} : number_value(static_cast<double>(number));
}

std::optional<Value> read_text(sd_bus_message* message) {
    const char* text = nullptr;
    if (sd_bus_message_read_basic(message, 's', &text) < 0) return std::nullopt;
    return Value{std::string{text}};
}

std::optional<Value> read_empty(sd_bus_message* message) {
    const void* elements = nullptr;
    std::size_t bytes = 0;
    if (sd_bus_message_read_array(message, 'i', &elements, &bytes) < 0 || bytes != 0) return std::nullopt;
    return Value{Invalid{}};
}

std::optional<Value> read_content(sd_bus_message* message, std::string_view type, bool as_text) {
    if (type == "ai") return read_empty(message);
    if (type.size() != 1) return std::nullopt;
    switch (type[0]) {
        case 'b': return read_number<int>(message, 'b');
        case 'y': return read_number<std::uint8_t>(message, 'y');
        case 'n': return read_number<std::int16_t>(message, 'n');
        case 'q': return read_number<std::uint16_t>(message, 'q');
        case 'i': return read_number<std::int32_t>(message, 'i');
        case 'u': return read_number<std::uint32_t>(message, 'u', as_text);
        case 'x': return read_number<std::int64_t>(message, 'x', as_text);
        case 't': return read_number<std::uint64_t>(message, 't', as_text);
        case 'd': return read_number<double>(message, 'd');
        case 's': return read_text(message);
        default: return std::nullopt;
    }
}

}  // namespace

ValueView view(const Value& value) noexcept {
    return std::visit(Overloaded{[](const std::string& text) -> ValueView { return std::string_view{text}; },
                                 [](const List& list) -> ValueView { return ListView{&list}; },
                                 [](const auto& other) -> ValueView { return other; }},
                      value);
}

Value own(const ValueView& value) {
    return std::visit(
        Overloaded{[](std::string_view text) -> Value { return valid_utf8(text); },
                   [](ListView view) -> Value { return *view.list; }, [](const auto& other) -> Value { return other; }},
        value);
}

std::string text_of(const ValueView& value, const Format& format) {
    return std::visit(
        Overloaded{[](Invalid) { return std::string{"---"}; }, [](std::string_view text) { return std::string{text}; },
                   [](bool on) { return std::string{on ? "True" : "False"}; },
                   [](ListView view) { return list_text(*view.list); },
                   [&](std::int32_t number) {
                       return format.style == Format::Style::plain ? std::to_string(number)
                                                                   : number_text(number, format);
                   },
                   [&](double number) { return number_text(number, format); }},
        value);
}

char* write_text(char* to, double number, const Format& format) {
    switch (format.style) {
        case Format::Style::fixed:
            return std::copy(format.unit.begin(), format.unit.end(), write_fixed(to, number, format.text_decimals));
        case Format::Style::hex:
            if (std::abs(number) < 1e15) {
                const std::string text = hex(static_cast<std::int64_t>(number));
                return std::copy(text.begin(), text.end(), to);
            }
            break;
        case Format::Style::whole:
            if (number == std::trunc(number) && std::abs(number) < 1e15) return write_fixed(to, number, 0);
            break;
        case Format::Style::plain: break;
    }
    if (format.decimals >= 0) return write_python_text(to, number, format.decimals);
    const std::string text = python_text(number);
    return std::copy(text.begin(), text.end(), to);
}

std::optional<Value> convert(const Value& value, Kind kind) {
    if (kind == Kind::text) {
        if (std::holds_alternative<Invalid>(value)) return Value{std::string{}};
        if (std::holds_alternative<std::string>(value)) return value;
        return Value{text_of(view(value), {})};
    }
    const auto number = number_of(value);
    if (!number || !std::isfinite(*number)) return std::nullopt;
    if (kind == Kind::real) return Value{*number};
    const double whole = std::trunc(*number);
    if (!fits_int32(whole)) return std::nullopt;
    return Value{static_cast<std::int32_t>(whole)};
}

namespace {

/// An empty list of integers would be the invalid value.
int append_list(sd_bus_message* message, const List& list) {
    if (list.empty()) return sd_bus_message_append(message, "v", "au", 0);
    int result = sd_bus_message_open_container(message, 'v', "av");
    if (result >= 0) result = sd_bus_message_open_container(message, 'a', "v");
    for (const auto& item : list)
        if (result >= 0) result = std::visit([&](const auto& value) { return append(message, Value{value}); }, item);
    if (result >= 0) result = sd_bus_message_close_container(message);
    return result < 0 ? result : sd_bus_message_close_container(message);
}

}  // namespace

int append(sd_bus_message* message, const Value& value) {
    return std::visit(
        Overloaded{[&](Invalid) { return sd_bus_message_append(message, "v", "ai", 0); },
                   [&](std::int32_t number) { return sd_bus_message_append(message, "v", "i", number); },
                   [&](double number) { return sd_bus_message_append(message, "v", "d", number); },
                   [&](const std::string& text) { return sd_bus_message_append(message, "v", "s", text.c_str()); },
                   [&](bool on) { return sd_bus_message_append(message, "v", "b", static_cast<int>(on)); },
                   [&](const List& list) { return append_list(message, list); }},
        value);
}

std::optional<Value> read(sd_bus_message* message, Kind wanted) {
    char type = 0;
    const char* contents = nullptr;
    if (sd_bus_message_peek_type(message, &type, &contents) <= 0 || type != 'v') return std::nullopt;
    const std::string inside = contents;
    if (sd_bus_message_enter_container(message, 'v', inside.c_str()) < 0) return std::nullopt;
    auto value = read_content(message, inside, wanted == Kind::text);
    // What is left unread would hide all that follows.
    if (!value && sd_bus_message_at_end(message, 0) == 0) sd_bus_message_skip(message, inside.c_str());
    if (sd_bus_message_exit_container(message) < 0) return std::nullopt;
    return value;
}

}  // namespace bmsd::venus
