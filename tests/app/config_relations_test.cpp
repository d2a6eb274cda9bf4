// Relations between the keys of the charge control (dossier config §5), old names and their conversions.
#include <gtest/gtest.h>

#include "problems.hpp"

using namespace bmsd;
using namespace bmsd::test;
using Kind = app::Problem::Kind;

TEST(ConfigRelations, DefaultsAgreeWithEachOther) {
    EXPECT_TRUE(app::parse_config("").problems.empty()) << all(app::parse_config(""));
}

TEST(ConfigRelations, FloatIsKeptBetweenMinAndMax) {
    const auto high = parse("FLOAT_CELL_VOLTAGE = 3.5\n");
    EXPECT_TRUE(complains(high, Kind::error, 2, "must lie between")) << all(high);
    EXPECT_DOUBLE_EQ(high.config.control.float_cell_v, 3.45);
    const auto low = parse("FLOAT_CELL_VOLTAGE = 2.5\n");
    EXPECT_DOUBLE_EQ(low.config.control.float_cell_v, 2.9);
    EXPECT_FALSE(low.has(Kind::safety)) << "corrected to the safe side: charging goes on, with error 119";
}

TEST(ConfigRelations, ALowerMaxPullsTheOthersDown) {
    const auto parsed = parse("MAX_CELL_VOLTAGE = 3.35\n");
    EXPECT_DOUBLE_EQ(parsed.config.control.float_cell_v, 3.35);
    EXPECT_DOUBLE_EQ(parsed.config.control.block_max_cell_v, 3.35);
    EXPECT_FALSE(parsed.has(Kind::safety)) << all(parsed);
}

TEST(ConfigRelations, MinMustBeBelowMax) {
    const auto parsed = parse("MIN_CELL_VOLTAGE = 3.4\nMAX_CELL_VOLTAGE = 3.2\n");
    EXPECT_TRUE(complains(parsed, Kind::safety, 2, "must be below MAX_CELL_VOLTAGE")) << all(parsed);
    EXPECT_DOUBLE_EQ(parsed.config.control.min_cell_v, 2.9);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.45);
}

TEST(ConfigRelations, TheResetOfTheSocNeedsItsVoltageAndManagement) {
    const auto low = parse("SOC_RESET_AFTER_DAYS = 30\nSOC_RESET_CELL_VOLTAGE = 3.4\n");
    EXPECT_TRUE(complains(low, Kind::error, 3, "must not be below MAX_CELL_VOLTAGE")) << all(low);
    EXPECT_DOUBLE_EQ(low.config.control.voltage.soc_reset_cell_v, 3.45);
    EXPECT_FALSE(parse("SOC_RESET_CELL_VOLTAGE = 3.4\n").has(Kind::warning)) << "it is off";
    const auto endless = parse("SOC_RESET_AFTER_DAYS = 30\nSOC_RESET_CELL_VOLTAGE = 3.5\nCVCM_ENABLE = False\n");
    EXPECT_TRUE(complains(endless, Kind::error, 2, "CVCM_ENABLE")) << all(endless);
    EXPECT_FALSE(endless.config.control.voltage.soc_reset_after_days);
    EXPECT_TRUE(parse("SOC_RESET_AFTER_DAYS = 0\n").has(Kind::safety)) << "0 would switch it on for ever";
}

