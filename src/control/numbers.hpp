// Numbers and times that several rules need.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

#include "model/battery.hpp"
#include "model/decimals.hpp"

namespace bmsd::control {

using Seconds = std::chrono::duration<double>;

/// Rounded to two decimals: voltages of packs.
[[nodiscard]] inline double hundredths(double value) {
    return round_to(value, 2);
}
/// Rounded to three decimals: currents, cells.
[[nodiscard]] inline double thousandths(double value) {
    return round_to(value, 3);
}

/// NaN and infinity are no values.
[[nodiscard]] inline Number finite(const Number& value) {
    return value && std::isfinite(*value) ? value : std::nullopt;
}

/// Between two polls further apart than this nobody knows what happened: nothing is counted or timed over the gap.
[[nodiscard]] inline std::chrono::milliseconds longest_step(std::chrono::milliseconds poll) {
    return std::max<std::chrono::milliseconds>(std::chrono::seconds(10), 5 * poll);
}

/// Unix time in seconds.
[[nodiscard]] inline double unix_seconds(std::chrono::system_clock::time_point wall) {
    return std::chrono::duration_cast<Seconds>(wall.time_since_epoch()).count();
}

}  // namespace bmsd::control
