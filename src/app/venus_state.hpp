// The state of a battery as the Python driver keeps it in Venus OS' settings: whoever changes from it, or back to it,
// keeps charge mode, state of charge and history.
#pragma once

#include "app/battery_state.hpp"
#include "venus/settings.hpp"

namespace bmsd::app {

/// AllowMaxVoltage, MaxVoltageStartTime, SocCalc, SocResetLastReached, HistoryValues (dossier "D-Bus", 3.3).
[[nodiscard]] venus::SettingValues to_settings(const control::Persistent& state);

/// What of it is stored; what is missing or makes no sense keeps its default. Empty values: an empty state.
[[nodiscard]] BatteryState from_settings(const venus::SettingValues& values);

}  // namespace bmsd::app
