// What stands on the bus: a value or nothing, its text, and both inside a message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/decimals.hpp"

struct sd_bus_message;

namespace bmsd::venus {

/// Nothing to say: an empty array of integers on the bus, "---" as text.
using Invalid = std::monostate;
/// Several values of a configuration key.
using List = std::vector<std::variant<std::int32_t, double, std::string>>;
/// A value as an item keeps it. Switches and lists occur in the configuration only.
using Value = std::variant<Invalid, std::int32_t, double, std::string, bool, List>;

/// A list that is only looked at.
struct ListView {
    const List* list;
    bool operator==(const ListView& other) const { return *list == *other.list; }
};
/// A value on its way into an item; texts and lists are only looked at.
using ValueView = std::variant<Invalid, std::int32_t, double, std::string_view, bool, ListView>;

[[nodiscard]] ValueView view(const Value& value) noexcept;
/// Bytes that are not UTF-8 become '?': the bus refuses a whole message because of one of them.
[[nodiscard]] Value own(const ValueView& value);

/// How an item shows its value to people.
struct Format {
    enum class Style : std::uint8_t {
        plain,  ///< as Python's str(): 57, 57.0, text as it is
        whole,  ///< as plain, but whole numbers without decimals: 57, 57.5
        fixed,  ///< `text_decimals` decimals and `unit`: 52.81V
        hex,    ///< 0xBA77
    };
    Style style = Style::plain;
    std::int8_t decimals = -1;      ///< doubles are rounded to so many decimals before they are stored; -1: not
    std::int8_t text_decimals = 0;  ///< fixed only
    std::string_view unit = {};     ///< fixed only; static text
};

/// Room for the text of any number, its unit included.
inline constexpr std::size_t number_room = fixed_room + 32;
/// Writes the text of a number; there must be number_room, and the unit must not be longer than it leaves. Returns the
/// end.
[[nodiscard]] char* write_text(char* to, double number, const Format& format);
/// The text of a value; "---" for an invalid one.
[[nodiscard]] std::string text_of(const ValueView& value, const Format& format);

/// Of which type the values of a writeable item are.
enum class Kind : std::uint8_t { integer, real, text };
/// Makes a value of `kind` from whatever a client wrote; nothing if that is not possible.
/// "Invalid" clears a text and is no number.
[[nodiscard]] std::optional<Value> convert(const Value& value, Kind kind);

/// Appends `value` as a variant. Negative errno on failure.
[[nodiscard]] int append(sd_bus_message* message, const Value& value);
/// Reads a variant holding a number, a boolean, a text or the invalid value; nothing for anything else, which is passed
/// over. `wanted` is what it is to become: an integer beyond 32 bits keeps its digits in a text only.
[[nodiscard]] std::optional<Value> read(sd_bus_message* message, Kind wanted = Kind::real);

}  // namespace bmsd::venus
