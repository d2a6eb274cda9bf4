#include "app/scenario_run.hpp"

#include <charconv>
#include <cmath>

#include "app/history_json.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using Milliseconds = std::chrono::milliseconds;

// Values of /State and /ErrorCode.
constexpr int state_error = 10;
constexpr int error_configuration = 119, error_internal = 8;

/// Rounded as printed: 13.305 is a little less than that, and becomes 13.3.
json::value number(const Number& value, int decimals = 6) {
    if (!value) return nullptr;
    char text[400];
    const auto written = std::to_chars(text, text + sizeof text, *value, std::chars_format::fixed, decimals);
    double rounded = 0;
    std::from_chars(text, written.ptr, rounded);
    return rounded == 0 ? 0.0 : rounded;
}
json::value flag(const Flag& value) {
    return value ? json::value(*value ? 1 : 0) : json::value(nullptr);
}
json::value words(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}
json::value level(std::optional<Level> value) {
    return value ? json::value(static_cast<int>(*value)) : json::value(nullptr);
}
json::value cell_id(std::size_t cell) {
    return cell > 0 ? json::value("C" + std::to_string(cell)) : json::value(nullptr);
}

Milliseconds milliseconds(double seconds) {
    return Milliseconds(std::llround(seconds * 1000));
}

}  // namespace

ScenarioRun::ScenarioRun(const Scenario& scenario, const Parsed& config)
    : scenario_(scenario), parameters_(config.config.control) {
    // What a scenario gives as the battery's limits is meant for the driver.
    parameters_.use_bms_voltages = true;
    battery_.traits.voltage_limits = true;
    input_.reading = scenario.first;
    input_.around.low_soc_percent = scenario.low_soc_percent;
    battery_.config_error = config.has(Problem::Kind::error);
    battery_.config_blocks = config.has(Problem::Kind::safety);
    // The reading by which the battery was found: one cycle before the first, nothing is decided.
    time_s_ = -scenario.dt_s;
    controller_.restore(scenario.restored, parameters_, moment());
    for (const ScenarioStep& step : scenario.steps)
        if (step.t_s <= 0) static_cast<void>(apply(step.in, input_));
    battery_.reading = input_.reading;
    controller_.observe(battery_, parameters_, moment(), milliseconds(scenario.dt_s), input_.around);
}

Moment ScenarioRun::moment() const {
    Moment now;
    now.steady = Clock::time_point(std::chrono::hours(24 * 365)) + milliseconds(time_s_);
    now.wall = std::chrono::system_clock::time_point(milliseconds(scenario_.epoch_s + time_s_));
    return now;
}

bool ScenarioRun::next() {
    const double t = static_cast<double>(cycle_) * scenario_.dt_s;
    if (t > scenario_.end_s + 1e-9) return false;
    ++cycle_;
    time_s_ = t;
    take_inputs();
    cycle();
    return true;
}

void ScenarioRun::take_inputs() {
    input_.set_soc.reset();
    input_.clear_history = 0;
    for (; next_step_ < scenario_.steps.size() && scenario_.steps[next_step_].t_s <= time_s_ + 1e-9; ++next_step_)
        static_cast<void>(apply(scenario_.steps[next_step_].in, input_));
}

void ScenarioRun::cycle() {
    const Milliseconds poll = milliseconds(scenario_.dt_s);
    if (input_.set_soc) controller_.set_soc(*input_.set_soc);
    if (input_.clear_history != 0) controller_.clear_history(input_.clear_history);
    if (!input_.online) {
        controller_.silent(battery_, parameters_, moment().steady, milliseconds(time_s_ - last_good_s_), poll);
        return;
    }
    last_good_s_ = time_s_;
    ++battery_.link.polls;
    battery_.reading = input_.reading;
    controller_.step(battery_, parameters_, moment(), poll, input_.around);
}

bool ScenarioRun::decided_anew() {
    json::object now;
    add_limits(now);
    for (const char* sentence : {"cvl_reason", "ccl_reason", "dcl_reason", "next_mode"}) now.erase(sentence);
    if (now == decided_) return false;
    decided_ = std::move(now);
    return true;
}

json::object ScenarioRun::outputs() const {
    json::object out{{"t", time_s_}};
    add_limits(out);
    add_summary(out);
    add_times(out);
    add_history(out);
    return out;
}