TEST(ConfigRelations, TheWindowOfASilentBattery) {
    const auto wide = parse("BLOCK_ON_DISCONNECT_VOLTAGE_MIN = 2.8\nBLOCK_ON_DISCONNECT_VOLTAGE_MAX = 3.6\n");
    EXPECT_DOUBLE_EQ(wide.config.control.block_min_cell_v, 2.9);
    EXPECT_DOUBLE_EQ(wide.config.control.block_max_cell_v, 3.45);
    EXPECT_EQ(wide.problems.size(), 2u) << all(wide);
    EXPECT_FALSE(wide.config.control.block_on_disconnect);
    const auto empty = parse("BLOCK_ON_DISCONNECT_VOLTAGE_MIN = 3.4\nBLOCK_ON_DISCONNECT_VOLTAGE_MAX = 3.3\n");
    EXPECT_TRUE(complains(empty, Kind::error, 2, "counts as True")) << all(empty);
    EXPECT_TRUE(empty.config.control.block_on_disconnect);
    EXPECT_TRUE(parse("BLOCK_ON_DISCONNECT = True\nBLOCK_ON_DISCONNECT_VOLTAGE_MIN = 2.8\n").problems.empty())
        << "not looked at";
}

TEST(ConfigRelations, CurvesOfUnequalLengthFallBackTogether) {
    const auto parsed = parse("TEMPERATURES_WHILE_CHARGING = 0, 10, 50\nMAX_CHARGE_CURRENT_T_FRACTION = 0, 1\n");
    EXPECT_TRUE(complains(parsed, Kind::safety, 2, "has 3 values, MAX_CHARGE_CURRENT_T_FRACTION has 2; the defaults"))
        << all(parsed);
    EXPECT_EQ(parsed.config.control.charge.temperature_c.x.size(), 8u);
    EXPECT_EQ(parsed.config.control.charge.temperature_c.fraction.size(), 8u);
}

TEST(ConfigRelations, WhoChangesOneListOfAnOldFileIsToldToWriteBoth) {
    const auto points = parse("CELL_VOLTAGES_WHILE_CHARGING = 3.55, 3.50, 3.45, 3.30\n");
    EXPECT_TRUE(complains(points, Kind::safety, 2, "has 4 values, MAX_CHARGE_CURRENT_CV_FRACTION has 5 by default"))
        << all(points);
    const auto fractions = parse("MAX_CHARGE_CURRENT_CV_FRACTION = 0, 0.05, 0.5, 1\n");
    EXPECT_TRUE(complains(fractions, Kind::safety, 2, "has 4 values, CELL_VOLTAGES_WHILE_CHARGING has 5 by default"))
        << all(fractions);
    EXPECT_FALSE(parse("CELL_VOLTAGES_WHILE_CHARGING = 3.55, 3.50, 3.45, 3.30\n"
                       "MAX_CHARGE_CURRENT_CV_FRACTION = 0, 0.05, 0.5, 1\n")
                     .has(Kind::warning));
}

TEST(ConfigRelations, CurvesMustBeCurves) {
    EXPECT_TRUE(complains(parse("SOC_WHILE_CHARGING = 98\nMAX_CHARGE_CURRENT_SOC_FRACTION = 1\n"), Kind::safety, 2,
                          "at least two points"));
    EXPECT_TRUE(complains(parse("SOC_WHILE_CHARGING = 98, 95, 96\nMAX_CHARGE_CURRENT_SOC_FRACTION = 0, 0.5, 1\n"),
                          Kind::safety, 2, "ascend or descend"));
    EXPECT_TRUE(complains(parse("SOC_WHILE_CHARGING = 98, 95, 95\nMAX_CHARGE_CURRENT_SOC_FRACTION = 0, 0.5, 1\n"),
                          Kind::safety, 2, "no value twice"));
    EXPECT_TRUE(complains(parse("MAX_CHARGE_CURRENT_SOC_FRACTION = 0.1, 0.2, 0.5, 1.2\n"), Kind::safety, 2,
                          "'1.2' is outside the allowed range (allowed: 0 to 1)"));
    EXPECT_TRUE(complains(parse("CURRENT_REPORTED_BY_BMS = 300, -300\nCURRENT_MEASURED_BY_USER = 310, -305\n"),
                          Kind::safety, 2, "must ascend"));
    EXPECT_FALSE(parse("SOC_WHILE_CHARGING = 85, 90, 95, 98\nMAX_CHARGE_CURRENT_SOC_FRACTION = 1, 0.5, 0.2, 0.1\n")
                     .has(Kind::warning))
        << "either direction";
    EXPECT_TRUE(complains(parse("CELL_VOLTAGES_WHILE_CHARGING =\n"), Kind::safety, 2, "has 0 values"));
}

