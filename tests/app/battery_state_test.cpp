// The state of a battery as text: whole, or refused with the reason.
#include "app/battery_state.hpp"

#include <gtest/gtest.h>

using namespace bmsd;
using namespace bmsd::app;

namespace {

/// Every member differs from its default and from every other.
BatteryState full_state() {
    control::Persistent control;
    control.voltage = {.allow_max_voltage = false, .absorption_began_s = 1700000001, .soc_reset_reached_s = 1690000002};
    control.soc_percent = 61.25;
    control.discharged_ah = 3.5;
    control.charged_wh = 4.5;
    control.discharged_wh = 5.5;
    control.history.finished_discharges = 17;
    control.history.full_discharge_armed = false;
    control.history.values = {.deepest_discharge_ah = 101,
                              .last_discharge_ah = 102,
                              .average_discharge_ah = 103,
                              .total_drawn_ah = 104,
                              .charge_cycles = 105,
                              .full_discharges = 106,
                              .last_full_charge_s = 107,
                              .automatic_syncs = 108,
                              .minimum_voltage_v = 109,
                              .maximum_voltage_v = 110,
                              .minimum_cell_v = 111,
                              .maximum_cell_v = 112,
                              .low_voltage_alarms = 113,
                              .high_voltage_alarms = 114,
                              .minimum_temperature_c = 115,
                              .maximum_temperature_c = 116,
                              .discharged_kwh = 117,
                              .charged_kwh = 118};
    control.inputs = {.highest_cell_v = 3.4,
                      .lowest_cell_v = 3.3,
                      .temperatures_c = {21.5, std::nullopt, 23.5, -4.0},
                      .mosfet_c = 31,
                      .soc_percent = 62};
    return {.control = control,
            .name = "Cellar \"left\"",
            .name_unwritten = true,
            .device_instance = 7,
            .last_seen = 1700000000,
            .place = "/dev/ttyUSB0 address 0x01"};
}

/// The reason why `text` is refused; empty if it is taken.
std::string refusal(const std::string& text, const std::string& id = "B1") {
    const auto state = battery_state(text, id);
    return state ? "" : state.error().detail;
}

std::string with(const std::string& members) {
    return R"({"bmsd":"state of a battery","version":1,"battery":"B1",)" + members + "}";
}

}  // namespace

TEST(BatteryState, ComesBackAsItWasWritten) {
    const BatteryState state = full_state();
    const auto read = battery_state(to_json(state, "B1"), "B1");
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, state);
}

TEST(BatteryState, IsRefusedWhereverItIsTorn) {
    const std::string text = to_json(full_state(), "B1");
    for (std::size_t size = 0; size + 1 < text.size(); ++size)  // the last byte is the end of the line
        EXPECT_NE(refusal(text.substr(0, size)), "") << size;
}

// Names of members as well: a lost one would count as its default.
TEST(BatteryState, IsRefusedOrTheSameWhateverByteChanges) {
    const std::string text = to_json(full_state(), "B1");
    for (std::size_t at = 0; at < text.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            std::string changed = text;
            changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
            if (const auto read = battery_state(changed, "B1")) {
                EXPECT_EQ(*read, full_state()) << changed;
            }
        }
}

TEST(BatteryState, WithoutACheckIsTakenAsItIs) {
    std::string text = to_json(full_state(), "B1");
    text.erase(text.rfind(",\"check\""));
    const auto read = battery_state(text + "}\n", "B1");
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(*read, full_state());
}

TEST(BatteryState, IsRefusedIfItIsNotOursOrNotOfThisBattery) {
    EXPECT_EQ(refusal("[1]"), "it is damaged (no object)");
    EXPECT_EQ(refusal(R"({"version":1})"), "it is no state of a battery");
    EXPECT_EQ(refusal(R"({"bmsd":"state of a battery","version":2,"battery":"B1"})"),
              "it is of version 2, another bmsd wrote it");
    EXPECT_EQ(refusal(to_json({}, "B2")), "it belongs to another battery");
}

TEST(BatteryState, ATimeOfAWrongClockCostsNothingElse) {
    const auto read = app::battery_state(with(R"("device_instance":7,"last_seen":-1)"), "B1");
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->device_instance, 7);
    EXPECT_FALSE(read->last_seen);
}

TEST(BatteryState, ANameThatIsTooLongIsCutAndCostsNothingElse) {
    const std::string longest(255, 'n');
    const auto read = app::battery_state(with("\"device_instance\":7,\"name\":\"" + longest + "n\""), "B1");
    ASSERT_TRUE(read) << read.error().detail;
    EXPECT_EQ(read->name, longest);
    EXPECT_EQ(read->device_instance, 7);
}

TEST(BatteryState, ANameIsInTheSettingsUnlessItSaysOtherwise) {
    for (const char* members : {R"("name":"Cellar")", R"("name":"Cellar","name_unwritten":"yes")"}) {
        const auto read = app::battery_state(with(members), "B1");
        ASSERT_TRUE(read) << read.error().detail;
        EXPECT_EQ(read->name, "Cellar");
        EXPECT_FALSE(read->name_unwritten) << members;
    }
    const auto cleared = app::battery_state(with(R"("name_unwritten":true)"), "B1");
    ASSERT_TRUE(cleared);
    EXPECT_TRUE(cleared->name_unwritten) << "that it has none any more";
}

TEST(BatteryState, IsRefusedWithAValueThatCannotBe) {
    EXPECT_EQ(refusal(with(R"("control":{"soc_percent":101})")), "a state of charge is outside 0..100");
    EXPECT_EQ(refusal(with(R"("control":{"charged_wh":-1})")), "an amount is negative");
    EXPECT_EQ(refusal(with(R"("control":{"absorption_began_s":"now"})")), "absorption_began_s is no number");
    EXPECT_EQ(refusal(with(R"("control":{"absorption_began_s":1e16})")), "absorption_began_s is too large");
    EXPECT_EQ(refusal(with(R"("control":{"allow_max_voltage":1})")), "allow_max_voltage is neither true nor false");
    EXPECT_EQ(refusal(with(R"("device_instance":-1)")), "device_instance is no such number");
}

TEST(BatteryState, OfAFewMembersHasDefaultsForTheOthers) {
    const auto state = battery_state(with(R"("control":{"allow_max_voltage":false})"), "B1");
    ASSERT_TRUE(state && state->control);
    control::Persistent expected;
    expected.voltage.allow_max_voltage = false;
    EXPECT_EQ(*state->control, expected);
    EXPECT_EQ(state->name, "");
}
