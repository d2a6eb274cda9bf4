#include "control/silence.hpp"

#include <algorithm>

namespace bmsd::control {
namespace {

using namespace std::chrono_literals;

/// Values are old after this long, or after two polls if that is longer.
constexpr auto stale_after = 10s;
/// A battery is lost, and limits go to zero when the policy says so, after this long.
constexpr auto lost_after = 60s;
/// The cable alarm as a warning starts one second later than `lost`, as users of the reference know it.
constexpr auto warn_after = 61s;

/// Neither direction is allowed, and the limits say so.
void block(Limits& limits) {
    limits.ccl_a = 0;
    limits.dcl_a = 0;
    limits.allow_charge = false;
    limits.allow_discharge = false;
    limits.charge_limitation = "BMS";
    limits.discharge_limitation = "BMS";
    limits.ccl_reason = "the BMS does not answer";
    limits.dcl_reason = "the BMS does not answer";
}

}  // namespace

std::chrono::milliseconds stale_limit(std::chrono::milliseconds poll) noexcept {
    return std::max<std::chrono::milliseconds>(stale_after, 2 * poll);
}

std::chrono::seconds tolerated_silence(const Battery& battery, const Parameters& parameters) {
    const Summary& cells = battery.summary;
    const bool in_window = cells.min_cell_v && cells.max_cell_v && *cells.min_cell_v > parameters.block_min_cell_v &&
                           *cells.max_cell_v < parameters.block_max_cell_v;
    return in_window && !parameters.block_on_disconnect ? parameters.block_timeout : lost_after;
}

bool apply_silence(Battery& battery, const Parameters& parameters, std::chrono::milliseconds silent,
                   std::chrono::milliseconds poll) {
    const bool was_online = battery.online;
    const LinkState was_state = battery.link.state;
    const Level was_cable = battery.cable_alarm;
    const bool never = battery.link.polls == 0;

    const auto lost_limit = std::max<std::chrono::milliseconds>(lost_after, stale_limit(poll));
    const bool stale = silent > stale_limit(poll);
    const bool lost = silent > lost_limit;
    battery.link.state = never   ? LinkState::starting
                         : lost  ? LinkState::lost
                         : stale ? LinkState::stale
                                 : LinkState::fresh;
    battery.online = !never && !stale;
    if (!battery.online) {
        battery.summary.current_average_a.reset();
        battery.summary.time_to_go_s.reset();
        for (Number& time : battery.summary.time_to_soc_s) time.reset();
    }

    const bool given_up = lost && silent > tolerated_silence(battery, parameters);
    if (given_up)
        battery.cable_alarm = Level::alarm;
    else if (silent > std::max<std::chrono::milliseconds>(warn_after, lost_limit) && parameters.cable_alarm)
        battery.cable_alarm = Level::warning;
    if (given_up || (stale && parameters.block_on_disconnect)) block(battery.limits);

    return battery.online != was_online || battery.link.state != was_state || battery.cable_alarm != was_cable;
}

}  // namespace bmsd::control
