// Bulk, absorption and float where we do better than the reference (charge-control §10).
#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

constexpr const char* bulk = "Bulk │ Linear Mode";
constexpr const char* absorption = "Absorption │ Linear Mode";
constexpr const char* transition = "Float Transition │ Linear Mode";
constexpr const char* floating = "Float │ Linear Mode";

/// Short absorption, so that tests read well.
control::Parameters quick() {
    control::Parameters parameters;
    parameters.voltage.float_wait_s = 60;
    return parameters;
}

/// A battery in float, entered after absorption.
Polled in_float(control::Parameters parameters = quick()) {
    Polled battery(std::move(parameters));
    battery.reading().soc_percent = 99;
    battery.set_cells(3.450);
    battery.poll_for(62);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    return battery;
}

/// A battery whose BMS decides about the voltages it tells, and allows this one.
Polled decided_by_bms(double allowed_v) {
    control::Parameters parameters = quick();
    parameters.use_bms_voltages = true;
    Polled battery(std::move(parameters));
    battery.battery.traits.voltage_limits = true;
    battery.reading().max_battery_voltage_v = allowed_v;
    return battery;
}

/// The same, as full as its BMS allows.
Polled full_by_bms() {
    Polled battery = decided_by_bms(55.2);
    battery.reading().soc_percent = 99;
    battery.set_cells(3.450);
    return battery;
}

}  // namespace

TEST(ChargeVoltage, AbsorptionAndFloat) {
    Polled battery(quick());
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, bulk);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    EXPECT_EQ(battery.limits().next_mode, "absorption when the cells sum up to 55.20 V; now 52.80 V");
    battery.set_cells(3.450);
    battery.poll_for(10);
    EXPECT_EQ(battery.limits().charge_mode, absorption);
    EXPECT_EQ(battery.limits().next_mode, "float in 51 s if the cell difference stays up to 0.013 V; now 0.000 V");
    battery.poll_for(52);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    battery.poll_for(1199);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    battery.poll();  // 1.2 V at 1 mV/s
    EXPECT_EQ(battery.limits().charge_mode, floating);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    EXPECT_EQ(battery.controller.full_writes(), 1u);
}

TEST(ChargeVoltage, OneStepOfACoarseBmsIsNoDifference) {
    Polled battery(quick());
    battery.battery.traits.cell_step_v = 0.1;
    battery.reading().soc_percent = 99;
    battery.set_cells(3.500);
    battery.reading().cell_voltages_v[3] = 3.400;
    battery.poll_for(70);
    EXPECT_EQ(battery.limits().charge_mode, transition) << "float is reached, and does not end";
    battery.poll_for(600);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    EXPECT_NEAR(*battery.battery.summary.cell_diff_v, 0.1, 1e-9) << "what is shown is what was told";
    battery.reading().cell_voltages_v[3] = 3.300;
    battery.poll_for(2);
    EXPECT_TRUE(battery.limits().charge_mode.starts_with("Bulk") || battery.limits().charge_mode == absorption)
        << "two steps are at least one: " << battery.limits().charge_mode;
}

TEST(ChargeVoltage, FullIsSeenWhileTheControllerHoldsTheVoltageDown) {
    Polled battery(quick());
    battery.set_cells(3.449);
    battery.reading().cell_voltages_v[3] = 3.451;  // V_sum 55.186: below 55.2 for as long as the cell is too high
    battery.reading().voltage_v = 55.186;
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, "Bulk (Cell OVP) │ Linear Mode");
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, "Absorption (Cell OVP) │ Linear Mode");
    battery.poll_for(61);
    EXPECT_EQ(battery.limits().charge_mode, transition);
}

