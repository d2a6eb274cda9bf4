// Changing something in a BMS because a person asked for it.
#pragma once

#include "engine/dialogue.hpp"

namespace bmsd::engine {

/// What became of an order.
struct Done {
    bool seen = false;  ///< a reading taken afterwards shows the effect
    Reading after;      ///< that reading
};

/// Who is to be changed.
struct Patient {
    const bms::Family& family;
    std::uint32_t address = 0;
    bms::Options options;
};

/// Reads the battery, checks whether the control may be used now, sends its steps once each, leaves what must be left,
/// and reads the battery again. `local_time_s`: see bms::Asking. Errors: refused (not allowed now, or the BMS said no),
/// or those of the wire; their text says what was and what was not sent.
[[nodiscard]] Task<Result<Done>> carry_out(Dialogue& dialogue, Patient patient, const bms::Control& control,
                                           double value, std::int64_t local_time_s);

/// The control of this name (any case); null if the family has none.
[[nodiscard]] const bms::Control* find_control(const bms::Family& family, std::string_view name) noexcept;

/// How a person's order is called among the controls of a family; empty for one that does not go to the BMS.
[[nodiscard]] std::string_view control_name(Order order) noexcept;

/// Seconds since 1970-01-01 of the local clock and calendar, for a BMS whose clock is set along.
[[nodiscard]] std::int64_t local_time_s();

/// Understands "on", "off", "80", "80%" for a control; the error says what it takes.
[[nodiscard]] Result<double> parse_value(const bms::Control& control, std::string_view text);

}  // namespace bmsd::engine
