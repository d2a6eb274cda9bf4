// Messages for people: one event, one line, no floods.
#pragma once

#include <memory>
#include <string>

#include "app/config.hpp"
#include "engine/settings.hpp"

namespace bmsd::app {

/// Writes messages to standard error as "time LEVEL text". The same text is not repeated within a minute; how
/// often it was held back is said with its next appearance. Messages below `level`, as it is then, are left out.
[[nodiscard]] Report make_log(std::shared_ptr<const LogLevel> level);

}  // namespace bmsd::app
