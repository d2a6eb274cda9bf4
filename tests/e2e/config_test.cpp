// Configurations that are checked, kept, and read again while the daemon runs.
#include <csignal>
#include <fstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.hpp"

using namespace bmsd::test;

namespace {

std::int64_t polls(Rig& rig, const std::string& port) {
    const auto stats = rig.stats();  // it must outlive the loop
    for (const auto& battery : stats.at("batteries").as_array())
        if (battery.at("port").as_string() == port) return battery.at("polls").to_number<std::int64_t>();
    return -1;
}

/// Writes the file that the daemon of the rig reads, and asks it to read it.
void reconfigure(Rig& rig, const std::string& text) {
    rig.folder.write("config.ini", text);
    rig.daemon().signal(SIGHUP);
}

}  // namespace

TEST(CheckConfig, SaysEverythingAndItsExitCodeTells) {
    const Folder folder;
    const auto sound =
        bmsd::test::bmsd({"check-config", folder.write("sound.ini", "[DEFAULT]\nMODBUS_ADDRESSES = 1\n")});
    EXPECT_EQ(sound.code, 0) << sound.out;
    EXPECT_NE(sound.out.find("line 2: MODBUS_ADDRESSES: is now called BATTERY_ADDRESSES"), std::string::npos);

    const std::string bad = folder.write("bad.ini", "[DEFAULT]\nLOGGING = INFO\nMAX_CELL_VOLTGE = 3.5\n");
    const auto text = bmsd::test::bmsd({"check-config", bad});
    EXPECT_EQ(text.code, 1);
    EXPECT_NE(text.out.find("error: " + bad + " line 3: MAX_CELL_VOLTGE: "), std::string::npos) << text.out;
    EXPECT_NE(text.out.find("did you mean MAX_CELL_VOLTAGE?"), std::string::npos);

    const auto json = boost::json::parse(bmsd::test::bmsd({"check-config", "--json", bad}).out).as_object();
    EXPECT_EQ(json.at("errors"), 1);
    const auto& problem = json.at("problems").as_array().at(0).as_object();
    EXPECT_EQ(problem.at("line"), 3);
    EXPECT_EQ(problem.at("key"), "MAX_CELL_VOLTGE");
    EXPECT_EQ(problem.at("value"), "3.5");
    EXPECT_EQ(problem.at("severity"), "error");
    EXPECT_EQ(problem.at("nearest"), "MAX_CELL_VOLTAGE");

    const std::string latin = folder.write("latin.ini", "[DEFAULT]\nMAX_CELL_VOLTAGE = 3.5\xB0\n");
    boost::system::error_code error;
    static_cast<void>(boost::json::parse(bmsd::test::bmsd({"check-config", "--json", latin}).out, error));
    EXPECT_FALSE(error) << "JSON is UTF-8: " << error.message();

    EXPECT_EQ(bmsd::test::bmsd({"check-config", "/nonexistent.ini"}).code, 2);
    EXPECT_EQ(bmsd::test::bmsd({"check-config"}).code, 2);
}

TEST(CheckConfig, PrintsTheDefaultFileWhichIsSound) {
    const Folder folder;
    const auto printed = bmsd::test::bmsd({"check-config", "--print-default"});
    EXPECT_EQ(printed.code, 0);
    const auto checked = bmsd::test::bmsd({"check-config", folder.write("default.ini", printed.out)});
    EXPECT_EQ(checked.code, 0) << checked.out;
    EXPECT_NE(checked.out.find("0 errors, 0 warnings, 0 notes"), std::string::npos) << checked.out;
}

TEST(PortSections, MakePortsWithSettingsOfTheirOwn) {
    Rig rig;
    const auto ttl = rig.simulate("ttyTest0", {"jkbms"});
    const auto pb = rig.simulate("ttyTest1", {"jkbms_pb", "--addresses", "3"});
    rig.run("[" + ttl + "]\nBMS_TYPE = Jkbms\n[" + pb + "]\nBMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x03\n", {});
    EXPECT_TRUE(eventually([&] { return rig.present(service_of(ttl)) && rig.present(service_of(pb, "0x03")); }))
        << rig.daemon().err();
}

