// What people want changed from the GUI, against simulated batteries that obey.
#include <cmath>
#include <limits>

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
    EXPECT_TRUE(eventually([&] { return rig_.logged("switching charging off: done, and the BMS shows it"); }))
        << rig_.daemon().err();
}

TEST_F(Orders, ThatMakeNoSenseChangeNothing) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", 2), refused);
    EXPECT_TRUE(rig_.logged("switching charging: the value must be 0 or 1")) << rig_.daemon().err();
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", std::numeric_limits<std::int32_t>::min()), refused);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", "off"), not_possible) << "no number";
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 101), refused);
    EXPECT_TRUE(rig_.logged("setting the state of charge: the value must be 0 to 100 %")) << rig_.daemon().err();
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 0), accepted) << "0 % can be chosen";
    EXPECT_EQ(rig_.set(service_, "/Soc", 50), not_possible);
    EXPECT_EQ(rig_.set(service_, "/History/Clear", 8), refused);
    EXPECT_TRUE(rig_.logged("clearing the history: the value must be 1 to 7")) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceChargingOff"), 0);
    EXPECT_EQ(rig_.number(service_, "/Io/AllowToCharge"), 1);
}

TEST_F(Orders, ANameThatIsTooLongIsRefusedWithTheReason) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/CustomName", std::string(300, 'n')), refused);
    const std::string why = "custom name: it has 300 bytes, and no more than 255 are kept";
    EXPECT_TRUE(rig_.logged(why)) << rig_.daemon().err();
    EXPECT_TRUE(eventually([&] {
        return rig_.text(service_, "/ConnectionInformation").value_or("").find(why) != std::string::npos;
    })) << rig_.text(service_, "/ConnectionInformation").value_or("");
}

TEST_F(Orders, OfDifferentKindsAtOnceAreAllFollowed) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceChargingOff", 1), accepted);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 1), accepted);
    EXPECT_TRUE(becomes("/Io/AllowToCharge", 0)) << rig_.daemon().err();
    EXPECT_TRUE(becomes("/Io/AllowToDischarge", 0)) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceChargingOff"), 1);
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceDischargingOff"), 1);
}

TEST_F(Orders, OfOneKindTheNewestCounts) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 1), accepted);
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 0), accepted);
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceDischargingOff"), 0);
    EXPECT_TRUE(eventually([&] { return rig_.logged("switching discharging on: done"); })) << rig_.daemon().err();
    EXPECT_TRUE(becomes("/Io/AllowToDischarge", 1)) << rig_.daemon().err();
}

TEST_F(Orders, InTooQuickASuccessionWait) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 1), accepted);
    ASSERT_TRUE(becomes("/Io/AllowToDischarge", 0)) << rig_.daemon().err();
    EXPECT_EQ(rig_.set(service_, "/Settings/ForceDischargingOff", 0), accepted);
    EXPECT_TRUE(rig_.logged("it may be used every 10s only")) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service_, "/Settings/ForceDischargingOff"), 0);
    EXPECT_TRUE(eventually([&] { return rig_.logged("switching discharging on: done, and the BMS shows it"); }))
        << rig_.daemon().err();
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

TEST_F(Orders, ByTheNamesOfVersion14IfTheUserWants) {
    start("daly", "BMS_TYPE = Daly\nLEGACY_PATHS = True\n");
    EXPECT_FALSE(rig_.number(service_, "/Io/TurnBalancingOff")) << "this BMS has no such switch";
    EXPECT_EQ(rig_.set(service_, "/Io/TurnBalancingOff", 1), not_possible);
    EXPECT_EQ(rig_.set(service_, "/Io/ForceDischargingOff", 1), accepted);
    EXPECT_TRUE(becomes("/Settings/ForceDischargingOff", 1));
    EXPECT_TRUE(becomes("/Io/AllowToDischarge", 0)) << rig_.daemon().err();
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSoc", 77), accepted) << rig_.daemon().err();
    EXPECT_TRUE(becomes("/Soc", 77)) << rig_.daemon().err();
}

TEST_F(Orders, ToSetTheStateOfChargeShownAreFollowed) {
    start("daly", "BMS_TYPE = Daly\nLEGACY_PATHS = True\n", {"--soc", "60"});
    ASSERT_TRUE(becomes("/Soc", 60));
    ASSERT_EQ(rig_.number(service_, "/Settings/ResetSoc"), 100);
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocToApply", 0), accepted) << "a button that is not pressed";
    EXPECT_EQ(rig_.set(service_, "/History/Clear", 0), accepted);
    EXPECT_EQ(rig_.set(service_, "/Settings/ResetSoc", 100), accepted);
    EXPECT_TRUE(becomes("/Soc", 100)) << rig_.daemon().err();
}

TEST_F(Orders, OldNamesAreNotThereUnlessWanted) {
    start("daly", "BMS_TYPE = Daly\n");
    EXPECT_FALSE(rig_.items(service_).contains("/Io/ForceChargingOff"));
    EXPECT_FALSE(rig_.items(service_).contains("/Settings/ResetSoc"));
}

namespace {

/// At 90 % the cells of the simulated battery are above these voltages: float begins after some polls.
constexpr const char* full_soon =
    "BMS_TYPE = Daly\nMAX_CELL_VOLTAGE = 3.2\nFLOAT_CELL_VOLTAGE = 3.1\nSWITCH_TO_FLOAT_WAIT_FOR_SEC = 1\n"
    "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF = 0.5\nSWITCH_TO_BULK_CELL_VOLTAGE_DIFF =\n"
    "BLOCK_ON_DISCONNECT_VOLTAGE_MIN = 3.0\nBLOCK_ON_DISCONNECT_VOLTAGE_MAX = 3.2\n";

}  // namespace

TEST_F(Orders, AFullBatteryIsToldSo) {
    start("daly", full_soon, {"--soc", "90"});
    EXPECT_TRUE(becomes("/Soc", 100)) << rig_.daemon().err();
    EXPECT_TRUE(rig_.logged("to 100 % as float began: done, and the BMS shows it")) << rig_.daemon().err();
}

TEST_F(Orders, AFullBatteryIsNotToldSoIfTheUserDoesNotWantIt) {
    start("daly", std::string(full_soon) + "AUTO_RESET_SOC = False\n", {"--soc", "90"});
    EXPECT_TRUE(eventually([&] { return rig_.text(service_, "/Info/ChargeMode").value_or("").starts_with("Float"); }))
        << rig_.daemon().err();
    const auto polls = [&] { return rig_.stats().at("batteries").at(0).at("polls").to_number<int>(); };
    const int enough = polls() + 3;
    EXPECT_TRUE(eventually([&] { return polls() >= enough; })) << "an order goes out with the next poll";
    EXPECT_EQ(rig_.number(service_, "/Soc"), 90);
}
