#include "control/current_limits.hpp"

#include <algorithm>

namespace bmsd::control {
namespace {

/// Where step mode puts a limit of 0, per direction (charge-control §5.1).
struct StepSides {
    StepSide cell, temperature, mosfet, soc;
};
constexpr StepSides charge_sides = {StepSide::lower_x, StepSide::lower_x, StepSide::lower_x, StepSide::upper_x};
constexpr StepSides discharge_sides = {StepSide::upper_x, StepSide::upper_x, StepSide::lower_x, StepSide::upper_x};

/// Rounded down: a limit is never exceeded, not even by half a milliampere. What is whole but for the last bits stays.
double whole_milliamperes(double limit_a) {
    return std::floor(limit_a * 1000 + 1e-6) / 1000;
}

}  // namespace

LimitInputs LimitInputMemory::see(const Summary& summary, const Parameters& parameters, Clock::time_point now) {
    LimitInputs out;
    out.highest_cell_v = highest_cell_v_.see(summary.max_cell_v, now);
    out.lowest_cell_v = lowest_cell_v_.see(summary.min_cell_v, now);
    out.mosfet_c = mosfet_c_.see(summary.mosfet_temperature_c, now);
    out.soc_percent = soc_percent_.see(summary.soc_percent, now);
    bool one_delivers = false;
    const auto& sources = parameters.temperature_sources;
    for (std::size_t i = 0; i < selectable_sensors; ++i) {
        if (std::find(sources.begin(), sources.end(), static_cast<int>(i + 1)) == sources.end()) {
            temperatures_c_[i].forget();
            continue;
        }
        const Number sensor = i < summary.temperatures_c.size() ? summary.temperatures_c[i] : std::nullopt;
        one_delivers |= sensor.has_value();
        out.temperatures_c[i] = temperatures_c_[i].see(sensor, now);
    }
    // While another sensor watches the battery, a dead one stops counting.
    if (one_delivers)
        for (HeldInput::Seen& seen : out.temperatures_c)
            if (seen.lost) seen.value.reset();
    return out;
}

void LimitInputMemory::restore(const Stored& stored, Clock::time_point now) {
    highest_cell_v_.restore(stored.highest_cell_v, now);
    lowest_cell_v_.restore(stored.lowest_cell_v, now);
    mosfet_c_.restore(stored.mosfet_c, now);
    soc_percent_.restore(stored.soc_percent, now);
    for (std::size_t i = 0; i < selectable_sensors; ++i) temperatures_c_[i].restore(stored.temperatures_c[i], now);
}

LimitInputMemory::Stored LimitInputMemory::stored() const {
    Stored out{.highest_cell_v = highest_cell_v_.last(),
               .lowest_cell_v = lowest_cell_v_.last(),
               .temperatures_c = {},
               .mosfet_c = mosfet_c_.last(),
               .soc_percent = soc_percent_.last()};
    for (std::size_t i = 0; i < selectable_sensors; ++i) out.temperatures_c[i] = temperatures_c_[i].last();
    return out;
}

void CurrentLimit::step(const Input& input, const Parameters& parameters) {
    const CurrentRules& rules = direction_ == Direction::charge ? parameters.charge : parameters.discharge;
    find_target(input, rules, static_cast<CurveShape>(parameters.curve_shape));
    follow(rules, input.now);
}

/// §5: the smallest of all limits.
void CurrentLimit::find_target(const Input& input, const CurrentRules& rules, CurveShape shape) {
    const bool charging = direction_ == Direction::charge;
    const StepSides& sides = charging ? charge_sides : discharge_sides;
    const LimitInputs& inputs = input.inputs;
    const auto by_curve = [&](Rule rule, const HeldInput::Seen& seen, const Curve& curve, StepSide side,
                              std::size_t sensor = 0) {
        if (seen.value)
            consider(rule, seen, fraction_at(curve, shape, side, *seen.value) * rules.max_a * seen.share, sensor);
    };

    target_a_ = rules.max_a;
    deciding_ = {};
    deciding_[static_cast<std::size_t>(Rule::maximum)] = true;
    value_.reset();
    bms_limit_a_ = rules.max_a;
    if (input.bms_limits != CurrentLimits::followed) bms_said_a_.reset();
    if (const Number limit = finite(input.bms_limit_a); limit && input.bms_limits != CurrentLimits::informing)
        bms_said_a_ = std::max(0.0, *limit);
    if (bms_said_a_) {
        bms_limit_a_ = *bms_said_a_;
        consider(Rule::bms_setting, {}, bms_limit_a_);
    }
    if (rules.by_cell)
        by_curve(Rule::cell_voltage, charging ? inputs.highest_cell_v : inputs.lowest_cell_v, rules.cell_v, sides.cell);
    if (rules.by_temperature)
        for (std::size_t i = 0; i < selectable_sensors; ++i)
            by_curve(Rule::temperature, inputs.temperatures_c[i], rules.temperature_c, sides.temperature, i + 1);
    if (rules.by_mosfet) by_curve(Rule::mosfet, inputs.mosfet_c, rules.mosfet_c, sides.mosfet);
    if (rules.by_soc) by_curve(Rule::soc, inputs.soc_percent, rules.soc_percent, sides.soc);
    if (input.bms_switch == false) consider(Rule::bms_switch, {}, 0);
    target_a_ = whole_milliamperes(target_a_);
}

/// Equal limits are named together, except beside the maximum and beside what is set in the BMS.
void CurrentLimit::consider(Rule rule, const HeldInput::Seen& seen, double allowed_a, std::size_t sensor) {
    if (allowed_a > target_a_) return;
    if (allowed_a == target_a_) {
        const bool alone = decides(Rule::maximum) || allowed_a == bms_limit_a_;
        if (!alone) deciding_[static_cast<std::size_t>(rule)] = true;
        return;
    }
    target_a_ = allowed_a;
    deciding_ = {};
    deciding_[static_cast<std::size_t>(rule)] = true;
    value_ = seen.value;
    value_lost_ = seen.lost;
    sensor_ = sensor;
}

Rule CurrentLimit::rule() const noexcept {
    const auto found = std::find(deciding_.begin(), deciding_.end(), true);
    return static_cast<Rule>(found - deciding_.begin());
}

/// §6, without the throttle.
void CurrentLimit::follow(const CurrentRules& rules, Clock::time_point now) {
    const bool recovering = limit_a_ && target_a_ > *limit_a_;
    if (target_a_ == 0 || !recovering) return settle(target_a_);
    if (*limit_a_ == 0 && target_a_ < rules.max_a * rules.recovery_threshold) {
        settle(0);
        phase_ = Phase::below_threshold;
        return;
    }
    if (!hold_since_) hold_since_ = now;
    if (now - *hold_since_ < std::chrono::seconds(rules.recovery_hold_s)) {
        ramp_since_.reset();
        phase_ = Phase::holding;
        return;
    }
    if (rules.recovery_a_per_s <= 0) return settle(target_a_);
    rise(rules, now);
}

void CurrentLimit::rise(const CurrentRules& rules, Clock::time_point now) {
    phase_ = Phase::rising;
    if (!ramp_since_) {
        ramp_since_ = now;
        ramp_from_a_ = *limit_a_;
    }
    const double raised = ramp_from_a_ + rules.recovery_a_per_s * Seconds(now - *ramp_since_).count();
    limit_a_ = thousandths(std::min(target_a_, raised));
    if (*limit_a_ == target_a_) settle(target_a_);
}

void CurrentLimit::settle(double limit_a) {
    limit_a_ = limit_a;
    hold_since_.reset();
    ramp_since_.reset();
    phase_ = Phase::settled;
}

Seconds CurrentLimit::hold_left(const CurrentRules& rules, Clock::time_point now) const {
    if (!hold_since_) return Seconds(rules.recovery_hold_s);
    return std::max(Seconds{0}, Seconds(rules.recovery_hold_s) - Seconds(now - *hold_since_));
}

}  // namespace bmsd::control
