// What the user decides about the treatment of the battery. Defaults are those of docs/configuration.
#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bmsd::control {

/// Points of a curve: what is measured, and which part of the largest current is allowed there (0..1).
/// Equally long, at least two points, x strictly ascending or descending.
struct Curve {
    std::vector<double> x;
    std::vector<double> fraction;
};

/// Offset in degC, then slope (above 0): value = measured x slope + offset.
using Adjust = std::vector<double>;

/// Shape of the curves. The numbers are those of CHARGE_MODE.
enum class CurveShape : int { linear = 1, step = 2 };

/// How the charge voltage is lowered when a cell is too high. The numbers are those of CVL_CONTROLLER_MODE.
enum class VoltageController : int { off = 0, penalty_sum = 1, integral = 2, clipped_sum = 3 };

/// Limits of the current in one direction; keys of charging named first.
struct CurrentRules {
    double max_a;                                   ///< MAX_BATTERY_CHARGE_CURRENT / MAX_BATTERY_DISCHARGE_CURRENT, > 0
    bool by_cell = true;                            ///< CCCM_CV_ENABLE / DCCM_CV_ENABLE
    Curve cell_v;                                   ///< CELL_VOLTAGES_WHILE_...
    bool by_temperature = true;                     ///< CCCM_T_ENABLE / DCCM_T_ENABLE
    Curve temperature_c;                            ///< TEMPERATURES_WHILE_...
    bool by_mosfet = true;                          ///< CCCM_T_MOSFET_ENABLE / DCCM_T_MOSFET_ENABLE
    Curve mosfet_c = {{70, 80, 90}, {1, 0.25, 0}};  ///< MOSFET_TEMPERATURES_WHILE_...
    bool by_soc = false;                            ///< CCCM_SOC_ENABLE / DCCM_SOC_ENABLE
    Curve soc_percent;                              ///< SOC_WHILE_...
    double recovery_threshold =
        0.015;                    ///< fraction of max_a from which 0 A is left, 0..1; ..._RECOVERY_THRESHOLD_PERCENT
    int recovery_hold_s = 30;     ///< CCL_RECOVERY_HOLD_SEC / DCL_RECOVERY_HOLD_SEC, >= 0
    double recovery_a_per_s = 5;  ///< CCL_RECOVERY_RATE_A_PER_SEC / DCL_..., >= 0; 0 = at once
};

/// Bulk, absorption, float.
struct VoltageRules {
    bool managed = true;                         ///< CVCM_ENABLE; false: always the maximum
    double drop_v = 0;                           ///< VOLTAGE_DROP, added to what is published, -1..5
    std::optional<int> float_wait_s = 900;       ///< SWITCH_TO_FLOAT_WAIT_FOR_SEC, >= 0; empty = 0
    std::optional<double> float_diff_v = 0.010;  ///< SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF, > 0; empty: any
    double float_deviation_v = 0.003;            ///< SWITCH_TO_FLOAT_CELL_VOLTAGE_DEVIATION, >= 0
    std::optional<int> bulk_soc_percent = 80;    ///< SWITCH_TO_BULK_SOC_THRESHOLD, 0..100; empty: not by SoC
    std::optional<double> bulk_diff_v = 0.080;   ///< SWITCH_TO_BULK_CELL_VOLTAGE_DIFF, > 0; empty: not by cells
    int controller = 1;                          ///< CVL_CONTROLLER_MODE, a VoltageController
    double integral_per_s = 0.2;                 ///< CVL_ICONTROLLER_FACTOR, > 0
    int recovery_hold_s = 60;                    ///< CVL_RECOVERY_HOLD_SEC, >= 0
    double recovery_v_per_s = 0.001;             ///< CVL_RECOVERY_RATE_V_PER_SEC, >= 0; 0 = at once
    double soc_reset_cell_v = 3.650;             ///< SOC_RESET_CELL_VOLTAGE, >= max_cell_v
    std::optional<int> soc_reset_after_days;     ///< SOC_RESET_AFTER_DAYS, >= 1; empty: never
};

