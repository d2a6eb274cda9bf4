// What it means when a battery does not answer.
#pragma once

#include <chrono>

#include "control/parameters.hpp"
#include "model/battery.hpp"

namespace bmsd::control {

/// Values are old after this long: 10 s, or two polls if that is longer.
[[nodiscard]] std::chrono::milliseconds stale_limit(std::chrono::milliseconds poll) noexcept;

/// How long a silent battery may go on with its last limits: by its last cells, and by what the user decided. After
/// that CCL = DCL = 0.
[[nodiscard]] std::chrono::seconds tolerated_silence(const Battery& battery, const Parameters& parameters);

/// What a silence of this length means (battery-logic §10, "ours"): online flag, link state, cable alarm (raised only),
/// values that are not to be shown, and CCL = DCL = 0 when the loss policy says so. `poll` is the poll interval.
/// Returns true if anything changed.
bool apply_silence(Battery& battery, const Parameters& parameters, std::chrono::milliseconds silent,
                   std::chrono::milliseconds poll);

}  // namespace bmsd::control