TEST(ConfigRelations, ACorrectionNeverTurnsChargingIntoDischarging) {
    const auto reversed = parse("CURRENT_REPORTED_BY_BMS = -300, 300\nCURRENT_MEASURED_BY_USER = 300, -300\n");
    EXPECT_TRUE(
        complains(reversed, Kind::safety, 3, "'300, -300' must ascend (INVERT_CURRENT_MEASUREMENT = -1 turns the sign"))
        << all(reversed);
    EXPECT_EQ(reversed.config.control.current_reported_a, (std::vector<double>{-300, 300}));
    EXPECT_EQ(reversed.config.control.current_measured_a, (std::vector<double>{-300, 300}));
    EXPECT_FALSE(parse("CURRENT_REPORTED_BY_BMS = -100, -1, 1, 100\nCURRENT_MEASURED_BY_USER = -98, 0, 0, 97\n")
                     .has(Kind::warning))
        << "two may be equal";
}

TEST(ConfigRelations, ACurveWithoutFullCurrentIsNamedOnlyWhileItIsOn) {
    const auto on = parse("MAX_CHARGE_CURRENT_CV_FRACTION = 0, 0.005, 0.05, 0.25, 0.9\n");
    EXPECT_TRUE(complains(on, Kind::error, 2, "no value is 1")) << all(on);
    EXPECT_FALSE(on.has(Kind::safety)) << "the limits are those that were asked for";
    EXPECT_DOUBLE_EQ(on.config.control.charge.cell_v.fraction.back(), 0.9);
    EXPECT_FALSE(parse("CCCM_CV_ENABLE = False\nMAX_CHARGE_CURRENT_CV_FRACTION = 0, 0.005, 0.05, 0.25, 0.9\n")
                     .has(Kind::warning));
}

TEST(ConfigRelations, CurvesThatEndBeforeTheVoltageIsThere) {
    const char* fractions = "MAX_CHARGE_CURRENT_CV_FRACTION = 0, 1\n";
    EXPECT_TRUE(complains(parse("CELL_VOLTAGES_WHILE_CHARGING = 3.4, 3.3\n" + std::string(fractions)), Kind::error, 2,
                          "MAX_CELL_VOLTAGE is never reached"));
    EXPECT_TRUE(complains(parse("CELL_VOLTAGES_WHILE_CHARGING = 3.3, 3.4\nMAX_CHARGE_CURRENT_CV_FRACTION = 1, 0\n"),
                          Kind::error, 2, "MAX_CELL_VOLTAGE is never reached"))
        << "the list may run the other way";
    EXPECT_FALSE(
        parse("CELL_VOLTAGES_WHILE_CHARGING = 3.3, 3.45\nMAX_CHARGE_CURRENT_CV_FRACTION = 1, 0\n").has(Kind::warning));
    EXPECT_TRUE(complains(parse("SOC_RESET_AFTER_DAYS = 7\n"), Kind::error, 0, "SOC_RESET_CELL_VOLTAGE is never"));
    EXPECT_TRUE(
        complains(parse("CELL_VOLTAGES_WHILE_DISCHARGING = 3.0, 3.2\nMAX_DISCHARGE_CURRENT_CV_FRACTION = 0, 1\n"),
                  Kind::error, 2, "MIN_CELL_VOLTAGE is never reached"));
}

