// Batteries as the recorded trees saw them, put together by hand.
#pragma once

#include "model/battery.hpp"

namespace bmsd::test {

/// The JK PB of jkpb-default.json: 16 cells, 4 sensors, discharging.
[[nodiscard]] Battery jk_discharging();
/// The JK PB of jkpb-charging-alarms.json: charging, balancing, alarms.
[[nodiscard]] Battery jk_charging_with_alarms();
/// The battery does not answer any more.
void fall_silent(Battery& battery);

}  // namespace bmsd::test
