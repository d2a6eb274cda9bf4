// What is kept of a battery, and how it is written down.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/controller.hpp"
#include "model/error.hpp"

namespace bmsd::app {

/// Everything that outlives the program.
struct BatteryState {
    std::optional<control::Persistent> control;
    std::string name;                             ///< given by the user; empty: none
    bool name_unwritten = false;                  ///< Venus OS' settings do not hold `name` yet
    std::optional<std::int32_t> device_instance;  ///< what Venus knows it by, 0..2^31-1
    /// Unix time, s: what we wrote last as LastSeen into Venus OS' settings, or who left the state there did.
    std::optional<std::int64_t> last_seen;
    std::string place;  ///< where it is, if another one tells the same serial number; else empty
    bool operator==(const BatteryState&) const = default;
};

/// As JSON; `id` is written along, and a check over everything.
[[nodiscard]] std::string to_json(const BatteryState& state, std::string_view id);

/// The error says what is wrong: not JSON, changed since it was written, not such a file, of a newer version, of
/// another battery, a value out of range. Never throws.
[[nodiscard]] Result<BatteryState> battery_state(std::string_view json, std::string_view id);

}  // namespace bmsd::app
