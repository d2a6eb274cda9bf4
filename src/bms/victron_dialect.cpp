#include "bms/victron_dialect.hpp"

#include <algorithm>
#include <cstdio>
#include <string>

namespace bmsd::bms::victron_dialect {
namespace {

constexpr std::size_t warnings_at = 4;

std::string half(std::span<const std::uint8_t> data) {
    std::string out;
    for (const std::uint8_t c : data) {
        if (c == 0) break;
        if (c >= 0x20 && c < 0x7F) out += static_cast<char>(c);
    }
    return out;
}

}  // namespace

void take_pairs(std::span<const Pair> pairs, std::span<const std::uint8_t> data, Reading& reading) {
    const auto code = [&](std::size_t from, std::uint8_t bit) { return (data[from + bit / 8] >> (bit % 8)) & 3; };
    for (const Pair& pair : pairs)
        for (const std::size_t from : {std::size_t{0}, warnings_at}) {
            if (code(from, pair.bit) == 2) reading.alarms.known(pair.alarm);
            if (code(from, pair.bit) == 1) reading.alarms.raise(pair.alarm, from == 0 ? Level::alarm : Level::warning);
        }
}

void put_pairs(std::span<const Pair> pairs, const Alarms& alarms, std::span<std::uint8_t> data) {
    for (const Pair& pair : pairs)
        for (const std::size_t from : {std::size_t{0}, warnings_at}) {
            const bool active = alarms[pair.alarm] == (from == 0 ? Level::alarm : Level::warning);
            data[from + pair.bit / 8] |= static_cast<std::uint8_t>((active ? 1 : 2) << (pair.bit % 8));
        }
}

bool is_text(std::span<const std::uint8_t> data) noexcept {
    return std::all_of(data.begin(), data.end(), [](std::uint8_t c) { return c == 0 || (c >= 0x20 && c < 0x7F); });
}

void take_halves(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second, Text& text) {
    if (first.empty() || second.empty() || !is_text(first) || !is_text(second)) return;
    const std::string all = half(first) + half(second);
    if (const auto begin = all.find_first_not_of(' '); begin != std::string::npos)
        text = all.substr(begin, all.find_last_not_of(' ') - begin + 1);
}

void put_half(const Text& text, std::size_t part, CanFrame& frame) {
    const std::string& all = text.value_or("");
    for (std::size_t i = 0; i < 8; ++i)
        if (part * 8 + i < all.size()) frame.data[i] = static_cast<std::uint8_t>(all[part * 8 + i]);
}

std::string_view take_firmware(std::size_t, const Asking&, std::span<const std::uint8_t> data, Reading& reading) {
    char text[8];
    std::snprintf(text, sizeof text, "0x%04X", static_cast<unsigned>(get(data, 2, Wire::u16le)));
    reading.software_version = text;
    return {};
}

bool nobody_else(const CanView& view) {
    const auto since = view.since_mark(0);
    return !since || *since > seconds{10};
}

}  // namespace bmsd::bms::victron_dialect
