// What follows from a reading, and how the battery may be treated. Pure: no clock, no I/O.
#pragma once

#include <chrono>

#include "control/parameters.hpp"
#include "model/battery.hpp"

namespace bmsd::control {

/// Cell extremes, sums, temperatures and amounts of one reading (battery-logic sections 1, 3, 4, 6).
/// A cell above twice the maximum cell voltage counts as missing.
[[nodiscard]] Summary summarise(const Reading& reading, const Parameters& parameters);

/// Limits of a battery that answers: the configured maxima, 0 A in a direction whose FET is off,
/// and 0 A at all while an error in the configuration concerns the battery's safety.
void set_limits(Battery& battery, const Parameters& parameters);

/// What a silence of this length means (battery-logic section 10, "Ours"): online flag, link state,
/// cable alarm, and CCL = DCL = 0 when the loss policy says so. `poll` is the poll interval.
/// Returns true if anything changed.
bool apply_silence(Battery& battery, const Parameters& parameters, std::chrono::milliseconds silent,
                   std::chrono::milliseconds poll);

}  // namespace bmsd::control
