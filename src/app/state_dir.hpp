// The only directory that is written to.
#pragma once

#include <string>

#include "model/error.hpp"

namespace bmsd::app {

/// Whether this machine runs Venus OS.
[[nodiscard]] bool on_venus();

/// Where state is kept unless the user says otherwise: /data survives a firmware update of Venus OS, /var/lib
/// elsewhere.
[[nodiscard]] std::string usual_state_dir();

/// Makes the directory and its parents if they are missing. The error (ErrorClass::config) names it and the remedy.
[[nodiscard]] Result<void> make_state_dir(const std::string& state_dir);

}  // namespace bmsd::app
