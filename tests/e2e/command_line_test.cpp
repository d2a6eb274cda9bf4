// What people type, right and wrong.
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.hpp"

using namespace bmsd::test;

namespace {

testing::AssertionResult says(const Finished& finished, int code, const std::string& text) {
    const std::string all = finished.out + finished.err;
    if (finished.code != code) return testing::AssertionFailure() << "exit code " << finished.code << ": " << all;
    if (all.find(text) == std::string::npos)
        return testing::AssertionFailure() << "'" << text << "' is not in: " << all;
    return testing::AssertionSuccess();
}

Finished run_with(const std::string& config, std::vector<std::string> ports) {
    Folder folder;
    std::vector<std::string> arguments = {"run", "--bus", "none", "--config",
                                          folder.write("config.ini", "[DEFAULT]\n" + config)};
    arguments.insert(arguments.end(), ports.begin(), ports.end());
    return bmsd::test::bmsd(arguments);
}

}  // namespace

TEST(CommandLine, HelpAndVersion) {
    EXPECT_TRUE(says(bmsd::test::bmsd({"--help"}), 0, "bmsd run --config config.ini /dev/ttyUSB0"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"--version"}), 0, "bmsd "));
    EXPECT_TRUE(says(bmsd::test::bmsd({"simulate", "--help"}), 0, "checksum"));
    EXPECT_TRUE(says(bmsd::test::bmsd({}), 2, "simulate"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"descripe"}), 2, "no command 'descripe'; did you mean describe?"));
}

TEST(CommandLine, ListAndDescribe) {
    EXPECT_TRUE(says(bmsd::test::bmsd({"list"}), 0, "Jkbms_pb"));
    EXPECT_GE(boost::json::parse(bmsd::test::bmsd({"list", "--json"}).out).as_array().size(), 2u);
    EXPECT_TRUE(says(bmsd::test::bmsd({"describe", "jkbms_pb"}), 0, "soc_percent"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"describe", "jkbms_bp"}), 2, "Jkbms_pb"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"guide", "jkbms_pb"}), 0, "isolated"));
}

TEST(CommandLine, AScenarioIsTriedWithItsConfiguration) {
    const Folder folder;
    const std::string scenario =
        folder.write("x.json", R"({"end_t": 1, "cell_count": 4, "config": {"CHARGE_MODE": 3}, "steps": [{"t": 0}]})");
    const auto tried = bmsd::test::bmsd({"control", scenario, "--json"});
    EXPECT_TRUE(says(tried, 0, "x.json: key \"config\": CHARGE_MODE: '3' is outside the allowed range"));
    EXPECT_EQ(tried.err.find("line"), std::string::npos) << tried.err;
    boost::system::error_code error;
    static_cast<void>(boost::json::parse(tried.out.substr(0, tried.out.find('\n')), error));
    EXPECT_FALSE(error) << tried.out;
    EXPECT_TRUE(says(bmsd::test::bmsd({"control", scenario, "--config", "/nonexistent.ini"}), 2,
                     "/nonexistent.ini: there is no such file; check its name"));
}

TEST(CommandLine, ACanInterfaceThatIsNotThereIsNamed) {
    EXPECT_TRUE(says(bmsd::test::bmsd({"can-setup", "can77", "--json"}), 2, "bmsd can-setup: can77: "));
}

TEST(CommandLine, PortsThatCannotBeUsed) {
    EXPECT_TRUE(says(run_with("", {"/dev/no-such-port"}), 2, "/dev/no-such-port: there is no such port"));
    EXPECT_TRUE(says(run_with("", {"/tmp"}), 2, "/tmp: this is a directory"));
    EXPECT_TRUE(says(run_with("", {"/dev/null"}), 2, "not a serial port"));
    EXPECT_TRUE(says(run_with("", {"tcp://nowhere"}), 2, "write tcp://host:port"));
    EXPECT_TRUE(says(run_with("", {}), 2, "no port is named"));
    EXPECT_TRUE(says(run_with("EXCLUDED_DEVICES = /dev/ttyUSB9\n", {"/dev/ttyUSB9"}), 0, "left alone"));
    EXPECT_TRUE(says(run_with("EXCLUDED_DEVICES = /dev/ttyUSB9 ; inverter\n", {"/dev/ttyUSB9"}), 0, "left alone"));
    EXPECT_TRUE(says(run_with("BMS_TYPE = Daly_Can\n", {"/dev/no-such-port"}), 2,
                     "BMS_TYPE: what it names is not spoken on serial ports: on /dev/no-such-port all types"));
}

TEST(CommandLine, APortInUseNamesItsHolder) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {port});
    ASSERT_TRUE(eventually([&] { return rig.logged("answers"); }));
    const auto second = run_with("BMS_TYPE = Jkbms_pb\n", {port});
    EXPECT_TRUE(says(second, 2, "in use by"));
    EXPECT_TRUE(says(second, 2, "bmsd (process " + std::to_string(rig.daemon().pid()) + ")"));
}

TEST(CommandLine, AddressesThatCannotBe) {
    EXPECT_TRUE(
        says(run_with("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x00\n", {"/dev/null"}), 2, "master mode"));
    EXPECT_TRUE(says(run_with("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x10\n", {"/dev/null"}), 2, "0x01..0x0F"));
    EXPECT_TRUE(says(run_with("BMS_TYPE = Jkbms_pb, Jkbms_Can\nBATTERY_ADDRESSES = 0x00\nPORTS = /dev/null\n"
                              "CAN_PORT = can0\n",
                              {}),
                     2, "master mode"))
        << "what Jkbms_Can may have is no address of a Jkbms_pb";
    EXPECT_TRUE(says(run_with("BATTERY_ADDRESSES = zz\n", {"/dev/null"}), 2, "'zz' is no address"));
}

