// Moving over from the Python driver: what it left in Venus OS' settings is taken over and kept.
#include <csignal>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "rig.hpp"
#include "support/settings_service.hpp"

using namespace bmsd::test;

namespace {

class VenusSettings : public testing::Test {
protected:
    /// The simulated JK's serial number is known after one look.
    void SetUp() override {
        port_ = rig_.simulate("ttyTest0", {"jkbms_pb", "--current", "-10", "--speed", "0"});
        service_ = service_of(port_);
    }
    void start(const std::string& config = "SWITCH_TO_BULK_SOC_THRESHOLD = 5\n") {
        rig_.run("BMS_TYPE = Jkbms_pb\n" + config, {port_});
    }
    bool there() {
        return eventually([&] { return rig_.present(service_); });
    }
    bool becomes(const std::string& path, double value) {
        return eventually([&] { return rig_.number(service_, path) == value; });
    }
    void end() {
        rig_.daemon().signal(SIGTERM);
        ASSERT_EQ(rig_.daemon().wait(), 0) << rig_.daemon().err();
    }
    std::string group() {
        start();
        EXPECT_TRUE(there()) << rig_.daemon().err();
        const std::string serial = rig_.text(service_, "/Serial").value_or("");
        end();
        std::filesystem::remove_all(rig_.folder.file("state"));
        return "/Settings/Devices/serialbattery_" + serial + "/";
    }

    /// What the state directory holds of the battery.
    boost::json::object kept() {
        std::ostringstream text;
        for (const auto& file : std::filesystem::directory_iterator(rig_.folder.file("state/batteries")))
            if (file.path().extension() == ".json") text << std::ifstream{file.path()}.rdbuf();
        return boost::json::parse(text.str()).as_object();
    }

    Rig rig_;
    std::string port_, service_;
};

}  // namespace

TEST_F(VenusSettings, ANewBatteryIsEntered) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.store("/Settings/Devices/other/ClassAndVrmInstance", "battery:1");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_TRUE(becomes("/DeviceInstance", 2)) << "1 belongs to another device";
    EXPECT_EQ(settings.text(battery + "ClassAndVrmInstance"), "battery:2");
    EXPECT_EQ(settings.text(battery + "AllowMaxVoltage"), "1");
    EXPECT_EQ(settings.text(battery + "UniqueIdentifier"), rig_.text(service_, "/Serial"));
    EXPECT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
}

TEST_F(VenusSettings, WhatThePythonDriverLeftIsTakenOver) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.store(battery + "UniqueIdentifier",
                   battery.substr(battery.rfind('_') + 1, battery.size() - battery.rfind('_') - 2));
    settings.store(battery + "ClassAndVrmInstance", "battery:7");
    settings.store(battery + "CustomName", "Left rack");
    settings.store(battery + "AllowMaxVoltage", 0);
    settings.store(battery + "MaxVoltageStartTime", "");
    settings.store(battery + "LastSeen", 1700000000);
    settings.store(battery + "SocCalc", "57");
    settings.store(battery + "SocResetLastReached", 0);
    settings.store(battery + "HistoryValues", R"({"clear": 0, "total_ah_drawn": 89880.0, "minimum_voltage": 41.5})");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service_, "/DeviceInstance"), 7);
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Left rack");
    EXPECT_EQ(rig_.text(service_, "/Info/ChargeMode")->substr(0, 5), "Float");
    EXPECT_EQ(rig_.number(service_, "/History/MinimumVoltage"), 41.5);
    EXPECT_EQ(rig_.number(service_, "/History/TotalAhDrawn"), -89880);
}

TEST_F(VenusSettings, WhatThePythonDriverCountedInBetweenIsTakenOver) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    start("SOC_CALCULATION = True\n");
    ASSERT_TRUE(there()) << rig_.daemon().err();
    ASSERT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 30), 0);
    ASSERT_EQ(rig_.set(service_, "/Settings/ResetSocToApply", 1), 0);
    end();
    // As it leaves them; a day later, so that the test needs no second to pass.
    settings.store(battery + "LastSeen", std::stoi(settings.text(battery + "LastSeen")) + 86400);
    settings.store(battery + "SocCalc", "80");
    settings.store(battery + "HistoryValues", R"({"clear": 0, "total_ah_drawn": 120.0})");
    start("SOC_CALCULATION = True\n");
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_NEAR(rig_.number(service_, "/Soc").value_or(0), 80, 0.5);
    EXPECT_NEAR(rig_.number(service_, "/History/TotalAhDrawn").value_or(0), -120, 1);
    EXPECT_TRUE(rig_.logged("another driver has seen it since"));
}

