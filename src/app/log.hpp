// Messages for people: one event, one line, no floods.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <unistd.h>

#include "app/config.hpp"
#include "engine/settings.hpp"

namespace bmsd::app {

struct Log {
    Report report;
    /// Lets what was just said be said again: somebody has asked for it.
    std::function<void()> forget;
};

/// Writes messages to `fd` as "time LEVEL text". The same text is not repeated within a minute, unless another one that
/// begins with the same word was said in between, and then six times at most; how often it was held back is said with
/// its next appearance. Messages below `level`, as it is then, are left out. Nothing waits for the reader, see LogSink.
[[nodiscard]] Log make_log(std::shared_ptr<const LogLevel> level, int fd = STDERR_FILENO);

}  // namespace bmsd::app
