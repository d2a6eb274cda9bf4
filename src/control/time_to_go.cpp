#include "control/time_to_go.hpp"

#include <algorithm>
#include <cmath>

namespace bmsd::control {
namespace {

/// Below this the battery counts as idle.
constexpr double idle_a = 0.1;
constexpr std::chrono::seconds shortest_renewal{5};

/// Seconds until `target` at `rate` percent per second; absent in the wrong direction.
Number seconds_to(double target_percent, double soc_percent, double rate, bool charging) {
    const double difference = charging ? target_percent - soc_percent : soc_percent - target_percent;
    if (difference <= 0 || rate <= 0) return std::nullopt;
    return std::trunc(difference / rate);
}

/// So near to the middle between two hundredths that what rounding has lost may decide.
bool near_tie(double value) {
    const double beyond = std::abs(value) * 100;
    return std::abs(beyond - std::floor(beyond) - 0.5) < 1e-6;
}

}  // namespace

Number CurrentAverage::add(double current_a, Clock::time_point now, Clock::duration longest, Clock::duration poll) {
    const Clock::duration since = std::clamp(last_ ? now - *last_ : poll, Clock::duration::zero(), longest);
    last_ = now;
    while (count_ > 0 && ring_[first_].at <= now - span) drop_first();
    if (count_ == 0 || now - slot_began_ >= slot_length || count_ == slots) {
        if (count_ == slots) drop_first();
        ring_[(first_ + count_) % slots] = {};
        ++count_;
        slot_began_ = now;
    }
    Slot& slot = ring_[(first_ + count_ - 1) % slots];
    slot.at = now;
    const double seconds = Seconds(since).count();
    const Sum more{seconds, seconds * current_a};
    slot.sum += more;
    total_ += more;
    const auto mean = [&] { return total_.seconds > 0 ? total_.ampere_seconds / total_.seconds : current_a; };
    // To add up all slots takes 300 times as long. The reference does so, and between two hundredths its loss decides.
    if (dropped_ > count_ || near_tie(mean())) add_up();
    return hundredths(mean());
}

void CurrentAverage::drop_first() {
    total_.seconds -= ring_[first_].sum.seconds;
    total_.ampere_seconds -= ring_[first_].sum.ampere_seconds;
    first_ = (first_ + 1) % slots;
    --count_;
    ++dropped_;
}

void CurrentAverage::add_up() {
    total_ = {};
    for (std::size_t i = 0; i < count_; ++i) total_ += ring_[(first_ + i) % slots].sum;
    dropped_ = 0;
}

void TimeToGo::see(const Parameters& parameters, const Number& low_soc_percent, Clock::time_point now,
                   Summary& summary) {
    const std::chrono::seconds every = std::max(shortest_renewal, std::chrono::seconds(parameters.times.every_s));
    const bool due = !computed_at_ || now - *computed_at_ >= every;
    const Number& average = summary.current_average_a;
    if (due && summary.capacity_ah && *summary.capacity_ah > 0 && average && summary.soc_percent) {
        computed_at_ = now;
        const double soc = *summary.soc_percent;
        const double rate = std::abs(*average / (*summary.capacity_ah / 100)) / 3600;
        // The direction is that of this moment, the rate that of the last minutes.
        const bool charging = summary.current_a && *summary.current_a > 0;
        const double low = low_soc_percent.value_or(parameters.soc_low_warning_percent);
        to_go_s_.reset();
        if (parameters.times.to_go && std::abs(*average) > idle_a)
            to_go_s_ = seconds_to(*average < 0 ? low : 100, soc, rate, charging);
        to_soc_s_.clear();
        if (parameters.times.to_go)
            for (const int point : parameters.times.to_soc_percent)
                if (to_soc_s_.size() < max_soc_points) to_soc_s_.push_back(seconds_to(point, soc, rate, charging));
    }
    summary.time_to_go_s = to_go_s_;
    summary.time_to_soc_s = to_soc_s_;
}

}  // namespace bmsd::control
