#include "sim/pack.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"

namespace bmsd::sim {
namespace {

using std::chrono::duration;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

double sum(const Cells& cells) {
    return std::accumulate(cells.begin(), cells.end(), 0.0,
                           [](double total, const Number& cell) { return total + cell.value(); });
}

TEST(Pack, StartsAsAskedFor) {
    const Pack pack({.number = 7, .cells = 8, .capacity_ah = 100, .soc_percent = 40, .name = "Garage"});
    const Reading& reading = pack.reading();
    EXPECT_EQ(reading.cell_count, 8);
    EXPECT_EQ(reading.cell_voltages_v.size(), 8U);
    EXPECT_EQ(reading.cell_resistances_ohm.size(), 8U);
    EXPECT_EQ(reading.temperatures_c.size(), 4U);
    EXPECT_NEAR(reading.soc_percent.value(), 40, 1e-9);
    EXPECT_EQ(reading.capacity_ah, 100);
    EXPECT_EQ(reading.custom_name, "Garage");
    EXPECT_NEAR(reading.voltage_v.value(), sum(reading.cell_voltages_v), 1e-9);
    EXPECT_EQ(reading.charge_fet, true);
    EXPECT_EQ(reading.discharge_fet, true);
    EXPECT_FALSE(reading.alarms.any());
}

TEST(Pack, ConservesCharge) {
    Pack pack({.capacity_ah = 200, .soc_percent = 50, .fixed_current_a = 20});
    const double before = pack.reading().capacity_remaining_ah.value();
    const double cycled = pack.reading().total_charge_ah.value();
    pack.step(minutes(90));
    EXPECT_NEAR(pack.reading().capacity_remaining_ah.value(), before + 30, 1e-6);  // 20 A for 1.5 h
    EXPECT_NEAR(pack.reading().total_charge_ah.value(), cycled + 30, 1e-6);
    EXPECT_NEAR(pack.reading().soc_percent.value(), 50 + 100 * 30 / pack.reading().capacity_full_ah.value(), 1e-6);
    EXPECT_EQ(pack.reading().current_a, 20);
}

TEST(Pack, ProfileCurrentAndChargeAgree) {
    Pack pack({.capacity_ah = 100, .soc_percent = 95});
    double integral = 0;
    const double before = pack.reading().capacity_remaining_ah.value();
    for (int i = 0; i < 3600; ++i) {
        pack.step(seconds(1));
        integral += pack.reading().current_a.value() / 3600;
    }
    EXPECT_LT(integral, 0);  // it was full after some minutes and has turned round
    EXPECT_NEAR(pack.reading().capacity_remaining_ah.value(), before + integral, 0.001);
}

TEST(Pack, StaysWithinPlausibleBounds) {
    Pack pack({.number = 3, .soc_percent = 60});
    bool charged = false, discharged = false, balanced = false;
    for (int i = 0; i < 2000; ++i) {
        pack.step(seconds(90));
        const Reading& reading = pack.reading();
        ASSERT_GE(reading.soc_percent, 9);
        ASSERT_LE(reading.soc_percent, 100);
        ASSERT_LE(std::abs(reading.current_a.value()), 60);
        for (const Number& cell : reading.cell_voltages_v) {
            ASSERT_GT(cell, 2.9);
            ASSERT_LT(cell, 3.65);
        }
        for (const Number& sensor : reading.temperatures_c) {
            ASSERT_GE(sensor, 20);
            ASSERT_LE(sensor, 25);
        }
        ASSERT_GT(reading.mosfet_temperature_c, reading.temperatures_c[0]);
        charged = charged || reading.current_a > 10;
        discharged = discharged || reading.current_a < -10;
        balanced = balanced || reading.balancing_active == true;
    }
    EXPECT_TRUE(charged && discharged && balanced);
    EXPECT_GT(pack.reading().cycles, 120);
}

TEST(Pack, StopsAtEmptyAndFull) {
    Pack full({.soc_percent = 90, .fixed_current_a = 100});
    full.step(hours(10));
    EXPECT_EQ(full.reading().soc_percent, 100);
    Pack empty({.soc_percent = 10, .fixed_current_a = -100});
    empty.step(hours(10));
    EXPECT_EQ(empty.reading().soc_percent, 0);
    EXPECT_EQ(empty.reading().capacity_remaining_ah, 0);
    EXPECT_LT(empty.reading().voltage_v, full.reading().voltage_v);
}

TEST(Pack, LoadPullsTheVoltageDown) {
    const Pack charged({.fixed_current_a = 50});
    const Pack idle({.fixed_current_a = 0});
    const Pack loaded({.fixed_current_a = -50});
    EXPECT_GT(charged.reading().voltage_v, idle.reading().voltage_v);
    EXPECT_GT(idle.reading().voltage_v, loaded.reading().voltage_v);
}

TEST(Pack, SameStepsGiveTheSameReadings) {
    Pack one({.number = 5}), other({.number = 5});
    for (int i = 0; i < 100; ++i) {
        one.step(duration<double>(0.1 * i));
        other.step(duration<double>(0.1 * i));
        ASSERT_EQ(one.reading(), other.reading());
    }
    one.step(minutes(1));
    EXPECT_NE(one.reading(), other.reading());
}

TEST(Pack, JitterMovesEveryMeasurementByADigitOrTwo) {
    // Hardly any current, so that nothing else moves the cells.
    Pack still({.number = 3, .fixed_current_a = 1}), lively({.number = 3, .fixed_current_a = 1, .jitter = true});
    Reading before = lively.reading();
    for (int poll = 0; poll < 10; ++poll) {
        still.step(seconds(1));
        lively.step(seconds(1));
        const Reading& now = lively.reading();
        for (std::size_t cell = 0; cell < now.cell_voltages_v.size(); ++cell) {
            EXPECT_NE(now.cell_voltages_v[cell], before.cell_voltages_v[cell]) << cell;
            EXPECT_NEAR(now.cell_voltages_v[cell].value(), still.reading().cell_voltages_v[cell].value(), 0.0021);
        }
        EXPECT_NE(now.voltage_v, before.voltage_v);
        EXPECT_NEAR(now.voltage_v.value(), sum(now.cell_voltages_v), 1e-9);
        EXPECT_NE(now.current_a, before.current_a);
        EXPECT_NEAR(now.current_a.value(), still.reading().current_a.value(), 0.21);
        EXPECT_NE(now.temperatures_c[0], before.temperatures_c[0]);
        EXPECT_NE(now.mosfet_temperature_c, before.mosfet_temperature_c);
        before = now;
    }
}

TEST(Pack, TimeDoesNotRunBackwards) {
    Pack pack({});
    const Reading before = pack.reading();
    pack.step(seconds(-5));
    pack.step(seconds(0));
    EXPECT_EQ(pack.reading(), before);
}

TEST(Pack, EveryFamilyTellsTwoPacksApart) {
    const Pack one({.number = 1}), other({.number = 2});
    EXPECT_NE(one.reading().cell_voltages_v, other.reading().cell_voltages_v);
    for (const bms::Family* family : bms::catalog()) {
        if (!family->identity) continue;  // known by port and address
        EXPECT_FALSE(family->identity(one.reading()).empty()) << family->key;
        EXPECT_NE(family->identity(one.reading()), family->identity(other.reading())) << family->key;
    }
}

TEST(Pack, AlarmsStandUntilTakenBack) {
    Pack pack({});
    pack.raise(Alarm::low_cell_voltage, Level::alarm);
    pack.step(seconds(60));
    EXPECT_EQ(pack.reading().alarms[Alarm::low_cell_voltage], Level::alarm);
    EXPECT_EQ(pack.reading().alarms[Alarm::high_voltage], Level::ok);
    pack.raise(Alarm::low_cell_voltage, Level::ok);
    EXPECT_FALSE(pack.reading().alarms.any());
}

}  // namespace
}  // namespace bmsd::sim
