#include "model/alarms.hpp"

#include <set>

#include <gtest/gtest.h>

#include "model/battery.hpp"
#include "model/error.hpp"

namespace bmsd {
namespace {

TEST(Alarms, AreUnknownUntilTheBmsCanTell) {
    Alarms alarms;
    EXPECT_FALSE(alarms[Alarm::low_soc]);
    EXPECT_FALSE(alarms.any());
    alarms.known(Alarm::low_soc);
    EXPECT_EQ(alarms[Alarm::low_soc], Level::ok);
    EXPECT_FALSE(alarms.any());
}

TEST(Alarms, RiseButDoNotFallWithinAFrame) {
    Alarms alarms;
    alarms.raise(Alarm::high_voltage, Level::warning);
    EXPECT_EQ(alarms[Alarm::high_voltage], Level::warning);
    alarms.raise(Alarm::high_voltage, Level::alarm);
    alarms.raise(Alarm::high_voltage, Level::warning);
    alarms.known(Alarm::high_voltage);
    EXPECT_EQ(alarms[Alarm::high_voltage], Level::alarm);
    EXPECT_FALSE(alarms[Alarm::low_voltage]) << "the others stay as they are";
    EXPECT_TRUE(alarms.any());
    alarms.set(Alarm::high_voltage, std::nullopt);
    EXPECT_FALSE(alarms[Alarm::high_voltage]);
}

TEST(Alarms, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < alarm_count; ++i) EXPECT_TRUE(names.insert(to_string(static_cast<Alarm>(i))).second);
    EXPECT_EQ(to_string(Alarm::low_voltage), "low_voltage");
    EXPECT_EQ(to_string(Alarm::high_charge_current), "high_charge_current");
    EXPECT_EQ(to_string(Alarm::internal_failure), "internal_failure");
    EXPECT_EQ(to_string(Alarm::low_temperature), "low_temperature");
    EXPECT_EQ(to_string(Alarm::fuse_blown), "fuse_blown");
}

TEST(ErrorClasses, AreTheWordsOfTheContract) {
    EXPECT_EQ(to_string(ErrorClass::checksum), "checksum");
    EXPECT_EQ(to_string(ErrorClass::truncated), "truncated");
    EXPECT_EQ(to_string(ErrorClass::malformed), "malformed");
    EXPECT_EQ(to_string(ErrorClass::unexpected), "unexpected");
    EXPECT_EQ(to_string(ErrorClass::refused), "refused");
    EXPECT_EQ(to_string(ErrorClass::implausible), "implausible");
    EXPECT_EQ(to_string(ErrorClass::config), "config");
}

TEST(LinkStates, HaveNames) {
    EXPECT_EQ(to_string(LinkState::starting), "starting");
    EXPECT_EQ(to_string(LinkState::fresh), "fresh");
    EXPECT_EQ(to_string(LinkState::stale), "stale");
    EXPECT_EQ(to_string(LinkState::lost), "lost");
}

}  // namespace
}  // namespace bmsd
