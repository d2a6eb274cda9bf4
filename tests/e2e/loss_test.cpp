// What is shown and done when a battery, an adapter or the bus is lost: the table of docs/when-things-fail.md, as
// somebody on D-Bus sees it, in real time.
#include <csignal>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
using std::chrono::seconds;

namespace {

/// How long the longest row of the table takes, and some more.
constexpr seconds two_minutes{120};

/// A battery that can be silenced, and its daemon.
class Silenced {
public:
    explicit Silenced(const std::string& config) {
        port_ = rig_.simulate("ttyTest0", {"jkbms_pb", "--soc", "50", "--current", "-10", "--fault", "silence"});
        toggle();  // the fault is on at first
        rig_.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01\n" + config, {port_});
    }
    /// Silences the battery, or lets it speak again.
    void toggle() { rig_.simulator(port_).signal(SIGUSR2); }

    std::optional<double> operator[](const std::string& path) { return rig_.number(service(), path); }
    std::optional<std::string> text(const std::string& path) { return rig_.text(service(), path); }
    [[nodiscard]] bool present() { return rig_.present(service()); }
    [[nodiscard]] std::string log() { return rig_.daemon().err(); }

private:
    [[nodiscard]] std::string service() const { return service_of(port_, "0x01"); }

    Rig rig_;
    std::string port_;
};

/// Both current limits are 0, and it shows everywhere.
void expect_blocked(Silenced& battery) {
    EXPECT_EQ(battery["/Info/MaxChargeCurrent"], 0);
    EXPECT_EQ(battery["/Info/MaxDischargeCurrent"], 0);
    EXPECT_EQ(battery["/Io/AllowToCharge"], 0);
    EXPECT_EQ(battery["/Io/AllowToDischarge"], 0);
}

void expect_open(Silenced& battery) {
    EXPECT_GT(battery["/Info/MaxChargeCurrent"], 0);
    EXPECT_GT(battery["/Info/MaxDischargeCurrent"], 0);
    EXPECT_EQ(battery["/Io/AllowToCharge"], 1);
    EXPECT_EQ(battery["/Io/AllowToDischarge"], 1);
}

}  // namespace

// All rows at once, as each of them takes its time: the cells are at 3.2 to 3.3 V.
TEST(Loss, ASilentBatteryGoesThroughTheTableAndComesBack) {
    Silenced inside("");
    Silenced outside("BLOCK_ON_DISCONNECT_VOLTAGE_MAX = 3.23\n");
    Silenced timeout("BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES = 1\n");
    Silenced blocking("BLOCK_ON_DISCONNECT = True\n");
    Silenced unalarmed("BMS_CABLE_ALARM = False\n");
    Silenced* const all[] = {&inside, &outside, &timeout, &blocking, &unalarmed};
    for (Silenced* battery : all) {
        ASSERT_TRUE(eventually([&] { return battery->present() && (*battery)["/Dc/0/Voltage"]; })) << battery->log();
        expect_open(*battery);
    }
    const auto charge = inside["/Info/MaxChargeCurrent"];
    const auto charge_voltage = inside["/Info/MaxChargeVoltage"];
    for (Silenced* battery : all) battery->toggle();

    // 10 s
    for (Silenced* battery : all) {
        ASSERT_TRUE(eventually([&] { return (*battery)["/System/NrOfModulesOffline"] == 1; })) << battery->log();
        EXPECT_EQ((*battery)["/System/NrOfModulesOnline"], 0);
        for (const char* path : {"/Dc/0/Voltage", "/Dc/0/Current", "/Dc/0/Power", "/TimeToGo"})
            EXPECT_FALSE((*battery)[path]) << path;
        EXPECT_TRUE((*battery)["/Soc"]);
        EXPECT_TRUE((*battery)["/Voltages/Cell1"]);
        EXPECT_EQ((*battery)["/Alarms/BmsCable"], 0);
        EXPECT_FALSE(battery->text("/ConnectionInformation")->starts_with("Connected"));
    }
    for (Silenced* battery : {&inside, &outside, &timeout, &unalarmed}) expect_open(*battery);
    expect_blocked(blocking);

    // 60 s
    ASSERT_TRUE(eventually([&] { return outside["/Alarms/BmsCable"] == 2; }, two_minutes)) << outside.log();
    expect_blocked(outside);
    ASSERT_TRUE(eventually([&] { return timeout["/Alarms/BmsCable"] == 2; })) << timeout.log();
    expect_blocked(timeout);
    EXPECT_TRUE(eventually([&] { return inside["/Alarms/BmsCable"] == 1; })) << inside.log();
    EXPECT_EQ(inside["/Info/MaxChargeCurrent"], charge) << "the last limits stay";
    EXPECT_EQ(inside["/Info/MaxChargeVoltage"], charge_voltage);
    EXPECT_EQ(unalarmed["/Alarms/BmsCable"], 0) << "a warning only, and not wanted";
    expect_open(unalarmed);
    expect_blocked(blocking);
    for (Silenced* battery : all) EXPECT_TRUE(battery->present()) << "Venus OS keeps its controlling BMS";

    // and back
    for (Silenced* battery : all) battery->toggle();
    for (Silenced* battery : all) {
        ASSERT_TRUE(eventually([&] { return (*battery)["/Dc/0/Voltage"].has_value(); })) << battery->log();
        EXPECT_EQ((*battery)["/System/NrOfModulesOffline"], 0);
        EXPECT_TRUE(battery->text("/ConnectionInformation")->starts_with("Connected"));
    }
    EXPECT_EQ(blocking["/Info/MaxChargeCurrent"], charge) << "the limits of before, at once";
    expect_open(blocking);
    for (Silenced* battery : all)
        EXPECT_TRUE(eventually([&] { return (*battery)["/Alarms/BmsCable"] == 0; }, two_minutes)) << battery->log();
    for (Silenced* battery : all) expect_open(*battery);
}

