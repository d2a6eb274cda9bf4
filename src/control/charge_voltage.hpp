// The charge voltage limit (CVL): bulk, absorption, float, and what happens when a cell is too high.
#pragma once

#include "control/measured.hpp"
#include "control/over_voltage.hpp"

namespace bmsd::control {

/// What the voltage logic knows of the cells in this cycle (charge-control §4 and §10, item 5).
struct CellView {
    std::size_t count = 0;  ///< in series; 0 = unknown
    Number sum_v;           ///< of all cells, or the battery voltage if some are missing
    Number highest_v, lowest_v;
    double step_v = 0;    ///< steps in which they are told; 0 = fine
    bool usable = false;  ///< everything the logic needs is there
    bool shared = false;  ///< no cell was ever told: see share_out()

    /// Equal cells may be told one step apart: float could never be reached, and would end again and again.
    [[nodiscard]] double difference_v() const {
        const double told_v = *highest_v - *lowest_v;
        return told_v < 1.5 * step_v ? 0 : told_v;
    }
};
[[nodiscard]] CellView view_cells(const Reading& reading, const Summary& summary, const Parameters& parameters);
/// Cells nobody knows: each counts as an equal share of the pack.
void share_out(CellView& view, const Number& pack_v);

/// Charge voltages of the whole battery.
struct PackVoltages {
    double lowest_v = 0;   ///< MIN_CELL_VOLTAGE x cells
    double highest_v = 0;  ///< where bulk and absorption end
    double held_v = 0;     ///< where they end if MAX_CELL_VOLTAGE holds the cells below what the BMS allows
    double float_v = 0;
    double soc_reset_v = 0;
    double cell_limit_v = 0;  ///< above this a single cell is too high
    bool by_bms = false;      ///< the BMS gave highest_v
    bool held_low = false;    ///< highest_v is below FLOAT_CELL_VOLTAGE x cells: reaching it does not mean full
};

/// Where the charge logic is.
enum class ChargeState : std::uint8_t { none, bulk, float_transition, floating };

/// What a step of the charge logic leads to.
struct ChargeEvents {
    bool float_entered = false;      ///< the battery is full
    bool soc_reset_reached = false;  ///< ... at the raised voltage
    bool write_full_to_bms = false;  ///< tell the BMS that it is full
    bool internal_error = false;     ///< cell data are missing
    bool float_cannot_hold = false;  ///< full by voltage, but the SoC says otherwise
};

/// Decides the CVL of one battery (charge-control §2 to §4 with §10).
class ChargeVoltage {
public:
    struct Input {
        const Reading& reading;
        CellView cells;
        Number soc_percent;
        Moment now;
        std::chrono::milliseconds poll;
        bool bms_voltages = false;  ///< the BMS decides about the voltages it tells
    };

    ChargeEvents step(const Input& input, const Parameters& parameters);

    // ---- what was decided -------------------------------------------------------------------------
    [[nodiscard]] ChargeState state() const noexcept { return state_; }
    [[nodiscard]] bool in_absorption() const noexcept { return absorbed_.has_value(); }
    [[nodiscard]] bool soc_reset_requested() const noexcept { return soc_reset_requested_; }
    /// CVL without VOLTAGE_DROP; absent before the first step, or when the number of cells is unknown.
    [[nodiscard]] const Number& control_v() const noexcept { return control_v_; }
    [[nodiscard]] const std::optional<PackVoltages>& voltages() const noexcept { return voltages_; }
    [[nodiscard]] const OverVoltage& over_voltage() const noexcept { return over_voltage_; }
    /// Cell data are missing for so long that the float voltage is used.
    [[nodiscard]] bool blind() const noexcept { return blind_; }
    /// Seconds of absorption that are left; absent outside of it.
    [[nodiscard]] std::optional<Seconds> absorption_left(const Parameters& parameters) const;
    /// The sum of the cells, V, from which the battery is full; only while voltages() is there.
    [[nodiscard]] double full_from_v() const noexcept;
    /// Full by voltage, but the cells differ too much for absorption to begin.
    [[nodiscard]] bool full() const noexcept { return full_; }
    /// Alarms of high voltage are expected: the voltage is raised on purpose, or was until lately.
    [[nodiscard]] bool high_voltage_expected(Clock::time_point now) const;
    [[nodiscard]] bool soc_rule_armed() const noexcept { return soc_rule_armed_; }

    // ---- over a restart ---------------------------------------------------------------------------
    struct Stored {
        bool allow_max_voltage = true;   ///< false: float
        Number absorption_began_s;       ///< Unix time
        double soc_reset_reached_s = 0;  ///< Unix time; 0 = never
        bool operator==(const Stored&) const = default;
    };
    void restore(const Stored& stored, Moment now, const Parameters& parameters);
    [[nodiscard]] Stored stored(Moment now) const;

private:
    void set_voltages(const Input& input, const Parameters& parameters);
    void request_soc_reset(const Input& input, const Parameters& parameters);
    [[nodiscard]] double days_since_soc_reset(Moment now);
    void advance_absorption(const Input& input);
    void decide(const Input& input, const Parameters& parameters, ChargeEvents& events);
    [[nodiscard]] bool held_down() const noexcept;
    [[nodiscard]] bool is_full(const Input& input) const;
    [[nodiscard]] bool wants_bulk(const Input& input, const Parameters& parameters);
    void charge(const Input& input, const Parameters& parameters);
    void enter_float(const Input& input, ChargeEvents& events);
    void float_on(const Input& input, ChargeEvents& events);
    void go_blind(const Input& input, ChargeEvents& events);

    bool allow_max_ = true;
    ChargeState state_ = ChargeState::none;
    std::optional<Seconds> absorbed_;  ///< time of absorption so far ...
    Clock::time_point timed_at_{};     ///< ... until then
    Number control_v_;
    std::optional<PackVoltages> voltages_;
    OverVoltage over_voltage_;
    bool full_ = false;

    std::optional<Clock::time_point> good_cells_at_;
    bool blind_ = false;

    double float_from_v_ = 0;  ///< the transition to float begins here ...
    Clock::time_point float_since_{};
    bool soc_rule_armed_ = true;
    std::optional<Clock::time_point> bms_told_full_at_;

    bool soc_reset_requested_ = false;
    double soc_reset_reached_s_ = 0;
    std::optional<Clock::time_point> soc_reset_at_;
    bool soc_reset_seen_ = false;  ///< reached in this run: its date can be corrected
    Clock::time_point restored_at_{};
};

}  // namespace bmsd::control
