// The only directory that is written to.
#pragma once

#include <string>

#include <tl/expected.hpp>

namespace bmsd::app {

/// Whether this machine runs Venus OS.
[[nodiscard]] bool on_venus();

/// Where state is kept unless the user says otherwise: /data survives a firmware update of Venus OS, /var/lib
/// elsewhere.
[[nodiscard]] std::string usual_state_dir();

/// Why nothing can be written into the state directory.
struct NoState {
    std::string detail;     ///< names it and the remedy
    bool may_pass = false;  ///< it is the disk, not the name: read-only, full or broken
};

/// Makes the directory and its parents if they are missing.
[[nodiscard]] tl::expected<void, NoState> make_state_dir(const std::string& state_dir);

}  // namespace bmsd::app
