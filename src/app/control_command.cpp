#include "app/control_command.hpp"

#include <cstdio>
#include <optional>

#include "app/complain.hpp"
#include "app/control_plot.hpp"
#include "app/reading_json.hpp"
#include "app/scenario_run.hpp"

namespace bmsd::app {
namespace {

/// What is wrong with a configuration is told, and then it is followed as the daemon would.
void tell(const Parsed& config, const std::string& file) {
    for (const Problem& problem : config.problems)
        if (problem.kind >= Problem::Kind::warning)
            std::fprintf(stderr, "bmsd control: %s\n", to_string(problem, file).c_str());
}

}  // namespace

int control_scenario(const ControlOptions& options) {
    const auto refuse = [&](const std::string& file, const std::string& what) {
        return complain("bmsd control", file + ": " + what, options.json);
    };
    const auto scenario = read_scenario(options.scenario);
    if (!scenario) return refuse(options.scenario, scenario.error().detail);
    std::optional<Parsed> own;
    if (!options.config.empty()) {
        own = read_config(options.config);
        if (!own->readable) return refuse(options.config, own->problems.front().text);
    }
    const Parsed& config = own ? *own : scenario->config;
    tell(config, own ? options.config : options.scenario + ": key \"config\"");

    ScenarioRun run(*scenario, config);
    std::optional<ControlPlot> plot;
    if (!options.plot.empty()) plot.emplace(scenario->end_s);
    while (run.next()) {
        if (options.every_cycle || run.decided_anew()) std::printf("%s\n", to_text(run.outputs()).c_str());
        if (plot) plot->add(run.time_s(), run.battery());
    }
    if (!plot) return 0;
    const std::string wrong = plot->save(options.plot);
    return wrong.empty() ? 0 : refuse(options.plot, wrong);
}

}  // namespace bmsd::app
