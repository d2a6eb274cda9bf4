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

}  // namespace
}  // namespace bmsd::tests