TEST(Loss, OneOfSeveralOnAnAdapterDoesNotHarmTheOthers) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--addresses", "1,2,3", "--fault", "silence@2"});
    rig.simulator(port).signal(SIGUSR2);
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02, 0x03\n", {port});
    const auto voltage = [&](const char* address) { return rig.number(service_of(port, address), "/Dc/0/Voltage"); };
    for (const char* address : {"0x01", "0x02", "0x03"})
        ASSERT_TRUE(eventually([&] { return voltage(address).has_value(); })) << address << rig.daemon().err();

    rig.simulator(port).signal(SIGUSR2);
    ASSERT_TRUE(eventually([&] { return rig.number(service_of(port, "0x02"), "/System/NrOfModulesOffline") == 1; }))
        << rig.daemon().err();
    EXPECT_FALSE(voltage("0x02"));
    EXPECT_TRUE(voltage("0x01"));
    EXPECT_TRUE(voltage("0x03"));
    EXPECT_EQ(rig.number(service_of(port, "0x01"), "/System/NrOfModulesOffline"), 0);
    EXPECT_EQ(rig.number(service_of(port, "0x03"), "/System/NrOfModulesOffline"), 0);

    rig.simulator(port).signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return voltage("0x02").has_value(); })) << rig.daemon().err();
}

TEST(Loss, ABusThatDiesAndComesBackFindsTheBatteryAgain) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01\n", {port});
    const auto service = service_of(port, "0x01");
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/Dc/0/Voltage").has_value(); })) << rig.daemon().err();
    const auto instance = rig.number(service, "/DeviceInstance");
    const auto polls = [&] { return rig.stats().at("batteries").at(0).at("polls").to_number<int>(); };

    rig.bus.die();
    ASSERT_TRUE(eventually([&] { return rig.logged("has left D-Bus"); })) << rig.daemon().err();
    const int before = polls();
    EXPECT_TRUE(eventually([&] { return polls() >= before + 3; })) << "the battery is polled on";

    rig.bus.start();
    EXPECT_TRUE(eventually([&] { return rig.number(service, "/Dc/0/Voltage").has_value(); })) << rig.daemon().err();
    EXPECT_EQ(rig.number(service, "/DeviceInstance"), instance);
}
