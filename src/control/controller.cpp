#include "control/controller.hpp"

#include <algorithm>

#include "control/silence.hpp"
#include "control/summary.hpp"

namespace bmsd::control {
namespace {

using namespace std::chrono_literals;

/// A cable alarm ends when no poll has failed for so long.
constexpr auto cable_trusted_after = 60s;

/// battery-logic §6
void summarise_amounts(const Reading& reading, bool counted, Summary& summary) {
    const Number& capacity = summary.capacity_ah;
    const Number by_soc =
        capacity && summary.soc_percent ? Number{*capacity * *summary.soc_percent / 100} : std::nullopt;
    const Number by_bms = finite(reading.capacity_remaining_ah);
    summary.remaining_ah = counted && by_soc ? by_soc : by_bms ? by_bms : by_soc;
    summary.consumed_ah.reset();
    if (summary.remaining_ah && capacity) summary.consumed_ah = -std::abs(*capacity - *summary.remaining_ah);
}

/// The rest of a reading is looked at anew; what is expensive to make again stays.
void begin(Summary& summary) {
    Summary fresh;
    fresh.lost_inputs.swap(summary.lost_inputs);
    fresh.time_to_go_s = summary.time_to_go_s;
    fresh.time_to_soc_s = summary.time_to_soc_s;
    summary = std::move(fresh);
}

}  // namespace

void Controller::step(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
                      const Surroundings& around) {
    apply_silence(battery, parameters, 0ms, poll);
    observe(battery, parameters, now, poll, around);
    decide(battery, parameters, now, poll, around);
}

void Controller::observe(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
                         const Surroundings& around) {
    Summary& summary = battery.summary;
    begin(summary);
    const Number bms_soc = measured_.see(battery.reading, parameters, around, now.steady, summary);
    summarise_cells(battery.reading, parameters, summary);
    summarise_temperatures(battery.reading, parameters, summary);
    summary.soc_percent = soc_.see({.summary = summary,
                                    .bms_percent = bms_soc,
                                    .external_percent = around.external_soc_percent,
                                    .now = now.steady,
                                    .longest = longest_step(poll)},
                                   parameters);
    summarise_amounts(battery.reading, parameters.count_soc, summary);
    counters_.count(summary, now.steady, longest_step(poll));
}

void Controller::decide(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
                        const Surroundings& around) {
    const Reading& reading = battery.reading;
    Summary& summary = battery.summary;
    CellView cells = view_cells(reading, summary, parameters);
    cells.step_v = battery.traits.cell_step_v;
    if (battery.traits.cells_untold && !cells.highest_v && !inputs_.has_seen_cells())
        share_out(cells, summary.voltage_v);
    const ChargeEvents events =
        voltage_.step({.reading = reading,
                       .cells = cells,
                       .soc_percent = summary.soc_percent,
                       .now = now,
                       .poll = poll,
                       .bms_voltages = parameters.use_bms_voltages && battery.traits.voltage_limits},
                      parameters);
    follow(events, parameters, now);

    const LimitInputs inputs = inputs_.see(summary, parameters, now.steady);
    const CurrentLimits kind = battery.traits.current_limits;
    charge_.step({inputs, reading.max_charge_current_a, kind, reading.charge_fet, now.steady}, parameters);
    discharge_.step({inputs, reading.max_discharge_current_a, kind, reading.discharge_fet, now.steady}, parameters);
    name_lost(inputs, parameters, summary);

    set_limits(battery, parameters);
    texts_.write({.reading = reading,
                  .summary = summary,
                  .parameters = parameters,
                  .voltage = voltage_,
                  .charge = charge_,
                  .discharge = discharge_,
                  .cells = cells,
                  .now = now.steady},
                 battery.limits);
    if (battery.config_blocks) say_blocked(battery.limits);
    set_alarms(battery, parameters, now.steady);
    battery.internal_errors = errors_.too_many(now.steady);

    if (summary.current_a)
        summary.current_average_a = average_.add(*summary.current_a, now.steady, longest_step(poll), poll);
    time_to_go_.see(parameters, around.low_soc_percent, now.steady, summary);
    // What this cycle adds to the history is shown with the next one, as users of the reference know it.
    battery.history = history_.values();
    if (parameters.history) history_.step({reading, summary, parameters, now.steady}, counters_);
    if (!failed_at_ || now.steady - *failed_at_ > cable_trusted_after) battery.cable_alarm = Level::ok;
}

void Controller::follow(const ChargeEvents& events, const Parameters& parameters, Moment now) {
    if (events.float_entered) {
        history_.full(now.wall);
        soc_.set_full();
    }
    if (events.write_full_to_bms && parameters.auto_reset_soc) ++full_writes_;
    if (events.float_cannot_hold) ++doubtful_floats_;
    if (events.internal_error || events.float_cannot_hold) errors_.add(now.steady);
}

/// charge-control §4.7, 7
void Controller::set_limits(Battery& battery, const Parameters& parameters) {
    const Reading& reading = battery.reading;
    Limits& limits = battery.limits;
    const Number& control_v = voltage_.control_v();
    limits.cvl_v = control_v ? Number{hundredths(*control_v + parameters.voltage.drop_v)} : std::nullopt;
    const auto& volts = voltage_.voltages();
    const auto count = static_cast<double>(cells_in_series(reading));
    limits.max_cell_v = volts && count > 0 ? Number{thousandths(volts->highest_v / count)} : std::nullopt;
    limits.low_voltage_v = volts ? Number{volts->lowest_v} : std::nullopt;

    limits.ccl_target_a = charge_.target_a();
    limits.dcl_target_a = discharge_.target_a();
    limits.ccl_a = battery.config_blocks ? 0 : charge_.limit_a();
    limits.dcl_a = battery.config_blocks ? 0 : discharge_.limit_a();
    // An unknown switch counts as on.
    limits.allow_charge = reading.charge_fet != false && *limits.ccl_a != 0;
    limits.allow_discharge = reading.discharge_fet != false && *limits.dcl_a != 0;
    limits.allow_balance = reading.balance_fet;
    limits.allow_heat = reading.heating_enabled;
    limits.activity = *limits.allow_charge || *limits.allow_discharge ? Activity::running : Activity::standby;
}

/// The configuration contradicts itself where the battery could be harmed: monitor only.
void Controller::say_blocked(Limits& limits) {
    limits.charge_limitation = limits.discharge_limitation = "BMS";
    limits.ccl_reason = limits.dcl_reason = "an error in the configuration concerns safety";
    texts_.forget();
}

/// battery-logic §8
void Controller::set_alarms(Battery& battery, const Parameters& parameters, Clock::time_point now) {
    battery.alarms = battery.reading.alarms;
    if (voltage_.high_voltage_expected(now))
        for (const Alarm alarm : {Alarm::high_voltage, Alarm::high_cell_voltage})
            if (battery.alarms[alarm] != Level::alarm) battery.alarms.set(alarm, Level::ok);
    // The BMS judges by a state of charge that is not the one shown.
    if (parameters.count_soc) battery.alarms.set(Alarm::low_soc, std::nullopt);
    const Number& soc = battery.summary.soc_percent;
    if (battery.traits.low_soc_by_threshold && !parameters.count_soc && soc)
        battery.alarms.set(Alarm::low_soc, *soc < parameters.soc_low_alarm_percent     ? Level::alarm
                                           : *soc < parameters.soc_low_warning_percent ? Level::warning
                                                                                       : Level::ok);
    if (lost_ != 0) battery.alarms.raise(Alarm::internal_failure, Level::warning);
}

/// Which inputs are silent; only written when that changes.
void Controller::name_lost(const LimitInputs& inputs, const Parameters& parameters, Summary& summary) {
    std::uint32_t lost = 0;
    for (std::size_t i = 0; i < selectable_sensors; ++i) lost |= std::uint32_t{inputs.temperatures_c[i].lost} << i;
    constexpr std::array<const char*, 3> others = {"MOSFET", "cell voltages", "state of charge"};
    const CurrentRules &charge = parameters.charge, &discharge = parameters.discharge;
    // What no rule looks at limits nothing, and nobody could get rid of the warning.
    const std::array<bool, 3> others_lost = {inputs.mosfet_c.lost && (charge.by_mosfet || discharge.by_mosfet),
                                             inputs.highest_cell_v.lost,
                                             inputs.soc_percent.lost && (charge.by_soc || discharge.by_soc)};
    for (std::size_t i = 0; i < others.size(); ++i) lost |= std::uint32_t{others_lost[i]} << (selectable_sensors + i);
    if (lost == lost_) return;
    lost_ = lost;
    summary.lost_inputs.clear();
    const auto add = [&](const std::string& name) {
        summary.lost_inputs += (summary.lost_inputs.empty() ? "" : ", ") + name;
    };
    for (std::size_t i = 0; i < selectable_sensors; ++i)
        if (inputs.temperatures_c[i].lost) add(parameters.temperature_names[i]);
    for (std::size_t i = 0; i < others.size(); ++i)
        if (others_lost[i]) add(others[i]);
}

bool Controller::silent(Battery& battery, const Parameters& parameters, Clock::time_point now,
                        std::chrono::milliseconds silent, std::chrono::milliseconds poll) {
    failed_at_ = now;
    const bool changed = apply_silence(battery, parameters, silent, poll);
    if (!battery.online) {
        counters_.forget();
        time_to_go_.forget();
    }
    // The texts may say now that the BMS blocks.
    texts_.forget();
    return changed;
}

void Controller::restore(const Persistent& stored, const Parameters& parameters, Moment now) {
    voltage_.restore(stored.voltage, now, parameters);
    soc_.restore(stored.soc_percent);
    history_.restore(stored.history, counters_);
    counters_.discharged_ah = stored.discharged_ah;
    counters_.charged_wh = stored.charged_wh;
    counters_.discharged_wh = stored.discharged_wh;
    inputs_.restore(stored.inputs, now.steady);
}

Persistent Controller::persist(Moment now) const {
    return {.voltage = voltage_.stored(now),
            .soc_percent = soc_.percent(),
            .history = history_.stored(),
            .discharged_ah = counters_.discharged_ah,
            .charged_wh = counters_.charged_wh,
            .discharged_wh = counters_.discharged_wh,
            .inputs = inputs_.stored()};
}

}  // namespace bmsd::control
