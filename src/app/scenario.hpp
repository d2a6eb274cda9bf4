// A time series for the control logic, as a JSON file: what a battery reports, and when it changes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "app/config.hpp"
#include "control/controller.hpp"
#include "model/error.hpp"

namespace bmsd::app {

/// Larger files are refused.
inline constexpr std::size_t max_scenario_file = 32U << 20;
/// So many cycles are run at most: a week at one a second has 604 800.
inline constexpr double max_scenario_cycles = 10e6;

/// Inputs that change at a time; they hold until changed again.
struct ScenarioStep {
    double t_s = 0;
    boost::json::object in;
};

struct Scenario {
    Parsed config;       ///< from its keys; see parse_scenario
    double dt_s = 1;     ///< a cycle each
    double end_s = 0;    ///< time of the last cycle
    double epoch_s = 0;  ///< wall clock at 0
    Reading first;       ///< number of cells, capacity
    control::Persistent restored;
    Number low_soc_percent;           ///< where the energy manager stops discharging
    std::vector<ScenarioStep> steps;  ///< in order of time
};

/// Values of one moment, as the scenario gives them.
struct ScenarioInput {
    Reading reading;
    control::Surroundings around;
    bool online = true;
    Number set_soc;         ///< in this cycle only
    int clear_history = 0;  ///< in this cycle only
};

/// Parses the text of a scenario. Errors (malformed, config) name the key, what it should hold, and the step.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text);

/// Reads and parses a file. Errors: as above, and config if it cannot be read.
[[nodiscard]] Result<Scenario> read_scenario(const std::string& path);

/// Takes over the inputs of a step; what is wrong with them, empty if nothing.
[[nodiscard]] std::string apply(const boost::json::object& in, ScenarioInput& input);

}  // namespace bmsd::app
