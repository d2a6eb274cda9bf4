#include "bms/layout.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bmsd::bms {
namespace {

struct WireFacts {
    std::string_view name;
    bool is_signed;
    bool big_endian;
};

constexpr WireFacts facts(Wire type) noexcept {
    switch (type) {
        case Wire::u8: return {"u8", false, false};
        case Wire::i8: return {"i8", true, false};
        case Wire::u16be: return {"u16be", false, true};
        case Wire::i16be: return {"i16be", true, true};
        case Wire::u16le: return {"u16le", false, false};
        case Wire::i16le: return {"i16le", true, false};
        case Wire::u32be: return {"u32be", false, true};
        case Wire::i32be: return {"i32be", true, true};
        case Wire::u32le: return {"u32le", false, false};
        case Wire::i32le: return {"i32le", true, false};
    }
    return {"?", false, false};
}

/// Raw number nearest to `value`, clamped to what the wire type can carry.
std::int64_t to_raw(double value, Scale scale, double bias, Wire type) noexcept {
    const int bits = static_cast<int>(8 * width(type));
    const double low = facts(type).is_signed ? -std::ldexp(1.0, bits - 1) : 0.0;
    const double high = std::ldexp(1.0, facts(type).is_signed ? bits - 1 : bits) - 1;
    return std::llround(std::clamp((value - bias) / scale.step(), low, high));
}

Number to_value(std::int64_t raw, Scale scale, double bias, std::optional<std::int64_t> absent) noexcept {
    if (absent && raw == *absent) return std::nullopt;
    return scale.of(raw) + bias;
}

/// Length of the valid UTF-8 sequence at `at`, 0 if there is none.
std::size_t utf8_length(std::span<const std::uint8_t> bytes, std::size_t at) noexcept {
    const std::uint8_t lead = bytes[at];
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                               : (lead & 0xF0) == 0xE0       ? 3
                               : lead >= 0xF0 && lead < 0xF5 ? 4
                                                             : 0;
    if (length == 0 || at + length > bytes.size()) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((bytes[at + i] & 0xC0) != 0x80) return 0;
    const std::uint8_t second = bytes[at + 1];
    const bool overlong_or_surrogate = (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
                                       (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F);
    return overlong_or_surrogate ? 0 : length;
}

template <class Locate>
void decode_with(const Layout& layout, Reading& reading, const Locate& locate) {
    for (const Row& row : layout.rows)
        if (const auto bytes = locate(row.record); !bytes.empty())
            reading.*row.to = to_value(get(bytes, row.at, row.type), row.scale, row.bias, row.absent);
    for (const FlagRow& row : layout.flags)
        if (const auto bytes = locate(row.record); !bytes.empty())
            reading.*row.to =
                ((static_cast<std::uint64_t>(get(bytes, row.at, row.type)) & row.mask) != 0) != row.inverted;
    for (const TextRow& row : layout.texts)
        if (const auto bytes = locate(row.record); !bytes.empty()) {
            std::string value = text(bytes.subspan(row.at, row.width));
            if (value.empty())
                (reading.*row.to).reset();
            else
                reading.*row.to = std::move(value);
        }
    const AlarmBit* word = nullptr;  // the row whose number is in `raw`: the next bit is often one of the same
    std::int64_t raw = 0;
    for (const AlarmBit& row : layout.alarms)
        if (const auto bytes = locate(row.record); !bytes.empty()) {
            if (!word || word->at != row.at || word->type != row.type || word->record != row.record)
                raw = get(bytes, row.at, row.type);
            word = &row;
            reading.alarms.known(row.alarm);
            if ((raw >> row.bit) & 1) reading.alarms.raise(row.alarm, row.level);
        }
}

template <class Locate>
void encode_with(const Layout& layout, const Reading& reading, const Locate& locate) {
    for (const Row& row : layout.rows)
        if (const auto bytes = locate(row.record); !bytes.empty()) {
            if (const Number& value = reading.*row.to)
                put(bytes, row.at, row.type, to_raw(*value, row.scale, row.bias, row.type));
            else if (row.absent)
                put(bytes, row.at, row.type, *row.absent);
        }
    for (const FlagRow& row : layout.flags)
        if (const auto bytes = locate(row.record); !bytes.empty())
            if (const Flag& value = reading.*row.to) {
                // The lowest bit of the mask alone: a plain boolean byte is 1, not 255.
                const std::uint32_t lowest = row.mask & (~row.mask + 1);
                auto raw = static_cast<std::uint64_t>(get(bytes, row.at, row.type)) & ~std::uint64_t{row.mask};
                if (*value != row.inverted) raw |= lowest;
                put(bytes, row.at, row.type, static_cast<std::int64_t>(raw));
            }
    for (const TextRow& row : layout.texts)
        if (const auto bytes = locate(row.record); !bytes.empty())
            if (const Text& value = reading.*row.to) {
                const auto field = bytes.subspan(row.at, row.width);
                const std::size_t length = std::min(value->size(), field.size());
                std::copy_n(value->begin(), length, field.begin());
                std::fill(field.begin() + static_cast<std::ptrdiff_t>(length), field.end(), std::uint8_t{0});
            }
    for (const AlarmBit& row : layout.alarms)
        if (const auto bytes = locate(row.record); !bytes.empty()) {
            // Several bits may mean the same alarm; the first that carries the level stands for it.
            const bool first = std::none_of(layout.alarms.begin(), layout.alarms.end(), [&](const AlarmBit& other) {
                return &other < &row && other.alarm == row.alarm && other.level == row.level;
            });
            if (first && reading.alarms[row.alarm] == row.level)
                put(bytes, row.at, row.type, get(bytes, row.at, row.type) | (std::int64_t{1} << row.bit));
        }
}

}  // namespace

std::string_view to_string(Wire type) noexcept {
    return facts(type).name;
}

std::int64_t get(std::span<const std::uint8_t> bytes, std::size_t at, Wire type) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(bytes[at + i]); };
    const auto big = [&](std::size_t i) { return byte(i) << 8 | byte(i + 1); };
    const auto little = [&](std::size_t i) { return byte(i + 1) << 8 | byte(i); };
    switch (type) {
        case Wire::u8: return byte(0);
        case Wire::i8: return static_cast<std::int8_t>(byte(0));
        case Wire::u16be: return big(0);
        case Wire::i16be: return static_cast<std::int16_t>(big(0));
        case Wire::u16le: return little(0);
        case Wire::i16le: return static_cast<std::int16_t>(little(0));
        case Wire::u32be: return big(0) << 16 | big(2);
        case Wire::i32be: return static_cast<std::int32_t>(big(0) << 16 | big(2));
        case Wire::u32le: return little(2) << 16 | little(0);
        case Wire::i32le: return static_cast<std::int32_t>(little(2) << 16 | little(0));
    }
    return 0;
}