TEST(ConfigRelations, SensorsAndTheRest) {
    EXPECT_TRUE(complains(parse("TEMPERATURE_1_ADJUST = 2\n"), Kind::safety, 2, "two numbers"));
    EXPECT_TRUE(complains(parse("TEMPERATURE_MOS_ADJUST = 2, 0\n"), Kind::safety, 2, "slope above 0"));
    EXPECT_TRUE(parse("TEMPERATURE_1_ADJUST = -2, 1.02\n").config.control.temperature_adjust[0][1] == 1.02);
    EXPECT_TRUE(complains(parse("TEMPERATURE_SOURCE_BATTERY =\n"), Kind::safety, 2, "the list is empty"));
    EXPECT_TRUE(complains(parse("TEMPERATURE_SOURCE_BATTERY = 1, 5\n"), Kind::safety, 2, "allowed: 1 to 4"));
    EXPECT_TRUE(complains(parse("SOC_LOW_ALARM = 30\n"), Kind::warning, 2, "SOC_LOW_WARNING"));
    EXPECT_TRUE(complains(parse("SOC_CALCULATION = True\nEXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\n"), Kind::error, 2,
                          "EXTERNAL_SENSOR_DBUS_PATH_SOC"));
    EXPECT_TRUE(complains(parse("SWITCH_TO_BULK_SOC_THRESHOLD = 0\nSWITCH_TO_BULK_CELL_VOLTAGE_DIFF = 0.2\n"),
                          Kind::warning, 2, "never goes from float back to bulk"));
    EXPECT_FALSE(parse("SWITCH_TO_BULK_SOC_THRESHOLD = 0\n").has(Kind::warning));
    EXPECT_TRUE(complains(parse("CHARGE_MODE = 3\n"), Kind::safety, 2, "allowed: 1 to 2"));
    EXPECT_TRUE(complains(parse("CVL_CONTROLLER_MODE = 4\n"), Kind::safety, 2, "allowed: 0 to 3"));
    EXPECT_TRUE(parse("CCL_RECOVERY_HOLD_SEC = -1\n").has(Kind::safety));
}

TEST(ConfigRelations, PointsThatAreNotShownAreNamed) {
    const auto twice = parse("TIME_TO_SOC_POINTS = 50, 20, 50\n");
    EXPECT_TRUE(complains(twice, Kind::warning, 2, "has 50 twice")) << all(twice);
    EXPECT_EQ(twice.config.control.times.to_soc_percent, (std::vector<int>{50, 20}));
    const std::string all_of_gui = "100, 95, 90, 85, 80, 75, 70, 65, 60, 55, 50, 45, 40, 35, 30, 25, 20, 15, 10, 5, 0";
    EXPECT_TRUE(parse("TIME_TO_SOC_POINTS = " + all_of_gui + "\n").problems.empty());
    const auto many = parse("TIME_TO_SOC_POINTS = " + all_of_gui + ", 1, 2\n");
    EXPECT_TRUE(complains(many, Kind::warning, 2, "has more than 21 points; those behind 0 are not shown"))
        << all(many);
    EXPECT_EQ(many.config.control.times.to_soc_percent.size(), 21u);
}

TEST(ConfigRelations, NameTheValueThatWasWritten) {
    const auto parsed = parse("FLOAT_CELL_VOLTAGE = 3.50\n");
    EXPECT_TRUE(complains(parsed, Kind::error, 2, "'3.50' must lie between")) << all(parsed);
    EXPECT_EQ(parsed.problems.at(0).value, "3.50");
}