TEST(ChargeVoltage, FullIsSeenWhereMaxCellVoltageHoldsTheCellsBelowWhatTheBmsAllows) {
    Polled battery = decided_by_bms(58.4);  // 3.65 V per cell, but no cell may have more than 3.45
    battery.reading().soc_percent = 99;
    battery.set_cells(3.440);
    battery.poll();
    EXPECT_EQ(battery.limits().next_mode, "absorption when the cells sum up to 58.40 V; now 55.04 V");
    battery.set_cells(3.451);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2) << "55.216 V less what 16 cells have above 3.45 V";
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, "Absorption (Cell OVP) │ Linear Mode");
    battery.poll_for(61);
    EXPECT_EQ(battery.limits().charge_mode, transition);

    Polled falling = decided_by_bms(58.4);
    falling.set_cells(3.451);
    falling.poll_for(3);
    EXPECT_EQ(falling.limits().charge_mode, "Absorption (Cell OVP) │ Linear Mode");
    falling.set_cells(3.400);  // 54.4 V: more than half a volt below 16 x 3.45 V
    falling.poll_for(2);
    EXPECT_EQ(falling.limits().charge_mode, "Bulk (Cell OVP) │ Linear Mode");
    EXPECT_EQ(falling.limits().next_mode, "absorption when the cells sum up to 55.20 V; now 54.40 V");
}

TEST(ChargeVoltage, TheReasonDoesNotSayLoweredOfWhatIsAtItsMaximum) {
    Polled battery(quick());
    // 16 cells at or above 3.45 V: what they have less the excess is 16 x 3.45 V, but for what rounding does.
    battery.reading().cell_voltages_v = {};
    double sum = 0;
    for (const int mv :
         {3451, 3454, 3459, 3458, 3457, 3456, 3458, 3452, 3458, 3458, 3456, 3451, 3458, 3459, 3452, 3458}) {
        battery.reading().cell_voltages_v.push_back(mv / 1000.0);
        sum += mv / 1000.0;
    }
    battery.reading().voltage_v = sum;
    battery.poll_for(3);
    battery.set_cells(3.350);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    EXPECT_EQ(battery.limits().cvl_reason.find("lowered"), std::string::npos) << battery.limits().cvl_reason;
}

TEST(ChargeVoltage, FullIsNotSeenFarBelow) {
    Polled battery(quick());
    battery.set_cells(3.440);
    battery.reading().cell_voltages_v[3] = 3.451;  // V_sum 55.051: more than 16 x 5 mV below 55.2
    battery.poll_for(300);
    EXPECT_EQ(battery.limits().charge_mode, "Bulk (Cell OVP) │ Linear Mode");
}

TEST(ChargeVoltage, TheIntegralDependsOnTimeNotOnPolls) {
    const auto fallen = [](std::chrono::milliseconds poll) {
        control::Parameters parameters = quick();
        parameters.voltage.controller = 2;
        Polled battery(parameters);
        battery.poll(poll);
        battery.set_cells(3.440);
        battery.reading().cell_voltages_v[0] = 3.470;
        for (double end = battery.t + 10; battery.t < end - 1e-9;) battery.poll(poll);
        return 55.2 - *battery.limits().cvl_v;
    };
    // (3.470 - 3.450 - 0.010) x 0.2/s x 10 s = 0.02 V
    EXPECT_NEAR(fallen(1s), 0.02, 0.0051);
    EXPECT_NEAR(fallen(5s), 0.02, 0.0051);
    EXPECT_NEAR(fallen(500ms), 0.02, 0.0051);
}

TEST(ChargeVoltage, TheIntegralDoesNotWindUp) {
    control::Parameters parameters = quick();
    parameters.voltage.controller = 2;
    Polled battery(parameters);
    battery.set_cells(3.440);
    battery.reading().cell_voltages_v[0] = 3.600;  // V_sum 55.2
    battery.reading().cell_voltages_v[1] = 3.280;  // V_sum 55.04
    battery.poll_for(600);
    EXPECT_NEAR(*battery.limits().cvl_v, 55.04 - 16 * 0.002, 0.0051);
}

