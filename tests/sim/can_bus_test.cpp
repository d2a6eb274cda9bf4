// Simulated batteries on CAN: what they send when, and what they answer.
#include "sim/can_bus.hpp"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "sim/command.hpp"
#include "sim/plan.hpp"

using namespace bmsd;
using namespace std::chrono_literals;

namespace {

constexpr Clock::time_point start{std::chrono::hours{1}};

std::size_t sent_within(const char* key, std::chrono::milliseconds time, std::uint32_t id) {
    const bms::Family& family = *bms::find_family(key);
    sim::CanBattery battery(family, family.addresses.standard, {}, {}, 1);
    std::vector<CanFrame> out;
    for (auto now = start; now < start + time; now += 20ms) battery.tell(now, out);
    return static_cast<std::size_t>(
        std::count_if(out.begin(), out.end(), [&](const CanFrame& frame) { return frame.id == id; }));
}

}  // namespace

TEST(CanBattery, SendsAsOftenAsARealOne) {
    EXPECT_EQ(sent_within("jkbms_can", 10s, 0x2F4), 500u);
    EXPECT_EQ(sent_within("jkbms_can", 10s, 0x4F4), 100u);
    EXPECT_EQ(sent_within("jkbms_can", 10s, 0x18E028F4), 10u);
    EXPECT_EQ(sent_within("pylontech_can", 10s, 0x356), 10u);
}

TEST(CanBattery, SpeaksOnlyWhenAskedWhereItMustBeAsked) {
    const bms::Family& daly = *bms::find_family("daly_can");
    sim::CanBattery battery(daly, 2, {}, {}, 1);
    std::vector<CanFrame> out;
    battery.tell(start, out);
    EXPECT_TRUE(out.empty());
    battery.answer({0x18900140, true, 8, {}}, start, out);
    EXPECT_TRUE(out.empty()) << "another board was asked";
    battery.answer({0x18950240, true, 8, {}}, start, out);
    ASSERT_EQ(out.size(), 6u) << "sixteen cells, three per frame";
    for (std::size_t i = 0; i < out.size(); ++i) {
        EXPECT_EQ(out[i].id, 0x18954002u);
        EXPECT_EQ(out[i].data[0], i + 1);
    }
}

// A JK sends 0x2F4 every 20 ms, the mandatory one among its ids (dossier jkbms_can).
TEST(CanBattery, FaultsTakeFramesAwayOrCutThem) {
    const auto frames_with = [](std::string_view fault, bool enabled = true) {
        const bms::Family& family = *bms::find_family("jkbms_can");
        const std::array faults = {sim::parse_fault(fault, sim::Medium::can).value()};
        sim::CanBattery battery(family, family.addresses.standard, {}, faults, 1);
        battery.enable_faults(enabled);
        std::vector<CanFrame> out;
        for (auto now = start; now < start + 1s; now += 20ms) battery.tell(now, out);
        return out;
    };
    const auto count = [](const std::vector<CanFrame>& frames, std::uint32_t id, std::uint8_t size) {
        return std::count_if(frames.begin(), frames.end(),
                             [&](const CanFrame& frame) { return frame.id == id && frame.size == size; });
    };
    const auto whole = frames_with("silence", false);
    EXPECT_EQ(count(whole, 0x2F4, 8), 50);
    EXPECT_EQ(count(whole, 0x4F4, 8), 10);
    EXPECT_TRUE(frames_with("silence").empty());
    EXPECT_EQ(frames_with("silence:10").size(), whole.size() - whole.size() / 10);
    EXPECT_EQ(count(frames_with("missing:0x2F4"), 0x2F4, 8), 0);
    EXPECT_EQ(count(frames_with("missing:0x2F4"), 0x4F4, 8), 10);
    EXPECT_EQ(count(frames_with("truncate"), 0x2F4, 4), 50);
    EXPECT_TRUE(frames_with("silence@0x0F") == whole) << "another battery's";
}

TEST(CanPlan, SaysWhatASimulationOnCanNeeds) {
    const auto refused = [](sim::SimulateOptions options) {
        const auto plan = sim::make_plan(options);
        return plan ? std::string() : plan.error().detail;
    };
    sim::SimulateOptions options{.families = {"jkbms_can"}};
    EXPECT_NE(refused(options).find("--path can0"), std::string::npos);
    options.path = "can0";
    EXPECT_EQ(refused(options), "");
    options.faults = {"silence", "truncate:3", "missing:0x2F4"};
    EXPECT_EQ(refused(options), "");
    options.faults = {"swapped"};
    EXPECT_NE(refused(options).find("not possible on CAN; there are silence[:N], truncate[:N], missing:ID"),
              std::string::npos)
        << refused(options);
    EXPECT_NE(refused({.families = {"jkbms_can", "jkbms_pb"}, .path = "can0"}).find("cannot share"), std::string::npos);
    EXPECT_FALSE(refused({.families = {"daly_can"}, .addresses = {0x40}, .path = "can0"}).empty());
}
