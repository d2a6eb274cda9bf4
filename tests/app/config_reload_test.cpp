// A configuration that is read again.
#include "app/config_reload.hpp"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "app/config_keys.hpp"
#include "problems.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

/// What is said when these lines replace those.
std::vector<std::string> said(const std::string& used, const std::string& fresh) {
    app::Config before = parse(used).config, after = parse(fresh).config;
    return app::keep_until_restart(before, after);
}

}  // namespace

TEST(ConfigReload, WhatIsFollowedAtOnceIsNotMentioned) {
    EXPECT_TRUE(said("", "MAX_BATTERY_CHARGE_CURRENT = 10\nLOGGING = DEBUG\nTIME_TO_GO_ENABLE = False\n").empty());
    EXPECT_TRUE(said("TIME_TO_SOC_POINTS = 100, 20\n", "TIME_TO_SOC_POINTS = 100,20\n").empty());
}

TEST(ConfigReload, KeysOfTheStartAreNamed) {
    EXPECT_EQ(said("", "LEGACY_PATHS = True\nEXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\n"),
              (std::vector<std::string>{"LEGACY_PATHS is followed when bmsd is started again",
                                        "EXTERNAL_SENSOR_DBUS_PATH_CURRENT is followed when bmsd is started again"}));
}

TEST(ConfigReload, TimesKeepThePointsAfterWhichTheirPathsAreNamed) {
    app::Config used = parse("TIME_TO_SOC_POINTS = 100, 80\n").config;
    app::Config fresh = parse("TIME_TO_SOC_POINTS = 50, 20, 10\nTIME_TO_SOC_VALUE_TYPE = 2\n").config;
    EXPECT_EQ(app::keep_until_restart(used, fresh),
              std::vector<std::string>{"TIME_TO_SOC_POINTS is followed when bmsd is started again"});
    EXPECT_EQ(fresh.control.times.to_soc_percent, (std::vector<int>{100, 80}));
    EXPECT_EQ(fresh.control.times.to_soc_format, 2);
}

TEST(ConfigReload, PathsOfTimesDoNotComeByThemselves) {
    const auto times = said("TIME_TO_GO_ENABLE = False\nTIME_TO_SOC_POINTS = 100\n",
                            "TIME_TO_GO_ENABLE = True\nTIME_TO_SOC_POINTS = 100\n");
    ASSERT_EQ(times.size(), 1u);
    EXPECT_NE(times[0].find("/TimeToSoC"), std::string::npos) << times[0];
}

TEST(ConfigReload, TheSensorThatIsFollowedIsTheOneThatIsShown) {
    const std::string shunt = "EXTERNAL_SENSOR_DBUS_DEVICE = com.victronenergy.battery.ttyS1\n";
    app::Config used = parse(shunt + "EXTERNAL_SENSOR_DBUS_PATH_SOC = /Soc\n").config;
    app::Config fresh = parse(shunt + "EXTERNAL_SENSOR_DBUS_PATH_CURRENT = /Dc/0/Current\n").config;
    EXPECT_EQ(app::keep_until_restart(used, fresh).size(), 2u) << "one path goes, one comes";
    EXPECT_EQ(fresh.external_sensor.soc_path, "/Soc");
    EXPECT_EQ(fresh.external_sensor.current_path, "");
}

TEST(ConfigReload, CountingBeginsAtOnceButItsPathsDoNotCome) {
    const auto counted = said("", "SOC_CALCULATION = True\n");
    ASSERT_EQ(counted.size(), 1u);
    EXPECT_NE(counted[0].find("/SocBms"), std::string::npos) << counted[0];
    app::Config used, fresh = parse("SOC_CALCULATION = True\n").config;
    EXPECT_EQ(app::keep_until_restart(used, fresh).size(), 1u);
    EXPECT_TRUE(fresh.control.count_soc);
}

TEST(ConfigReload, ThePageNamesEveryKeyOfTheStart) {
    std::ifstream file(std::string(BMSD_TEST_DATA) + "/../../docs/configuration.md");
    const std::string page{std::istreambuf_iterator<char>(file), {}};
    const auto begin = page.find("**Reading it again:**");
    ASSERT_NE(begin, std::string::npos);
    const std::string paragraph = page.substr(begin, page.find("\n\n", begin) - begin);
    for (const std::string_view key : app::start_keys()) {
        EXPECT_TRUE(app::find_key(key).key) << key;
        EXPECT_NE(paragraph.find("`" + std::string(key) + "`"), std::string::npos) << key;
    }
}