TEST(ChargeVoltage, TheRampEndsAtTheTarget) {
    control::Parameters parameters = quick();
    parameters.voltage.recovery_hold_s = 0;
    Polled battery(parameters);
    battery.set_cells(3.440);
    battery.reading().cell_voltages_v[0] = 3.480;  // target 55.08 - 0.03 = 55.05
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.05);
    battery.reading().cell_voltages_v[0] = 3.470;   // target 55.07 - 0.02 = 55.05
    battery.reading().cell_voltages_v[1] = 3.4495;  // target 55.0795 - 0.02 = 55.0595
    for (int i = 0; i < 100; ++i) {
        battery.poll();
        EXPECT_LE(*battery.limits().cvl_v, 55.06);
    }
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.06);
}

TEST(ChargeVoltage, AMissingCellIsNotAVoltOfZero) {
    Polled battery(quick());
    battery.set_cells(3.440);
    battery.reading().cell_voltages_v[0] = 3.460;
    battery.reading().voltage_v = 55.060;
    battery.reading().cell_voltages_v[9].reset();
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.05) << "battery voltage less what the cell has too much";
}

TEST(ChargeVoltage, ClippedSumHasALowerBound) {
    control::Parameters parameters = quick();
    parameters.voltage.controller = 3;
    Polled battery(parameters);
    battery.set_cells(2.000);
    battery.reading().cell_voltages_v[0] = 3.600;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 16 * 2.9);
}

TEST(ChargeVoltage, AnImplausibleCellStartsNoAbsorption) {
    control::Parameters parameters;
    parameters.voltage.float_wait_s = 0;
    parameters.voltage.float_diff_v.reset();
    Polled battery(parameters);
    battery.poll();
    battery.reading().cell_voltages_v[2] = 65.535;
    battery.poll_for(20);
    EXPECT_EQ(battery.limits().charge_mode, bulk);
    EXPECT_EQ(battery.controller.full_writes(), 0u);
    EXPECT_NEAR(*battery.battery.summary.cell_sum_v, 15 * 3.3, 1e-9);
    EXPECT_EQ(battery.battery.summary.max_cell, 1u);
}

TEST(ChargeVoltage, MissingCellsAreBridgedForTenSeconds) {
    Polled battery = in_float();
    const double cvl = *battery.limits().cvl_v;
    battery.reading().cell_voltages_v.clear();
    battery.reading().cell_count = 16;
    battery.poll_for(10);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, cvl);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    EXPECT_EQ(battery.limits().charge_mode, "Error, please check the logs!");
    battery.reading() = calm_reading(16, 3.400);
    battery.reading().soc_percent = 99;
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, transition) << "no new entry into float";
    EXPECT_EQ(battery.controller.full_writes(), 1u);
    EXPECT_EQ(battery.controller.persist(at(battery.t)).history.values.automatic_syncs, 1);
}

TEST(ChargeVoltage, WithoutCellsFromTheStartTheFloatVoltageIsUsed) {
    Polled battery;
    battery.reading().cell_voltages_v.clear();
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    EXPECT_EQ(battery.limits().charge_mode, "Error, please check the logs!");
}

TEST(ChargeVoltage, AnUnknownNumberOfCellsGivesNoVoltage) {
    Polled battery;
    battery.reading().cell_voltages_v.clear();
    battery.reading().cell_count.reset();
    battery.poll();
    EXPECT_FALSE(battery.limits().cvl_v);
}

TEST(ChargeVoltage, AMissingSocIsNoError) {
    Polled battery = in_float();
    battery.reading().soc_percent.reset();
    battery.poll_for(30);
    EXPECT_EQ(battery.limits().charge_mode, transition);
}

TEST(ChargeVoltage, ADriftedSocDoesNotChargeAFullBatteryOverAndOver) {
    Polled battery(quick());
    battery.reading().soc_percent = 60;
    battery.set_cells(3.450);
    battery.poll_for(62);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    battery.poll_for(3599);
    EXPECT_EQ(battery.limits().charge_mode, floating);
    battery.poll();  // an hour after the entry
    EXPECT_EQ(battery.limits().charge_mode, bulk);
    EXPECT_EQ(battery.controller.full_writes(), 1u);
    EXPECT_EQ(battery.controller.doubtful_floats(), 1u);
}

