// When to look for an answer.
#pragma once

#include <algorithm>
#include <chrono>

namespace bmsd::engine {

/// Learns when the answer to a request is complete, so that one wake-up fetches it whole.
/// Looking early costs a second wake-up, looking late wastes the wire: it creeps towards the true time in growing
/// steps and is set back by each answer that was not complete yet.
class Pace {
public:
    using Span = std::chrono::nanoseconds;

    /// How long after the request to look for the answer; zero while nothing is known.
    [[nodiscard]] Span expected() const noexcept { return expected_; }
    /// The answer was there when we looked at `expected()`.
    void early() noexcept {
        expected_ -= step_;
        step_ = std::min(2 * step_, expected_ / 16);
    }
    /// The answer was complete only after `taken`.
    void late(Span taken) noexcept {
        expected_ = taken + taken / 128;
        step_ = taken / 512;
    }
    /// No usable answer came: start over with waiting for its first byte.
    void forget() noexcept { expected_ = Span{0}; }

private:
    Span expected_{0};
    Span step_{0};
};

}  // namespace bmsd::engine
