#include "control/control.hpp"

#include <gtest/gtest.h>

using namespace bmsd;
using namespace std::chrono_literals;

namespace {

Battery sixteen_cells() {
    Battery battery;
    for (int i = 0; i < 16; ++i) battery.reading.cell_voltages_v.push_back(3.300);
    battery.reading.cell_count = 16;
    battery.reading.charge_fet = true;
    battery.reading.discharge_fet = true;
    return battery;
}

/// A battery that answered once, with limits set.
Battery answering(const control::Parameters& parameters) {
    Battery battery = sixteen_cells();
    battery.summary = control::summarise(battery.reading, parameters);
    control::set_limits(battery, parameters);
    battery.link.polls = 1;
    control::apply_silence(battery, parameters, 0ms, 1000ms);
    return battery;
}

}  // namespace

TEST(Summary, FindsCellExtremesAndTheirNumbers) {
    Battery battery = sixteen_cells();
    battery.reading.cell_voltages_v[4] = 3.290;
    battery.reading.cell_voltages_v[7] = 3.290;
    battery.reading.cell_voltages_v[9] = 3.310;
    const Summary summary = control::summarise(battery.reading, {});
    EXPECT_DOUBLE_EQ(*summary.min_cell_v, 3.290);
    EXPECT_EQ(summary.min_cell, 5u) << "the first of equal cells";
    EXPECT_DOUBLE_EQ(*summary.max_cell_v, 3.310);
    EXPECT_EQ(summary.max_cell, 10u);
    EXPECT_NEAR(*summary.cell_diff_v, 0.020, 1e-12);
    EXPECT_NEAR(*summary.cell_sum_v, 13 * 3.3 + 2 * 3.29 + 3.31, 1e-9);
}

TEST(Summary, ImplausibleAndAbsentCellsDoNotCount) {
    Reading reading;
    reading.cell_voltages_v = {Number{3.3}, Number{6.91}, Number{}};  // twice 3.45 V is 6.9 V
    const Summary summary = control::summarise(reading, {});
    EXPECT_DOUBLE_EQ(*summary.max_cell_v, 3.3);
    EXPECT_DOUBLE_EQ(*summary.cell_sum_v, 3.3);
}

TEST(Summary, ReportedExtremesWin) {
    Reading reading;
    reading.cell_voltages_v = {Number{0.0}, Number{3.2}, Number{3.3}};
    reading.min_cell_voltage_v = 3.2;
    const Summary summary = control::summarise(reading, {});
    EXPECT_DOUBLE_EQ(*summary.min_cell_v, 3.2);
    EXPECT_EQ(summary.min_cell, 2u);
}

TEST(Summary, WithoutCellsNothingIsInvented) {
    const Summary summary = control::summarise({}, {});
    EXPECT_FALSE(summary.min_cell_v || summary.max_cell_v || summary.cell_sum_v || summary.cell_diff_v ||
                 summary.temperature_c || summary.remaining_ah || summary.consumed_ah || summary.current_a ||
                 summary.power_w);
    EXPECT_EQ(summary.min_cell, 0u);
}

TEST(Summary, TemperaturesOfTheSelectedSensors) {
    Reading reading;
    reading.temperatures_c = {Number{20.0}, Number{30.0}, Number{}, Number{30.0}};
    const Summary all = control::summarise(reading, {});
    EXPECT_NEAR(*all.temperature_c, 80.0 / 3, 1e-9);
    EXPECT_EQ(all.min_sensor, 1u);
    EXPECT_EQ(all.max_sensor, 4u) << "of equally warm sensors the highest number";

    control::Parameters second_only;
    second_only.temperature_sources = {2};
    EXPECT_DOUBLE_EQ(*control::summarise(reading, second_only).temperature_c, 30.0);
}

TEST(Summary, CurrentCannotFlowThroughAnOpenFet) {
    Reading reading;
    reading.voltage_v = 50;
    reading.current_a = -0.3;
    reading.discharge_fet = false;
    EXPECT_DOUBLE_EQ(*control::summarise(reading, {}).current_a, 0);
    reading.current_a = 2;
    EXPECT_DOUBLE_EQ(*control::summarise(reading, {}).power_w, 100) << "charging is still possible";
    reading.charge_fet = false;
    EXPECT_DOUBLE_EQ(*control::summarise(reading, {}).current_a, 0);
}

TEST(Summary, ConsumedIsNeverPositive) {
    Reading reading;
    reading.capacity_ah = 280;
    reading.capacity_remaining_ah = 285;  // freshly calibrated
    EXPECT_DOUBLE_EQ(*control::summarise(reading, {}).consumed_ah, -5);
    reading.capacity_remaining_ah.reset();
    reading.soc_percent = 50;
    EXPECT_DOUBLE_EQ(*control::summarise(reading, {}).remaining_ah, 140);
}

TEST(Limits, ConfiguredMaximaTimesCells) {
    Battery battery = sixteen_cells();
    control::set_limits(battery, {});
    EXPECT_DOUBLE_EQ(*battery.limits.cvl_v, 55.2);
    EXPECT_DOUBLE_EQ(*battery.limits.low_voltage_v, 46.4);
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 50);
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 60);
    EXPECT_TRUE(*battery.limits.allow_charge && *battery.limits.allow_discharge);
}

TEST(Limits, NoCurrentThroughAFetThatIsOff) {
    Battery battery = sixteen_cells();
    battery.reading.charge_fet = false;
    control::set_limits(battery, {});
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 0);
    EXPECT_EQ(battery.limits.charge_limitation, "BMS");
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 60);
}

TEST(Limits, UnknownCellCountGivesNoVoltage) {
    Battery battery;
    control::set_limits(battery, {});
    EXPECT_FALSE(battery.limits.cvl_v);
}

TEST(Limits, AnUnsafeConfigurationBlocks) {
    Battery battery = sixteen_cells();
    battery.config_blocks = true;
    control::set_limits(battery, {});
    EXPECT_DOUBLE_EQ(*battery.limits.ccl_a, 0);
    EXPECT_DOUBLE_EQ(*battery.limits.dcl_a, 0);
}

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