TEST(ChargeVoltage, OnceTheSocHasAgreedItsRuleApplies) {
    Polled battery = in_float();
    battery.set_cells(3.300);
    battery.poll_for(10);
    battery.reading().soc_percent = 79.9;
    battery.poll();
    EXPECT_TRUE(battery.limits().charge_mode.starts_with("Bulk")) << battery.limits().charge_mode;
}

TEST(ChargeVoltage, TheBmsIsToldOncePerHourAtMost) {
    Polled battery = in_float();
    battery.reading().cell_voltages_v[0] = 3.300;  // difference: back to bulk
    battery.poll();
    battery.set_cells(3.450);
    battery.poll_for(64);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    EXPECT_EQ(battery.controller.full_writes(), 1u);
    EXPECT_EQ(battery.controller.persist(at(battery.t)).history.values.automatic_syncs, 2);
}

TEST(ChargeVoltage, AGapIsNoAbsorption) {
    Polled battery(quick());
    battery.set_cells(3.450);
    battery.poll_for(10);
    battery.t += 3600;
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, absorption);
    battery.poll_for(51);
    EXPECT_EQ(battery.limits().charge_mode, absorption);
    battery.poll();
    EXPECT_EQ(battery.limits().charge_mode, transition);
}

TEST(ChargeVoltage, ARestartContinuesAbsorptionIfTheDateCanBeTrusted) {
    const auto mode_after = [](double began_before_s) {
        Polled battery(quick());
        battery.set_cells(3.450);
        battery.reading().soc_percent = 99;
        control::Persistent stored;
        stored.voltage.absorption_began_s = 1700000000 - began_before_s;
        battery.controller.restore(stored, battery.parameters, at(0));
        battery.poll_for(2);
        return battery.limits().charge_mode;
    };
    EXPECT_EQ(mode_after(30), absorption);
    EXPECT_EQ(mode_after(61), floating);
    EXPECT_EQ(mode_after(-500), absorption) << "the date lies in the future";
    EXPECT_EQ(mode_after(300000000), absorption) << "the clock was wrong then or is now";
}

TEST(ChargeVoltage, ManagementOffIsAlwaysTheMaximum) {
    control::Parameters parameters = quick();
    parameters.voltage.managed = false;
    parameters.voltage.soc_reset_after_days = 1;
    Polled battery(parameters);
    battery.set_cells(3.500);
    battery.poll_for(100);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2) << "a request to raise it would never end";
    EXPECT_EQ(battery.limits().charge_mode, "Keep always max voltage");
}

TEST(ChargeVoltage, ExpectedHighVoltageIsNoWarningButAnAlarmIs) {
    control::Parameters parameters = quick();
    parameters.voltage.soc_reset_after_days = 7;
    Polled battery(parameters);
    battery.reading().alarms.set(Alarm::high_voltage, Level::warning);
    battery.reading().alarms.set(Alarm::high_cell_voltage, Level::alarm);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 58.4);
    EXPECT_EQ(battery.battery.alarms[Alarm::high_voltage], Level::ok);
    EXPECT_EQ(battery.battery.alarms[Alarm::high_cell_voltage], Level::alarm);
}

TEST(ChargeVoltage, VoltageDropIsAddedToWhatIsPublished) {
    control::Parameters parameters = quick();
    parameters.voltage.drop_v = 0.3;
    Polled battery(parameters);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.5);
    EXPECT_DOUBLE_EQ(*battery.limits().max_cell_v, 3.45);
}

