// What somebody means by a key that does not exist.
#pragma once

#include <cstddef>
#include <string_view>

#include "app/config_keys.hpp"

namespace bmsd::app {

/// A misspelt word is this near to what was meant.
inline constexpr std::size_t likely_misspelt = 2;

/// The key that somebody means by this name; null if it is like none. A few wrong letters are forgiven, and words that
/// are left out, added or shortened: MAX_CHARGE_CURRENT means MAX_BATTERY_CHARGE_CURRENT.
[[nodiscard]] const Key* meant_by(std::string_view name);

/// Whether the value of a key of this name, known or not, is better not shown.
[[nodiscard]] bool is_secret(std::string_view name);

}  // namespace bmsd::app
