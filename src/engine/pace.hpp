// When to look for an answer.
#pragma once

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstddef>

#include "model/battery.hpp"

namespace bmsd::engine {

/// Learns when the answer to a request is complete and how long it is, so that one wake-up fetches it whole.
/// Whoever sleeps until then does not see when it came: now and then one is waited for and timed.
class Pace {
public:
    using Span = std::chrono::nanoseconds;

    /// How long after the request the answer is complete; zero: wait for it and tell timed().
    [[nodiscard]] Span expected() const noexcept { return looks_ < trusted_ ? expected_ : Span{0}; }
    /// How many bytes the last answer had; zero while nothing is known.
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

    /// The answer was there when we looked.
    void there(std::size_t size) noexcept {
        ++looks_;
        size_ = size;
    }
    /// The answer was complete after `taken`. The slowest counts, a quick one only half.
    void timed(Span taken, std::size_t size) noexcept {
        const bool surprised = looks_ < trusted_;
        taken += taken / 64;
        expected_ = taken > expected_ ? taken : (taken + expected_) / 2;
        trusted_ = surprised ? 1 : std::clamp(4 * trusted_, 1U, most_looks);
        looks_ = 0;
        size_ = size;
    }
    /// No usable answer came: start over with waiting for its first byte.
    void forget() noexcept { *this = {}; }

private:
    static constexpr unsigned most_looks = 128;

    Span expected_{0};
    std::size_t size_ = 0;
    unsigned looks_ = 0;
    unsigned trusted_ = 0;  ///< so many looks before the next answer is timed
};

/// The moment to wake up for something that is due in `wait`: not before, and together with other ports, as all choose
/// from the same moments. It costs at most 1/16 of the wait.
inline Clock::time_point shared_moment(Clock::time_point now, Pace::Span wait) noexcept {
    const auto due = (now + wait).time_since_epoch();
    const auto grid = static_cast<Pace::Span::rep>(std::bit_floor(static_cast<std::uint64_t>(wait.count()) / 16));
    return now + wait + (grid == 0 ? Pace::Span{0} : Pace::Span{(grid - due.count() % grid) % grid});
}

}  // namespace bmsd::engine
