// The number of cells where a BMS does not tell it: the charge voltage follows it.
#include "bms/cell_count.hpp"

#include <gtest/gtest.h>

namespace bmsd::tests {
namespace {

/// Fifteen cells alike and one that is not.
Reading sixteen(double fifteen_v, double one_v) {
    Reading reading;
    reading.voltage_v = 15 * fifteen_v + one_v;
    reading.min_cell_voltage_v = std::min(fifteen_v, one_v);
    reading.max_cell_voltage_v = std::max(fifteen_v, one_v);
    return reading;
}

}  // namespace

TEST(CellCount, AWeakCellDoesNotAddOne) {
    EXPECT_EQ(bms::estimated_cells(sixteen(3.30, 3.30), nullptr), 16);
    // By the mean of the extremes these would be 17, 17 and 18.
    for (const double weak : {3.05, 2.80, 2.50})
        EXPECT_EQ(bms::estimated_cells(sixteen(3.30, weak), nullptr), 16) << weak;
}

TEST(CellCount, WhatIsKnownStaysWhileItIsPossible) {
    Reading known;
    known.cell_count = 16;
    // By the mean of the extremes 15; the lowest that is possible is 15, too.
    const Reading high = sixteen(3.35, 3.65);
    EXPECT_EQ(bms::estimated_cells(high, nullptr), 15) << "never more than there may be";
    EXPECT_EQ(bms::estimated_cells(high, &known), 16);
    known.cell_count = 15;
    EXPECT_EQ(bms::estimated_cells(high, &known), 15);
    EXPECT_EQ(bms::estimated_cells(sixteen(3.33, 3.335), &known), 16) << "now it is plain";
}

TEST(CellCount, TheVoltageTheBmsAllowsDecidesBetweenSeveral) {
    Reading high = sixteen(3.35, 3.65);
    high.max_battery_voltage_v = 57.6;
    EXPECT_EQ(bms::estimated_cells(high, nullptr), 16);
    high.max_battery_voltage_v = 53.2;
    EXPECT_EQ(bms::estimated_cells(high, nullptr), 15);
    high.max_battery_voltage_v = 28.4;
    EXPECT_EQ(bms::estimated_cells(high, nullptr), 15) << "eight cannot be";
}

TEST(CellCount, WithoutAnyCellItIsTheAllowedVoltageAlone) {
    Reading reading;
    reading.voltage_v = 49.96;
    EXPECT_FALSE(bms::estimated_cells(reading, nullptr));
    for (const auto& [allowed, count] : {std::pair{53.2, 15}, {56.0, 16}, {58.4, 16}, {28.8, 8}, {14.4, 4}}) {
        reading.max_battery_voltage_v = allowed;
        EXPECT_EQ(bms::estimated_cells(reading, nullptr), count) << allowed;
    }
    Reading known;
    known.cell_count = 15;
    EXPECT_EQ(bms::estimated_cells(reading, &known), 15) << "it does not follow what is allowed";
}

TEST(CellCount, BrokenCellsSayNothing) {
    Reading reading = sixteen(3.3, 3.3);
    reading.min_cell_voltage_v = 0;
    EXPECT_FALSE(bms::estimated_cells(reading, nullptr));
    reading.min_cell_voltage_v = reading.max_cell_voltage_v = 0.001;
    EXPECT_FALSE(bms::estimated_cells(reading, nullptr));
}

}  // namespace bmsd::tests
