// `bmsd run`: the daemon.
#pragma once

#include <string>
#include <vector>

namespace bmsd::app {

/// What the command line says. Exit codes: 0 ended by a signal or nothing to do, 2 the user must
/// change something.
struct RunOptions {
    std::string config;              ///< file; empty: all defaults
    std::string bus;                 ///< D-Bus address; "none": no D-Bus; empty: the usual bus
    std::string state_dir;           ///< the only place that is written to; empty: usual_state_dir()
    std::string stats;               ///< file for the counters, written at SIGUSR1 and at the end; empty: none
    bool live = false;               ///< draw the live table on standard output
    std::vector<std::string> ports;  ///< empty: those of the configuration
};

[[nodiscard]] int run(const RunOptions& options);

}  // namespace bmsd::app
