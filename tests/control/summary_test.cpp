#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

/// What follows from a reading.
Summary summarise(const Reading& reading, const control::Parameters& parameters) {
    control::Controller controller;
    Battery battery;
    battery.reading = reading;
    controller.observe(battery, parameters, at(0), 1s);
    return battery.summary;
}

}  // namespace

TEST(Summary, FindsCellExtremesAndTheirNumbers) {
    Battery battery;
    battery.reading = calm_reading();
    battery.reading.cell_voltages_v[4] = 3.290;
    battery.reading.cell_voltages_v[7] = 3.290;
    battery.reading.cell_voltages_v[9] = 3.310;
    const Summary summary = summarise(battery.reading, {});
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
    const Summary summary = summarise(reading, {});
    EXPECT_DOUBLE_EQ(*summary.max_cell_v, 3.3);
    EXPECT_DOUBLE_EQ(*summary.cell_sum_v, 3.3);
}

TEST(Summary, ReportedExtremesWin) {
    Reading reading;
    reading.cell_voltages_v = {Number{0.0}, Number{3.2}, Number{3.3}};
    reading.min_cell_voltage_v = 3.2;
    const Summary summary = summarise(reading, {});
    EXPECT_DOUBLE_EQ(*summary.min_cell_v, 3.2);
    EXPECT_EQ(summary.min_cell, 1u) << "the lowest of the list";
}

TEST(Summary, ReportedExtremesOfAnotherMomentDoNotHideTheirCells) {
    Reading reading;
    reading.cell_voltages_v = {Number{3.301}, Number{3.29}, Number{3.315}};
    reading.min_cell_voltage_v = 3.291;
    reading.max_cell_voltage_v = 3.314;
    reading.min_cell_number = reading.max_cell_number = 1;
    const Summary summary = summarise(reading, {});
    EXPECT_DOUBLE_EQ(*summary.min_cell_v, 3.291);
    EXPECT_DOUBLE_EQ(*summary.max_cell_v, 3.314);
    EXPECT_EQ(summary.min_cell, 2u);
    EXPECT_EQ(summary.max_cell, 3u);
}

TEST(Summary, WithoutAListTheBmsNamesTheCells) {
    Reading reading;
    reading.min_cell_voltage_v = 3.29;
    reading.max_cell_voltage_v = 3.31;
    reading.min_cell_number = 7;
    reading.max_cell_number = 200;  // there is no such cell
    const Summary summary = summarise(reading, {});
    EXPECT_EQ(summary.min_cell, 7u);
    EXPECT_EQ(summary.max_cell, 0u);
}

TEST(Summary, WithoutCellsNothingIsInvented) {
    const Summary summary = summarise({}, {});
    EXPECT_FALSE(summary.min_cell_v || summary.max_cell_v || summary.cell_sum_v || summary.cell_diff_v ||
                 summary.temperature_c || summary.remaining_ah || summary.consumed_ah || summary.current_a ||
                 summary.power_w);
    EXPECT_EQ(summary.min_cell, 0u);
}

TEST(Summary, TemperaturesOfTheSelectedSensors) {
    Reading reading;
    reading.temperatures_c = {Number{20.0}, Number{30.0}, Number{}, Number{30.0}};
    const Summary all = summarise(reading, {});
    EXPECT_NEAR(*all.temperature_c, 80.0 / 3, 1e-9);
    EXPECT_EQ(all.min_sensor, 1u);
    EXPECT_EQ(all.max_sensor, 4u) << "of equally warm sensors the highest number";

    control::Parameters second_only;
    second_only.temperature_sources = {2};
    EXPECT_DOUBLE_EQ(*summarise(reading, second_only).temperature_c, 30.0);
}

TEST(Summary, CurrentCannotFlowThroughAnOpenFet) {
    Reading reading;
    reading.voltage_v = 50;
    reading.current_a = -0.3;
    reading.discharge_fet = false;
    EXPECT_DOUBLE_EQ(*summarise(reading, {}).current_a, 0);
    reading.current_a = 2;
    EXPECT_DOUBLE_EQ(*summarise(reading, {}).power_w, 100) << "charging is still possible";
    reading.charge_fet = false;
    EXPECT_DOUBLE_EQ(*summarise(reading, {}).current_a, 0);
}

TEST(Summary, ConsumedIsNeverPositive) {
    Reading reading;
    reading.capacity_ah = 280;
    reading.capacity_remaining_ah = 285;  // freshly calibrated
    EXPECT_DOUBLE_EQ(*summarise(reading, {}).consumed_ah, -5);
    reading.capacity_remaining_ah.reset();
    reading.soc_percent = 50;
    EXPECT_DOUBLE_EQ(*summarise(reading, {}).remaining_ah, 140);
}
