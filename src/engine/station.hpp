// One battery on a bus: what the engine knows of it between polls.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "bms/family.hpp"
#include "control/controller.hpp"
#include "engine/diagnosis.hpp"
#include "engine/pace.hpp"
#include "engine/settings.hpp"
#include "model/battery.hpp"
#include "model/words.hpp"

namespace bmsd::engine {

/// What a person wants changed and that is not done yet.
struct PendingOrder {
    Order order;
    const bms::Control* control;
    double value;
    bool was_off;            ///< see Orders::off: so again if it fails
    bool automatic = false;  ///< nobody asked for it: AUTO_RESET_SOC
};

/// How far the line of a battery can be trusted: one that has damaged an answer damages more of them.
class Noise {
public:
    enum class Level : std::uint8_t {
        quiet,
        noisy,  ///< it damaged an answer within the last hour, or readings contradicted each other
        heavy,  ///< it damaged two within ten minutes, the last of them in the ten minutes before now
    };
    /// An answer came damaged.
    void damaged(Clock::time_point now) noexcept;
    /// Readings were far apart: damage that passed the checksum, or a load that pulses.
    void contradicted(Clock::time_point now) noexcept;
    [[nodiscard]] Level level(Clock::time_point now) const noexcept;

private:
    Clock::time_point noisy_until_{};
    Clock::time_point again_until_{};  ///< one more until then is heavy noise
    Clock::time_point heavy_until_{};
};

/// A battery at an address of a port.
struct Station {
    const bms::Family* family = nullptr;  ///< never null once made
    Address address;
    std::unique_ptr<Battery> battery = std::make_unique<Battery>();
    control::Controller controller;  ///< what is decided about it

    bool appeared = false;    ///< the faces know it
    bool identified = false;  ///< `identify` requests were answered since the port was opened, or since it was silent
    std::string serial;       ///< what it is named after; empty: its place
    bool rivalled = false;    ///< another one has claimed its name, and was refused; it has not answered since
    unsigned rivalries = 0;   ///< how often it has answered after that
    unsigned identify_rounds = 0;                   ///< polls that worked although identification did not
    Clock::time_point last_good{};                  ///< last complete poll; start of the engine before the first
    Clock::time_point next_try{};                   ///< a silent battery is asked less often
    unsigned failures = 0;                          ///< polls in a row without success
    Clock::time_point first_error{}, last_error{};  ///< of Link::errors
    bool told = false;                              ///< its silence was reported to the log
    std::string lost_told;                          ///< sensors of which the log knows that they are silent
    unsigned doubtful = 0;                          ///< polls in a row with the family's doubt
    bool doubt_told = false;                        ///< the log knows of it
    Clock::time_point next_report{};                ///< not before this

    std::vector<Clock::time_point> due;  ///< per request of the family: next time for When::sometimes
    std::vector<Pace> pace;              ///< per request of the family
    Evidence evidence;                   ///< what its last requests met
    Mistake mistake{};                   ///< what explains the troubles in it
    std::vector<PendingOrder> pending;   ///< at most one of each kind, the oldest first
    std::array<Clock::time_point, order_count> next_order{};  ///< per order: not sent before this
    unsigned full_seen = 0;                                   ///< of Controller::full_writes
    unsigned full_in_vain = 0;                                ///< "100 %" that the BMS did not follow, in a row
    Clock::time_point forget_trouble{};                       ///< of Orders
    Reading scratch;                                          ///< of a poll until it is complete
    bool complete = false;                                    ///< everything mandatory was answered in it
    unsigned contradictions = 0;                              ///< polls in a row in which they contradicted each other
    Noise noise;                                              ///< of its line, as far as its answers show it
};

/// How long a battery that failed `failures` polls in a row is left alone, so that the others on its bus are
/// still polled at their interval: nothing at first, then doubling up to 10 s.
[[nodiscard]] std::chrono::milliseconds back_off(unsigned failures) noexcept;

using bmsd::duration_text;

}  // namespace bmsd::engine
