#include "bms/victron_dialect.hpp"

#include <algorithm>
#include <cmath>
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
    const auto end = std::find(data.begin(), data.end(), std::uint8_t{0});
    return end != data.begin() &&
           std::all_of(data.begin(), end, [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; }) &&
           std::all_of(end, data.end(), [](std::uint8_t c) { return c == 0; });
}

std::string joined_text(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
    const std::string all = half(first) + half(second);
    const auto begin = all.find_first_not_of(' ');
    if (begin == std::string::npos) return {};
    return all.substr(begin, all.find_last_not_of(' ') - begin + 1);
}

void put_half(const Text& text, std::size_t part, CanFrame& frame) {
    const std::string& all = text.value_or("");
    for (std::size_t i = 0; i < 8; ++i)
        if (part * 8 + i < all.size()) frame.data[i] = static_cast<std::uint8_t>(all[part * 8 + i]);
}

bool nobody_else(const CanView& view) {
    const auto since = view.since_mark(0);
    return !since || *since > seconds{10};
}

Number cells_in_series(const Reading& reading) {
    if (!reading.voltage_v || !reading.min_cell_voltage_v || !reading.max_cell_voltage_v) return std::nullopt;
    const double mean = (*reading.min_cell_voltage_v + *reading.max_cell_voltage_v) / 2;
    if (mean < 1) return std::nullopt;
    const double count = std::round(*reading.voltage_v / mean);
    return count >= 1 && count <= static_cast<double>(max_cells) ? Number{count} : std::nullopt;
}

}  // namespace bmsd::bms::victron_dialect
