// Keys of the charge control that the control logic does not follow yet: read and checked, so that a file that is right
// today stays right. (Those that it follows are in control::Parameters.)
#pragma once

#include <chrono>
#include <optional>
#include <vector>

namespace bmsd::app {

/// Points of a curve: what is measured, and what part of the largest current it allows.
struct CurveConfig {
    std::vector<double> x;
    std::vector<double> fraction;
};

/// Offset in degC and slope; empty lists are no curve.
using AdjustConfig = std::vector<double>;

struct ChargeConfig {
    double voltage_drop_v = 0;
    double soc_reset_cell_v = 3.650;
    std::optional<int> soc_reset_after_days;
    bool soc_calculation = false;
    std::vector<double> current_reported = {-300, 300};
    std::vector<double> current_measured = {-300, 300};
    double soc_low_warning = 20;
    double soc_low_alarm = 10;
    bool auto_reset_soc = true;
    AdjustConfig adjust_1 = {0, 1}, adjust_2 = {0, 1}, adjust_3 = {0, 1}, adjust_4 = {0, 1}, adjust_mos = {0, 1};
    bool history = true;
    bool midpoint = false;

    int charge_mode = 1;
    bool cvcm = true;
    std::optional<int> float_wait_s = 900;
    std::optional<double> float_diff_v = 0.010;
    double float_deviation_v = 0.003;
    std::optional<int> bulk_soc = 80;
    std::optional<double> bulk_diff_v = 0.080;
    int cvl_controller = 1;
    double cvl_factor = 0.2;
    int cvl_hold_s = 60;
    double cvl_rate_v_per_s = 0.001;
    int recalculation_every_s = 60;
    int recalculation_change_percent = 33;

    bool charge_by_cell = true, discharge_by_cell = true;
    CurveConfig charge_cell = {{3.500, 3.450, 3.425, 3.400, 3.375}, {0, 0.005, 0.050, 0.250, 1}};
    CurveConfig discharge_cell = {{2.800, 2.900, 3.000, 3.100, 3.190}, {0, 0.005, 0.050, 0.250, 1}};
    bool charge_by_temperature = true, discharge_by_temperature = true;
    CurveConfig charge_temperature = {{0, 2, 5, 10, 40, 45, 50, 55}, {0, 0.25, 0.5, 1, 1, 0.5, 0.25, 0}};
    CurveConfig discharge_temperature = {{-10, 0, 5, 10, 40, 45, 50, 55}, {0, 0.25, 0.5, 1, 1, 0.5, 0.25, 0}};
    bool charge_by_mosfet = true, discharge_by_mosfet = true;
    CurveConfig charge_mosfet = {{70, 80, 90}, {1, 0.25, 0}};
    CurveConfig discharge_mosfet = {{70, 80, 90}, {1, 0.25, 0}};
    bool charge_by_soc = false, discharge_by_soc = false;
    CurveConfig charge_soc = {{98, 95, 90, 85}, {0.1, 0.2, 0.5, 1}};
    CurveConfig discharge_soc = {{5, 10, 15, 20}, {0.1, 0.2, 0.5, 1}};
    double charge_recovery_threshold = 0.015, discharge_recovery_threshold = 0.015;
    int ccl_hold_s = 30, dcl_hold_s = 30;
    double ccl_rate_a_per_s = 5, dcl_rate_a_per_s = 5;

    bool time_to_go = true;
    std::vector<int> time_to_soc_points;
    int time_to_soc_value_type = 1;
    int time_to_soc_every_s = 60;
    bool time_to_soc_inc_from = false;
};

}  // namespace bmsd::app
