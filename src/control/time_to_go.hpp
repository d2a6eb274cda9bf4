// The mean current of the last minutes, and how long the battery lasts at it.
#pragma once

#include <vector>

#include "control/measured.hpp"

namespace bmsd::control {

/// Mean over 300 s, each sample weighing the time since the one before it (battery-logic §7, "ours").
class CurrentAverage {
public:
    /// Adds a sample and returns the mean, rounded to 10 mA. `poll` is the weight of the first one.
    Number add(double current_a, Clock::time_point now, Clock::duration longest, Clock::duration poll);

private:
    struct Sum {
        double seconds = 0;
        double ampere_seconds = 0;
        Sum& operator+=(const Sum& more) {
            seconds += more.seconds;
            ampere_seconds += more.ampere_seconds;
            return *this;
        }
    };
    struct Slot {
        Clock::time_point at{};
        Sum sum;
    };
    void drop_first();
    void add_up();

    /// Samples closer together than this share a slot, so that a fast bus does not fill the ring.
    static constexpr std::chrono::milliseconds slot_length{500};
    static constexpr std::chrono::seconds span{300};
    static constexpr std::size_t slots = span / slot_length + 2;

    std::vector<Slot> ring_ = std::vector<Slot>(slots);
    std::size_t first_ = 0, count_ = 0;
    Sum total_;                ///< of all slots, but for what rounding has lost since add_up()
    std::size_t dropped_ = 0;  ///< slots since then
    Clock::time_point slot_began_{};
    std::optional<Clock::time_point> last_;
};

/// Time until the battery is empty or full, and until configured states of charge (battery-logic §7).
class TimeToGo {
public:
    /// Renews the times of the summary when they are due; between, they stay.
    void see(const Parameters& parameters, const Number& low_soc_percent, Clock::time_point now, Summary& summary);
    /// The battery fell silent: the times are recomputed with the next answer.
    void forget() { computed_at_.reset(); }

private:
    std::optional<Clock::time_point> computed_at_;
    Number to_go_s_;
    Bounded<Number, max_soc_points> to_soc_s_;
};

}  // namespace bmsd::control