TEST(LastGoodConfig, IsUsedWhenALimitIsMistyped) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 20\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.number(service_of(port), "/Info/MaxChargeCurrent") == 20; }))
        << rig.daemon().err();
    rig.daemon().signal(SIGTERM);
    ASSERT_EQ(rig.daemon().wait(), 0);

    rig.run("BMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 3O\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.number(service_of(port), "/Info/MaxChargeCurrent") == 20; }))
        << rig.daemon().err();
    EXPECT_EQ(rig.number(service_of(port), "/ErrorCode"), 119);
    EXPECT_TRUE(rig.logged("'3O' is not a number"));
    EXPECT_TRUE(rig.logged("the last good configuration is used instead, kept in")) << rig.daemon().err();
}

TEST(Reload, ChangesLimitsWithoutTouchingThePort) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\n", {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 50; })) << rig.daemon().err();
    const auto before = polls(rig, port);

    reconfigure(rig, "[DEFAULT]\nBMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\nMAX_BATTERY_CHARGE_CURRENT = 12\n");
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 12; })) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("config.ini: read again"));
    EXPECT_GT(polls(rig, port), before) << "the battery's counters go on";
    EXPECT_FALSE(rig.logged("opening it again"));

    rig.daemon().signal(SIGHUP);
    EXPECT_TRUE(eventually([&] {
        const std::string log = rig.daemon().err();
        const auto first = log.find("config.ini: read again");
        return log.find("config.ini: read again", first + 1) != std::string::npos;
    })) << "each time";
}

TEST(Reload, DoesNotWaitForTheDisk) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    const std::string config = "BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\n",
                      file = rig.folder.file("state/last-good.ini");
    rig.run(config, {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.present(service) && std::filesystem::exists(file); }))
        << rig.daemon().err();
    // A disk that takes nothing until somebody reads from it.
    ASSERT_EQ(::mkfifo((file + ".new").c_str(), 0600), 0);
    reconfigure(rig, "[DEFAULT]\n" + config + "MAX_BATTERY_CHARGE_CURRENT = 12\n");
    EXPECT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 12; })) << rig.daemon().err();
    const auto before = polls(rig, port);
    EXPECT_TRUE(eventually([&] { return polls(rig, port) > before + 2; })) << rig.daemon().err();
    const int disk = ::open((file + ".new").c_str(), O_RDONLY | O_NONBLOCK);
    EXPECT_TRUE(eventually([&] { return rig.logged("last-good.ini: does not reach the disk"); })) << rig.daemon().err();
    ::close(disk);
}

TEST(Reload, ShowsAnEmptiedKeyAsInvalid) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    const std::string lines = "BMS_TYPE = Jkbms_pb\nPUBLISH_CONFIG_VALUES = True\n";
    rig.run(lines + "SOC_RESET_AFTER_DAYS = 30\n", {port});
    const auto service = service_of(port);
    const std::string path = "/Info/Config/SOC_RESET_AFTER_DAYS";
    ASSERT_TRUE(eventually([&] { return rig.number(service, path) == 30; })) << rig.daemon().err();

    reconfigure(rig, "[DEFAULT]\n" + lines + "SOC_RESET_AFTER_DAYS =\n");
    EXPECT_TRUE(eventually([&] { return rig.text(service, path) == "---"; })) << rig.daemon().err();
}

TEST(Reload, RefusesAFileWithErrors) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 30\n", {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 30; })) << rig.daemon().err();
    reconfigure(rig, "[DEFAULT]\nBMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 4O\n");
    ASSERT_TRUE(eventually([&] { return rig.logged("everything stays as it was"); })) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("config.ini line 3: MAX_BATTERY_CHARGE_CURRENT: '4O' is not a number"));
    const auto before = polls(rig, port);
    ASSERT_TRUE(eventually([&] { return polls(rig, port) > before; }));
    EXPECT_EQ(rig.number(service, "/Info/MaxChargeCurrent"), 30);
    EXPECT_NE(rig.number(service, "/ErrorCode"), 119);
}

