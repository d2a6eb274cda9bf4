#include "control/silence.hpp"

#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

/// A battery that answered once, with limits set.
Battery answering(const control::Parameters& parameters) {
    Polled polled(parameters);
    polled.poll();
    return polled.battery;
}

}  // namespace

TEST(Silence, TenSecondsAreStaleSixtyLost) {
    const control::Parameters parameters;
    Battery battery = answering(parameters);
    EXPECT_EQ(battery.link.state, LinkState::fresh);
    EXPECT_TRUE(battery.online);
    control::apply_silence(battery, parameters, 10s, 1s);
    EXPECT_EQ(battery.link.state, LinkState::fresh) << "limits are exceeded strictly";
    EXPECT_TRUE(control::apply_silence(battery, parameters, 11s, 1s));
    EXPECT_EQ(battery.link.state, LinkState::stale);
    EXPECT_FALSE(battery.online);
    EXPECT_FALSE(control::apply_silence(battery, parameters, 12s, 1s)) << "nothing new";
    control::apply_silence(battery, parameters, 61s, 1s);
    EXPECT_EQ(battery.link.state, LinkState::lost);
    EXPECT_EQ(battery.cable_alarm, Level::ok);
    control::apply_silence(battery, parameters, 62s, 1s);
    EXPECT_EQ(battery.cable_alarm, Level::warning);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 50) << "cells were inside the window: go on for 30 minutes";
    control::apply_silence(battery, parameters, 30min + 1s, 1s);
    EXPECT_EQ(battery.cable_alarm, Level::alarm);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 0);
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 0);
    EXPECT_FALSE(*battery.limits.allow_charge);
}

TEST(Silence, CellsOutsideTheWindowBlockAfterAMinute) {
    const control::Parameters parameters;
    Battery battery = answering(parameters);
    battery.summary.max_cell_v = 3.400;
    control::apply_silence(battery, parameters, 60s, 1s);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 50);
    control::apply_silence(battery, parameters, 61s, 1s);
    EXPECT_EQ(battery.cable_alarm, Level::alarm);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 0);
}

TEST(Silence, UnknownCellsCountAsOutside) {
    const control::Parameters parameters;
    Battery battery = answering(parameters);
    battery.summary = {};
    control::apply_silence(battery, parameters, 61s, 1s);
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 0);
}

TEST(Silence, BlockOnDisconnectBlocksAfterTenSeconds) {
    control::Parameters parameters;
    parameters.block_on_disconnect = true;
    Battery battery = answering(parameters);
    control::apply_silence(battery, parameters, 10s, 1s);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 50);
    control::apply_silence(battery, parameters, 11s, 1s);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 0);
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 0);
    EXPECT_EQ(battery.limits.charge_limitation, "BMS");
}

TEST(Silence, SlowPollsGetTwoOfThem) {
    const control::Parameters parameters;
    Battery battery = answering(parameters);
    control::apply_silence(battery, parameters, 30s, 20s);
    EXPECT_TRUE(battery.online);
    control::apply_silence(battery, parameters, 41s, 20s);
    EXPECT_FALSE(battery.online);
}

TEST(Silence, NeverAnsweredIsStarting) {
    Battery battery;
    control::apply_silence(battery, {}, 5min, 1s);
    EXPECT_EQ(battery.link.state, LinkState::starting);
    EXPECT_FALSE(battery.online);
}

TEST(Silence, CableAlarmCanBeSwitchedOffAsAWarningOnly) {
    control::Parameters parameters;
    parameters.cable_alarm = false;
    Battery battery = answering(parameters);
    control::apply_silence(battery, parameters, 62s, 1s);
    EXPECT_EQ(battery.cable_alarm, Level::ok);
    control::apply_silence(battery, parameters, 31min, 1s);
    EXPECT_EQ(battery.cable_alarm, Level::alarm);
}
