// A battery on a wire becomes a service on the bus.
#include <csignal>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;

TEST(Service, TwoBatteriesOnOneBus) {
    Rig rig;
    const auto port = rig.simulate(
        "ttyTest0", {"jkbms_pb", "--addresses", "1,2", "--baud-pacing", "--current", "-10", "--speed", "0"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02\n", {port});
    const auto first = service_of(port, "0x01");
    const auto second = service_of(port, "0x02");
    ASSERT_TRUE(eventually([&] { return rig.present(first) && rig.present(second); })) << rig.daemon().err();
    EXPECT_EQ(rig.number(first, "/ProductId"), 0xBA77);
    EXPECT_EQ(rig.text(first, "/ProductId"), "0xBA77");
    EXPECT_EQ(rig.number(first, "/Dc/0/Current"), -10);
    EXPECT_EQ(rig.number(first, "/System/NrOfCellsPerBattery"), 16);
    EXPECT_EQ(rig.number(first, "/Info/MaxChargeCurrent"), 50);
    EXPECT_EQ(rig.number(first, "/Info/MaxChargeVoltage"), 55.2);
    EXPECT_EQ(rig.number(first, "/Io/AllowToCharge"), 1);
    EXPECT_NE(rig.text(first, "/Serial"), rig.text(second, "/Serial"));
    EXPECT_NE(rig.number(first, "/DeviceInstance"), rig.number(second, "/DeviceInstance"));
    EXPECT_EQ(rig.text(first, "/Mgmt/Connection"), "Serial " + port + "__0x01");

    rig.daemon().signal(SIGTERM);
    EXPECT_EQ(rig.daemon().wait(), 0) << rig.daemon().err();
    EXPECT_FALSE(rig.present(first)) << "the name is released";
}

TEST(Service, AnUnknownPortIsIdentified) {
    Rig rig;
    const auto ttl = rig.simulate("ttyTest0", {"jkbms"});
    const auto pb = rig.simulate("ttyTest1", {"jkbms_pb"});
    rig.run("", {ttl, pb});
    ASSERT_TRUE(eventually([&] { return rig.present(service_of(ttl)) && rig.present(service_of(pb)); }))
        << rig.daemon().err();
    EXPECT_EQ(rig.text(service_of(ttl), "/Manufacturer"), "JKBMS");
    EXPECT_EQ(rig.text(service_of(pb), "/Manufacturer"), "JKBMS PB Model");
}

TEST(Service, ThroughATcpGateway) {
    Rig rig;
    const auto port = rig.simulate("gateway", {"jkbms_pb", "--link", "tcp", "--baud-pacing"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.logged("is on D-Bus as"); })) << rig.daemon().err();
    const auto stats = rig.stats();
    EXPECT_EQ(stats.at("batteries").as_array().at(0).at("link").as_string(), "fresh");
}

TEST(Service, FromARecordedDialogue) {
    Rig rig;
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x03\n",
            {"replay:" + std::string(BMSD_TEST_DATA) + "/jkbms_pb/real-16s-fw15.41-addr3.json"});
    ASSERT_TRUE(eventually([&] { return rig.logged("40119491480 answers"); })) << rig.daemon().err();
}

TEST(Service, AlarmsReachTheBus) {
    Rig rig;
    const auto port =
        rig.simulate("ttyTest0", {"jkbms_pb", "--alarm", "high_cell_voltage", "--alarm", "low_voltage:alarm"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.present(service_of(port)); }));
    EXPECT_EQ(rig.number(service_of(port), "/Alarms/HighCellVoltage"), 2);
    EXPECT_EQ(rig.number(service_of(port), "/Alarms/LowVoltage"), 2);
    EXPECT_EQ(rig.number(service_of(port), "/Alarms/HighTemperature"), 0);
}

TEST(Service, AnErrorInTheConfigurationIsShownAndAnUnsafeOneBlocks) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 5O\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.present(service_of(port)); }));
    EXPECT_EQ(rig.number(service_of(port), "/State"), 10);
    EXPECT_EQ(rig.number(service_of(port), "/ErrorCode"), 119);
    EXPECT_EQ(rig.number(service_of(port), "/Info/MaxChargeCurrent"), 0);
    EXPECT_EQ(rig.number(service_of(port), "/Info/MaxDischargeCurrent"), 0);
    EXPECT_TRUE(rig.logged("config.ini line 3: MAX_BATTERY_CHARGE_CURRENT: '5O' is not a number"));
}

TEST(Service, ShowsItsConfigurationAndItsReasonsIfTheUserWants) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--soc", "50", "--current", "-10", "--speed", "0"});
    const auto service = service_of(port) + "__0";
    rig.run(
        "BMS_TYPE = Jkbms_pb\nPUBLISH_CONFIG_VALUES = True\nGUI_PARAMETERS_SHOW_ADDITIONAL_INFO = True\n"
        "LEGACY_SERVICE_NAMES = True\nMAX_BATTERY_CHARGE_CURRENT = 80\nMQTT_PASSWORD = confidential\n",
        {port});
    ASSERT_TRUE(eventually([&] { return rig.present(service); })) << rig.daemon().err();
    EXPECT_EQ(rig.number(service, "/Info/Config/MAX_BATTERY_CHARGE_CURRENT"), 80);
    EXPECT_EQ(rig.text(service, "/Info/Config/CVCM_ENABLE"), "True");
    EXPECT_EQ(rig.text(service, "/Info/Config/MAX_CHARGE_CURRENT_CV"), "[0.0, 0.4, 4.0, 20.0, 80.0]");
    const auto items = rig.items(service);
    EXPECT_FALSE(items.contains("/Info/Config/MQTT_PASSWORD"));
    EXPECT_FALSE(items.contains("/Info/Config/MQTT_USERNAME"));
    const auto reasons = rig.text(service, "/Info/ChargeModeDebug").value_or("");
    EXPECT_NE(reasons.find("CVL: 55.20 V for 16 cells"), std::string::npos) << reasons;
    EXPECT_NE(reasons.find("CCL: the configured maximum: 80 A"), std::string::npos) << reasons;
    const auto next = rig.text(service, "/Info/ChargeModeDebugFloat").value_or("");
    EXPECT_TRUE(next.starts_with("absorption when the cells sum up to 55.20 V; now 5")) << next;
}
