// State of charge, mean current, time to go, history (battery-logic §5, 7, 9).
#include <cmath>

#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

control::Parameters counting() {
    control::Parameters parameters;
    parameters.count_soc = true;
    return parameters;
}

History history_of(const Polled& battery) {
    return battery.controller.persist(at(battery.t)).history.values;
}

}  // namespace

TEST(StateOfCharge, CountsFromWhatTheBmsSays) {
    Polled battery(counting());
    battery.reading().current_a = -36;
    battery.poll();  // the first poll starts the count
    battery.poll_for(100);
    EXPECT_NEAR(*battery.battery.summary.soc_percent, 49, 1e-9);  // 36 A x 100 s = 1 Ah of 100
    EXPECT_NEAR(*battery.battery.summary.remaining_ah, 49, 1e-9);
    EXPECT_FALSE(battery.battery.alarms[Alarm::low_soc]);
}

TEST(StateOfCharge, ACountThatWasSwitchedOffIsNotTakenUpAgain) {
    Polled battery(counting());
    battery.poll_for(2);
    battery.parameters.count_soc = false;
    battery.reading().soc_percent = 20;
    battery.poll_for(2);
    battery.parameters.count_soc = true;
    battery.poll_for(2);
    EXPECT_NEAR(*battery.battery.summary.soc_percent, 20, 1e-9);
}

TEST(StateOfCharge, AGapIsNotCounted) {
    Polled battery(counting());
    battery.reading().current_a = -36;
    battery.poll();
    battery.t += 3600;
    battery.poll();
    EXPECT_NEAR(*battery.battery.summary.soc_percent, 50, 1e-9);
}

TEST(StateOfCharge, GoesOnWithoutCellsAndStopsWithoutCapacity) {
    Polled battery(counting());
    battery.reading().cell_voltages_v.clear();
    battery.poll_for(5);
    EXPECT_TRUE(battery.battery.summary.soc_percent);
    battery.reading().capacity_ah.reset();
    battery.poll();
    EXPECT_FALSE(battery.battery.summary.soc_percent);
}

TEST(StateOfCharge, EmptyNeedsAMinuteUnderLoadInOnePiece) {
    Polled battery(counting());
    battery.reading().current_a = -1;
    battery.set_cells(2.900);
    battery.poll_for(50);
    battery.set_cells(3.000);
    battery.poll_for(5);
    battery.set_cells(2.900);
    battery.poll_for(61);
    EXPECT_GT(*battery.battery.summary.soc_percent, 49) << "the first dip does not count";
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 0);
}

TEST(StateOfCharge, TwoDipsFarApartAreNotEmpty) {
    const auto dip = [](Polled& battery) {
        battery.reading().current_a = -20;
        battery.set_cells(2.850);
        battery.poll();
    };
    Polled without_current(counting());
    dip(without_current);
    without_current.reading().current_a.reset();
    without_current.set_cells(3.300);
    without_current.poll_for(100);
    dip(without_current);
    EXPECT_GT(*without_current.battery.summary.soc_percent, 49) << "the cells had recovered";

    Polled silent(counting());
    dip(silent);
    silent.t += 600;
    dip(silent);
    EXPECT_GT(*silent.battery.summary.soc_percent, 49) << "nobody knows what was in between";
    silent.poll_for(60);
    EXPECT_GT(*silent.battery.summary.soc_percent, 49);
    silent.poll();
    EXPECT_DOUBLE_EQ(*silent.battery.summary.soc_percent, 0) << "and from there on a minute counts";
}

TEST(StateOfCharge, TheUserKnowsBetter) {
    Polled battery(counting());
    battery.poll();
    battery.controller.set_soc(150);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 100);
}

TEST(StateOfCharge, AnotherSensorWins) {
    Polled battery(counting());
    battery.poll(1s, {.external_current_a = -7.1234, .external_soc_percent = 66.6666});
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 66.667);
    EXPECT_DOUBLE_EQ(*battery.battery.summary.current_a, -7.123);
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.current_a, 0) << "the sensor is gone";
}

