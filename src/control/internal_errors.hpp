// Errors within the control logic: when there are very many, the values cannot be trusted (battery-logic §8).
#pragma once

#include <array>

#include "model/battery.hpp"

namespace bmsd::control {

class InternalErrors {
public:
    void add(Clock::time_point now) {
        times_[next_] = now;
        next_ = (next_ + 1) % times_.size();
        full_ |= next_ == 0;
        if (full_ && now - oldest() <= window) tripped_ = true;
    }
    /// Whether they are too many; forgotten in the hourly check when the oldest of them is long past.
    [[nodiscard]] bool too_many(Clock::time_point now) {
        if (now - checked_at_ >= std::chrono::hours(1)) {
            checked_at_ = now;
            if (full_ && now - oldest() > window) {
                tripped_ = full_ = false;
                next_ = 0;
            }
        }
        return tripped_;
    }

private:
    static constexpr std::chrono::hours window{3};
    [[nodiscard]] Clock::time_point oldest() const { return times_[next_]; }

    std::array<Clock::time_point, 180> times_{};
    std::size_t next_ = 0;
    bool full_ = false, tripped_ = false;
    Clock::time_point checked_at_{};
};

}  // namespace bmsd::control