TEST_F(VenusSettings, ANameGivenWhileTheyAreAwayIsNotLost) {
    const std::string battery = group();
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    const std::string serial = rig_.text(service_, "/Serial").value_or("");
    SettingsService settings(rig_.bus.address(), "com.victronenergy.settings",
                             {{battery + "UniqueIdentifier", serial},
                              {battery + "CustomName", "Garage"},
                              {battery + "ClassAndVrmInstance", "battery:4"}});
    ASSERT_TRUE(becomes("/DeviceInstance", 4)) << rig_.daemon().err();
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
}

TEST_F(VenusSettings, ANameGivenWhileTheyAreAwayIsThereAfterARestart) {
    const std::string battery = group();
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    const std::string serial = rig_.text(service_, "/Serial").value_or("");
    end();
    SettingsService settings(rig_.bus.address(), "com.victronenergy.settings",
                             {{battery + "UniqueIdentifier", serial},
                              {battery + "CustomName", "Garage"},
                              {battery + "ClassAndVrmInstance", "battery:4"}});
    start();
    ASSERT_TRUE(becomes("/DeviceInstance", 4)) << rig_.daemon().err();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
    EXPECT_TRUE(eventually([&] { return !kept().contains("name_unwritten"); }));
    end();
    settings.store(battery + "CustomName", "Attic");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_TRUE(eventually([&] { return rig_.text(service_, "/CustomName") == "Attic"; })) << "theirs from then on";
}

TEST_F(VenusSettings, ANameThatTheyRefuseIsKeptAndToldThemAgain) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.refuse_writes(battery + "CustomName");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    ASSERT_TRUE(eventually([&] { return rig_.logged("settings does not store " + battery + "CustomName"); }));
    settings.change(battery + "ClassAndVrmInstance", "battery:20");
    ASSERT_TRUE(becomes("/DeviceInstance", 20)) << rig_.daemon().err();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar") << "only what has changed is followed";
    end();
    start();
    ASSERT_TRUE(becomes("/DeviceInstance", 20)) << rig_.daemon().err();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
    EXPECT_EQ(settings.text(battery + "CustomName"), "");
    settings.change(battery + "CustomName", "From the GUI");
    EXPECT_TRUE(eventually([&] { return rig_.text(service_, "/CustomName") == "From the GUI"; })) << "what is newer";
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    end();
    settings.refuse_writes("");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
}

TEST_F(VenusSettings, ANameOnItsWayIsNewerThanWhatTheySayMeanwhile) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    settings.hold(battery + "CustomName", "SetValue");
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    settings.change(battery + "CustomName", "Garage");
    for (const int instance : {20, 21}) {  // behind the second one the name was surely heard
        settings.change(battery + "ClassAndVrmInstance", "battery:" + std::to_string(instance));
        ASSERT_TRUE(becomes("/DeviceInstance", instance)) << rig_.daemon().err();
    }
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
    EXPECT_TRUE(kept().contains("name_unwritten"));
    settings.release();
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
    EXPECT_TRUE(eventually([&] { return !kept().contains("name_unwritten"); }));
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
}

TEST_F(VenusSettings, TheInstanceFollowsTheGui) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    settings.change(battery + "ClassAndVrmInstance", "battery:20");
    EXPECT_TRUE(eventually([&] { return rig_.number(service_, "/DeviceInstance") == 20; }));
    settings.change(battery + "CustomName", "From the GUI");
    EXPECT_TRUE(eventually([&] { return rig_.text(service_, "/CustomName") == "From the GUI"; }));
}

TEST_F(VenusSettings, ANameThatIsTooLongCostsNothingAtTheNextStart) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    settings.change(battery + "CustomName", std::string(300, 'n'));
    const std::string kept(255, 'n');
    EXPECT_TRUE(eventually([&] { return rig_.text(service_, "/CustomName") == kept; }));
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == kept; }));
    end();
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), kept);
    EXPECT_FALSE(rig_.logged("set aside")) << rig_.daemon().err();
}

TEST_F(VenusSettings, AreRarelyWritten) {
    SettingsService settings(rig_.bus.address());
    start("POLL_INTERVAL = 0.1\n");
    ASSERT_TRUE(there()) << rig_.daemon().err();
    ASSERT_TRUE(
        eventually([&] { return rig_.stats().at("batteries").as_array().at(0).at("polls").to_number<int>() > 30; }));
    EXPECT_EQ(settings.writes(), 0);
    end();
    EXPECT_LE(settings.writes(), 6) << "once each, at the end";
}