TEST(StateOfCharge, ImpossibleValuesAreBridgedForTenSeconds) {
    Polled battery;
    battery.reading().current_a = 20;
    battery.poll();
    battery.reading().soc_percent = 250;
    battery.reading().current_a = -3000;
    battery.poll_for(10);
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 50);
    EXPECT_DOUBLE_EQ(*battery.battery.summary.current_a, 20);
    battery.poll();
    EXPECT_FALSE(battery.battery.summary.soc_percent);
    EXPECT_FALSE(battery.battery.summary.current_a);
    battery.reading().soc_percent = 104;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 100);
}

TEST(CurrentAverage, WeighsByTime) {
    control::CurrentAverage average;
    EXPECT_DOUBLE_EQ(*average.add(10, at(0).steady, 10s, 1s), 10);
    EXPECT_DOUBLE_EQ(*average.add(40, at(2).steady, 10s, 1s), 30);  // (10 x 1 + 40 x 2) / 3
    for (int t = 3; t <= 302; ++t) static_cast<void>(average.add(-5, at(t).steady, 10s, 1s));
    EXPECT_DOUBLE_EQ(*average.add(-5, at(303).steady, 10s, 1s), -5) << "five minutes later nothing else is left";
}

TEST(CurrentAverage, FastPollsFillNoMoreThanFiveMinutes) {
    control::CurrentAverage average;
    Number mean;
    for (int i = 0; i < 40000; ++i) mean = average.add(i < 20000 ? 100 : 20, at(i * 0.02).steady, 10s, 20ms);
    EXPECT_DOUBLE_EQ(*mean, 20);  // the last 400 s
}

TEST(CurrentAverage, IsThatOfItsSamplesAfterMonths) {
    control::CurrentAverage average;
    const auto current = [](int t) { return t % 86'400 < 43'200 ? 150.037 : -0.013; };
    for (int t = 0; t < 5'000'000; ++t) {
        const Number mean = average.add(current(t), at(t).steady, 10s, 1s);
        if (t % 997 != 0 || t < 300) continue;
        double sum = 0;
        for (int i = t - 299; i <= t; ++i) sum += current(i);
        ASSERT_NEAR(*mean, sum / 300, 0.005 + 1e-9) << "after " << t << " s";
    }
}

TEST(CurrentAverage, BetweenTwoHundredthsEverySampleIsAddedUp) {
    // Exactly 0.515 A; added up in turn as doubles, a little less.
    control::CurrentAverage average;
    double sum = 0;
    Number mean;
    for (int t = 0; t < 300; ++t) {
        const double current = t % 2 == 0 ? 0.4 : 0.63;
        sum += current;
        mean = average.add(current, at(t).steady, 10s, 1s);
    }
    ASSERT_NE(sum / 300, 0.515) << "the case is none";
    EXPECT_EQ(*mean, sum / 300 < 0.515 ? 0.51 : 0.52);
}

TEST(TimeToGo, AtTheMeanCurrentDownToTheWarning) {
    Polled battery;
    battery.reading().current_a = -10;
    battery.poll();
    // 30 % of 100 Ah at 10 A
    EXPECT_NEAR(*battery.battery.summary.time_to_go_s, 3 * 3600, 1);
    battery.poll_for(59);
    battery.poll(1s, {.low_soc_percent = 40});
    EXPECT_NEAR(*battery.battery.summary.time_to_go_s, 3600, 1);
}

TEST(TimeToGo, EmptyAtRestAndDuringALoss) {
    Polled battery;
    battery.poll();
    EXPECT_FALSE(battery.battery.summary.time_to_go_s);
    battery.reading().current_a = 10;
    battery.poll_for(70);
    EXPECT_TRUE(battery.battery.summary.time_to_go_s);
    battery.controller.silent(battery.battery, battery.parameters, at(battery.t).steady, 11s, 1s);
    EXPECT_FALSE(battery.battery.summary.time_to_go_s);
    EXPECT_FALSE(battery.battery.summary.current_average_a);
}

TEST(History, CountsEdgesOfAlarms) {
    Polled battery;
    battery.poll();
    for (int i = 0; i < 3; ++i) {
        battery.reading().alarms.set(Alarm::low_cell_voltage, Level::warning);
        battery.poll_for(5);
        battery.reading().alarms.set(Alarm::low_voltage, Level::alarm);  // the other one of the pair is no new alarm
        battery.poll_for(5);
        battery.reading().alarms = {};
        battery.poll_for(5);
    }
    EXPECT_EQ(history_of(battery).low_voltage_alarms, 3);
    EXPECT_EQ(history_of(battery).high_voltage_alarms, 0);
}

