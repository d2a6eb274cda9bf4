// `bmsd control-bms` on simulated batteries: read, asked, sent once, read back.
#include <fstream>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
namespace json = boost::json;

namespace {

class ControlBms : public testing::Test {
protected:
    Finished control(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), {"control-bms", port_});
        arguments.insert(arguments.end(), {"--state-dir", rig_.folder.file("state")});
        return bmsd::test::bmsd(arguments);
    }
    void simulate(std::vector<std::string> arguments) { port_ = rig_.simulate("ttyControl", std::move(arguments)); }

    static json::object as_json(const Finished& finished) { return json::parse(finished.out).as_object(); }

    Rig rig_;
    std::string port_;
};

}  // namespace

TEST_F(ControlBms, SwitchesAFetOfADalyAndReadsItBack) {
    simulate({"daly", "--speed", "0"});
    const auto off = control({"discharge", "off", "--type", "Daly", "--yes", "--json"});
    ASSERT_EQ(off.code, 0) << off.out << off.err;
    EXPECT_TRUE(as_json(off).at("seen").as_bool());
    EXPECT_FALSE(as_json(off).at("after").at("discharge_fet").as_bool());
    EXPECT_TRUE(as_json(off).at("after").at("charge_fet").as_bool()) << "the other one stays as it was";
}

TEST_F(ControlBms, SetsTheStateOfChargeOfADaly) {
    simulate({"daly", "--speed", "0", "--soc", "60"});
    const auto set = control({"soc", "80%", "--type", "Daly", "--yes", "--json"});
    ASSERT_EQ(set.code, 0) << set.out << set.err;
    EXPECT_TRUE(as_json(set).at("seen").as_bool());
    EXPECT_NEAR(as_json(set).at("after").at("soc_percent").to_number<double>(), 80, 1);
}

TEST_F(ControlBms, SwitchesAFetOfAJbdTogetherWithTheOtherAsItIs) {
    simulate({"lltjbd", "--speed", "0"});
    const auto off = control({"charge", "off", "--type", "LltJbd", "--yes", "--json"});
    ASSERT_EQ(off.code, 0) << off.out << off.err;
    EXPECT_FALSE(as_json(off).at("after").at("charge_fet").as_bool());
    EXPECT_TRUE(as_json(off).at("after").at("discharge_fet").as_bool());
}

TEST_F(ControlBms, SaysThatItDoesNotWorkOnCan) {
    port_ = "can0";
    const auto refused = control({"charge", "off", "--yes"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("can0: this command does not work on CAN"), std::string::npos) << refused.err;
}

TEST_F(ControlBms, SendsNothingUnlessConfirmed) {
    simulate({"daly", "--speed", "0"});
    const auto refused = control({"charge", "off", "--type", "Daly"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("--yes"), std::string::npos) << refused.err;
    EXPECT_NE(refused.out.find("may lose its supply"), std::string::npos)
        << "the warning comes before: " << refused.out;
    const auto after = control({"discharge", "on", "--type", "Daly", "--yes", "--json"});
    EXPECT_TRUE(as_json(after).at("after").at("charge_fet").as_bool()) << after.out;
}

TEST_F(ControlBms, IsNotUsedOverAndOver) {
    simulate({"daly", "--speed", "0"});
    ASSERT_EQ(control({"charge", "off", "--type", "Daly", "--yes"}).code, 0);
    const auto again = control({"charge", "on", "--type", "Daly", "--yes"});
    EXPECT_EQ(again.code, 1);
    EXPECT_NE(again.err.find("wait"), std::string::npos) << again.err;
}

TEST_F(ControlBms, SaysWhatThereIsAndRefusesWhatThereIsNot) {
    simulate({"daly", "--speed", "0"});
    const auto list = control({"--type", "Daly"});
    EXPECT_EQ(list.code, 0);
    EXPECT_NE(list.out.find("soc 0..100"), std::string::npos) << list.out;
    EXPECT_NE(control({"soc", "150", "--type", "Daly", "--yes"}).err.find("0..100"), std::string::npos);
    EXPECT_NE(control({"charge", "perhaps", "--type", "Daly", "--yes"}).err.find("on or off"), std::string::npos);
    EXPECT_NE(control({"heater", "on", "--type", "Daly", "--yes"}).err.find("it has charge, discharge, soc"),
              std::string::npos);
    EXPECT_EQ(bmsd::test::bmsd({"control-bms", "/dev/no-such-port", "charge", "on"}).code, 2);
}

TEST_F(ControlBms, SaysWhyAnAddressCannotBe) {
    const auto refused = bmsd::test::bmsd({"control-bms", "/dev/null", "--type", "Daly", "--address", "0"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("0x40..0x4F"), std::string::npos) << refused.err;
}

TEST_F(ControlBms, ReadsBackAlsoWhatIsAskedOnlySometimes) {
    simulate({"daly_p81", "--speed", "0"});
    const auto off =
        control({"balance", "off", "--type", "Daly", "--address", "0x81", "--yes", "--untested", "--json"});
    ASSERT_EQ(off.code, 0) << off.out << off.err;
    EXPECT_TRUE(as_json(off).at("seen").as_bool()) << off.out;
    EXPECT_FALSE(as_json(off).at("after").at("balance_fet").as_bool());
}

TEST_F(ControlBms, AsksForMoreThanAYesWhereNobodyHasSeenItWork) {
    simulate({"lltjbd", "--speed", "0"});
    const auto refused = control({"balance", "off", "--type", "LltJbd", "--yes"});
    EXPECT_EQ(refused.code, 2);
    EXPECT_NE(refused.err.find("--untested"), std::string::npos) << refused.err;
}