/// Estimates of time.
struct TimeRules {
    bool to_go = true;                ///< TIME_TO_GO_ENABLE
    std::vector<int> to_soc_percent;  ///< TIME_TO_SOC_POINTS, 0..100; at most max_soc_points are followed
    int to_soc_format = 1;            ///< TIME_TO_SOC_VALUE_TYPE: 1 seconds, 2 text, 3 both
    int every_s = 60;                 ///< TIME_TO_SOC_RECALCULATE_EVERY, >= 5
    bool increasing_from = false;     ///< TIME_TO_SOC_INC_FROM, without effect
};

struct Parameters {
    double min_cell_v = 2.900;    ///< MIN_CELL_VOLTAGE, > 0, below max_cell_v
    double max_cell_v = 3.450;    ///< MAX_CELL_VOLTAGE, <= 4.5
    double float_cell_v = 3.375;  ///< FLOAT_CELL_VOLTAGE, between the two
    int curve_shape = 1;          ///< CHARGE_MODE, a CurveShape

    VoltageRules voltage;
    CurrentRules charge = {.max_a = 50,
                           .cell_v = {{3.500, 3.450, 3.425, 3.400, 3.375}, {0, 0.005, 0.050, 0.250, 1}},
                           .temperature_c = {{0, 2, 5, 10, 40, 45, 50, 55}, {0, 0.25, 0.5, 1, 1, 0.5, 0.25, 0}},
                           .soc_percent = {{98, 95, 90, 85}, {0.1, 0.2, 0.5, 1}}};
    CurrentRules discharge = {.max_a = 60,
                              .cell_v = {{2.800, 2.900, 3.000, 3.100, 3.190}, {0, 0.005, 0.050, 0.250, 1}},
                              .temperature_c = {{-10, 0, 5, 10, 40, 45, 50, 55}, {0, 0.25, 0.5, 1, 1, 0.5, 0.25, 0}},
                              .soc_percent = {{5, 10, 15, 20}, {0.1, 0.2, 0.5, 1}}};
    int recalculation_every_s = 60;         ///< CVL_RECALCULATION_EVERY, without effect: limits are followed at once
    int recalculation_change_percent = 33;  ///< CVL_RECALCULATION_ON_MAX_PERCENTAGE_CHANGE, without effect

    bool count_soc = false;                             ///< SOC_CALCULATION
    std::vector<double> current_reported_a{-300, 300};  ///< CURRENT_REPORTED_BY_BMS, ascending
    std::vector<double> current_measured_a{-300, 300};  ///< CURRENT_MEASURED_BY_USER, as many; equal: no correction
    double soc_low_warning_percent = 20;                ///< SOC_LOW_WARNING
    double soc_low_alarm_percent = 10;                  ///< SOC_LOW_ALARM
    bool auto_reset_soc = true;                         ///< AUTO_RESET_SOC

    std::vector<int> temperature_sources = {1, 2, 3, 4};  ///< TEMPERATURE_SOURCE_BATTERY, 1..4
    std::array<std::string, 4> temperature_names = {"Temp 1", "Temp 2", "Temp 3", "Temp 4"};  ///< TEMPERATURE_n_NAME
    std::array<Adjust, 4> temperature_adjust = {{{0, 1}, {0, 1}, {0, 1}, {0, 1}}};            ///< TEMPERATURE_n_ADJUST
    Adjust mosfet_adjust = {0, 1};  ///< TEMPERATURE_MOS_ADJUST

    bool midpoint = false;  ///< MIDPOINT_ENABLE
    bool history = true;    ///< HISTORY_ENABLE
    TimeRules times;

    bool block_on_disconnect = false;        ///< BLOCK_ON_DISCONNECT
    std::chrono::minutes block_timeout{30};  ///< BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES, 1..240
    double block_min_cell_v = 3.225;         ///< BLOCK_ON_DISCONNECT_VOLTAGE_MIN
    double block_max_cell_v = 3.375;         ///< BLOCK_ON_DISCONNECT_VOLTAGE_MAX
    bool cable_alarm = true;                 ///< BMS_CABLE_ALARM
    /// The BMS decides about the battery's voltages (USE_BMS_DVCC_VALUES, for the types that follow this key).
    bool use_bms_voltages = false;
};

}  // namespace bmsd::control