TEST_F(VenusSettings, MayComeLateGoAndComeBack) {
    const std::string battery = group();
    start();
    ASSERT_TRUE(there()) << "without the service as well";
    EXPECT_TRUE(rig_.logged("com.victronenergy.settings is not on D-Bus"));
    EXPECT_EQ(rig_.number(service_, "/DeviceInstance"), 1);
    {
        SettingsService settings(rig_.bus.address());
        settings.store("/Settings/Devices/other/ClassAndVrmInstance", "battery:1");
        ASSERT_TRUE(eventually([&] { return settings.text(battery + "ClassAndVrmInstance") != "absent"; }));
    }
    ASSERT_TRUE(eventually([&] { return rig_.logged("com.victronenergy.settings has left"); }));
    EXPECT_TRUE(rig_.number(service_, "/Soc").has_value());
    SettingsService settings(rig_.bus.address());
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "ClassAndVrmInstance") != "absent"; }));
}

TEST_F(VenusSettings, AreAskedAgainAfterAnError) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.store("/Settings/Devices/other/ClassAndVrmInstance", "battery:1");
    settings.refuse("/Settings/Devices", "GetValue");
    start();
    ASSERT_TRUE(there()) << rig_.daemon().err();
    EXPECT_TRUE(rig_.logged("com.victronenergy.settings does not tell what it holds (busy): asking again"));
    EXPECT_TRUE(rig_.logged("com.victronenergy.settings does not tell what it holds: going on"));
    EXPECT_TRUE(becomes("/DeviceInstance", 2)) << rig_.daemon().err();
    EXPECT_EQ(settings.text(battery + "ClassAndVrmInstance"), "battery:2");
}

TEST_F(VenusSettings, ABatteryIsEnteredAgainAfterAnError) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.store("/Settings/Devices/other/ClassAndVrmInstance", "battery:1");
    settings.refuse("/", "AddSettings");
    start();
    ASSERT_TRUE(there()) << "shown meanwhile";
    EXPECT_TRUE(rig_.logged("com.victronenergy.settings does not take settings (busy): asking again"));
    EXPECT_TRUE(becomes("/DeviceInstance", 2)) << rig_.daemon().err();
    EXPECT_EQ(settings.text(battery + "ClassAndVrmInstance"), "battery:2");
}

TEST_F(VenusSettings, ABatteryDoesNotWaitLongForThem) {
    const std::string battery = group();
    SettingsService settings(rig_.bus.address());
    settings.store("/Settings/Devices/other/ClassAndVrmInstance", "battery:1");
    settings.hold("/", "AddSettings");
    start();
    ASSERT_TRUE(eventually([&] { return rig_.present(service_); }, std::chrono::seconds{15}))
        << "long before the call ends by itself: " << rig_.daemon().err();
    EXPECT_TRUE(rig_.logged("com.victronenergy.settings does not answer AddSettings: going on"));
    EXPECT_EQ(rig_.number(service_, "/DeviceInstance"), 1) << "what we think ourselves";
    ASSERT_EQ(rig_.set(service_, "/CustomName", "Cellar"), 0);
    settings.release();
    EXPECT_TRUE(becomes("/DeviceInstance", 2)) << rig_.daemon().err();
    EXPECT_EQ(settings.text(battery + "ClassAndVrmInstance"), "battery:2");
    EXPECT_TRUE(eventually([&] { return settings.text(battery + "CustomName") == "Cellar"; }));
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar");
}

TEST_F(VenusSettings, TheNameThatThePythonDriverMadeUpIsFoundAgain) {
    const std::string port = rig_.simulate("ttyTest1", {"lltjbd", "--capacity", "280", "--speed", "0"});
    const std::string service = service_of(port);
    const auto shown = [&] { return eventually([&] { return rig_.present(service); }); };
    rig_.run("BMS_TYPE = LltJbd\n", {port});
    ASSERT_TRUE(shown()) << rig_.daemon().err();
    std::string version = rig_.text(service, "/HardwareVersion").value_or("");
    end();
    std::filesystem::remove_all(rig_.folder.file("state"));
    std::erase(version, '.');
    const std::string former = version + "_280_0Ah";
    const std::string group = "/Settings/Devices/serialbattery_" + version + "_280_0AH/";

    SettingsService settings(rig_.bus.address());
    settings.store(group + "UniqueIdentifier", former);
    settings.store(group + "ClassAndVrmInstance", "battery:5");
    settings.store(group + "CustomName", "Boat");
    settings.store(group + "LastSeen", 1700000000);
    rig_.run("BMS_TYPE = LltJbd\n", {port});
    ASSERT_TRUE(shown()) << rig_.daemon().err();
    EXPECT_EQ(rig_.number(service, "/DeviceInstance"), 5);
    EXPECT_EQ(rig_.text(service, "/CustomName"), "Boat");
    settings.change(group + "CustomName", "Ship");
    EXPECT_TRUE(eventually([&] { return rig_.text(service, "/CustomName") == "Ship"; })) << "also while it runs";
    EXPECT_EQ(settings.text(group + "UniqueIdentifier"), former) << "the way back stays open";
}
