// An input of a limit that may go missing.
#pragma once

#include "control/numbers.hpp"

namespace bmsd::control {

/// Remembers what an input said last. A sensor that dies must not lift the limit it gave (charge-control §10, item 7):
/// its last value counts for a minute, then a quarter of what that value allows.
class HeldInput {
public:
    /// What to reckon with.
    struct Seen {
        Number value;       ///< absent: this battery never had such an input
        double share = 1;   ///< part of what the value allows that counts
        bool lost = false;  ///< silent for longer than a minute
    };

    Seen see(const Number& value, Clock::time_point now) {
        if (value) {
            last_ = value;
            last_at_ = now;
            return {value};
        }
        if (!last_) return {};
        if (now - last_at_ <= held) return {last_};
        return {last_, quarter, true};
    }
    /// The user no longer looks at it.
    void forget() { last_.reset(); }

    [[nodiscard]] const Number& last() const noexcept { return last_; }
    /// It delivered `last` before the restart; its minute begins now.
    void restore(const Number& last, Clock::time_point now) {
        last_ = last;
        last_at_ = now;
    }

private:
    static constexpr std::chrono::seconds held{60};
    static constexpr double quarter = 0.25;

    Number last_;
    Clock::time_point last_at_{};
};

}  // namespace bmsd::control
