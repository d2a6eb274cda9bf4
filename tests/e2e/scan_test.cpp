// `bmsd scan` on simulated buses: what answers is found, and each mistake of the wiring is called by its name.
#include <csignal>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
namespace json = boost::json;

namespace {

struct Scanned {
    int code;
    json::object port;
    std::string config;
    std::string progress;
};

/// Scans one simulated bus; `type` keeps the time short, as most of a scan is waiting for other families.
Scanned scan(Rig& rig, std::vector<std::string> simulator, std::vector<std::string> arguments = {}) {
    const auto port = rig.simulate("ttyScan", std::move(simulator));
    arguments.insert(arguments.begin(), {"scan", "--json", port});
    const Finished finished = bmsd::test::bmsd(arguments);
    const json::object all = json::parse(finished.out).as_object();
    return {finished.code, all.at("ports").as_array().at(0).as_object(), std::string(all.at("config").as_string()),
            finished.err};
}

const std::vector<std::string> pb_only = {"--type", "Jkbms_pb", "--addresses", "1,2"};

std::string mistake(const json::object& of) {
    return std::string(of.at("link").at("mistake").as_string());
}

std::string text(const json::object& of) {
    return std::string(of.at("link").at("text").as_string());
}

const json::object& battery(const Scanned& scanned, std::size_t index = 0) {
    return scanned.port.at("batteries").as_array().at(index).as_object();
}

}  // namespace

TEST(Scan, FindsEveryBatteryOfABusAndProposesTheConfiguration) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--addresses", "1,3", "--speed", "0"}, {"--type", "Jkbms_pb"});
    EXPECT_EQ(scanned.code, 0);
    ASSERT_EQ(scanned.port.at("batteries").as_array().size(), 2u) << json::serialize(scanned.port);
    EXPECT_EQ(battery(scanned, 0).at("address").to_number<int>(), 1);
    EXPECT_EQ(battery(scanned, 1).at("address").to_number<int>(), 3);
    EXPECT_EQ(battery(scanned).at("baud").to_number<int>(), 115200);
    EXPECT_EQ(battery(scanned).at("values").at("cell_count").to_number<int>(), 16);
    EXPECT_NE(battery(scanned).at("id"), battery(scanned, 1).at("id"));
    EXPECT_EQ(mistake(battery(scanned)), "none");
    EXPECT_NE(scanned.config.find("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x03\n"), std::string::npos)
        << scanned.config;
    EXPECT_NE(scanned.progress.find("at most"), std::string::npos) << scanned.progress;
}

TEST(Scan, ProposesARateThatIsNotTheUsualOne) {
    Rig rig;
    std::vector<std::string> slow = pb_only;
    slow.insert(slow.end(), {"--baud", "9600"});
    const auto scanned = scan(rig, {"jkbms_pb", "--addresses", "1", "--baud", "9600", "--speed", "0"}, slow);
    EXPECT_NE(scanned.config.find("BMS_TYPE = Jkbms_pb\nBAUD_RATE = 9600\nBATTERY_ADDRESSES = 0x01\n"),
              std::string::npos)
        << scanned.config;
}

TEST(Scan, FindsABatteryThatIsNotAtTheUsualAddress) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--addresses", "2"}, {"--type", "Jkbms_pb", "--addresses", "1,2"});
    ASSERT_EQ(scanned.port.at("batteries").as_array().size(), 1u);
    EXPECT_EQ(battery(scanned).at("address").to_number<int>(), 2);
}

TEST(Scan, NamesSwappedWires) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--fault", "swapped"}, pb_only);
    EXPECT_EQ(scanned.code, 1);
    EXPECT_EQ(mistake(scanned.port), "swapped");
    EXPECT_NE(text(scanned.port).find("A and B"), std::string::npos);
    EXPECT_GT(scanned.port.at("link").at("evidence").at("blank_bytes").to_number<int>(), 10);
}

TEST(Scan, NamesAWrongRateAndFindsTheRightOne) {
    Rig rig;
    const std::vector<std::string> simulator = {"jkbms_pb", "--fault", "rate"};
    auto wrong = pb_only;
    wrong.insert(wrong.end(), {"--baud", "9600"});
    EXPECT_EQ(mistake(scan(rig, simulator, wrong).port), "wrong-rate");
    EXPECT_EQ(scan(rig, simulator, pb_only).code, 0) << "at the family's own rate it answers cleanly";
}

