#include <cstdlib>
#include <new>

#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

std::size_t allocations = 0;

}  // namespace

// Counts every allocation of this program.
void* operator new(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}

TEST(Controller, TheSteadyStateDoesNotAllocate) {
    Polled battery;
    battery.reading().current_a = -10;
    battery.poll_for(400);
    const std::size_t before = allocations;
    battery.poll_for(400);
    EXPECT_EQ(allocations, before);
}

TEST(Controller, NeitherDoTextsThatChangeAllTheTime) {
    Polled battery;
    battery.set_cells(3.450);
    battery.reading().cell_voltages_v[3] = 3.455;
    battery.poll_for(400);
    const std::size_t before = allocations;
    for (int i = 0; i < 400; ++i) {
        battery.reading().cell_voltages_v[3] = 3.450 + (i % 7) * 0.001;
        battery.poll();
    }
    EXPECT_EQ(allocations, before);
}

TEST(Controller, WhatIsStoredBringsItBack) {
    control::Parameters parameters;
    parameters.count_soc = true;
    parameters.voltage.float_wait_s = 100;
    Polled before(parameters);
    before.set_cells(3.450);
    before.reading().current_a = 3;
    before.poll_for(50);
    const control::Persistent stored = before.controller.persist(at(before.t));

    Polled after(parameters);
    after.t = before.t;
    after.controller.restore(stored, parameters, at(after.t));
    EXPECT_EQ(after.controller.persist(at(after.t)).voltage, stored.voltage);
    after.set_cells(3.450);
    after.reading().current_a = 3;
    after.reading().soc_percent = 10;  // not what was counted
    after.poll();
    EXPECT_EQ(after.limits().charge_mode, "Absorption │ Linear Mode");
    EXPECT_NEAR(*after.battery.summary.soc_percent, *stored.soc_percent, 0.01);
    after.poll_for(52);
    EXPECT_EQ(after.limits().charge_mode, "Float Transition │ Linear Mode");
}

TEST(Controller, AfterALossItContinuesAtOnce) {
    control::Parameters parameters;
    parameters.block_on_disconnect = true;
    Polled battery(parameters);
    battery.poll_for(5);
    for (int silent = 1; silent <= 30; ++silent, ++battery.t)
        battery.controller.silent(battery.battery, battery.parameters, at(battery.t).steady,
                                  std::chrono::seconds(silent), 1s);
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 0);
    EXPECT_EQ(battery.limits().charge_limitation, "BMS");
    EXPECT_DOUBLE_EQ(*battery.limits().cvl_v, 55.2);
    EXPECT_EQ(battery.limits().activity, Activity::running);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.limits().ccl_a, 50);
    EXPECT_EQ(battery.limits().charge_limitation, "Max Battery Charge Current");
    EXPECT_EQ(battery.limits().ccl_reason, "the configured maximum: 50 A");
    EXPECT_EQ(battery.limits().limitation_changes, 0u);
}

TEST(Controller, TheCableAlarmEndsAMinuteAfterTheLastFailure) {
    Polled battery;
    battery.poll();
    for (int silent = 1; silent <= 70; ++silent, ++battery.t)
        battery.controller.silent(battery.battery, battery.parameters, at(battery.t).steady,
                                  std::chrono::seconds(silent), 1s);
    EXPECT_EQ(battery.battery.cable_alarm, Level::warning);
    battery.poll_for(60);
    EXPECT_EQ(battery.battery.cable_alarm, Level::warning);
    battery.poll();
    EXPECT_EQ(battery.battery.cable_alarm, Level::ok);
}

TEST(Controller, ModeChangesAreCountedAndFlickerIsNot) {
    Polled battery;
    battery.poll();
    const auto before = battery.limits().mode_changes;
    for (int i = 0; i < 10; ++i) {
        battery.reading().cell_voltages_v[0] = i % 2 == 0 ? 3.460 : 3.300;
        battery.reading().heater_on = i % 3 == 0;
        battery.poll();
    }
    EXPECT_EQ(battery.limits().mode_changes, before);
    battery.set_cells(3.450);
    battery.poll();
    EXPECT_EQ(battery.limits().mode_changes, before + 1);
}

TEST(Controller, ThresholdsGiveTheLowSocAlarmOfABmsThatHasNone) {
    Polled battery;
    const auto alarm_at = [&](double percent) {
        battery.reading().soc_percent = percent;
        battery.poll();
        return battery.battery.alarms[Alarm::low_soc];
    };
    EXPECT_FALSE(alarm_at(5)) << "this BMS would say so itself";
    battery.battery.traits.low_soc_by_threshold = true;
    EXPECT_EQ(alarm_at(20), Level::ok);
    EXPECT_EQ(alarm_at(19.9), Level::warning);
    EXPECT_EQ(alarm_at(10), Level::warning);
    EXPECT_EQ(alarm_at(9.9), Level::alarm);
    battery.parameters.count_soc = true;
    EXPECT_FALSE(alarm_at(5)) << "a counted state of charge is nothing to raise an alarm by";
}
