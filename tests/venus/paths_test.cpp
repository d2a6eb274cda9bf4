// Rules behind the values that the recorded trees do not show.
#include "venus/paths.hpp"

#include <algorithm>
#include <stdexcept>

#include <gtest/gtest.h>

#include "venus/batteries.hpp"

namespace bmsd::venus {
namespace {

using namespace std::chrono_literals;

class Paths : public testing::Test {
protected:
    /// The value of a path as it leaves the table, before rounding.
    Value value(const std::string& path) {
        Source source{battery, parameters, 1};
        for (const PathRow& row : path_rows(battery, {.cells = cells}))
            if (row.path == path) return own(row.value(source, row.n));
        throw std::out_of_range(path);
    }
    bool exists(const std::string& path) {
        const auto rows = path_rows(battery, {.cells = cells});
        return std::any_of(rows.begin(), rows.end(), [&](const PathRow& row) { return row.path == path; });
    }
    void block() {
        battery.limits.allow_charge = battery.limits.allow_discharge = false;
        battery.limits.activity = Activity::standby;
    }

    Battery battery = test::jk_discharging();
    control::Parameters parameters;
    CellFormat cells = CellFormat::voltages;
};

TEST_F(Paths, EveryPathStandsOnce) {
    auto rows = path_rows(battery, {.cells = CellFormat::cells_and_balances});
    std::sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.path < b.path; });
    const auto twice = std::adjacent_find(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.path == b.path; });
    EXPECT_EQ(twice, rows.end()) << twice->path;
}

TEST_F(Paths, StateAndModeFollowWhatIsAllowed) {
    EXPECT_EQ(value("/State"), Value{9});
    EXPECT_EQ(value("/Mode"), Value{3});
    battery.limits.allow_charge = false;
    EXPECT_EQ(value("/State"), Value{9}) << "one direction is left";
    EXPECT_EQ(value("/DeviceState"), Value{0x100});
    EXPECT_EQ(value("/System/NrOfModulesBlockingCharge"), Value{1});
    EXPECT_EQ(value("/System/NrOfModulesBlockingDischarge"), Value{0});
    block();
    EXPECT_EQ(value("/State"), Value{14});
    EXPECT_EQ(value("/Mode"), Value{4});
    EXPECT_EQ(value("/DeviceState"), Value{0x104});
}

TEST_F(Paths, WrongConfigurationIsAnError) {
    EXPECT_EQ(value("/ErrorCode"), Value{});
    battery.config_error = true;
    block();
    EXPECT_EQ(value("/State"), Value{10});
    EXPECT_EQ(value("/ErrorCode"), Value{119});
    EXPECT_EQ(value("/Mode"), Value{0xFC}) << "neither direction, but not standby";
}

TEST_F(Paths, WhatIsWrongWithTheConfigurationIsTold) {
    EXPECT_EQ(value("/ConnectionInformation"), Value{std::string{"Connected"}});
    battery.config_trouble = "config.ini line 2: MAX_CELL_VOLTAGE: '3,5' is not a number";
    EXPECT_EQ(value("/ConnectionInformation"),
              Value{std::string{"Connected | config.ini line 2: MAX_CELL_VOLTAGE: '3,5' is not a number"}});
}

TEST_F(Paths, ABatteryThatNeverAnsweredInitialises) {
    battery.link.state = LinkState::starting;
    battery.online = false;
    EXPECT_EQ(value("/State"), Value{0});
    EXPECT_EQ(value("/ConnectionInformation"), Value{std::string{"Initializing..."}});
}

TEST_F(Paths, WorstAlarmDecidesTheDeviceState) {
    block();
    Alarms& alarms = battery.alarms;
    alarms.raise(Alarm::low_voltage, Level::alarm);
    EXPECT_EQ(value("/DeviceState"), Value{0x105});
    alarms.raise(Alarm::high_charge_temperature, Level::warning);
    EXPECT_EQ(value("/DeviceState"), Value{0x102});
    alarms.raise(Alarm::high_temperature, Level::alarm);
    EXPECT_EQ(value("/DeviceState"), Value{0x101});
    alarms.raise(Alarm::internal_failure, Level::alarm);
    EXPECT_EQ(value("/DeviceState"), Value{0x103});
}