TEST(Scan, NamesADuplicateAddress) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--addresses", "1,2", "--fault", "duplicate@1"}, pb_only);
    ASSERT_EQ(scanned.port.at("suspects").as_array().size(), 1u) << json::serialize(scanned.port);
    const auto& suspect = scanned.port.at("suspects").as_array().at(0).as_object();
    EXPECT_EQ(suspect.at("address").to_number<int>(), 1);
    EXPECT_EQ(mistake(suspect), "duplicate-address");
    ASSERT_EQ(scanned.port.at("batteries").as_array().size(), 1u) << "the other one is clean";
    EXPECT_EQ(mistake(battery(scanned)), "none");
}

TEST(Scan, NamesSilence) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--fault", "silence"}, pb_only);
    EXPECT_EQ(scanned.code, 1);
    EXPECT_EQ(mistake(scanned.port), "silence");
}

TEST(Scan, NamesAnEchoingAdapter) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--fault", "echo"}, pb_only);
    EXPECT_EQ(scanned.code, 0) << "an echo is survived";
    EXPECT_EQ(mistake(battery(scanned)), "echo");
}

TEST(Scan, AnEchoAloneIsSilenceOfTheBattery) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--fault", "echo", "--fault", "silence"}, pb_only);
    EXPECT_EQ(mistake(scanned.port), "silence");
    EXPECT_NE(text(scanned.port).find("adapter works"), std::string::npos) << text(scanned.port);
}

TEST(Scan, NamesAnotherMaster) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--fault", "master:150"}, pb_only);
    ASSERT_EQ(scanned.port.at("batteries").as_array().size(), 1u);
    EXPECT_EQ(mistake(battery(scanned)), "other-master");
    EXPECT_NE(scanned.port.at("overheard").as_string().find("master mode"), json::string::npos);
}

TEST(Scan, NamesAnUnstableLine) {
    Rig rig;
    const auto scanned = scan(rig, {"jkbms_pb", "--addresses", "1,2", "--fault", "checksum:6"}, pb_only);
    ASSERT_EQ(scanned.port.at("batteries").as_array().size(), 2u);
    EXPECT_EQ(mistake(battery(scanned)), "unstable");
}

TEST(Scan, SaysWhoHoldsAPort) {
    Rig rig;
    const auto port = rig.simulate("ttyScan", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.logged("answers"); }));
    const Finished finished = bmsd::test::bmsd({"scan", port});
    EXPECT_EQ(finished.code, 1);
    EXPECT_NE(finished.out.find("bmsd (process " + std::to_string(rig.daemon().pid())), std::string::npos)
        << finished.out;
}

TEST(Scan, RefusesWhatItCannotLookAt) {
    EXPECT_EQ(bmsd::test::bmsd({"scan", "--type", "Jkbm", "/dev/null"}).code, 2);
    const Finished missing = bmsd::test::bmsd({"scan", "/dev/no-such-port"});
    EXPECT_EQ(missing.code, 1);
    EXPECT_NE(missing.out.find("there is no such port"), std::string::npos) << missing.out;
}

TEST(Scan, SaysWhyAnAddressCannotBe) {
    const Finished master = bmsd::test::bmsd({"scan", "/dev/null", "--type", "Jkbms_pb", "--addresses", "1,0"});
    EXPECT_EQ(master.code, 2);
    EXPECT_NE(master.err.find("master mode"), std::string::npos) << master.err;
    const Finished daly = bmsd::test::bmsd({"scan", "/dev/null", "--type", "Daly", "--addresses", "1"});
    EXPECT_EQ(daly.code, 2);
    EXPECT_NE(daly.err.find("0x40..0x4F"), std::string::npos) << daly.err;
    Rig rig;
    const auto other = scan(rig, {"jkbms_pb"}, {"--type", "Daly", "--addresses", "0x81", "--baud", "9600"});
    EXPECT_EQ(other.code, 1) << "only one of the dialects has it";
}

