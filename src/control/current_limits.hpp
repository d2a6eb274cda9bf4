// The current limits: CCL and DCL.
#pragma once

#include <array>

#include "control/curve.hpp"
#include "control/held_input.hpp"

namespace bmsd::control {

/// Number of temperature sensors a user can select.
inline constexpr std::size_t selectable_sensors = 4;

/// Rules that limit a current, in the order of the published texts.
enum class Rule : std::uint8_t { maximum, bms_setting, cell_voltage, temperature, mosfet, soc, bms_switch };
inline constexpr std::size_t rule_count = static_cast<std::size_t>(Rule::bms_switch) + 1;

/// What the rules look at in this cycle, held where it went missing.
struct LimitInputs {
    HeldInput::Seen highest_cell_v, lowest_cell_v;
    std::array<HeldInput::Seen, selectable_sensors> temperatures_c;  ///< no value: not selected, or does not count
    HeldInput::Seen mosfet_c;
    HeldInput::Seen soc_percent;
};

/// Remembers the inputs of the limits, and which of them this battery has (charge-control §10, 7).
class LimitInputMemory {
public:
    [[nodiscard]] LimitInputs see(const Summary& summary, const Parameters& parameters, Clock::time_point now);
    /// True once cell voltages, or the extremes of them, were delivered.
    [[nodiscard]] bool has_seen_cells() const noexcept { return highest_cell_v_.last().has_value(); }

    /// What a battery has delivered so far; a restart must not forget a sensor that died.
    struct Stored {
        Number highest_cell_v, lowest_cell_v;
        std::array<Number, selectable_sensors> temperatures_c;
        Number mosfet_c;
        Number soc_percent;
        bool operator==(const Stored&) const = default;
    };
    void restore(const Stored& stored, Clock::time_point now);
    [[nodiscard]] Stored stored() const;

private:
    HeldInput highest_cell_v_, lowest_cell_v_;
    std::array<HeldInput, selectable_sensors> temperatures_c_;
    HeldInput mosfet_c_, soc_percent_;
};

enum class Direction : std::uint8_t { charge, discharge };

/// The limit of one direction (charge-control §5, 6).
class CurrentLimit {
public:
    explicit CurrentLimit(Direction direction) : direction_(direction) {}

    struct Input {
        const LimitInputs& inputs;
        Number bms_limit_a;        ///< set in the BMS
        CurrentLimits bms_limits;  ///< how that counts
        Flag bms_switch;           ///< charge or discharge FET; unknown = on
        Clock::time_point now;
    };

    /// Follows the rules down at once, and up after a hold and along a ramp.
    void step(const Input& input, const Parameters& parameters);

    /// What the rules allow, A.
    [[nodiscard]] double target_a() const noexcept { return target_a_; }
    /// The limit, A; absent before the first step.
    [[nodiscard]] const Number& limit_a() const noexcept { return limit_a_; }
    /// Whether a rule gives the target.
    [[nodiscard]] bool decides(Rule rule) const noexcept { return deciding_[static_cast<std::size_t>(rule)]; }
    /// The first of the rules that do, as texts name them.
    [[nodiscard]] Rule rule() const noexcept;
    /// The value that rule looked at; absent for rules without one.
    [[nodiscard]] const Number& deciding_value() const noexcept { return value_; }
    [[nodiscard]] std::size_t deciding_sensor() const noexcept { return sensor_; }  ///< from 1; 0 = none
    [[nodiscard]] bool deciding_value_lost() const noexcept { return value_lost_; }

    enum class Phase : std::uint8_t { settled, below_threshold, holding, rising };
    [[nodiscard]] Phase phase() const noexcept { return phase_; }
    /// Until the limit may rise.
    [[nodiscard]] Seconds hold_left(const CurrentRules& rules, Clock::time_point now) const;

private:
    void find_target(const Input& input, const CurrentRules& rules, CurveShape shape);
    void consider(Rule rule, const HeldInput::Seen& seen, double allowed_a, std::size_t sensor = 0);
    void follow(const CurrentRules& rules, Clock::time_point now);
    void rise(const CurrentRules& rules, Clock::time_point now);
    void settle(double limit_a);

    Direction direction_;
    double target_a_ = 0;
    Number bms_said_a_;       ///< a setting stays what it is while the BMS does not tell it
    double bms_limit_a_ = 0;  ///< as far as the BMS is concerned
    std::array<bool, rule_count> deciding_{};
    Number value_;
    std::size_t sensor_ = 0;
    bool value_lost_ = false;

    Number limit_a_;
    Phase phase_ = Phase::settled;
    std::optional<Clock::time_point> hold_since_, ramp_since_;
    double ramp_from_a_ = 0;
};

}  // namespace bmsd::control
