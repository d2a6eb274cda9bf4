// The charge voltage while a single cell is too high: lowered at once, held, raised slowly.
#pragma once

#include "control/numbers.hpp"
#include "control/parameters.hpp"

namespace bmsd::control {

/// What a controller reckons with.
struct ControllerInput {
    const Cells& cells;  ///< single cells, some may be missing
    double sum_v;        ///< of all cells
    double highest_v;
    double cell_limit_v;
    double lowest_pack_v, highest_pack_v;
    std::size_t count;
    Number control_v;  ///< CVL of the last cycle
    double step_s;     ///< since the last cycle
};

/// The charge voltage that suits the cells (charge-control §4.2 and §10, items 3 and 5).
[[nodiscard]] double controller_target(const ControllerInput& input, const Parameters& parameters);

/// What is done with the target (charge-control §4.3 and §10, item 4).
class OverVoltage {
public:
    enum class Phase : std::uint8_t { none, reduced, recovering };

    /// The CVL that follows from `target_v`, given the last one.
    [[nodiscard]] double follow(double target_v, double highest_pack_v, const Number& control_v,
                                const VoltageRules& rules, Clock::time_point now);

    /// A reduction has not been made good yet.
    [[nodiscard]] bool active() const noexcept { return reduced_at_.has_value(); }
    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    void rest() noexcept { phase_ = Phase::none; }
    /// Until the voltage may rise again.
    [[nodiscard]] Seconds hold_left(const VoltageRules& rules, Clock::time_point now) const;

private:
    double recover(double target_v, double highest_pack_v, double control_v, const VoltageRules& rules,
                   Clock::time_point now);

    Phase phase_ = Phase::none;
    std::optional<Clock::time_point> reduced_at_;
    Number ramp_base_v_;
};

}  // namespace bmsd::control
