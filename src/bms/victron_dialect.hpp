// What batteries that speak Victron's CAN-BMS dialect have in common. Facts: dossiers lltjbd_can §3, §7 and
// pylontech §5A.
#pragma once

#include <array>
#include <span>

#include "bms/can.hpp"
#include "bms/cell_count.hpp"

namespace bmsd::bms::victron_dialect {

inline constexpr std::uint32_t keep_alive_id = 0x305;

/// Two bits of frame 0x35A: their place in the four bytes of the alarms, and in the four of the warnings behind them.
struct Pair {
    std::uint8_t bit;
    Alarm alarm;
};

/// 01 is active, 10 inactive; 00 and 11 tell nothing.
void take_pairs(std::span<const Pair> pairs, std::span<const std::uint8_t> data, Reading& reading);
/// The reverse.
void put_pairs(std::span<const Pair> pairs, const Alarms& alarms, std::span<std::uint8_t> data);

/// True if every byte is a letter, a digit and the like, or zero (dossier pylontech §5A).
[[nodiscard]] bool is_text(std::span<const std::uint8_t> data) noexcept;

/// A text of 16 characters in two frames, zeros at the end of each half dropped, trimmed. Nothing before both are
/// there: a serial number must not be told by halves.
void take_halves(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second, Text& text);
/// One half of such a text into a frame.
void put_half(const Text& text, std::size_t part, CanFrame& frame);

/// Frame 0x35F, bytes 2 and 3: the version as "0x0C04".
std::string_view take_firmware(std::size_t part, const Asking& asking, std::span<const std::uint8_t> data,
                               Reading& reading);

// ---- frames that all of them send alike -----------------------------------------------------------
inline constexpr std::array charge_rows = {
    Row{&Reading::soh_percent, 2, Wire::u16le},
};
inline constexpr std::array values_sensors = {
    Sensor{0, 4, Wire::i16le, 0.1},
};
inline constexpr std::array capacity_rows = {
    Row{&Reading::capacity_ah, 0, Wire::u16le, 1, 0, 0},
};

[[nodiscard]] constexpr CanMessage message(std::string_view name, std::string_view meaning, std::uint32_t id,
                                           Layout layout, TakeFrame take = nullptr, EncodeFrame encode = nullptr) {
    return {.name = name, .meaning = meaning, .id = id, .layout = layout, .take = take, .encode = encode};
}
/// Sixteen characters in two frames.
[[nodiscard]] constexpr CanMessage two_halves(CanMessage one, std::uint32_t between) {
    one.parts = 2;
    one.per_part = between;
    one.valid = milliseconds{60000};
    return one;
}
/// What belongs to one cycle of the battery.
[[nodiscard]] constexpr CanMessage of_cycle(CanMessage one, Need need = Need::optional) {
    one.cyclic = true;
    one.need = need;
    return one;
}

// ---- who else is there ----------------------------------------------------------------------------
inline constexpr std::array marks = {
    CanMark{{keep_alive_id, 0x7FF, false}, false, "another host (inverter or GX) is on the bus"},
    CanMark{{0x0C0, 0x7FF, false}, true, "a Valence U-BMS is on this bus, whose cells have the same ids"},
};

/// No other node says that somebody is there. Only for families with these marks.
[[nodiscard]] bool nobody_else(const CanView& view);

/// As the monitor on this bus we say every second that somebody is there, unless another node already does
/// (dossier pylontech §4A).
inline constexpr std::array questions = {
    CanQuestion{.name = "keep-alive",
                .meaning = "somebody is here",
                .id = keep_alive_id,
                .when = When::sometimes,
                .period = milliseconds{1000},
                .wanted = nobody_else},
};

}  // namespace bmsd::bms::victron_dialect
