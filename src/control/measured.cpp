#include "control/measured.hpp"

#include <algorithm>

#include "control/curve.hpp"

namespace bmsd::control {

using namespace std::chrono_literals;

Number Plausible::check(const Number& value, Clock::time_point now) {
    if (!value) return std::nullopt;
    if (*value >= low_ && *value <= high_) {
        good_ = value;
        good_at_ = now;
        return value;
    }
    return good_ && now - good_at_ <= 10s ? good_ : std::nullopt;
}

Number Measured::see(const Reading& reading, const Parameters& parameters, const Surroundings& around,
                     Clock::time_point now, Summary& summary) {
    summary.voltage_v = voltage_.check(reading.voltage_v, now);
    summary.capacity_ah = capacity_.check(reading.capacity_ah, now);

    Number current = current_.check(reading.current_a, now);
    if (const Number external = finite(around.external_current_a))
        current = thousandths(*external);
    else if (current && parameters.current_reported_a != parameters.current_measured_a)
        current = thousandths(corrected(parameters.current_reported_a, parameters.current_measured_a, *current));
    // A switched-off FET conducts in the other direction only; what is left is an offset of the shunt.
    if (current && reading.discharge_fet == false) current = std::max(0.0, *current);
    if (current && reading.charge_fet == false) current = std::min(0.0, *current);
    summary.current_a = current;
    summary.power_w.reset();
    if (current && summary.voltage_v) summary.power_w = *current * *summary.voltage_v;

    const Number soc = soc_.check(reading.soc_percent, now);
    return soc ? Number{std::min(*soc, 100.0)} : std::nullopt;
}

void Counters::count(const Summary& summary, Clock::time_point now, Clock::duration longest) {
    const Clock::duration step = now - at_;
    if (step > Clock::duration::zero() && step <= longest) {
        const double hours = Seconds(step).count() / 3600;
        if (current_a_) {
            const double drawn = std::max(0.0, -*current_a_ * hours);
            discharged_ah += drawn;
            this_discharge_ah += drawn;
        }
        if (power_w_) (*power_w_ > 0 ? charged_wh : discharged_wh) += std::abs(*power_w_ * hours);
    }
    current_a_ = summary.current_a;
    power_w_ = summary.power_w;
    at_ = now;
}

}  // namespace bmsd::control
