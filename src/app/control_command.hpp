// `bmsd control`: tries a configuration on a time series, without a battery.
#pragma once

#include <string>

namespace bmsd::app {

struct ControlOptions {
    std::string scenario;      ///< JSON file
    std::string config;        ///< configuration instead of the scenario's own; may be empty
    bool every_cycle = false;  ///< a line per cycle instead of one per change
    std::string plot;          ///< SVG file to write; may be empty
    bool json = false;         ///< what is wrong as JSON as well
};

/// Prints JSON lines; returns the exit code: 0, or 2 with an explanation if a file or an option is wrong.
int control_scenario(const ControlOptions& options);

}  // namespace bmsd::app
