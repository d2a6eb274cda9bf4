// Runs a scenario through the very logic the daemon runs, cycle by cycle.
#pragma once

#include <optional>
#include <string>

#include <boost/json.hpp>

#include "app/scenario.hpp"

namespace bmsd::app {

/// A battery that reports what a scenario says, and what is decided about it.
class ScenarioRun {
public:
    /// `scenario` and `config` must outlive the run; `config` may be another than the scenario's own.
    ScenarioRun(const Scenario& scenario, const Parsed& config);

    /// Runs the next cycle; false after the last.
    bool next();

    /// Time of the last cycle.
    [[nodiscard]] double time_s() const noexcept { return time_s_; }
    [[nodiscard]] const Battery& battery() const noexcept { return battery_; }
    [[nodiscard]] const control::Parameters& parameters() const noexcept { return parameters_; }

    /// Everything that is published, under the names of the scenario files. `t` is first.
    [[nodiscard]] boost::json::object outputs() const;
    /// Whether anything that is decided, not only measured, is new since the last call.
    [[nodiscard]] bool decided_anew();

private:
    void cycle();
    void take_inputs();
    [[nodiscard]] Moment moment() const;
    void add_limits(boost::json::object& out) const;
    void add_summary(boost::json::object& out) const;
    void add_times(boost::json::object& out) const;
    void add_history(boost::json::object& out) const;

    const Scenario& scenario_;
    control::Parameters parameters_;
    ScenarioInput input_;
    Battery battery_;
    control::Controller controller_;
    std::size_t next_step_ = 0;
    std::size_t cycle_ = 0;
    double time_s_ = 0;
    double last_good_s_ = 0;
    boost::json::object decided_;
};

}  // namespace bmsd::app
