// How the D-Bus face tells people what happened.
#pragma once

#include <functional>
#include <string>

namespace bmsd::venus {

enum class Severity { info, warning, error };

/// Receives one sentence for the log.
using Report = std::function<void(Severity severity, const std::string& sentence)>;

}  // namespace bmsd::venus
