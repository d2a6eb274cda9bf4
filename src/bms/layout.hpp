// The tables that say where in an answer each quantity stands. Plain data: they are checked at
// compile time, printed by `describe`, read by the decoder and used backwards by the simulator.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/reading.hpp"

namespace bmsd::bms {

/// How a number is stored: signedness, bits, byte order.
enum class Wire : std::uint8_t { u8, i8, u16be, i16be, u16le, i16le, u32be, i32be, u32le, i32le };

/// Bytes a number of this type occupies.
[[nodiscard]] constexpr std::size_t width(Wire type) noexcept {
    switch (type) {
        case Wire::u8:
        case Wire::i8: return 1;
        case Wire::u16be:
        case Wire::i16be:
        case Wire::u16le:
        case Wire::i16le: return 2;
        default: return 4;
    }
}

/// Name as the dossiers write it, e.g. "u16le".
[[nodiscard]] std::string_view to_string(Wire type) noexcept;

/// What one step of a raw number is worth. A tenth, a hundredth and the like divide it: that gives the double nearest
/// to the decimal that the BMS means; multiplying by 0.1 does not, and rounding to even downstream would show it.
class Scale {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): tables hold plain numbers
    constexpr Scale(double step) noexcept : step_(step) {
        const double parts = step > 0 && step < 1 ? static_cast<double>(static_cast<std::int64_t>(1 / step + 0.5)) : 0;
        const double off = parts * step - 1;
        if (off < 1e-12 && off > -1e-12) parts_ = parts;
    }
    [[nodiscard]] constexpr double step() const noexcept { return step_; }
    [[nodiscard]] constexpr double of(std::int64_t raw) const noexcept {
        return parts_ > 0 ? static_cast<double>(raw) / parts_ : static_cast<double>(raw) * step_;
    }

private:
    double step_;
    double parts_ = 0;  ///< of the unit in one step; 0: not a whole number of them
};

/// One number: value = raw * scale + bias; raw == absent means "no value".
/// `at` counts from the start of the payload, or of the record where the layout has records.
struct Row {
    NumberMember to;
    std::uint16_t at;
    Wire type;
    Scale scale = 1;
    double bias = 0;
    std::optional<std::int64_t> absent = {};
    std::uint8_t record = 0;
};

/// One value per cell, `count` times, `stride` bytes apart.
struct CellRow {
    CellsMember to;
    std::uint16_t at;
    Wire type;
    Scale scale;
    std::uint8_t count;
    std::uint8_t stride;
};

/// One temperature sensor; `index` is its place in temperatures_c.
struct Sensor {
    std::uint8_t index;
    std::uint16_t at;
    Wire type;
    Scale scale = 1;
    double bias = 0;
    std::optional<std::int64_t> absent = {};
};

/// One switch: on if (raw & mask) is not 0, or the reverse if inverted.
struct FlagRow {
    FlagMember to;
    std::uint16_t at;
    Wire type = Wire::u8;
    std::uint32_t mask = 0xFFFFFFFF;
    bool inverted = false;
    std::uint8_t record = 0;
};

/// A text of fixed width: cut at the first NUL, blanks trimmed, bytes that are not UTF-8 replaced by '?'.
struct TextRow {
    TextMember to;
    std::uint16_t at;
    std::uint8_t width;
    std::uint8_t record = 0;
};

/// One bit of an alarm word.
struct AlarmBit {
    Alarm alarm;
    Level level;
    std::uint16_t at;
    Wire type;
    std::uint8_t bit;
    std::uint8_t record = 0;
};

/// A tagged part of an answer: its tag and how many bytes follow it.
struct Record {
    std::uint8_t tag;
    std::uint8_t width;
};

/// Everything the tables say of one answer.
struct Layout {
    std::uint16_t size = 0;  ///< bytes of the payload; with records: of the longest one
    std::span<const Row> rows = {};
    std::span<const CellRow> cells = {};
    std::span<const Sensor> sensors = {};
    std::span<const FlagRow> flags = {};
    std::span<const TextRow> texts = {};
    std::span<const AlarmBit> alarms = {};
    std::span<const Record> records = {};
};

/// Where each record of an answer stands; empty where it was not sent.
using Records = std::array<std::span<const std::uint8_t>, 256>;
using MutableRecords = std::array<std::span<std::uint8_t>, 256>;

/// The raw number at `bytes[at]`; the caller guarantees that it lies inside.
[[nodiscard]] std::int64_t get(std::span<const std::uint8_t> bytes, std::size_t at, Wire type) noexcept;
/// The reverse of get(): stores the low bits of `raw`.
void put(std::span<std::uint8_t> bytes, std::size_t at, Wire type, std::int64_t raw) noexcept;

/// Text from `bytes` by the rules of TextRow.
[[nodiscard]] std::string text(std::span<const std::uint8_t> bytes);

/// Fills `reading` with what the tables find in a payload of at least `layout.size` bytes.
void decode(const Layout& layout, std::span<const std::uint8_t> payload, Reading& reading);
/// The same for an answer made of tagged records; records that were not sent change nothing.
void decode(const Layout& layout, const Records& records, Reading& reading);
/// Forgets what the numbers, switches and texts of the tables said, for an answer that tells all it knows: what is
/// missing in it is not known any more.
void forget(const Layout& layout, Reading& reading);

/// The reverse of decode(), for the simulator: writes what `reading` knows, clamped to the wire type.
void encode(const Layout& layout, const Reading& reading, std::span<std::uint8_t> payload);
void encode(const Layout& layout, const Reading& reading, const MutableRecords& records);

}  // namespace bmsd::bms