TEST_F(Paths, SilenceIsTold) {
    test::fall_silent(battery);
    battery.link.silent = 1779s;
    battery.cable_alarm = Level::alarm;
    EXPECT_EQ(value("/ConnectionInformation"),
              Value{std::string{"Lost for: 29m 39s | Disconnect in: 21s | Threshold: 30m | no answer"}});
    EXPECT_EQ(value("/Alarms/BmsCable"), Value{2});
    battery.link.trouble.clear();
    EXPECT_EQ(value("/ConnectionInformation"),
              Value{std::string{"Lost for: 29m 39s | Disconnect in: 21s | Threshold: 30m"}});
}

TEST_F(Paths, HeaterIsShownOnlyWhereThereIsOne) {
    battery.reading.heater_on.reset();
    for (const char* path : {"/Heating", "/Info/HeatingCurrent", "/Info/HeatingPower"})
        EXPECT_EQ(value(path), Value{}) << path;
    battery.reading.heater_on = true;
    battery.reading.heater_current_a = 2.5;
    EXPECT_EQ(value("/Heating"), Value{1});
    EXPECT_EQ(value("/Info/HeatingCurrent"), Value{2.5});
    EXPECT_DOUBLE_EQ(std::get<double>(value("/Info/HeatingPower")), 132.02);
    battery.reading.heater_current_a.reset();
    EXPECT_EQ(value("/Info/HeatingPower"), Value{});
}

TEST_F(Paths, BalancingCellsAreThoseTheBmsNames) {
    battery.reading.cell_balancing.assign(16, false);
    battery.reading.cell_balancing[2] = true;
    EXPECT_EQ(value("/Balancing"), Value{1});
    EXPECT_EQ(value("/Balances/Cell3"), Value{1});
    EXPECT_EQ(value("/Balances/Cell8"), Value{0}) << "the highest cell, but not the named one";
}

TEST_F(Paths, ImplausibleCellIsInvalid) {
    battery.reading.cell_voltages_v[3] = 6.901;
    battery.reading.cell_voltages_v[4] = 6.9;
    battery.reading.cell_voltages_v[5].reset();
    EXPECT_EQ(value("/Voltages/Cell4"), Value{});
    EXPECT_EQ(value("/Voltages/Cell5"), Value{6.9});
    EXPECT_EQ(value("/Voltages/Cell6"), Value{});
}

TEST_F(Paths, CellsBeyondTheCellCountDoNotExist) {
    battery.reading.cell_count = 15;
    EXPECT_TRUE(exists("/Voltages/Cell15"));
    EXPECT_FALSE(exists("/Voltages/Cell16"));
    battery.reading.cell_count.reset();
    EXPECT_TRUE(exists("/Voltages/Cell16"));
}

TEST_F(Paths, CellFormatThreeShowsObjectsAndBalances) {
    cells = CellFormat::cells_and_balances;
    for (const char* path : {"/Cell/16/Volts", "/Cell/Sum", "/Cell/Diff", "/Balances/Cell16"})
        EXPECT_TRUE(exists(path)) << path;
    EXPECT_FALSE(exists("/Voltages/Sum"));
}

TEST_F(Paths, NothingKnownIsNothingShown) {
    battery.reading = {};
    battery.summary = {};
    battery.limits = {};
    battery.identity.hardware.clear();
    for (const PathRow& row : path_rows(battery, {.cells = cells})) {
        if (row.path.starts_with("/Mgmt/") || row.path.starts_with("/Settings/") || row.path.ends_with("Name"))
            continue;
        const Source source{battery, parameters, 1};
        const Value shown = own(row.value(source, row.n));
        EXPECT_FALSE(std::holds_alternative<double>(shown)) << row.path << " shows a quantity nobody told";
    }
    EXPECT_EQ(value("/Soc"), Value{});
    EXPECT_EQ(value("/System/MinVoltageCellId"), Value{});
    EXPECT_EQ(value("/System/MinTemperatureCellId"), Value{});
    EXPECT_EQ(value("/HardwareVersion"), Value{});
    EXPECT_EQ(value("/Io/AllowToCharge"), Value{});
}

TEST_F(Paths, NamesOfSensorsAreTheUsers) {
    parameters.temperature_names[3] = "Rear";
    EXPECT_EQ(value("/System/Temperature4Name"), Value{std::string{"Rear"}});
    EXPECT_EQ(value("/System/MinTemperatureCellId"), Value{std::string{"Rear"}});
}

TEST_F(Paths, CountersThatDoNotFitAreInvalid) {
    battery.reading.cycles = 4294967295.0;
    EXPECT_EQ(value("/History/ChargeCycles"), Value{});
}

}  // namespace
}  // namespace bmsd::venus