// RV-C, and many that speak as Pylontech do, tell no cells at all.
TEST(ChargeVoltage, CellsNobodyTellsAreEqualShares) {
    for (const bool wanted : {true, false}) {
        auto parameters = quick();
        parameters.use_bms_voltages = wanted;
        Polled battery(parameters);
        battery.battery.traits.voltage_limits = battery.battery.traits.cells_untold = true;
        battery.reading().cell_voltages_v.clear();
        battery.reading().max_battery_voltage_v = 56;
        battery.poll_for(300);
        EXPECT_EQ(battery.limits().charge_mode, bulk);
        EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, wanted ? 56.0 : 55.2);
        EXPECT_FALSE(battery.battery.internal_errors);
        EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50) << "an equal share limits no current";
        battery.reading().voltage_v = 56;
        battery.reading().soc_percent = 99;
        battery.poll_for(62);
        EXPECT_EQ(battery.limits().charge_mode, transition);
        battery.poll_for(2100);
        EXPECT_EQ(battery.limits().charge_mode, floating);
        EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    }
}

TEST(ChargeVoltage, AGuessedNumberOfCellsRaisesNothingAboveWhatTheBmsAllows) {
    Polled battery(quick());
    battery.battery.traits.cells_untold = true;
    battery.reading().cell_voltages_v.clear();
    battery.reading().cell_count = 17;  // 58.8 V of 14 cells, taken for 17
    battery.reading().max_battery_voltage_v = 58.0;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 58.0) << "17 x 3.45 V are 58.65";
    battery.reading().max_battery_voltage_v = 52.0;
    battery.poll_for(300);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 52.0);
    EXPECT_EQ(battery.controller.full_writes(), 0u) << "held below float: not full";
}

TEST(ChargeVoltage, CellsThatWereToldOnceAreMissedWhenTheyAreNot) {
    Polled battery = decided_by_bms(56);
    battery.battery.traits.cells_untold = true;
    battery.poll();
    battery.reading().cell_voltages_v.clear();
    battery.poll_for(10);
    EXPECT_EQ(battery.limits().cvl_reason, "cell voltages are missing: as before");
    battery.poll_for(2);
    EXPECT_EQ(battery.limits().cvl_reason, "cell voltages are missing: float voltage 54.00 V");
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
}

// An open wire of a JK shows as 0 mV: it is no cell that takes 3.45 V off the sum.
TEST(ChargeVoltage, ACellOfZeroVoltIsMissingInTheSum) {
    Polled battery(quick());
    battery.set_cells(3.451);
    battery.reading().cell_voltages_v[15] = 0.0;
    battery.reading().voltage_v = 55.2;
    battery.poll();
    EXPECT_NEAR(*battery.limits().cvl_v, 55.2 - 15 * 0.001, 0.0051);
    EXPECT_DOUBLE_EQ(*battery.limits().dcl_a, 0) << "it counts as the lowest all the same";
}

namespace {

/// In float at 54.0 V, with a BMS that decides about its voltages.
Polled floating_with_bms() {
    Polled battery = full_by_bms();
    battery.poll_for(62 + 1202);
    EXPECT_EQ(battery.limits().charge_mode, floating);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    battery.set_cells(3.375);
    return battery;
}

}  // namespace

TEST(ChargeVoltage, FloatIsNeverAboveWhatTheBmsAllowsNow) {
    Polled battery = floating_with_bms();
    battery.reading().max_battery_voltage_v = 50;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 50);
    EXPECT_EQ(battery.limits().cvl_reason, "full: 50.00 V, as the BMS says");
    battery.reading().max_battery_voltage_v = 58.4;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54) << "and float is float where it allows more";
    EXPECT_EQ(battery.limits().charge_mode, floating);
}

TEST(ChargeVoltage, TheTransitionToFloatStaysBelowWhatTheBmsAllows) {
    Polled battery = full_by_bms();
    battery.poll_for(70);
    EXPECT_EQ(battery.limits().charge_mode, transition);
    battery.reading().max_battery_voltage_v = 54.5;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.5);
}

TEST(ChargeVoltage, WhatABmsHoldsBelowFloatDoesNotMeanFull) {
    Polled battery = decided_by_bms(52.0);
    for (const double allowed : {52.0, 0.0}) {
        battery.reading().max_battery_voltage_v = allowed;
        battery.poll_for(300);
        EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, allowed);
        EXPECT_EQ(battery.limits().charge_mode, bulk);
        EXPECT_EQ(battery.controller.full_writes(), 0u);
    }
}