void ScenarioRun::add_limits(json::object& out) const {
    const Limits& limits = battery_.limits;
    out["cvl_v"] = number(limits.cvl_v);
    out["ccl_a"] = number(limits.ccl_a);
    out["dcl_a"] = number(limits.dcl_a);
    out["ccl_target_a"] = number(limits.ccl_target_a);
    out["dcl_target_a"] = number(limits.dcl_target_a);
    out["charge_mode"] = words(limits.charge_mode);
    out["charge_limitation"] = words(limits.charge_limitation);
    out["discharge_limitation"] = words(limits.discharge_limitation);
    out["cvl_reason"] = words(limits.cvl_reason);
    out["ccl_reason"] = words(limits.ccl_reason);
    out["dcl_reason"] = words(limits.dcl_reason);
    out["next_mode"] = words(limits.next_mode);
    out["allow_to_charge"] = flag(limits.allow_charge);
    out["allow_to_discharge"] = flag(limits.allow_discharge);
    out["allow_to_balance"] = flag(limits.allow_balance);
    out["max_charge_cell_voltage_v"] = number(limits.max_cell_v);
    out["state"] = battery_.config_error ? state_error : static_cast<int>(limits.activity);
    out["error_code"] = battery_.internal_errors ? json::value(error_internal)
                        : battery_.config_error  ? json::value(error_configuration)
                                                 : json::value(0);
    out["soc_reset_triggers"] = controller_.full_writes();
    out["online"] = battery_.online ? 1 : 0;
    out["bms_cable_alarm"] = static_cast<int>(battery_.cable_alarm);
    out["high_voltage_alarm"] = level(battery_.alarms[Alarm::high_voltage]);
    out["high_cell_voltage_alarm"] = level(battery_.alarms[Alarm::high_cell_voltage]);
    out["lost_inputs"] = words(battery_.summary.lost_inputs);
}

void ScenarioRun::add_summary(json::object& out) const {
    const Summary& summary = battery_.summary;
    const auto live = [&](const Number& value) { return number(battery_.online ? value : std::nullopt, 2); };
    out["voltage_v"] = live(summary.voltage_v);
    out["current_a"] = live(summary.current_a);
    out["power_w"] = live(summary.power_w);
    out["soc_percent"] = number(summary.soc_percent, 2);
    out["min_cell_v"] = number(summary.min_cell_v);
    out["max_cell_v"] = number(summary.max_cell_v);
    out["min_cell_id"] = cell_id(summary.min_cell);
    out["max_cell_id"] = cell_id(summary.max_cell);
    out["cell_sum_v"] = number(summary.cell_sum_v, 2);
    out["cell_diff_v"] = number(summary.cell_diff_v, 3);
    out["mid_voltage_v"] = number(summary.mid_voltage_v);
    out["mid_voltage_deviation_percent"] = number(summary.mid_deviation_percent);
    const auto sensor = [&](std::size_t place) {
        return place > 0 && place <= parameters_.temperature_names.size()
                   ? words(parameters_.temperature_names[place - 1])
                   : json::value(nullptr);
    };
    out["temperature_c"] = number(summary.temperature_c, 1);
    out["min_temperature_c"] = number(summary.min_temperature_c);
    out["max_temperature_c"] = number(summary.max_temperature_c);
    out["min_temperature_id"] = sensor(summary.min_sensor);
    out["max_temperature_id"] = sensor(summary.max_sensor);
    out["capacity_remaining_ah"] = number(summary.remaining_ah, 3);
    out["consumed_ah"] = number(summary.consumed_ah, 3);
    out["current_avg_a"] = number(summary.current_average_a);
}

void ScenarioRun::add_times(json::object& out) const {
    const Summary& summary = battery_.summary;
    out["ttg_s"] = number(summary.time_to_go_s, 0);
    const control::TimeRules& rules = parameters_.times;
    for (std::size_t i = 0; i < rules.to_soc_percent.size(); ++i) {
        const Number time = i < summary.time_to_soc_s.size() ? summary.time_to_soc_s[i] : std::nullopt;
        json::value& value = out["time_to_soc_" + std::to_string(rules.to_soc_percent[i])];
        if (!time) continue;
        const std::string seconds = std::to_string(std::llround(*time));
        const std::string text = duration_text(std::chrono::seconds(std::llround(*time)));
        value = rules.to_soc_format == 1 ? seconds : rules.to_soc_format == 2 ? text : seconds + " [" + text + "]";
    }
}

void ScenarioRun::add_history(json::object& out) const {
    for (const HistoryQuantity& quantity : history_quantities()) {
        Number value = battery_.history.*quantity.member;
        if (value && quantity.member == &History::last_full_charge_s) value = scenario_.epoch_s + time_s_ - *value;
        if (value && quantity.negative) value = -*value;
        out["history_" + std::string(quantity.published)] = number(value);
    }
}

}  // namespace bmsd::app
