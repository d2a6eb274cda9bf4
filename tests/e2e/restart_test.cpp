// What a battery was told before survives the end of the program.
#include <csignal>
#include <filesystem>
#include <fstream>

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
