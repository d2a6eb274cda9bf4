// The state of charge: of another sensor, counted here, or of the BMS.
#pragma once

#include <cmath>

#include "control/measured.hpp"

namespace bmsd::control {

/// Counts the charge that flows (battery-logic §5, with its "ours").
class StateOfCharge {
public:
    /// What a cycle knows.
    struct Input {
        const Summary& summary;  ///< current, capacity, lowest cell
        Number bms_percent;
        Number external_percent;
        Clock::time_point now;
        Clock::duration longest;  ///< longer steps are not counted
    };

    /// The state of charge now, 0..100.
    Number see(const Input& input, const Parameters& parameters);

    /// The battery is full: counting goes on from 100 %.
    void set_full();
    /// The user knows better; counts from the next cycle. Only where we count.
    void set(double percent) {
        if (std::isfinite(percent)) wanted_percent_ = std::clamp(percent, 0.0, 100.0);
    }
    /// Start of the count, before the first cycle.
    void restore(const Number& percent) { restored_percent_ = last_percent_ = percent; }
    /// What to store: the last that was known.
    [[nodiscard]] const Number& percent() const noexcept { return last_percent_; }

private:
    void forget_count();
    Number count(const Input& input, const Parameters& parameters);
    void begin(const Input& input, double capacity_ah);
    void watch_empty(const Input& input, const Parameters& parameters);

    Number last_percent_, restored_percent_, wanted_percent_;
    Number remaining_ah_;
    double capacity_ah_ = 0;
    Clock::time_point counted_at_{};
    std::optional<Clock::time_point> empty_since_;
};

}  // namespace bmsd::control
