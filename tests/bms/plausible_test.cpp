#include "bms/plausible.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace bmsd::tests {
namespace {

Reading sixteen_cells() {
    Reading reading;
    reading.voltage_v = 52.8;
    reading.current_a = -12;
    reading.soc_percent = 60;
    reading.cell_count = 16;
    for (int i = 0; i < 16; ++i) reading.cell_voltages_v.push_back(3.3);
    reading.temperatures_c.push_back(21.0);
    return reading;
}

TEST(Plausible, TakesARealPackAndOneThatSaysLittle) {
    EXPECT_EQ(bms::implausible(sixteen_cells()), "");
    EXPECT_EQ(bms::implausible(Reading{}), "");
}

TEST(Plausible, RefusesImpossibleValues) {
    const auto refuses = [](auto change) {
        Reading reading = sixteen_cells();
        change(reading);
        EXPECT_NE(bms::implausible(reading), "");
    };
    refuses([](Reading& r) { r.voltage_v = 0; });
    refuses([](Reading& r) { r.voltage_v = std::numeric_limits<double>::quiet_NaN(); });
    refuses([](Reading& r) { r.voltage_v = 26.4; });
    refuses([](Reading& r) { r.current_a = 6000; });
    refuses([](Reading& r) { r.soc_percent = 101; });
    refuses([](Reading& r) { r.cell_count = 0; });
    refuses([](Reading& r) { r.cell_voltages_v[3] = 65.535; });
    refuses([](Reading& r) { r.temperatures_c[0] = -273; });
}

TEST(Plausible, AnOpenWireOrAMissingSensorIsNoReason) {
    Reading reading = sixteen_cells();
    reading.cell_voltages_v[7] = 0;
    reading.temperatures_c.emplace_back();
    EXPECT_EQ(bms::implausible(reading), "");
}

TEST(Consistent, TwoReadingsOfOneBatteryAgree) {
    Reading first = sixteen_cells();
    Reading second = first;
    second.voltage_v = 52.1;
    second.current_a = 90;
    second.soc_percent = 61;
    EXPECT_TRUE(bms::consistent(first, second));
    second.voltage_v = 48;
    EXPECT_FALSE(bms::consistent(first, second));
    second = first;
    second.cell_count = 15;
    EXPECT_FALSE(bms::consistent(first, second));
    second = first;
    second.soc_percent = 20;
    EXPECT_FALSE(bms::consistent(first, second));
}

TEST(Jump, OrdinaryChangesAreNone) {
    const Reading before = sixteen_cells();
    Reading now = before;
    now.voltage_v = 52.0;
    now.current_a = -60;
    now.soc_percent = 59;
    now.cell_voltages_v[3] = 3.22;
    now.temperatures_c[0] = 23.0;
    now.custom_name = "not known before";
    now.charge_fet = true;
    now.alarms.raise(Alarm::high_temperature, Level::alarm);
    EXPECT_EQ(bms::jump(before, now), "");
    EXPECT_EQ(bms::jump(Reading{}, before), "") << "nothing was known before";
}

TEST(Jump, NoticesWhatAFlippedBitDoes) {
    const auto notices = [](auto change) {
        Reading before = sixteen_cells();
        before.serial_number = "2409012345";
        before.capacity_ah = 280;
        before.discharge_fet = true;
        before.alarms.known(Alarm::high_temperature);
        Reading now = before;
        change(now);
        EXPECT_NE(bms::jump(before, now), "");
    };
    notices([](Reading& r) { r.voltage_v = 52.8 + 2.56; });
    notices([](Reading& r) { r.voltage_v.reset(); });
    notices([](Reading& r) { r.current_a = -12 - 102.4; });
    notices([](Reading& r) { r.soc_percent = 62; });
    notices([](Reading& r) { r.capacity_ah = 24; });
    notices([](Reading& r) { r.cell_voltages_v[15] = 3.428; });
    notices([](Reading& r) { r.cell_voltages_v[0].reset(); });
    notices([](Reading& r) { r.cell_voltages_v.clear(); });
    notices([](Reading& r) { r.temperatures_c[0] = 25; });
    notices([](Reading& r) { r.discharge_fet = false; });
    notices([](Reading& r) { r.serial_number = "2409012344"; });
    notices([](Reading& r) { r.alarms.raise(Alarm::high_temperature, Level::alarm); });
    notices([](Reading& r) { r.alarms = {}; });
}

/// Compares a reading with one that was changed.
auto after(bool (*compare)(const Reading&, const Reading&)) {
    return [compare](auto change) {
        Reading second = sixteen_cells();
        change(second);
        return compare(sixteen_cells(), second);
    };
}

TEST(Repeats, ADigitOrTwoMayDiffer) {
    const auto repeated = after(bms::repeats);
    EXPECT_TRUE(repeated([](Reading&) {}));
    EXPECT_TRUE(repeated([](Reading& r) { *r.current_a += 0.2; }));
    EXPECT_TRUE(repeated([](Reading& r) { *r.cell_voltages_v[3] += 0.002; }));
    EXPECT_FALSE(repeated([](Reading& r) { *r.cell_voltages_v[3] += 0.004; }));
    EXPECT_FALSE(repeated([](Reading& r) { *r.current_a -= 0.4; }));
    EXPECT_FALSE(repeated([](Reading& r) { *r.voltage_v += 0.064; }));
    EXPECT_FALSE(repeated([](Reading& r) { *r.temperatures_c[0] += 1; }));
    EXPECT_FALSE(repeated([](Reading& r) { r.alarms.raise(Alarm::high_voltage, Level::alarm); }));
    EXPECT_FALSE(repeated([](Reading& r) { r.balancing_active = true; }));
}

TEST(Confirms, WhatWasToldIsToldAgain) {
    const Reading whole = sixteen_cells();
    Reading part;
    EXPECT_TRUE(bms::confirms(whole, part)) << "nothing was told";
    EXPECT_FALSE(bms::confirms(part, whole)) << "nothing is told again";
    part.voltage_v = whole.voltage_v;
    part.soc_percent = *whole.soc_percent - 0.1;
    EXPECT_TRUE(bms::confirms(whole, part));
    part.soc_percent = *whole.soc_percent - 0.5;
    EXPECT_FALSE(bms::confirms(whole, part));
}

TEST(Same, NotOneDigitMayDiffer) {
    const auto same = after(bms::same);
    EXPECT_TRUE(same([](Reading&) {}));
    EXPECT_TRUE(same([](Reading& r) { r.cycles = 1234; })) << "nothing is decided by it";
    EXPECT_FALSE(same([](Reading& r) { r.max_charge_current_a = 100; })) << "only one of them knows it";
    EXPECT_FALSE(same([](Reading& r) { r.soc_percent.reset(); }));
    EXPECT_FALSE(same([](Reading& r) { *r.current_a += 0.01; }));
    EXPECT_FALSE(same([](Reading& r) { *r.cell_voltages_v[3] += 0.001; }));
    EXPECT_FALSE(same([](Reading& r) { *r.voltage_v += 0.01; }));
    EXPECT_FALSE(same([](Reading& r) { *r.soc_percent -= 0.1; }));
    EXPECT_FALSE(same([](Reading& r) { *r.temperatures_c[0] += 0.1; }));
    EXPECT_FALSE(same([](Reading& r) { r.alarms.raise(Alarm::high_voltage, Level::warning); }));
}

TEST(Middle, TheFewThatAreDamagedAreOutvoted) {
    const auto middle = [](std::vector<Reading> readings) { return bms::middle(readings); };
    Reading good = sixteen_cells();
    good.serial_number = "2409012345";
    good.charge_fet = true;
    good.alarms.known(Alarm::high_voltage);
    Reading bad = good;
    bad.voltage_v = 61.3;
    bad.soc_percent.reset();
    bad.cell_voltages_v[15] = 0.2;
    bad.temperatures_c[0] = -40;
    bad.serial_number = "2409012344";
    bad.charge_fet = false;
    bad.alarms.set(Alarm::high_voltage, Level::alarm);
    EXPECT_EQ(middle({bad, good, good}), good);
    EXPECT_EQ(middle({good, bad, good}), good);
    EXPECT_EQ(middle({good, good, bad}), good);
    EXPECT_EQ(middle({bad, good, good, good, bad}), good) << "two of five that say the same";
    Reading shorter = bad;
    shorter.cell_voltages_v.pop_back();
    shorter.temperatures_c.clear();
    EXPECT_EQ(middle({good, good, shorter}), good);
    EXPECT_EQ(middle({shorter, good, good}), good);
    EXPECT_EQ(middle({shorter, good, bad, good, good}), good);
    EXPECT_EQ(middle({bad, good, good, good, shorter}), good);
    Reading low = good, high = good;
    low.current_a = -100;
    high.current_a = 100;
    EXPECT_EQ(middle({high, low, good}), good) << "the middle, whatever the order";
    EXPECT_EQ(middle({low, bad, shorter, high, good}).current_a, good.current_a);
    Reading unknown = good;
    unknown.current_a.reset();
    EXPECT_EQ(middle({low, unknown, good, good, high}), good) << "one does not know it";
    EXPECT_EQ(middle({low, good, high, good, unknown}), good);
    EXPECT_EQ(middle({low, unknown, unknown}), unknown) << "most do not know it";
    low.cell_voltages_v[2] = 3.1;
    EXPECT_EQ(middle({high, low, high, good, low}), good);
}

}  // namespace
}  // namespace bmsd::tests