TEST(CommandLine, ConfigurationsThatCannotBe) {
    EXPECT_TRUE(says(run_with("BMS_TYPE = Jkbms_bp\n", {"/dev/null"}), 2, "did you mean Jkbms_pb?"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"run", "--config", "/nonexistent.ini", "/dev/null"}), 2,
                     "/nonexistent.ini: there is no such file"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"run", "--config", "/tmp", "/dev/null"}), 2, "this is a directory"));
}

TEST(CommandLine, OnePortOfTwoIsEnough) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {"/dev/no-such-port", port});
    EXPECT_TRUE(eventually([&] { return rig.present(service_of(port)); })) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("there is no such port"));
}

TEST(CommandLine, OutputThatGetsLostIsAnError) {
    for (const char* output : {">/dev/full", ">&-"}) {
        Process lost({"/bin/sh", "-c", std::string("exec " BMSD_BINARY " list ") + output});
        EXPECT_EQ(lost.wait(), 1) << output;
        EXPECT_NE(lost.err().find("the output could not be written"), std::string::npos) << lost.err();
    }
}

TEST(CommandLine, ErrorsAreJsonAsWellWhereItIsAskedFor) {
    for (std::vector<std::string> arguments :
         std::vector<std::vector<std::string>>{{"describe", "jkbms_bp"},
                                               {"guide", "jkbms_bp"},
                                               {"check-config"},
                                               {"scan", "--type", "dalyy"},
                                               {"scan", "--baud", "fast"},
                                               {"can-setup", "can77"},
                                               {"control", "/nonexistent.json"},
                                               {"control-bms", "/dev/null", "--type", "dalyy"},
                                               {"control-bms"},
                                               {"simulate", "jkbms_pd"},
                                               {"descripe"}}) {
        arguments.emplace_back("--json");
        const Finished finished = bmsd::test::bmsd(arguments);
        EXPECT_EQ(finished.code, 2) << arguments[0];
        boost::system::error_code error;
        const auto told = boost::json::parse(finished.out, error);
        ASSERT_FALSE(error) << arguments[0] << ": " << finished.out << finished.err;
        EXPECT_TRUE(told.as_object().at("error").is_string()) << finished.out;
    }
}

TEST(CommandLine, StatisticsReplaceNothingButAFile) {
    const Folder folder;
    const std::string pipe = folder.file("stats");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    EXPECT_TRUE(says(bmsd::test::bmsd({"run", "--stats", pipe, "/dev/null"}), 2,
                     pipe + ": the statistics go to a file, and this is none"));
    EXPECT_TRUE(std::filesystem::is_fifo(pipe));
}

TEST(CommandLine, TheLiveTableEndsWithItsTerminal) {
    // With the hang-up that the terminal sends, and without.
    for (const char* controlling : {"-c", ""}) {
        Rig rig;
        const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
        const int terminal = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        ASSERT_TRUE(terminal >= 0 && ::unlockpt(terminal) == 0);
        const std::string name = ::ptsname(terminal);
        Process live({"/bin/sh", "-c",
                      "exec setsid " + std::string(controlling) +
                          " " BMSD_BINARY " run --live --bus none --state-dir " + rig.folder.file("state") + " " +
                          port + " <" + name + " >" + name});
        std::string shown;
        EXPECT_TRUE(eventually([&] {
            char text[4096];
            shown.append(text, static_cast<std::size_t>(std::max<ssize_t>(::read(terminal, text, sizeof text), 0)));
            return shown.find("battery") != std::string::npos;
        }));
        ::close(terminal);
        EXPECT_LT(live.wait(), 128) << live.err();
        EXPECT_NE(live.err().find("nobody can see the table"), std::string::npos) << live.err();
    }
}

TEST(CommandLine, AddressesAreDecimalUnlessTheySayOtherwise) {
    const auto scan = [](const char* addresses) {
        return bmsd::test::bmsd({"scan", "/dev/null", "--type", "Jkbms_pb", "--addresses", addresses});
    };
    EXPECT_TRUE(says(scan("10"), 1, "--addresses: 10 is read as decimal, which is 0x0A"));
    EXPECT_EQ(scan("9,0x0A").err.find("decimal"), std::string::npos);
    EXPECT_TRUE(says(scan("0x01 0x02"), 2, "'0x01 0x02' is no address"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"control-bms", "--address", "1,2", "/dev/null"}), 2, "'1,2' is no address"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"control-bms", "--address", "1", "/dev/null"}), 2, "not a serial port"));
}

TEST(CommandLine, SimulatorOptionsThatCannotBe) {
    EXPECT_TRUE(says(bmsd::test::bmsd({"simulate", "jkbms_pd"}), 2, "Jkbms_pb"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"simulate", "jkbms_pb", "--addresses", "0"}), 2, "master mode"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"simulate", "jkbms_pb", "--fault", "dancing"}), 2, "dancing"));
    EXPECT_TRUE(says(bmsd::test::bmsd({"simulate", "jkbms_pb", "--addresses", "x"}), 2, "'x' is no address"));
}
