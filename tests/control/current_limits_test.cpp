// CCL and DCL: what happens when inputs go missing, and after that (charge-control §10, 7).
#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

/// Follows the rules without hold and ramp.
control::Parameters at_once() {
    control::Parameters parameters;
    parameters.charge.recovery_hold_s = parameters.discharge.recovery_hold_s = 0;
    parameters.charge.recovery_a_per_s = parameters.discharge.recovery_a_per_s = 0;
    return parameters;
}

}  // namespace

TEST(CurrentLimit, ASilentSensorHoldsItsLimitForAMinute) {
    Polled battery(at_once());
    battery.reading().temperatures_c = {Number{3.0}, Number{20.0}};
    battery.poll();
    EXPECT_NEAR(*battery.limits().ccl_a, 16.666, 1e-9);  // a third of the way from 25 % to 50 % of 50 A, rounded down
    battery.reading().temperatures_c[0].reset();
    battery.poll_for(60);
    EXPECT_NEAR(*battery.limits().ccl_a, 16.666, 1e-9);
    EXPECT_EQ(battery.limits().charge_limitation, "Temp");
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50) << "the other sensor watches";
    EXPECT_EQ(battery.battery.summary.lost_inputs, "Temp 1");
    EXPECT_EQ(battery.battery.alarms[Alarm::internal_failure], Level::warning);
    battery.reading().temperatures_c[0] = 10;
    battery.poll();
    EXPECT_EQ(battery.battery.summary.lost_inputs, "");
    EXPECT_FALSE(battery.battery.alarms[Alarm::internal_failure]);
}

TEST(CurrentLimit, WithoutAnyOtherSensorAQuarterCounts) {
    Polled battery(at_once());
    battery.reading().temperatures_c = {Number{20.0}};
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50);
    battery.reading().temperatures_c[0] = std::numeric_limits<double>::quiet_NaN();
    battery.poll_for(60);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 12.5);
    EXPECT_DOUBLE_EQ(*battery.limits().dcl_a, 15);
}

TEST(CurrentLimit, InFrostADeadSensorKeepsChargingOff) {
    Polled battery(at_once());
    battery.reading().temperatures_c = {Number{-3.0}};
    battery.poll();
    battery.reading().temperatures_c.clear();
    battery.poll_for(3600);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_EQ(battery.limits().allow_charge, false);
}

TEST(CurrentLimit, WhatNoRuleLooksAtIsNotMissed) {
    control::Parameters parameters = at_once();
    const auto after_a_minute = [&] {
        Polled battery(parameters);
        battery.poll();
        battery.reading().mosfet_temperature_c.reset();
        battery.reading().soc_percent.reset();
        battery.poll_for(62);
        return battery.battery;
    };
    parameters.charge.by_mosfet = parameters.discharge.by_mosfet = false;
    const Battery unwatched = after_a_minute();
    EXPECT_EQ(unwatched.summary.lost_inputs, "");
    EXPECT_FALSE(unwatched.alarms[Alarm::internal_failure]);
    parameters.discharge.by_mosfet = parameters.charge.by_soc = true;
    const Battery watched = after_a_minute();
    EXPECT_EQ(watched.summary.lost_inputs, "MOSFET, state of charge");
    EXPECT_EQ(watched.alarms[Alarm::internal_failure], Level::warning);
}

TEST(CurrentLimit, ASensorThatNeverWasDoesNotLimit) {
    Polled battery(at_once());
    battery.reading().temperatures_c.clear();
    battery.reading().mosfet_temperature_c.reset();
    battery.poll_for(120);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50);
    EXPECT_EQ(battery.battery.summary.lost_inputs, "");
}

TEST(CurrentLimit, ARestartDoesNotForgetADeadSensor) {
    Polled before(at_once());
    before.reading().temperatures_c = {Number{-3.0}};
    before.poll();
    const control::Persistent stored = before.controller.persist(at(before.t));

    Polled after(at_once());
    after.controller.restore(stored, after.parameters, at(0));
    after.reading().temperatures_c.clear();
    after.poll_for(300);
    EXPECT_DOUBLE_EQ(*after.limits().ccl_a, 0);
    EXPECT_EQ(after.battery.summary.lost_inputs, "Temp 1");

    after.parameters.temperature_sources = {2};
    after.poll();
    EXPECT_DOUBLE_EQ(*after.limits().ccl_a, 50) << "the user took it out of TEMPERATURE_SOURCE_BATTERY";
}

