// The few numbers everything else rests on: voltage, current, SoC, capacity.
#pragma once

#include "control/numbers.hpp"
#include "control/parameters.hpp"
#include "model/battery.hpp"

namespace bmsd::control {

/// What other devices on the bus say about this battery; absent = there is none, or it does not answer.
struct Surroundings {
    Number external_current_a{};    ///< a shunt, positive = charging
    Number external_soc_percent{};  ///<
    Number low_soc_percent{};       ///< where the energy manager stops discharging
};

/// A number that cannot be outside its range: what is, is replaced by the last good one for 10 s, then missing
/// (battery-logic §2, "ours").
class Plausible {
public:
    Plausible(double low, double high) : low_(low), high_(high) {}
    Number check(const Number& value, Clock::time_point now);

private:
    double low_, high_;
    Number good_;
    Clock::time_point good_at_{};
};

/// Checks and corrects what the BMS said (battery-logic §2, 4).
class Measured {
public:
    /// Fills in voltage, current, power and capacity of the summary; returns the SoC of the BMS, above 100 % up to 110
    /// % taken as 100.
    Number see(const Reading& reading, const Parameters& parameters, const Surroundings& around, Clock::time_point now,
               Summary& summary);

private:
    Plausible voltage_{0, 100};
    Plausible current_{-1000, 1000};
    Plausible capacity_{0, 5000};
    Plausible soc_{0, 110};
};

/// Charge and energy that flowed since they were last taken: the previous value lasts until the next one
/// (battery-logic §4, counters). All positive.
class Counters {
public:
    /// Counts up to now; a gap longer than `longest` is not counted.
    void count(const Summary& summary, Clock::time_point now, Clock::duration longest);
    /// The battery fell silent: nobody knows what flows.
    void forget() {
        current_a_.reset();
        power_w_.reset();
    }

    double discharged_ah = 0;      ///< since the last minute's evaluation
    double this_discharge_ah = 0;  ///< since this discharge began
    double charged_wh = 0, discharged_wh = 0;

private:
    Number current_a_, power_w_;
    Clock::time_point at_{};
};

}  // namespace bmsd::control
