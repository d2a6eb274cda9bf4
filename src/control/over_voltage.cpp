#include "control/over_voltage.hpp"

#include <algorithm>

#include "control/summary.hpp"

namespace bmsd::control {
namespace {

/// What the cells have above their limit, summed up. Only known cells count; with none known the highest one alone.
double excess(const ControllerInput& input, const Parameters& parameters) {
    double sum = 0;
    bool any = false;
    for (std::size_t i = 0; i < std::min(input.count, input.cells.size()); ++i) {
        const Number& cell = input.cells[i];
        if (!plausible_cell(cell, parameters)) continue;
        any = true;
        sum += std::max(0.0, *cell - input.cell_limit_v);
    }
    return any ? sum : std::max(0.0, input.highest_v - input.cell_limit_v);
}

/// Integral mode must not wind up below what the battery has: charging would pause for half an hour.
constexpr double wind_up_per_cell_v = 0.002;
constexpr double clipped_sum_reserve_v = 0.010;

double microvolts(double value) {
    return std::round(value * 1e6) / 1e6;
}

}  // namespace

double controller_target(const ControllerInput& input, const Parameters& parameters) {
    const double highest = input.highest_pack_v;
    const auto bounded = [&](double target, double low) { return std::min(std::max(target, low), highest); };
    const double above = excess(input, parameters);
    switch (static_cast<VoltageController>(parameters.voltage.controller)) {
        case VoltageController::penalty_sum:
            if (above <= 0 || input.highest_v <= input.cell_limit_v) return highest;
            return bounded(input.sum_v - above, input.lowest_pack_v);
        case VoltageController::integral: {
            if (!input.control_v || *input.control_v == 0) return highest;
            const double error = input.highest_v - input.cell_limit_v - parameters.voltage.float_diff_v.value_or(0);
            const double low =
                std::max(input.lowest_pack_v, input.sum_v - wind_up_per_cell_v * static_cast<double>(input.count));
            return bounded(*input.control_v - error * parameters.voltage.integral_per_s * input.step_s, low);
        }
        case VoltageController::clipped_sum:
            if (above <= 0) return highest;
            return bounded(input.sum_v - above + clipped_sum_reserve_v, input.lowest_pack_v);
        default: return highest;
    }
}

double OverVoltage::follow(double target_v, double highest_pack_v, const Number& control_v, const VoltageRules& rules,
                           Clock::time_point now) {
    if (target_v >= highest_pack_v && !reduced_at_) {
        ramp_base_v_.reset();
        phase_ = Phase::none;
        return microvolts(highest_pack_v);
    }
    if (!control_v || target_v <= *control_v) {
        reduced_at_ = now;
        ramp_base_v_.reset();
        phase_ = Phase::reduced;
        return microvolts(target_v);
    }
    return recover(target_v, highest_pack_v, *control_v, rules, now);
}

double OverVoltage::recover(double target_v, double highest_pack_v, double control_v, const VoltageRules& rules,
                            Clock::time_point now) {
    if (!reduced_at_) reduced_at_ = now;
    const double since_s = Seconds(now - *reduced_at_).count();
    const double hold_s = rules.recovery_hold_s;
    double out = control_v;
    if (since_s < hold_s) {
        ramp_base_v_ = control_v;
        phase_ = Phase::reduced;
    } else {
        if (!ramp_base_v_) ramp_base_v_ = control_v;
        const double raised =
            rules.recovery_v_per_s <= 0 ? target_v : *ramp_base_v_ + rules.recovery_v_per_s * (since_s - hold_s);
        out = std::min({raised, target_v, highest_pack_v});
        phase_ = Phase::recovering;
    }
    if (out == highest_pack_v) {
        reduced_at_.reset();
        ramp_base_v_.reset();
    }
    return out;
}

Seconds OverVoltage::hold_left(const VoltageRules& rules, Clock::time_point now) const {
    if (!reduced_at_) return Seconds{0};
    return std::max(Seconds{0}, Seconds(rules.recovery_hold_s) - Seconds(now - *reduced_at_));
}

}  // namespace bmsd::control
