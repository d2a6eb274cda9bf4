// What a client writes over D-Bus: any variant is read, or refused, and what it becomes can be shown and sent again.
// Input: type of the variant, format to show it in, then its content.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>

#include "connection.hpp"
#include "require.hpp"
#include "venus/items_signal.hpp"
#include "venus/utf8.hpp"
#include "venus/value.hpp"

namespace {

using namespace bmsd;
using test::require;
using venus::Kind;
using venus::Value;

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
    const venus::Message message = test::new_message();
    if (!test::append_variant(message.get(), data[0], std::span(data, size).subspan(2)) ||
        sd_bus_message_seal(message.get(), 1, 0) < 0)
        return 0;
    if (const auto value = venus::read(message.get())) {
        check_conversions(*value);
        check_shown(*value, data[1]);
    }
    sd_bus_message_rewind(message.get(), 1);
    if (const auto value = venus::read(message.get(), Kind::text)) check_conversions(*value);
    return 0;
}