TEST(CurrentLimit, MissingCellsAndMosfetHoldTheirLimitsToo) {
    Polled battery(at_once());
    battery.set_cells(3.400);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 12.5);
    battery.reading().cell_voltages_v.clear();
    battery.poll_for(60);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 12.5);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 3.125);
    EXPECT_EQ(battery.battery.summary.lost_inputs, "cell voltages");
}

TEST(CurrentLimit, ASettingOfTheBmsStaysWhileItIsNotTold) {
    Polled battery(at_once());
    battery.reading().max_charge_current_a = 30;
    battery.poll();
    battery.reading().max_charge_current_a.reset();
    battery.poll_for(300);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 30);
}

// A U-BMS sets a limit in drive mode only.
TEST(CurrentLimit, ASettingThatMayLapseIsGoneWhenItIsNotTold) {
    Polled battery(at_once());
    battery.battery.traits.current_limits = CurrentLimits::lapsing;
    battery.reading().max_charge_current_a = 0;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    battery.reading().max_charge_current_a.reset();
    battery.poll_for(2);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50);
}

TEST(CurrentLimit, WhatABmsTellsForInformationLimitsNothing) {
    Polled battery(at_once());
    battery.battery.traits.current_limits = CurrentLimits::informing;
    battery.poll();
    const auto without = battery.limits();
    battery.reading().max_charge_current_a = battery.reading().max_discharge_current_a = 10;
    battery.poll();
    EXPECT_EQ(battery.limits().ccl_a, without.ccl_a);
    EXPECT_EQ(battery.limits().dcl_a, without.dcl_a);
    battery.battery.traits.current_limits = CurrentLimits::followed;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 10);
    EXPECT_DOUBLE_EQ(*battery.limits().dcl_a, 10);
}

TEST(CurrentLimit, AnUnknownSwitchCountsAsOn) {
    Polled battery;
    battery.reading().charge_fet.reset();
    battery.reading().discharge_fet.reset();
    battery.poll();
    EXPECT_EQ(battery.limits().allow_charge, true);
    EXPECT_EQ(battery.limits().allow_discharge, true);
    EXPECT_EQ(battery.limits().activity, Activity::running);
}

TEST(CurrentLimit, FallsAtOnceAndRisesAfterHoldAndRamp) {
    Polled battery;
    battery.set_cells(3.500);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_EQ(battery.limits().activity, Activity::running) << "discharging is allowed";
    battery.set_cells(3.300);
    battery.poll_for(30);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_EQ(battery.limits().charge_limitation, "Max Battery Charge Current *");
    battery.poll();  // the ramp begins at what was held
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    battery.poll_for(5);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 25);
    battery.set_cells(3.400);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 12.5) << "a reduction never waits";
}

TEST(CurrentLimit, ZeroEndsOnlyAboveTheThreshold) {
    Polled battery;
    battery.set_cells(3.500);
    battery.poll();
    battery.set_cells(3.450);  // 0.25 A, below 1.5 % of 50 A
    battery.poll_for(300);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_NE(battery.limits().ccl_reason.find("0 A until 0.75 A are allowed"), std::string::npos)
        << battery.limits().ccl_reason;
}

TEST(CurrentLimit, AnUnsafeConfigurationBlocks) {
    Polled battery;
    battery.battery.config_blocks = true;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_DOUBLE_EQ(*battery.limits().dcl_a, 0);
    EXPECT_EQ(battery.limits().allow_discharge, false);
    EXPECT_EQ(battery.limits().charge_limitation, "BMS");
}

TEST(CurrentLimit, TheReasonNamesTheInput) {
    Polled battery;
    battery.reading().cell_voltages_v[4] = 3.410;
    battery.poll();
    EXPECT_EQ(battery.limits().ccl_reason, "cell 5 at 3.410 V: 8.5 A");
    EXPECT_EQ(battery.limits().dcl_reason, "the configured maximum: 60 A");
    battery.reading().temperatures_c[1] = 3;
    battery.poll();
    EXPECT_EQ(battery.limits().dcl_reason, "Temp 2 at 3.0 °C: 24 A");
}
