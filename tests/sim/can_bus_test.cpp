// Simulated batteries on CAN: what they send when, and what they answer.
#include "sim/can_bus.hpp"

#include <algorithm>

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
    sim::CanBattery battery(family, family.addresses.standard, {}, 1);
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
    sim::CanBattery battery(daly, 2, {}, 1);
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

TEST(CanPlan, SaysWhatASimulationOnCanNeeds) {
    const auto refused = [](sim::SimulateOptions options) {
        const auto plan = sim::make_plan(options);
        return plan ? std::string() : plan.error().detail;
    };
    sim::SimulateOptions options{.families = {"jkbms_can"}};
    EXPECT_NE(refused(options).find("--path can0"), std::string::npos);
    options.path = "can0";
    EXPECT_EQ(refused(options), "");
    options.faults = {"silence"};
    EXPECT_FALSE(refused(options).empty());
    EXPECT_NE(refused({.families = {"jkbms_can", "jkbms_pb"}, .path = "can0"}).find("cannot share"), std::string::npos);
    EXPECT_FALSE(refused({.families = {"daly_can"}, .addresses = {0x40}, .path = "can0"}).empty());
}