TEST(History, ExtremesOfOneCycleCount) {
    Polled battery;
    battery.poll_for(10);
    battery.set_cells(3.100);
    battery.poll();
    battery.set_cells(3.300);
    battery.poll_for(3);
    EXPECT_EQ(history_of(battery).minimum_cell_v, 3.100);
    EXPECT_DOUBLE_EQ(*battery.battery.history.minimum_voltage_v, 49.6);
}

TEST(History, DischargesAreTold) {
    Polled battery;
    battery.poll();
    const auto discharge = [&] {
        battery.reading().current_a = 36;
        battery.poll_for(600);
        battery.reading().current_a = -36;
        battery.poll_for(600);
    };
    discharge();
    const double first = *history_of(battery).last_discharge_ah;
    discharge();
    // Half of the time the mean still says charging; the discharge counts from when it says otherwise.
    EXPECT_NEAR(*history_of(battery).last_discharge_ah, first, 0.011);
    EXPECT_GT(first, 4.0);
    EXPECT_LT(first, 6.0);
    discharge();
    battery.poll_for(60);
    const control::Persistent stored = battery.controller.persist(at(battery.t));
    EXPECT_EQ(stored.history.finished_discharges, 2);
    EXPECT_NEAR(*stored.history.values.average_discharge_ah, *stored.history.values.total_drawn_ah / 2, 1e-9);
}

TEST(History, BeginsWithTheCyclesOfTheBms) {
    Polled battery;
    battery.reading().cycles = 12;
    battery.poll();
    const History history = history_of(battery);
    EXPECT_DOUBLE_EQ(*history.total_drawn_ah, 1200);
    EXPECT_DOUBLE_EQ(*history.average_discharge_ah, 100);
    EXPECT_FALSE(history.charge_cycles) << "the BMS counts them itself";
    EXPECT_NEAR(*history.charged_kwh, 3.375 * 16 * 100 * 12 / 1000, 1e-9);
}

TEST(StateOfCharge, WhatWasCountedIsKeptWhileItCannotBe) {
    control::Parameters parameters;
    parameters.count_soc = true;
    Polled battery(parameters);
    control::Persistent stored;
    stored.soc_percent = 70;
    battery.controller.restore(stored, parameters, at(0));
    battery.reading().capacity_ah.reset();  // some tell it later than the rest
    battery.poll();
    EXPECT_FALSE(battery.battery.summary.soc_percent);
    EXPECT_EQ(battery.controller.persist(at(1)).soc_percent, 70) << "what is stored is not lost";
    battery.reading().capacity_ah = 100;
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 70);
}

TEST(StateOfCharge, ANumberThatIsNoneIsNotTaken) {
    control::Parameters parameters;
    parameters.count_soc = true;
    Polled battery(parameters);
    battery.poll();
    battery.controller.set_soc(std::nan(""));
    battery.poll();
    EXPECT_DOUBLE_EQ(*battery.battery.summary.soc_percent, 50);
}

TEST(History, CanBeCleared) {
    Polled battery;
    battery.reading().soc_percent = 0;
    battery.poll();
    EXPECT_EQ(history_of(battery).full_discharges, 1);
    battery.reading().soc_percent = 60;
    battery.poll();
    battery.controller.clear_history(1);
    EXPECT_EQ(history_of(battery), History{});
    battery.poll();
    EXPECT_EQ(history_of(battery).full_discharges, 0);
    EXPECT_EQ(history_of(battery).deepest_discharge_ah, 40);
}

TEST(InternalErrors, MustBeVeryMany) {
    Polled battery;
    battery.reading().cell_voltages_v.clear();
    battery.poll_for(179);
    EXPECT_FALSE(battery.battery.internal_errors);
    battery.poll();
    EXPECT_TRUE(battery.battery.internal_errors);
    battery.reading() = calm_reading();
    battery.poll_for(3 * 3600 + 3600);
    EXPECT_FALSE(battery.battery.internal_errors);
}