TEST(Scan, OptionsMayStandInFrontOfThePort) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    const Finished finished = bmsd::test::bmsd({"scan", "--type", "Jkbms_pb", "--addresses", "1,2", port});
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
}

TEST(Scan, LooksAtSerialPortsAndCanInterfacesTogether) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    const Finished finished = bmsd::test::bmsd({"scan", "--type", "Jkbms_pb", port});
    EXPECT_EQ(finished.code, 0) << finished.out << finished.err;
    const Finished both = bmsd::test::bmsd({"scan", port, "can77", "--addresses", "1"});
    EXPECT_EQ(both.code, 1) << "one of them has no battery";
    EXPECT_NE(both.out.find("Jkbms_pb"), std::string::npos) << both.out;
    EXPECT_NE(both.out.find("can77"), std::string::npos) << both.out;
    EXPECT_NE(both.out.find("PORTS = " + port), std::string::npos) << both.out;
}

TEST(Scan, SaysWhichOptionDoesNotBelongToThePort) {
    const Finished type = bmsd::test::bmsd({"scan", "--type", "Jkbms_pb", "can0"});
    EXPECT_EQ(type.code, 2);
    EXPECT_NE(type.err.find("Jkbms_pb is not spoken on CAN, but can0 is a CAN interface"), std::string::npos)
        << type.err;
    const Finished other = bmsd::test::bmsd({"scan", "--type", "Jkbms_Can", "/dev/ttyUSB0"});
    EXPECT_EQ(other.code, 2);
    EXPECT_NE(other.err.find("Jkbms_Can is not spoken on serial ports"), std::string::npos) << other.err;
    const Finished baud = bmsd::test::bmsd({"scan", "--baud", "9600", "can0"});
    EXPECT_EQ(baud.code, 2);
    EXPECT_NE(baud.err.find("--baud is the rate of serial ports"), std::string::npos) << baud.err;
}

// ---- the same in the running daemon -----------------------------------------------------------------------

namespace {

/// The daemon's link text of the first battery, once it contains a word.
testing::AssertionResult daemon_says(Rig& rig, const std::string& word) {
    if (!eventually([&] { return rig.logged(" starts, ports: 1"); })) return testing::AssertionFailure() << "no start";
    std::string trouble;
    const bool said = eventually([&] {
        trouble = std::string(rig.stats().at("batteries").as_array().at(0).at("trouble").as_string());
        return trouble.find(word) != std::string::npos;
    });
    if (said) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "'" << word << "' is not in the link's text: " << trouble;
}

}  // namespace

class DaemonSays : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(DaemonSays, WhatIsWrongWithTheWiring) {
    const auto& [fault, word] = GetParam();
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--fault", fault});
    rig.run("BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.3\n", {port});
    EXPECT_TRUE(daemon_says(rig, word)) << rig.daemon().err();
    EXPECT_TRUE(eventually([&] { return rig.logged(word); })) << rig.daemon().err();
}

INSTANTIATE_TEST_SUITE_P(Faults, DaemonSays,
                         testing::Values(std::pair{"swapped", "A and B are probably swapped"},
                                         std::pair{"duplicate", "same address"}, std::pair{"silence", "off or asleep"},
                                         std::pair{"checksum:4", "the line is unstable"},
                                         std::pair{"foreign:2", "another master"}),
                         [](const auto& test) {
                             std::string name = test.param.first;
                             return name.substr(0, name.find(':'));
                         });

TEST(DaemonSays, WhichAddressIsNotAnswering) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--addresses", "2"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02\nPOLL_INTERVAL = 0.3\n", {port});
    EXPECT_TRUE(daemon_says(rig, "no answer from this address, while others on the bus answer")) << rig.daemon().err();
}

TEST(ScanOptions, ATypeWithoutWiresIsReachedByBluetoothOnly) {
    const auto finished = bmsd::test::bmsd({"scan", "--type", "tianpower_ble"});
    EXPECT_EQ(finished.code, 2);
    EXPECT_NE(finished.err.find("Bluetooth only"), std::string::npos) << finished.err;
    EXPECT_NE(bmsd::test::bmsd({"scan", "--type", "dalyy"}).err.find("the nearest is Daly"), std::string::npos);
}