TEST(Reload, HealsAnUnsafeStart) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 4O\n", {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/ErrorCode") == 119; })) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("charging and discharging stay at 0 A"));
    const auto link = rig.text(service, "/ConnectionInformation").value_or("");
    EXPECT_NE(link.find("config.ini line 3: MAX_BATTERY_CHARGE_CURRENT: '4O' is not a number"), std::string::npos)
        << link;
    reconfigure(rig, "[DEFAULT]\nBMS_TYPE = Jkbms_pb\nMAX_BATTERY_CHARGE_CURRENT = 40\n");
    EXPECT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 40; })) << rig.daemon().err();
    EXPECT_TRUE(eventually([&] { return rig.number(service, "/ErrorCode") != 119; }));
    EXPECT_EQ(rig.text(service, "/ConnectionInformation"), "Connected");
}

TEST(Reload, KeepsThePointsAfterWhichPathsAreNamed) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--current", "-20"});
    rig.run("BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\nTIME_TO_SOC_POINTS = 20, 10\n", {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.text(service, "/TimeToSoC/20").value_or("").size() > 1; }))
        << rig.daemon().err();

    reconfigure(rig,
                "[DEFAULT]\nBMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\nTIME_TO_SOC_POINTS = 5\n"
                "MAX_BATTERY_CHARGE_CURRENT = 12\n");
    ASSERT_TRUE(eventually([&] { return rig.number(service, "/Info/MaxChargeCurrent") == 12; })) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("TIME_TO_SOC_POINTS is followed when bmsd is started again"));
}

TEST(Reload, OpensClosesAndReopensPorts) {
    Rig rig;
    const auto stays = rig.simulate("ttyTest0", {"jkbms_pb"});
    const auto goes = rig.simulate("ttyTest1", {"jkbms_pb"});
    const auto comes = rig.simulate("ttyTest2", {"jkbms"});
    const auto changes = rig.simulate("ttyTest3", {"jkbms_pb", "--addresses", "1,2"});
    const std::string unchanged = "[" + stays + "]\nBMS_TYPE = Jkbms_pb\n";
    const std::string head = "POLL_INTERVAL = 0.2\n";
    rig.run(head + unchanged + "[" + goes + "]\nBMS_TYPE = Jkbms_pb\n[" + changes +
                "]\nBMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01\n",
            {});
    ASSERT_TRUE(eventually([&] {
        return rig.present(service_of(stays)) && rig.present(service_of(goes)) &&
               rig.present(service_of(changes, "0x01"));
    })) << rig.daemon().err();
    const auto before = polls(rig, stays);

    reconfigure(rig, "[DEFAULT]\n" + head + unchanged + "[" + comes + "]\nBMS_TYPE = Jkbms\n[" + changes +
                         "]\nBMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02\n");
    EXPECT_TRUE(eventually([&] { return rig.present(service_of(comes)); })) << rig.daemon().err();
    EXPECT_TRUE(eventually([&] { return rig.present(service_of(changes, "0x02")); })) << rig.daemon().err();
    EXPECT_TRUE(rig.present(service_of(changes, "0x01")));
    EXPECT_TRUE(eventually([&] { return !rig.present(service_of(goes)); }));
    EXPECT_TRUE(rig.present(service_of(stays)));
    EXPECT_GT(polls(rig, stays), before) << "not opened again";
    EXPECT_FALSE(rig.logged("the device is gone"));
    EXPECT_FALSE(rig.logged("the port is in use")) << "closed before it is opened again";
    EXPECT_EQ(rig.stats().at("ports").as_array().size(), 3u);

    rig.daemon().signal(SIGTERM);
    EXPECT_EQ(rig.daemon().wait(), 0) << rig.daemon().err();
}
