// What a battery was told before survives the end of the program.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;

namespace {

class Restart : public testing::Test {
protected:
    void start(const std::string& config = "") {
        rig_.run("BMS_TYPE = Jkbms_pb\n" + config, {port_});
        ASSERT_TRUE(eventually([&] { return rig_.present(service_); })) << rig_.daemon().err();
    }
    void end() {
        rig_.daemon().signal(SIGTERM);
        ASSERT_EQ(rig_.daemon().wait(), 0) << rig_.daemon().err();
    }
    std::string state_file() const {
        std::error_code none_yet;
        for (const auto& entry : std::filesystem::directory_iterator(rig_.folder.file("state/batteries"), none_yet))
            if (entry.path().extension() == ".json") return entry.path();
        return {};
    }

    /// What is written of the only battery; empty if nothing is.
    std::string state() const {
        std::ifstream in(state_file());
        return {std::istreambuf_iterator<char>(in), {}};
    }

    Rig rig_;
    std::string port_ = rig_.simulate("ttyTest0", {"jkbms_pb", "--current", "-10", "--speed", "0"});
    std::string service_ = service_of(port_);
};

}  // namespace

TEST_F(Restart, KeepsNameAndHistory) {
    start();
    EXPECT_EQ(rig_.set(service_, "/CustomName", "Cellar left"), 0);
    ASSERT_TRUE(eventually([&] { return rig_.number(service_, "/History/MinimumVoltage").has_value(); }));
    const auto lowest = rig_.number(service_, "/History/MinimumVoltage");
    end();
    start();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Cellar left");
    EXPECT_EQ(rig_.number(service_, "/History/MinimumVoltage"), lowest) << "there from the first value on";
}

TEST_F(Restart, StaysInFloat) {
    start();
    end();
    // As it is written after a battery was full.
    const std::string file = state_file();
    ASSERT_NE(file, "");
    std::string text = state();
    const std::string may = "\"allow_max_voltage\":true";
    const auto at = text.find(may);
    ASSERT_NE(at, std::string::npos) << text;
    text.replace(at, may.size(), "\"allow_max_voltage\":false");
    text.erase(text.rfind(",\"check\""));
    std::ofstream(file) << text << "}\n";
    start("SWITCH_TO_BULK_SOC_THRESHOLD = 5\n");
    EXPECT_EQ(rig_.text(service_, "/Info/ChargeMode")->substr(0, 5), "Float");
    EXPECT_EQ(rig_.number(service_, "/Info/MaxChargeVoltage"), 54);
}

TEST_F(Restart, WithATornFileGoesOn) {
    start();
    end();
    const std::string file = state_file();
    std::filesystem::resize_file(file, 40);
    start();
    EXPECT_TRUE(rig_.logged(file + ": it is damaged")) << rig_.daemon().err();
    EXPECT_TRUE(std::filesystem::exists(file + ".bad"));
    EXPECT_EQ(rig_.number(service_, "/Dc/0/Current"), -10);
}

TEST_F(Restart, AfterAKillTheStateIsTheLastOneWritten) {
    start();
    EXPECT_EQ(rig_.set(service_, "/CustomName", "Kept at once"), 0);
    ASSERT_TRUE(eventually([&] { return state().find("Kept at once") != std::string::npos; }));
    rig_.daemon().signal(SIGKILL);
    rig_.daemon().wait();
    start();
    EXPECT_EQ(rig_.text(service_, "/CustomName"), "Kept at once");
}

/// Whoever answers first.
TEST_F(Restart, KeepsTwoBatteriesWithOneSerialNumberApart) {
    // The serial number follows from the name of the port.
    const std::string other = rig_.folder.file("ttyTest1");
    std::filesystem::rename(port_, other);
    const Process twin({BMSD_BINARY, "simulate", "jkbms_pb", "--path", port_, "--json"});
    ASSERT_TRUE(eventually([&] { return twin.out().find('\n') != std::string::npos; })) << twin.err();
    const std::map<std::string, std::string> names = {{port_, "Left"}, {other, "Right"}};
    const auto is_shown = [&](const std::string& port) {
        return eventually([&] { return rig_.number(service_of(port), "/Soc").has_value(); });
    };
    rig_.run("BMS_TYPE = Jkbms_pb\n", {port_, other});
    for (const auto& [port, name] : names) {
        ASSERT_TRUE(is_shown(port)) << rig_.daemon().err();
        EXPECT_EQ(rig_.set(service_of(port), "/CustomName", name), 0);
    }
    const auto is_kept = [&] {
        for (const auto& entry : std::filesystem::directory_iterator(rig_.folder.file("state/batteries"))) {
            std::ifstream in(entry.path());
            const std::string text{std::istreambuf_iterator<char>(in), {}};
            if (text.find("\"place\"") != std::string::npos) return true;
        }
        return false;
    };
    ASSERT_TRUE(eventually(is_kept));
    end();
    for (const std::string& late : {port_, other}) {
        const std::string& first = late == port_ ? other : port_;
        const Process& sleeper = late == port_ ? twin : rig_.simulator(port_);
        sleeper.signal(SIGSTOP);
        rig_.run("BMS_TYPE = Jkbms_pb\n", {port_, other});
        EXPECT_TRUE(is_shown(first)) << rig_.daemon().err();
        sleeper.signal(SIGCONT);
        EXPECT_TRUE(is_shown(late)) << rig_.daemon().err();
        for (const auto& [port, name] : names) EXPECT_EQ(rig_.text(service_of(port), "/CustomName"), name) << port;
        end();
    }
}

TEST_F(Restart, WhatCouldNotBeWrittenWhenItHappenedIsWrittenLater) {
    const std::string file = rig_.folder.file("state/detected.json");
    std::filesystem::create_directories(file + ".new");
    rig_.run("", {port_});  // what is searched is remembered
    ASSERT_TRUE(eventually([&] { return rig_.logged(file + ": no file can be made beside it"); }))
        << rig_.daemon().err();
    std::filesystem::remove(file + ".new");
    end();
    EXPECT_TRUE(std::filesystem::exists(file));
    EXPECT_TRUE(rig_.logged(file + ": written again")) << rig_.daemon().err();
}
