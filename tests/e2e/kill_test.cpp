// Whatever moment the power fails: the next start knows what was written before, and nothing piles up.
// BMSD_KILLS=200 build/tests/e2e/test_e2e --gtest_filter='Kill*' does it more often than every run.
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
namespace fs = std::filesystem;

namespace {

constexpr int ports = 4;

int kills() {
    const char* wanted = std::getenv("BMSD_KILLS");
    return wanted ? std::max(1, std::atoi(wanted)) : 8;
}

boost::json::value parsed(const fs::path& file) {
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    boost::system::error_code error;
    auto value = boost::json::parse(text, error);
    EXPECT_FALSE(error) << file << ": " << text;
    return value;
}

/// What the first battery is known by from one start to the next.
struct Known {
    std::optional<std::string> name;
    std::optional<double> instance;
    std::string mode;
    std::optional<double> soc, lowest_v, drawn_ah;
};

class Kill : public testing::Test {
protected:
    void SetUp() override {
        for (int i = 0; i < ports; ++i)
            all_.push_back(
                rig_.simulate("ttyTest" + std::to_string(i), {"jkbms_pb", "--current", "-10", "--speed", "0"}));
        service_ = service_of(all_.front());
        start();
        await();
        EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocTo", 42), 0);
        EXPECT_EQ(rig_.set(service_, "/Settings/ResetSocToApply", 1), 0);
        EXPECT_TRUE(eventually([&] { return std::abs(rig_.number(service_, "/Soc").value_or(0) - 42) < 1; }));
        rig_.daemon().signal(SIGTERM);
        EXPECT_EQ(rig_.daemon().wait(), 0);
        make_full();
    }

    void start() {
        rig_.run("BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\nSOC_CALCULATION = True\nSWITCH_TO_BULK_SOC_THRESHOLD = 5\n",
                 all_);
    }
    void await() {
        for (const std::string& port : all_)
            ASSERT_TRUE(eventually([&] { return rig_.present(service_of(port)); })) << rig_.daemon().err();
    }
    Known known() {
        const auto number = [&](const char* path) { return rig_.number(service_, path); };
        return {rig_.text(service_, "/CustomName"),
                number("/DeviceInstance"),
                rig_.text(service_, "/Info/ChargeMode").value_or("").substr(0, 5),
                number("/Soc"),
                number("/History/MinimumVoltage"),
                number("/History/TotalAhDrawn")};
    }

    /// As is written after a battery was full: it stays in float.
    void make_full() const {
        for (const auto& entry : fs::directory_iterator(state_ / "batteries")) {
            auto content = parsed(entry.path()).as_object();
            content.at("control").at("allow_max_voltage") = false;
            content.erase("check");
            std::ofstream(entry.path()) << boost::json::serialize(content);
        }
    }

    /// The name of the first battery as it is kept; nothing is damaged, and nothing piles up.
    std::string kept_name(const std::string& before) {
        std::string name = before;
        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator(state_)) {
            if (!entry.is_regular_file()) continue;
            ++files;
            EXPECT_NE(entry.path().extension(), ".bad") << entry.path();
            if (entry.path().extension() != ".json") continue;
            const auto content = parsed(entry.path());
            if (const auto* written = content.as_object().if_contains("name")) name = written->as_string();
        }
        EXPECT_LE(files, 2U * ports + 3U) << "files of one moment are not there for ever";
        return name;
    }

    Rig rig_;
    std::vector<std::string> all_;
    std::string service_;
    fs::path state_ = rig_.folder.file("state");
};

}  // namespace

TEST_F(Kill, AtAnyMomentLosesNothingThatWasWritten) {
    using std::chrono::microseconds;
    std::mt19937 random(20261126);
    std::string name;
    std::optional<Known> first;
    for (int round = 0; round < kills(); ++round) {
        SCOPED_TRACE("kill " + std::to_string(round));
        start();
        if (round % 3 == 2) {
            // In the middle of the start, when the states are read, and what is new of them is written.
            std::this_thread::sleep_for(microseconds(random() % 800'000));
            rig_.daemon().signal(SIGKILL);
            rig_.daemon().wait();
            EXPECT_EQ(kept_name(name), name);
            continue;
        }
        await();
        const Known now = known();
        if (!first) first = now;
        EXPECT_EQ(now.name, name);
        EXPECT_EQ(now.instance, first->instance);
        EXPECT_EQ(now.mode, "Float");
        EXPECT_EQ(now.lowest_v, first->lowest_v);
        // What may be lost is five minutes at 10 A; what was counted in the meantime, too.
        EXPECT_NEAR(now.soc.value_or(0), 42, 0.5);
        EXPECT_NEAR(now.drawn_ah.value_or(1), first->drawn_ah.value_or(0), 1);

        // Names are written at once: while they are, the end comes. Whether this one has reached the disk the file
        // says.
        const std::string next = "Cellar " + std::to_string(round);
        EXPECT_EQ(rig_.set(service_, "/CustomName", next), 0);
        std::this_thread::sleep_for(microseconds(random() % 30'000));
        rig_.daemon().signal(SIGKILL);
        rig_.daemon().wait();
        const std::string kept = kept_name(name);
        EXPECT_TRUE(kept == name || kept == next) << kept;
        name = kept;
    }
}