TEST(ConfigRelations, LinksAreCheckedBeforeAnythingFollowsThem) {
    EXPECT_FALSE(
        parse("BLUETOOTH_BMS = Jkbms_Ble C8:47:8C:00:00:00, LltJbd_Ble a4:c1:38:00:00:01\n").has(Kind::warning));
    for (const char* list :
         {"C8:47:8C:00:00:00", "Jkbms_Ble C8:47:8C:00:00", "Jkbms_Ble C8-47-8C-00-00-00", "Jkbms_Ble"})
        EXPECT_TRUE(
            complains(parse("BLUETOOTH_BMS = " + std::string(list) + "\n"), Kind::error, 2, "a type and an address"))
            << list;
    EXPECT_TRUE(complains(parse("EXTERNAL_SENSOR_DBUS_DEVICE = com.victronenergy.battery.ttyS1\n"), Kind::warning, 2,
                          "without a path"));
    EXPECT_TRUE(parse("EXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\n").has(Kind::warning));
    const std::string shunt = "EXTERNAL_SENSOR_DBUS_DEVICE = com.victronenergy.battery.ttyS1";
    const std::string current = "EXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current";
    EXPECT_TRUE(parse(shunt + "\n" + current + "\n").problems.empty());
    EXPECT_TRUE(complains(parse(shunt + " ; shunt\n" + current + "\n"), Kind::warning, 2, "a line of its own"));
    EXPECT_TRUE(complains(parse(shunt + "\n" + current + " ; A\n"), Kind::warning, 3, "a line of its own"));
    EXPECT_TRUE(complains(parse(shunt + "\nEXTERNAL_SENSOR_DBUS_PATH_SOC = Soc\n"), Kind::warning, 3,
                          "'Soc' is no path, as /Dc/0/Current is, on D-Bus"));
    EXPECT_TRUE(parse(shunt + "\nEXTERNAL_SENSOR_DBUS_PATH_SOC = Soc\n").problems.at(0).text.starts_with("'Soc' is no"))
        << "it is named once";
}