TEST(ChargeVoltage, ALowerVoltageOfZeroIsNone) {
    Polled battery = decided_by_bms(55.2);
    battery.reading().min_battery_voltage_v = 0;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().low_voltage_v, 16 * battery.parameters.min_cell_v);
    battery.reading().min_battery_voltage_v = 44;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().low_voltage_v, 44);
}

TEST(ChargeVoltage, AFloatVoltageThatIsReadAgainCountsAtOnce) {
    Polled battery = in_float();
    battery.set_cells(3.375);
    battery.poll_for(1300);
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 54.0);
    battery.parameters.float_cell_v = 3.34;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 53.44);
}

// charge-control §2: the regular reset overrides what the BMS says.
TEST(ChargeVoltage, ARegularSocResetDecidesAboutTheVoltageItself) {
    Polled battery = decided_by_bms(56.8);
    battery.parameters.voltage.soc_reset_after_days = 30;
    control::Persistent stored;
    stored.voltage.soc_reset_reached_s = control::unix_seconds(at(0).wall) - 1000;
    battery.controller.restore(stored, battery.parameters, at(0));
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    EXPECT_EQ(battery.limits().charge_mode, bulk);
}

// charge-control §10, 11: no battery backs the clock of many boxes.
TEST(ChargeVoltage, ASocResetIsNotRepeatedBecauseTheClockWasSet) {
    control::Parameters parameters = quick();
    parameters.voltage.soc_reset_after_days = 30;
    Polled battery(parameters);
    const auto poll_for = [&](double seconds, std::chrono::hours clock_ahead) {
        for (const double end = battery.t + seconds; battery.t < end; battery.t += 1) {
            Moment now = at(battery.t);
            now.wall += clock_ahead;
            ++battery.battery.link.polls;
            battery.controller.step(battery.battery, battery.parameters, now, 1s, {});
        }
    };
    battery.reading().soc_percent = 99;
    battery.set_cells(3.651);
    poll_for(65, 0h);
    ASSERT_EQ(battery.limits().charge_mode, transition);
    EXPECT_EQ(battery.controller.persist(at(battery.t)).voltage.soc_reset_reached_s,
              control::unix_seconds(at(61).wall));
    battery.set_cells(3.375);
    poll_for(5000, 20000h);
    EXPECT_EQ(battery.controller.persist(at(battery.t)).voltage.soc_reset_reached_s,
              control::unix_seconds(at(61).wall + 20000h))
        << "as if the clock had been right then";
    EXPECT_EQ(battery.limits().charge_mode, floating);
}

TEST(ChargeVoltage, ASocResetOfTheFutureIsRepeatedAfterAsManyDays) {
    Polled battery(quick());
    battery.parameters.voltage.soc_reset_after_days = 30;
    control::Persistent stored;
    stored.voltage.soc_reset_reached_s = control::unix_seconds(at(0).wall + 20000h);
    battery.controller.restore(stored, battery.parameters, at(0));
    battery.t = 30 * 86400;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    battery.poll();
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 58.4);
}

TEST(ChargeVoltage, CellsBeyondTheNumberInSeriesHoldNothingDown) {
    Polled battery(quick());
    battery.reading().cell_voltages_v.resize(15);
    battery.reading().cell_count = 15;
    battery.set_cells(3.450);
    battery.reading().cell_voltages_v[14] = 3.460;
    battery.reading().cell_voltages_v.push_back(3.600);
    battery.poll();
    // 51.76 V less 0.01 V of the cell above 3.45 V.
    EXPECT_NEAR(*battery.limits().cvl_v, 51.75, 1e-9);
}

TEST(ChargeVoltage, ABmsOfAnotherKindDoesNotDecide) {
    Polled battery = decided_by_bms(58.4);
    battery.battery.traits.voltage_limits = false;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    battery.battery.traits.voltage_limits = true;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 58.4);
    EXPECT_EQ(battery.limits().cvl_reason, "58.40 V for 16 cells, as the BMS says");
}
