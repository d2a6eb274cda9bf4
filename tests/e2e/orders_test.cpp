// What people want changed from the GUI, against simulated batteries that obey.
#include <cmath>

#include "one_battery.hpp"

using namespace bmsd::test;

namespace {

constexpr int accepted = 0, not_possible = 1, refused = 2;

class Orders : public OneBattery {};

}  // namespace

TEST_F(Orders, ChargingIsSwitchedOffAndTheBatterySaysSo) {
    start("daly", "BMS_TYPE = Daly\n");
    ASSERT_TRUE(becomes("/Io/AllowToCharge", 1));
    EXPECT_EQ(rig_.number(service_, "/Settings/HasSettings"), 1);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", 1), accepted);
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceChargingOff"), 1);
    EXPECT_TRUE(becomes("/Io/AllowToCharge", 0)) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service_, "/Info/MaxChargeCurrent"), 0);
    EXPECT_TRUE(eventually([&] { return rig_.logged("switching charging: done, and the BMS shows it"); }))
        << rig_.daemon().err();
}

TEST_F(Orders, ThatMakeNoSenseChangeNothing) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", 2), refused);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", "off"), not_possible) << "no number";
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 101), refused);
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 0), accepted) << "0 % can be chosen";
    EXPECT_EQ(rig_.set(service_, "/Soc", 50), not_possible);
    EXPECT_EQ(rig_.set(service_, "/History/Clear", 8), refused);
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceChargingOff"), 0);
    EXPECT_EQ(rig_.number(service_, "/Io/AllowToCharge"), 1);
}

TEST_F(Orders, InTooQuickASuccessionAreRefusedWithTheReason) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 1), accepted);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 0), refused);
    EXPECT_TRUE(rig_.logged("switching discharging: the order before it is not done yet"));
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceDischargingOff"), 1);
}

TEST_F(Orders, NobodyHasSeenWorkAreLeftToTheCommandLine) {
    start("lltjbd", "BMS_TYPE = LltJbd\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/TurnBalancingOff", 1), refused);
    EXPECT_TRUE(rig_.logged("--untested")) << rig_.daemon().err();
    EXPECT_TRUE(eventually([&] {
        const auto text = rig_.text(service_, "/ConnectionInformation");
        return text && text->find("switching the balancer: nobody has seen it work") != std::string::npos;
    })) << rig_.text(service_, "/ConnectionInformation").value_or("absent");
}

TEST_F(Orders, ACountedStateOfChargeIsSet) {
    start("jkbms_pb", "BMS_TYPE = Jkbms_pb\nSOC_CALCULATION = True\n", {"--soc", "60"});
    ASSERT_TRUE(becomes("/SocBms", 60));
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 42), accepted);
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocToApply", 1), accepted);
    EXPECT_TRUE(eventually([&] { return std::abs(rig_.number(service_, "/Soc").value_or(0) - 42) < 0.1; }));
    EXPECT_EQ(rig_.number(service_, "/Settings/ResetSocToApply"), 0) << "a button";
    EXPECT_EQ(rig_.number(service_, "/SocBms"), 60);
}

TEST_F(Orders, HistoryIsClearedByGroups) {
    start("jkbms_pb", "BMS_TYPE = Jkbms_pb\n");
    ASSERT_TRUE(eventually([&] { return rig_.number(service_, "/History/LowVoltageAlarms").has_value(); }));
    EXPECT_EQ(rig_.set(service_, "/History/Clear", 7), accepted);
    EXPECT_EQ(rig_.number(service_, "/History/Clear"), 0);
    EXPECT_TRUE(rig_.number(service_, "/History/MinimumVoltage").has_value()) << "another group";
}
