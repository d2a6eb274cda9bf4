#include "control/charge_voltage.hpp"

#include <algorithm>
#include <cmath>

#include "control/summary.hpp"

namespace bmsd::control {

using namespace std::chrono_literals;

namespace {

/// A battery that falls so far below its charge voltage is not full any more.
constexpr double left_absorption_v = 0.5;
/// With a controller that holds the voltage down, full means so close to the charge voltage (charge-control §10, 1).
constexpr double full_below_per_cell_v = 0.005;
constexpr double float_fall_v_per_s = 0.001;
/// Cells may be missing for so long before the float voltage is used.
constexpr auto cells_missing = 10s;
/// After this time in float the SoC rule applies even if the SoC was never above its threshold.
constexpr auto soc_rule_after = 1h;
constexpr auto between_bms_writes = 1h;
constexpr auto alarms_after_soc_reset = 30min;
constexpr double seconds_per_day = 86400;
/// A date that lies so far from where it must be was stamped before the clock was set.
constexpr double clock_was_set_s = 60;

}  // namespace

CellView view_cells(const Reading& reading, const Summary& summary, const Parameters& parameters) {
    CellView view;
    view.count = cells_in_series(reading);
    view.highest_v = summary.max_cell_v;
    view.lowest_v = summary.min_cell_v;
    const Cells& cells = reading.cell_voltages_v;
    const bool complete =
        cells.size() >= view.count &&
        std::all_of(cells.begin(), cells.begin() + static_cast<std::ptrdiff_t>(view.count),
                    [&](const Number& cell) { return plausible_cell(cell, parameters) && *cell > 0; });
    view.sum_v = complete ? summary.cell_sum_v : summary.voltage_v;
    view.usable = view.count > 0 && view.highest_v && view.lowest_v && view.sum_v;
    return view;
}

void share_out(CellView& view, const Number& pack_v) {
    if (view.count == 0 || !pack_v) return;
    view.sum_v = pack_v;
    view.highest_v = view.lowest_v = *pack_v / static_cast<double>(view.count);
    view.usable = view.shared = true;
}

ChargeEvents ChargeVoltage::step(const Input& input, const Parameters& parameters) {
    ChargeEvents events;
    request_soc_reset(input, parameters);
    set_voltages(input, parameters);
    over_voltage_.rest();
    if (!parameters.voltage.managed) {
        control_v_ = voltages_ ? Number{voltages_->highest_v} : std::nullopt;
        return events;
    }
    if (!input.cells.usable) {
        go_blind(input, events);
        return events;
    }
    blind_ = false;
    advance_absorption(input);
    decide(input, parameters, events);
    if (allow_max_)
        charge(input, parameters);
    else
        float_on(input, events);
    good_cells_at_ = input.now.steady;
    return events;
}

/// §2: how often the battery is charged to the brim.
void ChargeVoltage::request_soc_reset(const Input& input, const Parameters& parameters) {
    const auto& every = parameters.voltage.soc_reset_after_days;
    if (!every || !parameters.voltage.managed) {
        soc_reset_requested_ = false;
        return;
    }
    if (soc_reset_reached_s_ == 0 || days_since_soc_reset(input.now) > *every) soc_reset_requested_ = true;
}

/// Where no battery backs the clock it is far behind until the network is there. What happened in this run is dated
/// again when it was set; a date that still lies in the future counts from the start of the program.
double ChargeVoltage::days_since_soc_reset(Moment now) {
    const double now_s = unix_seconds(now.wall);
    if (soc_reset_seen_) {
        const double reached_s = now_s - Seconds(now.steady - *soc_reset_at_).count();
        if (std::abs(reached_s - soc_reset_reached_s_) > clock_was_set_s) soc_reset_reached_s_ = reached_s;
    }
    const double since_s = now_s - soc_reset_reached_s_;
    return (since_s >= 0 ? since_s : Seconds(now.steady - restored_at_).count()) / seconds_per_day;
}

void ChargeVoltage::set_voltages(const Input& input, const Parameters& parameters) {
    if (input.cells.count == 0) return;  // as before
    const double count = static_cast<double>(input.cells.count);
    PackVoltages volts;
    volts.lowest_v = hundredths(parameters.min_cell_v * count);
    volts.highest_v = hundredths(parameters.max_cell_v * count);
    volts.float_v = hundredths(parameters.float_cell_v * count);
    volts.soc_reset_v = hundredths(parameters.voltage.soc_reset_cell_v * count);
    volts.cell_limit_v = parameters.max_cell_v;
    const Number allowed = finite(input.reading.max_battery_voltage_v);
    const Number lowest = finite(input.reading.min_battery_voltage_v);
    // A regular SoC reset decides about the upper voltage itself (§2).
    volts.by_bms = input.bms_voltages && allowed && !parameters.voltage.soc_reset_after_days;
    if (volts.by_bms) volts.highest_v = *allowed;
    // Some that have no lower limit say 0.
    if (input.bms_voltages && lowest && *lowest > 0) volts.lowest_v = *lowest;
    // The number of cells may be a guess: never above what the BMS allows.
    if (input.cells.shared && allowed && *allowed > 0) {
        volts.highest_v = std::min(volts.highest_v, *allowed);
        volts.soc_reset_v = std::min(volts.soc_reset_v, *allowed);
    }
    volts.held_low = volts.highest_v < volts.float_v;
    volts.float_v = std::min(volts.float_v, volts.highest_v);
    if (soc_reset_requested_) {
        volts.highest_v = volts.soc_reset_v;
        volts.cell_limit_v = parameters.voltage.soc_reset_cell_v;
    }
    volts.held_v = std::min(volts.highest_v, hundredths(volts.cell_limit_v * count));
    voltages_ = volts;
}

/// The timer sums up the times between good cycles; what happened in a gap nobody knows (§10, 12).
void ChargeVoltage::advance_absorption(const Input& input) {
    const Clock::duration step = input.now.steady - timed_at_;
    timed_at_ = input.now.steady;
    if (absorbed_ && step > Clock::duration::zero() && step <= longest_step(input.poll)) *absorbed_ += step;
}

/// A cell at its limit keeps the charge voltage below what the whole battery may have.
bool ChargeVoltage::held_down() const noexcept {
    return state_ == ChargeState::bulk && over_voltage_.active() && control_v_ && *control_v_ < voltages_->highest_v;
}

/// A BMS may allow more than MAX_CELL_VOLTAGE for each cell: held there, they never sum up to it.
double ChargeVoltage::full_from_v() const noexcept {
    return held_down() ? voltages_->held_v : voltages_->highest_v;
}

bool ChargeVoltage::is_full(const Input& input) const {
    const double sum = *input.cells.sum_v;
    if (voltages_->held_low) return false;
    if (sum >= voltages_->highest_v) return true;
    return held_down() && *input.cells.highest_v >= voltages_->cell_limit_v &&
           sum >= full_from_v() - full_below_per_cell_v * static_cast<double>(input.cells.count);
}

/// Whether float must end. The SoC rule waits until the SoC has agreed once: a SoC that drifted low must not charge
/// a full battery over and over (§10, 10).
bool ChargeVoltage::wants_bulk(const Input& input, const Parameters& parameters) {
    const VoltageRules& rules = parameters.voltage;
    const Number& soc = input.soc_percent;
    const double threshold = rules.bulk_soc_percent.value_or(0);
    if (soc && *soc >= threshold) soc_rule_armed_ = true;
    if (state_ != ChargeState::none && input.now.steady - float_since_ >= soc_rule_after) soc_rule_armed_ = true;
    if (soc && *soc < threshold && soc_rule_armed_) return true;
    if (rules.bulk_diff_v && input.cells.difference_v() >= *rules.bulk_diff_v) return true;
    return soc_reset_requested_;
}

/// §4.1
void ChargeVoltage::decide(const Input& input, const Parameters& parameters, ChargeEvents& events) {
    const VoltageRules& rules = parameters.voltage;
    const double difference = input.cells.difference_v();
    full_ = allow_max_ && is_full(input);
    if (!absorbed_) {
        if (full_ && (!rules.float_diff_v || difference <= *rules.float_diff_v))
            absorbed_ = Seconds{0};
        else if (!allow_max_ && wants_bulk(input, parameters))
            allow_max_ = true;
        return;
    }
    if (rules.float_diff_v && difference > *rules.float_diff_v + rules.float_deviation_v) absorbed_ = Seconds{0};
    if (*absorbed_ > Seconds(rules.float_wait_s.value_or(0))) {
        allow_max_ = false;
        absorbed_.reset();
        const Number& soc = input.soc_percent;
        events.float_cannot_hold = soc && rules.bulk_soc_percent.value_or(0) > 0 && *soc <= *rules.bulk_soc_percent;
    } else if (*input.cells.sum_v < full_from_v() - left_absorption_v) {
        absorbed_.reset();
    }
}

/// §4.2, 4.3
void ChargeVoltage::charge(const Input& input, const Parameters& parameters) {
    const Clock::duration since = good_cells_at_ ? input.now.steady - *good_cells_at_ : Clock::duration::zero();
    const Clock::duration step = std::min<Clock::duration>(since, longest_step(input.poll));
    const double target = controller_target({.cells = input.reading.cell_voltages_v,
                                             .sum_v = *input.cells.sum_v,
                                             .highest_v = *input.cells.highest_v,
                                             .cell_limit_v = voltages_->cell_limit_v,
                                             .lowest_pack_v = voltages_->lowest_v,
                                             .highest_pack_v = voltages_->highest_v,
                                             .count = input.cells.count,
                                             .control_v = control_v_,
                                             .step_s = Seconds(step).count()},
                                            parameters);
    control_v_ = over_voltage_.follow(target, voltages_->highest_v, control_v_, parameters.voltage, input.now.steady);
    state_ = ChargeState::bulk;
}

/// The battery is full: the moment to set things right (§4.5, 3).
void ChargeVoltage::enter_float(const Input& input, ChargeEvents& events) {
    state_ = ChargeState::float_transition;
    float_from_v_ = *control_v_;
    float_since_ = input.now.steady;
    soc_rule_armed_ = false;
    events.float_entered = true;
    events.write_full_to_bms = !bms_told_full_at_ || input.now.steady - *bms_told_full_at_ >= between_bms_writes;
    if (events.write_full_to_bms) bms_told_full_at_ = input.now.steady;
}

/// §4.5
void ChargeVoltage::float_on(const Input& input, ChargeEvents& events) {
    if (soc_reset_requested_) {
        soc_reset_requested_ = false;
        soc_reset_reached_s_ = unix_seconds(input.now.wall);
        soc_reset_at_ = input.now.steady;
        soc_reset_seen_ = true;
        events.soc_reset_reached = true;
    }
    const double float_v = voltages_->float_v;
    if (!control_v_ || state_ == ChargeState::none) {
        control_v_ = float_v;
        state_ = ChargeState::floating;
        float_since_ = input.now.steady;
    } else if (state_ == ChargeState::bulk) {
        enter_float(input, events);
    } else if (state_ == ChargeState::float_transition) {
        const double fallen = float_fall_v_per_s * Seconds(input.now.steady - float_since_).count();
        control_v_ = float_from_v_ - std::min(fallen, float_from_v_ - float_v);
        if (*control_v_ <= float_v) {
            control_v_ = float_v;
            state_ = ChargeState::floating;
        }
        if (voltages_->by_bms) control_v_ = std::min(*control_v_, voltages_->highest_v);
    } else {
        control_v_ = float_v;  // as it is configured now, and as far as the BMS allows it
    }
}

/// §4.6 and §10, 8: state and timers stand still; after a while the float voltage is the safe one.
void ChargeVoltage::go_blind(const Input& input, ChargeEvents& events) {
    events.internal_error = true;
    blind_ = !good_cells_at_ || input.now.steady - *good_cells_at_ > cells_missing;
    if (blind_) control_v_ = voltages_ ? Number{voltages_->float_v} : std::nullopt;
}

std::optional<Seconds> ChargeVoltage::absorption_left(const Parameters& parameters) const {
    if (!absorbed_) return std::nullopt;
    return std::max(Seconds{0}, Seconds(parameters.voltage.float_wait_s.value_or(0)) - *absorbed_);
}

bool ChargeVoltage::high_voltage_expected(Clock::time_point now) const {
    return soc_reset_requested_ || (soc_reset_at_ && now - *soc_reset_at_ <= alarms_after_soc_reset);
}

void ChargeVoltage::restore(const Stored& stored, Moment now, const Parameters& parameters) {
    allow_max_ = stored.allow_max_voltage;
    restored_at_ = now.steady;
    soc_reset_reached_s_ = stored.soc_reset_reached_s;
    const double since_reset_s = unix_seconds(now.wall) - stored.soc_reset_reached_s;
    if (since_reset_s >= 0 && Seconds(since_reset_s) <= alarms_after_soc_reset)
        soc_reset_at_ = now.steady - std::chrono::duration_cast<Clock::duration>(Seconds(since_reset_s));
    if (!stored.absorption_began_s || !allow_max_) return;
    // A clock that was wrong then, or is now, must not end absorption (§10, 11).
    const Seconds elapsed(unix_seconds(now.wall) - *stored.absorption_began_s);
    if (elapsed < Seconds{0} || elapsed > Seconds(parameters.voltage.float_wait_s.value_or(0)) + 1h) return;
    absorbed_ = elapsed;
    timed_at_ = now.steady;
}

ChargeVoltage::Stored ChargeVoltage::stored(Moment now) const {
    Stored out;
    out.allow_max_voltage = allow_max_;
    out.soc_reset_reached_s = soc_reset_reached_s_;
    // Whole seconds: the start does not move while the timer runs.
    if (absorbed_) out.absorption_began_s = std::round(unix_seconds(now.wall) - absorbed_->count());
    return out;
}

}  // namespace bmsd::control
