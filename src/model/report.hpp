// How any part of the house tells people what happened.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace bmsd {

/// How much a message matters.
enum class Severity : std::uint8_t { debug, info, warning, error };

/// Where messages for people go. One event, one line: what, where, what to do.
using Report = std::function<void(Severity, const std::string&)>;

}  // namespace bmsd
