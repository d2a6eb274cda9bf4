#include "control/state_of_charge.hpp"

#include <algorithm>

namespace bmsd::control {

using namespace std::chrono_literals;

Number StateOfCharge::see(const Input& input, const Parameters& parameters) {
    const Number external = finite(input.external_percent);
    if (!parameters.count_soc) forget_count();
    const Number counted = parameters.count_soc ? count(input, parameters) : std::nullopt;
    Number percent = parameters.count_soc ? counted : input.bms_percent;
    if (external) percent = std::clamp(thousandths(*external), 0.0, 100.0);
    if (percent) last_percent_ = percent;
    return percent;
}

/// What was counted before counting was switched off holds no more when it is switched on again.
void StateOfCharge::forget_count() {
    remaining_ah_.reset();
    restored_percent_.reset();
    empty_since_.reset();
}

void StateOfCharge::begin(const Input& input, double capacity_ah) {
    const double percent = restored_percent_.value_or(input.bms_percent.value_or(100));
    remaining_ah_ = std::clamp(percent, 0.0, 100.0) * capacity_ah / 100;
    counted_at_ = input.now;
}

Number StateOfCharge::count(const Input& input, const Parameters& parameters) {
    const Number& capacity = input.summary.capacity_ah;
    const Number& current = input.summary.current_a;
    if (!current || !capacity || *capacity <= 0) {
        empty_since_.reset();
        return std::nullopt;
    }
    capacity_ah_ = *capacity;
    if (!remaining_ah_) begin(input, *capacity);
    if (wanted_percent_) {
        remaining_ah_ = *wanted_percent_ * *capacity / 100;
        wanted_percent_.reset();
        counted_at_ = input.now;
    }
    const Clock::duration step = input.now - counted_at_;
    if (step > input.longest)
        empty_since_.reset();  // what happened in a gap nobody knows
    else if (step > Clock::duration::zero())
        *remaining_ah_ += *current * Seconds(step).count() / 3600;
    remaining_ah_ = std::clamp(*remaining_ah_, 0.0, *capacity);
    counted_at_ = input.now;
    watch_empty(input, parameters);
    return thousandths(*remaining_ah_ / *capacity * 100);
}

/// A cell that stays at its minimum under load means empty, whatever was counted.
void StateOfCharge::watch_empty(const Input& input, const Parameters& parameters) {
    const Number& lowest = input.summary.min_cell_v;
    if (!lowest || *lowest > parameters.min_cell_v || *input.summary.current_a >= 0) {
        empty_since_.reset();
        return;
    }
    if (!empty_since_) empty_since_ = input.now;
    if (input.now - *empty_since_ > 60s) {
        remaining_ah_ = 0;
        empty_since_.reset();
    }
}

void StateOfCharge::set_full() {
    if (remaining_ah_) remaining_ah_ = capacity_ah_;
    empty_since_.reset();
}

}  // namespace bmsd::control