void put(std::span<std::uint8_t> bytes, std::size_t at, Wire type, std::int64_t raw) noexcept {
    const std::size_t size = width(type);
    const bool big = facts(type).big_endian;
    for (std::size_t i = 0; i < size; ++i) {
        bytes[at + (big ? size - 1 - i : i)] = static_cast<std::uint8_t>(raw & 0xFF);
        raw >>= 8;
    }
}

std::string text(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (std::size_t at = 0; at < bytes.size() && bytes[at] != 0;) {
        const std::size_t length = utf8_length(bytes, at);
        if (length == 0 || (length == 1 && (bytes[at] < 0x20 || bytes[at] == 0x7F)))
            out += '?', ++at;
        else
            for (std::size_t i = 0; i < length; ++i) out += static_cast<char>(bytes[at++]);
    }
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

void decode(const Layout& layout, std::span<const std::uint8_t> payload, Reading& reading) {
    decode_with(layout, reading, [&](std::uint8_t) { return payload; });
    for (const CellRow& row : layout.cells) {
        auto& list = reading.*row.to;
        list.clear();
        for (std::size_t i = 0; i < row.count; ++i)
            list.push_back(to_value(get(payload, row.at + i * row.stride, row.type), row.scale, 0, {}));
    }
    for (const Sensor& row : layout.sensors) {
        auto& list = reading.temperatures_c;
        if (list.size() <= row.index) list.resize(row.index + std::size_t{1});
        list[row.index] = to_value(get(payload, row.at, row.type), row.scale, row.bias, row.absent);
    }
}

void decode(const Layout& layout, const Records& records, Reading& reading) {
    decode_with(layout, reading, [&](std::uint8_t record) { return records[record]; });
}

void forget(const Layout& layout, Reading& reading) {
    for (const Row& row : layout.rows) (reading.*row.to).reset();
    for (const FlagRow& row : layout.flags) (reading.*row.to).reset();
    for (const TextRow& row : layout.texts) (reading.*row.to).reset();
}

void encode(const Layout& layout, const Reading& reading, std::span<std::uint8_t> payload) {
    encode_with(layout, reading, [&](std::uint8_t) { return payload; });
    for (const CellRow& row : layout.cells) {
        const auto& list = reading.*row.to;
        for (std::size_t i = 0; i < row.count && i < list.size(); ++i)
            if (list[i]) put(payload, row.at + i * row.stride, row.type, to_raw(*list[i], row.scale, 0, row.type));
    }
    for (const Sensor& row : layout.sensors) {
        const bool present = row.index < reading.temperatures_c.size() && reading.temperatures_c[row.index];
        if (present)
            put(payload, row.at, row.type, to_raw(*reading.temperatures_c[row.index], row.scale, row.bias, row.type));
        else if (row.absent)
            put(payload, row.at, row.type, *row.absent);
    }
}

void encode(const Layout& layout, const Reading& reading, const MutableRecords& records) {
    encode_with(layout, reading, [&](std::uint8_t record) { return records[record]; });
}

}  // namespace bmsd::bms
