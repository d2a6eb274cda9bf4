// Everything that is decided about one battery, behind one door. Pure: no clock, no I/O.
#pragma once

#include "control/charge_voltage.hpp"
#include "control/current_limits.hpp"
#include "control/history_keeper.hpp"
#include "control/internal_errors.hpp"
#include "control/parameters.hpp"
#include "control/state_of_charge.hpp"
#include "control/texts.hpp"
#include "control/time_to_go.hpp"

namespace bmsd::control {

/// What must survive a restart; plain data. Times are Unix seconds.
struct Persistent {
    ChargeVoltage::Stored voltage;
    Number soc_percent;
    HistoryKeeper::Stored history;
    double discharged_ah = 0;  ///< not yet in the history
    double charged_wh = 0, discharged_wh = 0;
    LimitInputMemory::Stored inputs;
    bool operator==(const Persistent&) const = default;
};

/// The state of one battery and its rules. Call step() after every good poll and silent() after every failed one.
class Controller {
public:
    /// Before the first step.
    void restore(const Persistent& stored, const Parameters& parameters, Moment now);
    [[nodiscard]] Persistent persist(Moment now) const;

    /// One good poll: `battery.reading` is new, and `battery.link.polls` counts it. Fills in summary, limits, history
    /// and alarms, and brings the battery back online.
    void step(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
              const Surroundings& around = {});
    /// The first half of a step: what follows from the reading, no decision.
    void observe(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
                 const Surroundings& around = {});

    /// A poll failed; the last good one is `silent` ago. Returns true if something changed (see apply_silence).
    bool silent(Battery& battery, const Parameters& parameters, Clock::time_point now, std::chrono::milliseconds silent,
                std::chrono::milliseconds poll);

    /// The user knows the state of charge, %. Followed with SOC_CALCULATION only.
    void set_soc(double percent) { soc_.set(percent); }
    /// The user wants history values gone; see HistoryKeeper::clear.
    void clear_history(int what) { history_.clear(what); }

    /// How often the BMS should have been told that it is full (AUTO_RESET_SOC); the engine compares and writes.
    [[nodiscard]] unsigned full_writes() const noexcept { return full_writes_; }
    /// How often float began although the state of charge is below the threshold for bulk.
    [[nodiscard]] unsigned doubtful_floats() const noexcept { return doubtful_floats_; }

private:
    void decide(Battery& battery, const Parameters& parameters, Moment now, std::chrono::milliseconds poll,
                const Surroundings& around);
    void follow(const ChargeEvents& events, const Parameters& parameters, Moment now);
    void set_limits(Battery& battery, const Parameters& parameters);
    void say_blocked(Limits& limits);
    void set_alarms(Battery& battery, const Parameters& parameters, Clock::time_point now);
    void name_lost(const LimitInputs& inputs, const Parameters& parameters, Summary& summary);

    Measured measured_;
    Counters counters_;
    StateOfCharge soc_;
    CurrentAverage average_;
    TimeToGo time_to_go_;
    LimitInputMemory inputs_;
    ChargeVoltage voltage_;
    CurrentLimit charge_{Direction::charge};
    CurrentLimit discharge_{Direction::discharge};
    HistoryKeeper history_;
    InternalErrors errors_;
    Texts texts_;
    std::uint32_t lost_ = 0;  ///< one bit per input
    std::optional<Clock::time_point> failed_at_;
    unsigned full_writes_ = 0, doubtful_floats_ = 0;
};

}  // namespace bmsd::control
