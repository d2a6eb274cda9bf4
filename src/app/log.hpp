// Messages for people: one event, one line, no floods.
#pragma once

#include <string>

#include "app/config.hpp"
#include "engine/settings.hpp"

namespace bmsd::app {

/// Writes messages to standard error as "time LEVEL text". The same text is not repeated within a minute; how
/// often it was held back is said with its next appearance.
[[nodiscard]] Report make_log(LogLevel level);

}  // namespace bmsd::app