TEST(ConfigRelations, DifferencesThatNoBatteryHasMeanOff) {
    const auto parsed = parse(
        "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF = 99\nSWITCH_TO_FLOAT_CELL_VOLTAGE_DEVIATION = 10\n"
        "SWITCH_TO_BULK_CELL_VOLTAGE_DIFF = 99\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_FALSE(parse("CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_TIME_RESTART = 10\n").has(Kind::error));
}

TEST(ConfigRelations, EmptyMeansOffWhereTheTableSaysSo) {
    const auto parsed = parse(
        "SWITCH_TO_FLOAT_WAIT_FOR_SEC =\nSWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF =\nSWITCH_TO_BULK_SOC_THRESHOLD =\n"
        "SOC_RESET_AFTER_DAYS =\n");
    EXPECT_FALSE(parsed.has(Kind::warning)) << all(parsed);
    EXPECT_FALSE(parsed.config.control.voltage.float_wait_s);
    EXPECT_FALSE(parsed.config.control.voltage.float_diff_v);
    EXPECT_FALSE(parsed.config.control.voltage.bulk_soc_percent);
    EXPECT_TRUE(complains(parse("VOLTAGE_DROP =\n"), Kind::safety, 2, "there is no value"));
    EXPECT_TRUE(complains(parse("CVCM_ENABLE =\n"), Kind::safety, 2, "neither True nor False"));
}

// ---- old names -----------------------------------------------------------------------------------

TEST(ConfigOldNames, KeepTheirMeaning) {
    const auto parsed = parse(
        "SOC_RESET_VOLTAGE = 3.6\n"
        "BULK_AFTER_DAYS = 20\n"
        "MAX_VOLTAGE_TIME_SEC = 600\n"
        "SOC_LEVEL_TO_RESET_VOLTAGE_LIMIT = 70\n"
        "CELL_VOLTAGE_DIFF_TO_RESET_VOLTAGE_LIMIT = 0.09\n"
        "SOC_CALC_CURRENT_REPORTED_BY_BMS = -100, 100\n"
        "SOC_CALC_CURRENT_MEASURED_BY_USER = -101, 101\n"
        "TEMP_3_NAME = Cellar\n");
    EXPECT_DOUBLE_EQ(parsed.config.control.voltage.soc_reset_cell_v, 3.6);
    EXPECT_EQ(parsed.config.control.voltage.soc_reset_after_days, 20);
    EXPECT_EQ(parsed.config.control.voltage.float_wait_s, 600);
    EXPECT_EQ(parsed.config.control.voltage.bulk_soc_percent, 70);
    EXPECT_EQ(parsed.config.control.voltage.bulk_diff_v, 0.09);
    EXPECT_EQ(parsed.config.control.current_reported_a, (std::vector<double>{-100, 100}));
    EXPECT_EQ(parsed.config.control.temperature_names[2], "Cellar");
    EXPECT_TRUE(complains(parsed, Kind::note, 2, "is now called SOC_RESET_CELL_VOLTAGE")) << all(parsed);
}

TEST(ConfigOldNames, OfTwoTheNewerCountsWhereverItStands) {
    for (const char* lines : {"BULK_CELL_VOLTAGE = 3.6\nSOC_RESET_VOLTAGE = 3.55\n",
                              "SOC_RESET_VOLTAGE = 3.55\nBULK_CELL_VOLTAGE = 3.6\n"}) {
        const auto parsed = parse(lines);
        EXPECT_DOUBLE_EQ(parsed.config.control.voltage.soc_reset_cell_v, 3.55) << lines;
        EXPECT_FALSE(parsed.has(Kind::error)) << all(parsed);
    }
    EXPECT_TRUE(complains(parse("BULK_CELL_VOLTAGE = 3.6\nSOC_RESET_VOLTAGE = 3.55\n"), Kind::warning, 2,
                          "is an older name of SOC_RESET_VOLTAGE, which counts, in line 3; this line is ignored"));
    EXPECT_TRUE(complains(parse("SOC_RESET_VOLTAGE = 3.6\nSOC_RESET_VOLTAGE = 3.55\n"), Kind::safety, 3,
                          "the key is there twice"))
        << "the same name";
    const auto all_three = parse("BULK_CELL_VOLTAGE = 3.6\nSOC_RESET_VOLTAGE = 3.55\nSOC_RESET_CELL_VOLTAGE = 3.5\n");
    EXPECT_DOUBLE_EQ(all_three.config.control.voltage.soc_reset_cell_v, 3.5);
    EXPECT_FALSE(all_three.has(Kind::error)) << all(all_three);
}

TEST(ConfigOldNames, AreConverted) {
    EXPECT_EQ(parse("LINEAR_LIMITATION_ENABLE = False\n").config.control.curve_shape, 2);
    EXPECT_EQ(parse("LINEAR_LIMITATION_ENABLE = True\n").config.control.curve_shape, 1);
    EXPECT_EQ(parse("CVL_ICONTROLLER_MODE = True\n").config.control.voltage.controller, 2);
    EXPECT_EQ(parse("CVL_ICONTROLLER_MODE = False\n").config.control.voltage.controller, 1);
    EXPECT_TRUE(complains(parse("LINEAR_LIMITATION_ENABLE = maybe\n"), Kind::safety, 2, "'maybe' is not a number"));
    const auto addresses = parse("HELTEC_MODBUS_ADDR = 1, 10\nBMS_TYPE = Jkbms_pb\n").config.defaults.addresses;
    ASSERT_EQ(addresses.size(), 2u);
    EXPECT_EQ(addresses[1].value, 10u) << "this one was decimal";
    const auto above = parse(
        "CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_TIME_RESTART = 0.013\nCELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_UNTIL = 0.010\n");
    EXPECT_DOUBLE_EQ(above.config.control.voltage.float_deviation_v, 0.003);
    EXPECT_DOUBLE_EQ(
        parse("CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_TIME_RESTART = 0.005\n").config.control.voltage.float_deviation_v, 0)
        << "not below 0";
}

TEST(ConfigOldNames, ThoseThatNothingReplacesAreNamed) {
    EXPECT_TRUE(complains(parse("SOC_RESET_CURRENT = 7\n"), Kind::note, 2, "no longer needed"));
    EXPECT_TRUE(complains(parse("CC_SOC_LIMIT1 = 98\n"), Kind::warning, 2, "SOC_WHILE_"));
    EXPECT_FALSE(parse("JKBMS_CAN_CELL_COUNT = 20\n").has(Kind::warning));
}
