// What happened over the battery's life.
#pragma once

#include "control/measured.hpp"

namespace bmsd::control {

/// Keeps the history values (battery-logic §9, with its "ours"). Extremes, counts and the last discharge follow every
/// cycle; sums, cycles and energies once a minute.
class HistoryKeeper {
public:
    struct Input {
        const Reading& reading;
        const Summary& summary;
        const Parameters& parameters;
        Clock::time_point now;
    };
    void step(const Input& input, Counters& counters);
    /// The battery is full.
    void full(std::chrono::system_clock::time_point wall);
    /// The user wants values gone: 1 all, 2 amounts, 3 voltages, 4 full charges, 5 alarms, 6 temperatures, 7 energies.
    void clear(int what);

    [[nodiscard]] const History& values() const noexcept { return values_; }

    /// What survives a restart.
    struct Stored {
        History values;
        Number finished_discharges;        ///< absent: follows from the values
        bool full_discharge_armed = true;  ///< it has been charged since the last full discharge
        bool operator==(const Stored&) const = default;
    };
    void restore(const Stored& stored, Counters& counters);
    [[nodiscard]] Stored stored() const { return {values_, finished_discharges_, full_discharge_armed_}; }

private:
    void see_discharge(const Input& input, Counters& counters);
    void see_extremes(const Input& input);
    void count_alarms(const Alarms& alarms);
    void sum_up(const Input& input, Counters& counters);

    History values_;
    Number finished_discharges_;
    bool full_discharge_armed_ = true;
    Number average_before_a_;
    bool low_alarm_ = false, high_alarm_ = false;
    std::optional<Clock::time_point> summed_at_;
};

}  // namespace bmsd::control
