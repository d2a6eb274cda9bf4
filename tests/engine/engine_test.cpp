#include "engine/engine.hpp"

#include <algorithm>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "fake_bus.hpp"
#include "witness.hpp"

using namespace bmsd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

Reading pack(const std::string& serial, double volts) {
    Reading reading;
    reading.serial_number = serial;
    reading.hardware_version = "15A";
    reading.software_version = "15.41";
    reading.voltage_v = volts;
    reading.current_a = 1.5;
    reading.soc_percent = 50;
    reading.capacity_ah = 280;
    reading.charge_fet = true;
    reading.discharge_fet = true;
    for (int i = 0; i < 16; ++i) reading.cell_voltages_v.push_back(3.3);
    // Nothing that would limit the current; what is not said is sent as 0.
    reading.temperatures_c = {Number{20.0}, Number{20.0}, Number{20.0}, Number{20.0}};
    reading.mosfet_temperature_c = 25;
    reading.max_charge_current_a = reading.max_discharge_current_a = 100;
    return reading;
}

/// A Daly tells how many it has of what.
Reading daly_pack() {
    Reading reading = pack("DL1", 52.8);
    reading.cell_count = 16;
    reading.temperature_count = 4;
    return reading;
}

/// What was kept before the start.
class StateNotes final : public engine::BatteryMemory {
public:
    std::optional<control::Persistent> recall(const std::string& id) override {
        const auto known = states.find(id);
        return known == states.end() ? std::nullopt : std::optional(known->second);
    }
    void keep(const std::string& id, const control::Persistent& state) override { states[id] = state; }
    std::string place(const std::string& id) override { return places[id]; }
    void keep_place(const std::string& id, const std::string& place) override { places[id] = place; }

    std::map<std::string, control::Persistent> states;
    std::map<std::string, std::string> places;
};

/// An engine with one fake port.
class EngineTest : public testing::Test {
protected:
    test::FakeBus& start(std::vector<std::uint32_t> addresses, std::chrono::milliseconds poll = 20ms,
                         const bms::Family& family = test::jkbms_pb(), bms::Options options = {},
                         std::vector<const bms::Family*> others = {}) {
        auto link = std::make_unique<test::FakeBus>(io.get_executor(), family);
        test::FakeBus& bus = *link;
        engine::PortSettings settings{.name = "/dev/fake", .families = {&family}, .poll = poll, .options = options};
        for (const auto address : addresses) settings.addresses.push_back({address, "0x0" + std::to_string(address)});
        settings.families.insert(settings.families.end(), others.begin(), others.end());
        engine.add_sink(witness);
        engine.add_port(std::move(settings), std::move(link));
        return bus;
    }
    /// Two batteries that have appeared.
    test::FakeBus& start_two(std::chrono::milliseconds poll = 20ms) {
        test::FakeBus& bus = start({1, 2}, poll);
        bus.batteries[1] = pack("4061234567890", 52.8);
        bus.batteries[2] = pack("4061234567891", 52.9);
        run_until([&] { return witness.appeared_ids.size() == 2; });
        return bus;
    }
    /// As many as a bus of JK PB may have, polled for a while.
    test::FakeBus& start_fifteen() {
        std::vector<std::uint32_t> addresses;
        for (std::uint32_t address = 1; address <= 15; ++address) addresses.push_back(address);
        test::FakeBus& bus = start(addresses, 1s);
        for (const auto address : addresses)
            bus.batteries[address] = pack("40612345678" + std::to_string(10 + address), 52.8);
        run_until([&] { return witness.appeared_ids.size() == 15; }, 60s);
        run_for(10s);
        return bus;
    }
    /// One more port, whose batteries have no address but 1.
    test::FakeBus& add_port(const std::string& name) {
        auto link = std::make_unique<test::FakeBus>(io.get_executor(), test::jkbms_pb());
        test::FakeBus& bus = *link;
        engine.add_port({.name = name, .families = {&test::jkbms_pb()}, .addresses = {{1, "0x01"}}, .poll = 1s},
                        std::move(link));
        return bus;
    }
    test::FakeBus& add_other_port() { return add_port("/dev/other"); }
    [[nodiscard]] const std::string& id_at(std::size_t port) {
        return engine.ports()[port]->stations()[0].battery->identity.id;
    }
    void run_for(std::chrono::seconds time) {
        const auto end = Clock::now() + time;
        run_until([&] { return Clock::now() >= end; }, time + 1s);
    }
    void run_until(const std::function<bool()>& done, std::chrono::seconds limit = 20s) {
        if (!started) engine.start([this] { all_failed = true; });
        started = true;
        const auto deadline = Clock::now() + limit;
        while (!done() && Clock::now() < deadline) io.run_one_for(50ms);
        ASSERT_TRUE(done());
    }
    /// Two damaged answers, in different polls.
    void make_very_noisy(test::FakeBus& bus) {
        for (const unsigned errors : {1U, 2U}) {
            bus.damaged = 1;
            const int updates = witness.updates;
            run_until([&] { return battery().link.counters.checksum_errors == errors && witness.updates > updates; });
        }
    }
    /// What battery 1 says, but for the voltage of cell 4.
    static Reading at(const test::FakeBus& bus, double volts) {
        Reading said = bus.batteries.at(1);
        said.cell_voltages_v[3] = volts;
        return said;
    }
    /// Starts a battery whose probe is answered right and whose first reading says `volts` of cell 4; ends when it is
    /// shown.
    void begin_with(test::FakeBus& bus, double volts) {
        bus.batteries[1] = pack("4061234567890", 52.8);
        bus.odd = {bus.batteries[1], at(bus, volts)};
        run_until([&] { return !witness.appeared_ids.empty(); });
        EXPECT_TRUE(bus.odd.empty());
    }
    /// Unplugs the adapter and plugs it in; `said` is what is answered first then. Voltages of cell 4 that are shown.
    std::set<double> told_after_unplugging(test::FakeBus& bus, std::deque<Reading> said) {
        bus.odd = std::move(said);
        bus.absent = true;
        run_until([&] { return logged("the device is gone"); });
        bus.absent = false;
        const int updates = witness.updates;
        std::set<double> seen;
        run_until([&] {
            if (battery().link.state == LinkState::fresh) seen.insert(*witness.last.cell_voltages_v[3]);
            return bus.opened == 2 && bus.odd.empty() && witness.updates >= updates + 2;
        });
        return seen;
    }
    /// What was needed and told in some polls.
    struct Told {
        std::size_t readings = 0;
        std::set<double> cell;  ///< voltages of cell 4
    };
    /// Polls whose first readings say `said`, and further ones what the battery says.
    Told poll(test::FakeBus& bus, std::deque<Reading> said, int polls) {
        bus.odd = std::move(said);
        const auto asked = bus.asked.size();
        const int updates = witness.updates;
        Told told;
        run_until([&] {
            if (witness.updates > updates) told.cell.insert(*witness.last.cell_voltages_v[3]);
            return witness.updates >= updates + polls;
        });
        told.readings = bus.asked.size() - asked;
        return told;
    }
    const Battery& battery(std::size_t index = 0) { return *engine.ports()[0]->stations()[index].battery; }
    auto times_logged(std::string_view text) {
        return std::count_if(log.begin(), log.end(),
                             [&](const auto& line) { return line.find(text) != std::string::npos; });
    }
    bool logged(std::string_view text) { return times_logged(text) > 0; }

    asio::io_context io{1};
    /// A loop that has run out of work would not run what is added later.
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    control::Parameters parameters;
    std::vector<std::string> log;
    test::Witness witness;
    StateNotes notes;
    engine::Engine engine{io,    parameters, false,
                          false, false,      [this](Severity, const std::string& text) { log.push_back(text); }};
    bool all_failed = false;
    bool started = false;
};

/// A battery of a family, at its address, that is searched for among others.
class Searched : public EngineTest, public testing::WithParamInterface<std::pair<const char*, std::uint32_t>> {
protected:
    /// What it says, to be broken before anything runs.
    Reading& start_search() {
        const auto& [key, address] = GetParam();
        auto& bus = start({address}, 20ms, *bms::find_family(key), {}, {bms::find_family("tianpower_ble")});
        Reading& state = bus.batteries[address] = pack("1234567890", 52.8);
        state.cell_count = 16;
        state.temperature_count = 4;
        state.capacity_remaining_ah = 140;
        return state;
    }
};

}  // namespace

TEST_F(EngineTest, ABatteryAppearsOnceIdentifiedAndIsPolled) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 3; });
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_DOUBLE_EQ(*witness.last.voltage_v, 52.8);
    EXPECT_EQ(battery().link.state, LinkState::fresh);
    EXPECT_EQ(battery().link.counters.timeouts, 0u);
    EXPECT_EQ(std::count(bus.requests.begin(), bus.requests.end(), "about"), 1) << "identification is not repeated";
    EXPECT_EQ(std::count(bus.requests.begin(), bus.requests.end(), "settings"), 1);
}

TEST_F(EngineTest, WhatTheSearchReadIsTheFirstPoll) {
    auto& bus = start({1}, 20ms, test::jkbms_pb(), {}, {bms::find_family("lltjbd")});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    EXPECT_EQ(bus.requests, (std::vector<std::string>{"status", "status", "about", "settings"}));
    EXPECT_EQ(battery().link.polls, 1u);
    run_until([&] { return witness.updates >= 3; });
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_DOUBLE_EQ(*witness.last.voltage_v, 52.8);
    EXPECT_EQ(std::count(bus.requests.begin(), bus.requests.end(), "about"), 1);
    EXPECT_EQ(std::count(bus.requests.begin(), bus.requests.end(), "settings"), 1);
}

TEST_F(EngineTest, WhatTheSearchWasNotToldIsAskedAgain) {
    auto& bus = start({1}, 20ms, test::jkbms_pb(), {}, {bms::find_family("lltjbd")});
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.unanswered = {"about"};
    run_until([&] { return !engine.ports()[0]->stations().empty() && battery().link.polls >= 2; });
    EXPECT_TRUE(witness.appeared_ids.empty()) << "it may still tell who it is";
    bus.unanswered = {};
    run_until([&] { return !witness.appeared_ids.empty(); });
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"4061234567890"});
}

TEST_F(EngineTest, WhatTheSearchMetIsForgottenOnceTheBatteryIsFound) {
    const bms::Family& daly = *bms::find_family("daly");
    auto& bus = start({0x40}, 20ms, daly, {}, {bms::find_family("daly_d2")});
    bus.batteries[0x40] = daly_pack();
    bus.silent = {0x40};
    run_until([&] { return !battery().link.trouble.empty(); });
    EXPECT_EQ(battery().link.trouble, "no answer");
    bus.silent = {};
    run_until([&] { return witness.updates >= 1; });
    EXPECT_EQ(battery().link.trouble, "");
}

TEST_F(EngineTest, AnotherMakeInPlaceOfALostBatteryThatWasSearchedForIsFound) {
    auto& bus = start({1}, 1s, test::jkbms_pb(), {}, {bms::find_family("daren_485")});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    bus.silent = {1};
    run_until([&] { return battery().link.state == LinkState::lost; }, 90s);
    EXPECT_TRUE(witness.removed_ids.empty());
    bus.family = bms::find_family("daren_485");
    bus.batteries[1] = pack("DR1234567890", 52.8);
    bus.silent.clear();
    run_until([&] { return witness.appeared_ids.size() == 2; }, 60s);
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_EQ(battery().identity.type, bus.family->type);
    run_for(60s);
    EXPECT_EQ(battery().link.state, LinkState::fresh);
    EXPECT_EQ(witness.appeared_ids.size(), 2u);
}

TEST_F(EngineTest, ALostBatteryThatWasSearchedForIsStillAskedItself) {
    auto& bus = start({1}, 1s, test::jkbms_pb(), {}, {bms::find_family("lltjbd")});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    bus.silent = {1};
    run_for(600s);
    bus.silent.clear();
    run_until([&] { return battery().link.state == LinkState::fresh; }, 10s);
    EXPECT_EQ(witness.appeared_ids.size(), 1u);
    EXPECT_TRUE(witness.removed_ids.empty());
}

TEST_F(EngineTest, AnImpossibleSensorDoesNotHideABatteryFromTheSearch) {
    const bms::Family& daly = *bms::find_family("daly");
    auto& bus = start({0x40}, 20ms, daly, {}, {bms::find_family("daly_d2")});
    bus.batteries[0x40] = daly_pack();
    bus.batteries[0x40].temperatures_c[2] = 214;
    run_until([&] { return witness.updates >= 1; });
    EXPECT_DOUBLE_EQ(*witness.last.voltage_v, 52.8);
}

TEST_P(Searched, ABrokenSensorDoesNotHideIt) {
    start_search().temperatures_c[1] = 204;
    run_until([&] { return witness.updates >= 3; });
    EXPECT_NEAR(*witness.last.voltage_v, 52.8, 1e-9);
    EXPECT_NEAR(*witness.last.temperatures_c[1], 204, 0.5) << "the control decides what it counts for";
}

TEST_P(Searched, ABrokenWireOfACellDoesNotHideIt) {
    Reading& state = start_search();
    state.cell_voltages_v[3] = 5.2;
    state.cell_voltages_v[4] = 1.4;
    state.alarms.set(Alarm::internal_failure, Level::alarm);
    run_until([&] { return witness.updates >= 3; });
    EXPECT_NEAR(*witness.last.cell_voltages_v[3], 5.2, 1e-9);
}

// They tell their sensors and cells in the very answer by which they are recognised.
INSTANTIATE_TEST_SUITE_P(Each, Searched,
                         testing::Values(std::pair{"lltjbd", 0U}, std::pair{"eg4_lifepower", 1U},
                                         std::pair{"daren_485", 1U}, std::pair{"renogy", 0x30U},
                                         std::pair{"jkbms_pb", 1U}),
                         [](const auto& info) { return std::string(info.param.first); });

TEST_F(EngineTest, ABatteryKnowsWhetherItsCurrentLimitsInformOnly) {
    bms::Family informs = test::jkbms_pb();
    informs.current_limits = CurrentLimits::informing;
    auto& bus = start({1}, 20ms, informs);
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    EXPECT_EQ(battery().traits.current_limits, CurrentLimits::informing);
}

// The block with the errors of single cells is one register longer than the usual one (dossier renogy §4, §7).
TEST_F(EngineTest, ARenogyWithoutTheLongStatusIsAskedForTheUsualOne) {
    auto& bus = start({0x30}, 20ms, *bms::find_family("renogy"));
    bus.batteries[0x30] = pack("RN1234567890", 52.8);
    bus.batteries[0x30].capacity_remaining_ah = 140;
    const auto asked = [&](const char* name) { return std::count(bus.requests.begin(), bus.requests.end(), name); };
    run_until([&] { return witness.updates >= 3; });
    EXPECT_EQ(witness.last.alarms[Alarm::internal_failure], Level::ok);
    EXPECT_EQ(asked("status"), 0) << "the long one says it all";
    bus.unanswered = {"long status"};
    run_until([&] { return asked("status") >= 3; });
    EXPECT_LE(asked("long status"), asked("status") + 3) << "not in every poll";
    EXPECT_EQ(witness.last.charge_fet, true);
}

TEST_F(EngineTest, OnANoisyLineWhatWasAnsweredBeforeIsAskedAgain) {
    auto& bus = start({0x30}, 20ms, *bms::find_family("renogy_few"));
    bus.batteries[0x30] = pack("RN1234567890", 52.8);
    bus.batteries[0x30].capacity_remaining_ah = 140;
    run_until([&] { return witness.updates >= 2 && bus.requests.back() == "temperatures"; });
    bus.damaged = 2;  // the answers to the next request, which says all alarms and may stay unanswered
    const int before = witness.updates;
    run_until([&] { return witness.updates >= before + 2; });
    EXPECT_EQ(bus.damaged, 0);
    EXPECT_EQ(witness.last.alarms[Alarm::high_temperature], Level::ok);
}

TEST_F(EngineTest, StaleBytesAreDrainedBeforeARequestAndCounted) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.noise = {1, 2, 3, 4, 5};
    const int before = witness.updates;
    run_until([&] { return witness.updates >= before + 2; });
    EXPECT_EQ(battery().link.counters.unsolicited_bytes, 5u);
    EXPECT_EQ(battery().link.counters.checksum_errors, 0u);
}

TEST_F(EngineTest, AValueThatJumpsForOneReadingIsNotPublished) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    Reading wrong = bus.batteries[1];
    wrong.cell_voltages_v[3] = 3.812;
    bus.odd = {wrong};
    const int before = witness.updates;
    bool seen = false;
    run_until([&] {
        seen = seen || witness.last.cell_voltages_v[3] != 3.3;
        return witness.updates >= before + 3;
    });
    EXPECT_TRUE(bus.odd.empty());
    EXPECT_FALSE(seen);
    EXPECT_EQ(battery().link.errors, 0u);
}

TEST_F(EngineTest, AValueThatJumpsForGoodIsPublishedWithTheSamePoll) {
    auto& bus = start({1}, 200ms);
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.batteries[1].current_a = 120;
    const int before = witness.updates;
    const auto asked = bus.asked.size();
    run_until([&] { return witness.updates > before; });
    EXPECT_DOUBLE_EQ(*witness.last.current_a, 120);
    EXPECT_EQ(bus.asked.size(), asked + 2) << "one reading, and one that confirms it";
    run_until([&] { return witness.updates > before + 1; });
    EXPECT_EQ(bus.asked.size(), asked + 3);
}

TEST_F(EngineTest, AnAlarmThatIsSaidOnceIsNotPublished) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    Reading wrong = bus.batteries[1];
    wrong.alarms.raise(Alarm::high_temperature, Level::alarm);
    bus.odd = {wrong};
    const int before = witness.updates;
    bool seen = false;
    run_until([&] {
        seen = seen || witness.last.alarms[Alarm::high_temperature] != Level::ok;
        return witness.updates >= before + 3;
    });
    EXPECT_FALSE(seen);
    bus.batteries[1] = wrong;
    const auto asked = bus.asked.size();
    run_until([&] { return witness.last.alarms[Alarm::high_temperature] == Level::alarm; });
    EXPECT_EQ(bus.asked.size(), asked + 2) << "a real one is said twice";
}

TEST_F(EngineTest, OfThreeReadingsThatContradictEachOtherTheMiddleIsPublished) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    Reading one = bus.batteries[1], other = one;
    one.soc_percent = 18;
    one.cell_voltages_v[0] = 3.5;
    other.soc_percent = 82;
    other.discharge_fet = false;
    bus.odd = {one, other};
    const int before = witness.updates;
    bool seen = false;
    run_until([&] {
        seen = seen || witness.last.soc_percent != 50 || witness.last.cell_voltages_v[0] != 3.3 ||
               witness.last.discharge_fet == false;
        return witness.updates >= before + 3;
    });
    EXPECT_FALSE(seen);
    EXPECT_EQ(battery().link.errors, 0u);
}

TEST_F(EngineTest, ABatteryWhoseValuesNeverStandStillIsNotLost) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    for (int i = 1; i <= 15; ++i) {
        bus.odd.push_back(bus.batteries[1]);
        bus.odd.back().current_a = 60 * i;
    }
    run_until([&] { return *witness.last.current_a == 840; });  // the middle of the last three
    EXPECT_EQ(battery().link.errors, 4u);
}

TEST_F(EngineTest, OnANoisyLineALittleErrorIsNotPublishedEither) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.damaged = 1;
    run_until([&] { return battery().link.counters.checksum_errors > 0; });
    Reading wrong = bus.batteries[1];
    wrong.cell_voltages_v[3] = 3.316;
    const int before = witness.updates;
    EXPECT_EQ(poll(bus, {}, 3).readings, 3U) << "what does not change needs nobody to confirm it";
    const Told once = poll(bus, {wrong}, 1), twice = poll(bus, {wrong, bus.batteries[1], wrong}, 2);
    EXPECT_EQ(once.readings, 2U);
    EXPECT_EQ(twice.readings, 4U);
    EXPECT_FALSE(once.cell.contains(3.316) || twice.cell.contains(3.316));
    bus.batteries[1] = wrong;
    run_until([&] { return witness.last.cell_voltages_v[3] == 3.316; });
    EXPECT_GT(witness.updates, before);
    EXPECT_EQ(battery().link.errors, 0u);
}

TEST_F(EngineTest, OnAVeryNoisyLineNotOneDigitIsWrong) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    make_very_noisy(bus);
    EXPECT_EQ(poll(bus, {}, 2).readings, 2U) << "what does not change needs nobody to confirm it";
    Told told = poll(bus, {at(bus, 3.301)}, 1);
    EXPECT_EQ(told.readings, 2U);
    EXPECT_EQ(told.cell, std::set{3.3});
    told = poll(bus, {at(bus, 3.301), at(bus, 3.301)}, 1);
    EXPECT_EQ(told.readings, 2U) << "said twice";
    EXPECT_EQ(told.cell, std::set{3.301});
    told = poll(bus, {at(bus, 3.302), at(bus, 3.304), at(bus, 3.303)}, 1);
    EXPECT_EQ(told.readings, 3U) << "a value that never stands still: the middle";
    EXPECT_EQ(told.cell, std::set{3.303});
    EXPECT_EQ(battery().link.errors, 0u);

    const auto seen = told_after_unplugging(bus, {at(bus, 3.316), at(bus, 3.316)});  // to the probe and to the poll
    EXPECT_FALSE(seen.contains(3.316)) << "nor is the first reading of a port that was opened again";
}

TEST_F(EngineTest, WithAWeakChecksumOnAVeryNoisyLineThreeReadingsSayTheSame) {
    auto& bus = start({1}, 20ms, *bms::find_family("eg4_lifepower"));
    bus.batteries[1] = pack("", 52.8);
    run_until([&] { return witness.updates >= 1; });
    EXPECT_EQ(poll(bus, {}, 2).readings, 2U) << "a clean line";
    make_very_noisy(bus);
    EXPECT_EQ(poll(bus, {}, 2).readings, 6U) << "what does not change may be damaged as well";
    Told told = poll(bus, {at(bus, 3.301), at(bus, 3.301)}, 1);
    EXPECT_EQ(told.readings, 5U) << "damaged twice in the same way";
    EXPECT_EQ(told.cell, std::set{3.3});
    told = poll(bus, {at(bus, 3.302), at(bus, 3.309), at(bus, 3.301), at(bus, 3.303), at(bus, 3.304)}, 1);
    EXPECT_EQ(told.readings, 5U) << "a value that never stands still: the middle";
    EXPECT_EQ(told.cell, std::set{3.303});
    EXPECT_EQ(battery().link.errors, 0u);
}

TEST_F(EngineTest, WithAWeakChecksumACleanLineIsNotTrustedEither) {
    auto& bus = start({1}, 20ms, *bms::find_family("eg4_lifepower"));
    bus.batteries[1] = pack("", 52.8);
    run_until([&] { return witness.updates >= 1; });
    const Told told = poll(bus, {at(bus, 3.304)}, 1);
    EXPECT_EQ(told.readings, 2U);
    EXPECT_EQ(told.cell, std::set{3.3});
}

TEST_F(EngineTest, WithAWeakChecksumTheFirstReadingOfAVeryNoisyLineIsSaidThreeTimesAsWell) {
    auto& bus = start({1}, 20ms, *bms::find_family("eg4_lifepower"));
    bus.batteries[1] = pack("", 52.8);
    run_until([&] { return witness.updates >= 1; });
    make_very_noisy(bus);
    const Reading wrong = at(bus, 3.301);
    const auto seen = told_after_unplugging(bus, {wrong, wrong, wrong});  // to the probe and in two readings
    EXPECT_FALSE(seen.contains(3.301));
}

TEST_F(EngineTest, TheVeryFirstReadingIsComparedWithTheAnswerToTheProbe) {
    auto& bus = start({1});
    begin_with(bus, 3.812);
    EXPECT_EQ(battery().reading.cell_voltages_v[3], 3.3);
}

TEST_F(EngineTest, WithAWeakChecksumTheVeryFirstReadingMustRepeatTheProbe) {
    auto& bus = start({1}, 20ms, *bms::find_family("eg4_lifepower"));
    begin_with(bus, 3.304);
    EXPECT_EQ(battery().reading.cell_voltages_v[3], 3.3);
}

TEST_F(EngineTest, WithAWeakChecksumWhatASearchFoundIsRepeated) {
    auto& bus = start({1}, 20ms, *bms::find_family("eg4_lifepower"), {}, {bms::find_family("revov_7c")});
    begin_with(bus, 3.304);
    EXPECT_EQ(bus.asked.size(), 3u);
    EXPECT_EQ(battery().reading.cell_voltages_v[3], 3.3);
}

TEST_F(EngineTest, TheMiddleOfThreeDoesNotForgetWhoTheBatteryIs) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    make_very_noisy(bus);
    const auto asked_who = [&] { return std::count(bus.requests.begin(), bus.requests.end(), "about"); };
    const auto before = asked_who();
    bus.absent = true;
    run_until([&] { return logged("the device is gone"); });
    bus.absent = false;
    // The first two of three readings do not tell it, and no two say the same.
    bus.unanswered = {"about"};
    for (int i = 1; i <= 8; ++i) {
        bus.odd.push_back(bus.batteries[1]);
        bus.odd.back().cell_voltages_v[3] = 3.3 + 0.001 * i;
    }
    run_until([&] {
        if (asked_who() >= before + 2) bus.unanswered = {};
        return engine.ports()[0]->stations()[0].identified && asked_who() > before + 2 && bus.odd.empty();
    });
    EXPECT_EQ(battery().reading.serial_number, "4061234567890");
}

TEST_F(EngineTest, TwoOfThreeThatAgreeAreBelieved) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    Reading wrong = bus.batteries[1];
    bus.batteries[1].current_a = 120;
    wrong.current_a = -70;
    bus.odd = {bus.batteries[1], wrong};
    const int before = witness.updates;
    run_until([&] { return witness.updates > before; });
    EXPECT_DOUBLE_EQ(*witness.last.current_a, 120);
    EXPECT_EQ(battery().link.errors, 0u);
}

TEST_F(EngineTest, ASilentAddressDoesNotStopTheOthers) {
    auto& bus = start({1, 2, 3});
    for (std::uint32_t address : {1U, 3U})
        bus.batteries[address] = pack("406123456789" + std::to_string(address), 52.8);
    run_until([&] { return battery(2).link.polls >= 30; }, 60s);
    EXPECT_EQ(witness.appeared_ids.size(), 2u);
    EXPECT_EQ(battery(1).link.state, LinkState::starting);
    EXPECT_NE(battery(1).link.trouble.find("no answer"), std::string::npos);
    EXPECT_FALSE(witness.waiting_for.empty());
    EXPECT_TRUE(logged("address 0x02: no usable answer"));
    EXPECT_LT(std::count(bus.asked.begin(), bus.asked.end(), 2U), 12) << "it is asked less and less often";
}

TEST_F(EngineTest, UnplugAndReplugRecoversAndIdentifiesAgain) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.absent = true;
    run_until([&] { return logged("the device is gone"); });
    run_until([&] { return battery().link.trouble.find("there is no such port") != std::string::npos; });
    bus.absent = false;
    const int before = witness.updates;
    const auto polls = battery().link.polls;
    run_until([&] { return battery().link.polls > polls && witness.updates > before; });
    EXPECT_EQ(bus.opened, 2);
    EXPECT_EQ(std::count(bus.requests.begin(), bus.requests.end(), "about"), 2);
    EXPECT_EQ(witness.appeared_ids.size(), 1u) << "the same battery stays the same";
    EXPECT_TRUE(witness.removed_ids.empty());
    EXPECT_EQ(battery().link.counters.reopens, 1u);
    EXPECT_TRUE(logged("the port is there again"));
}

TEST_F(EngineTest, AnotherBatteryInItsPlaceIsAnotherBattery) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.absent = true;
    run_until([&] { return logged("the device is gone"); });
    bus.batteries[1] = pack("4069999999999", 51.0);
    bus.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_EQ(witness.appeared_ids.back(), "4069999999999");
}

TEST_F(EngineTest, AnotherBatteryAfterASilenceOnASharedBusIsAnotherBattery) {
    auto& bus = start_two(1s);
    bus.silent = {2};
    run_until([&] { return battery(1).link.state == LinkState::lost; }, 90s);
    bus.batteries[2] = pack("4069999999999", 51.0);
    bus.silent.clear();
    run_until([&] {
        EXPECT_NE(battery(1).identity.id == "4061234567891", battery(1).reading.voltage_v == Number{51.0});
        return witness.appeared_ids.size() == 3;
    });
    EXPECT_EQ(bus.opened, 1) << "the other battery kept the port open";
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567891"});
    EXPECT_EQ(witness.appeared_ids.back(), "4069999999999");
}

TEST_F(EngineTest, WhoItIsIsAskedAgainAfterASilenceOnly) {
    auto& bus = start_two(1s);
    const auto asked = [&] { return std::count(bus.requests.begin(), bus.requests.end(), "about"); };
    for (const auto silence : {3s, 20s}) {
        bus.silent = {2};
        run_for(silence);
        bus.silent.clear();
        const auto polls = battery(1).link.polls;
        run_until([&] { return battery(1).link.polls > polls; }, 30s);
        EXPECT_EQ(asked(), silence < 10s ? 2 : 3);
    }
    EXPECT_EQ(witness.appeared_ids.size(), 2u) << "the same battery stays the same";
}

TEST_F(EngineTest, SilenceOpensThePortAgain) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.silent = {1};
    run_until([&] { return bus.opened >= 2; }, 60s);
    EXPECT_GE(battery().link.counters.timeouts, 8u);
    bus.silent.clear();
    const int before = witness.updates;
    run_until([&] { return witness.updates > before && battery().link.trouble.empty(); });
    EXPECT_TRUE(logged("answers again after"));
}

TEST_F(EngineTest, TwoBatteriesWithOneIdentityAreBothShown) {
    auto& bus = start({1, 2});
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.batteries[2] = pack("4061234567890", 52.9);
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_NE(witness.appeared_ids[0], witness.appeared_ids[1]);
    EXPECT_EQ(witness.appeared_ids[1], "4061234567890_fake__0x02");
    EXPECT_TRUE(logged("two batteries call themselves 4061234567890"));
}

TEST_F(EngineTest, ABatteryThatMovesToAnotherPortIsShownThereOnly) {
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    other.absent = true;
    run_until([&] { return witness.appeared_ids.size() == 1; });
    bus.absent = true;
    run_for(2s);
    other.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_EQ(witness.appeared_ids, (std::vector<std::string>{"4061234567890", "4061234567890"}));
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_FALSE(logged("two batteries"));
}

TEST_F(EngineTest, ABatteryThatMovesBeforeItsOldPortHasNoticedTakesItsNameThen) {
    auto& bus = start({1}, 60s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    other.absent = true;
    run_until([&] { return witness.appeared_ids.size() == 1; });
    bus.absent = true;  // it is polled once a minute
    other.absent = false;
    run_until([&] { return id_at(1) == "4061234567890"; }, 90s);
    EXPECT_EQ(witness.removed_ids, (std::vector<std::string>{"4061234567890", "4061234567890_other__0x01"}));
    EXPECT_FALSE(engine.ports()[0]->stations()[0].appeared);
    run_for(600s);
    EXPECT_EQ(witness.appeared_ids.size(), 3u);
}

TEST_F(EngineTest, BatteriesOfAdaptersThatSwapTheirNamesKeepTheirs) {
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = pack("4061234567890", 52.8);
    other.batteries[1] = pack("4061234567891", 52.9);
    run_until([&] { return witness.appeared_ids.size() == 2; });
    bus.absent = other.absent = true;
    run_for(5s);
    std::swap(bus.batteries, other.batteries);
    bus.absent = other.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 4; });
    EXPECT_EQ(id_at(0), "4061234567891");
    EXPECT_EQ(id_at(1), "4061234567890");
    run_for(60s);
    EXPECT_EQ(witness.appeared_ids.size(), 4u);
    EXPECT_EQ(witness.removed_ids.size(), 2u);
}

TEST_F(EngineTest, TwoLiveBatteriesWithOneIdentityKeepTheirNamesWhenOneIsLost) {
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 2; });
    run_for(5s);
    bus.absent = true;
    run_for(600s);
    EXPECT_EQ(battery().link.state, LinkState::lost);
    bus.absent = false;
    run_for(60s);
    EXPECT_EQ(battery().link.state, LinkState::fresh);
    EXPECT_EQ(witness.appeared_ids.size(), 2u);
    EXPECT_TRUE(witness.removed_ids.empty());
}

TEST_F(EngineTest, TwoLiveBatteriesWithOneIdentityKeepTheirNamesWhenAPortIsOpenedWithOtherSettings) {
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    other.batteries[1] = bus.batteries[1];
    run_until([&] { return witness.appeared_ids.size() == 2; }, 90s);
    run_for(5s);
    bool gone = false;
    engine.remove_port("/dev/fake", [&] { gone = true; });
    run_until([&] { return gone; });
    run_for(60s);
    EXPECT_EQ(id_at(0), "4061234567890_other__0x01");
    add_port("/dev/fake").batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 3; });
    EXPECT_EQ(witness.appeared_ids.back(), "4061234567890");
    run_for(60s);
    EXPECT_EQ(witness.appeared_ids.size(), 3u);
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_EQ(times_logged("two batteries call themselves 4061234567890"), 1);
}

TEST_F(EngineTest, TheSecondOfTwoBatteriesWithOneIdentityIsTheSecondAlsoIfItAnswersFirstAfterARestart) {
    notes.places["4061234567890"] = "/dev/fake address 0x01";
    engine.set_memory(notes);
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    bus.absent = true;
    run_until([&] { return witness.appeared_ids.size() == 1; });
    EXPECT_EQ(id_at(1), "4061234567890_other__0x01");
    run_for(600s);
    bus.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_EQ(id_at(0), "4061234567890");
    run_for(60s);
    EXPECT_EQ(witness.appeared_ids.size(), 2u);
    EXPECT_TRUE(witness.removed_ids.empty());
}

TEST_F(EngineTest, WhichOfTwoBatteriesWithOneIdentityIsTheFirstIsKeptOnceBothHaveAnswered) {
    engine.set_memory(notes);
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    other.batteries[1] = pack("4061234567890", 52.8);
    bus.silent = {1};
    run_for(60s);
    EXPECT_EQ(notes.places["4061234567890"], "") << "where a single battery is, is its own affair";
    bus.batteries[1] = other.batteries[1];
    bus.silent.clear();
    run_until([&] { return witness.appeared_ids.size() == 2; }, 90s);
    run_for(5s);
    EXPECT_EQ(notes.places["4061234567890"], "/dev/other address 0x01");
}

TEST_F(EngineTest, OfTwoBatteriesWithOneIdentityTheFirstMayComeToAPortWithAnotherName) {
    notes.places["4061234567890"] = "/dev/former address 0x01";
    notes.states["4061234567890_other__0x01"];
    engine.set_memory(notes);
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    bus.absent = true;
    run_for(60s);
    EXPECT_EQ(id_at(1), "4061234567890_other__0x01") << "it was there before";
    bus.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_EQ(id_at(0), "4061234567890");
    EXPECT_EQ(notes.places["4061234567890"], "/dev/fake address 0x01");
}

TEST_F(EngineTest, ABatteryThatWasElsewhereForAMomentIsNotTwo) {
    auto& bus = start({1}, 1s);
    auto& other = add_other_port();
    bus.batteries[1] = other.batteries[1] = pack("4061234567890", 52.8);
    other.silent = {1};
    run_until([&] { return witness.appeared_ids.size() == 1; });
    const auto move = [](test::FakeBus& from, test::FakeBus& to) {
        from.silent = {1};
        to.silent.clear();
    };
    move(bus, other);
    run_until([&] { return id_at(1) == "4061234567890_other__0x01"; });
    move(other, bus);
    run_for(60s);
    move(bus, other);
    run_until([&] { return id_at(1) == "4061234567890"; }, 90s);
    EXPECT_FALSE(engine.ports()[0]->stations()[0].appeared);
}

TEST_F(EngineTest, WithoutASerialNumberThePortNamesTheBattery) {
    auto& bus = start({1});
    bus.batteries[1] = pack("", 52.8);
    run_until([&] { return !witness.appeared_ids.empty(); });
    EXPECT_EQ(witness.appeared_ids[0], "fake__0x01");
}

TEST_F(EngineTest, ABatteryThatNeverTellsItsSerialNumberAppearsAllTheSame) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.unanswered = {"about"};
    run_until([&] { return !witness.appeared_ids.empty(); }, 60s);
    EXPECT_EQ(witness.appeared_ids[0], "fake__0x01");
    EXPECT_TRUE(logged("does not tell its serial number"));
}

TEST_F(EngineTest, ADarenThatRefusesItsNumberAsGroupIsAskedForGroup1) {
    auto& bus = start({2}, 20ms, *bms::find_family("Daren485"));
    bus.batteries[2] = pack("SN0123456789", 52.8);
    const std::string_view invalid_data = "~22024A060000FD9F\r";
    bus.refusal.assign(invalid_data.begin(), invalid_data.end());
    run_until([&] { return witness.updates >= 4; });
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"SN0123456789"});
    EXPECT_EQ(battery().link.counters.refused, 0u) << "that is remembered since the search";
}

TEST_F(EngineTest, ADarenWhoseSerialNumberWasLostOnceKeepsItsName) {
    auto& bus = start({1}, 20ms, *bms::find_family("Daren485"));
    bus.batteries[1] = pack("SN0123456789", 52.8);
    bus.batteries[1].unique_id = "BARCODE00001";
    bus.unanswered = {"serial"};
    run_until([&] { return battery().link.polls >= 1; });
    EXPECT_TRUE(witness.appeared_ids.empty()) << "it may still tell who it is";
    bus.unanswered = {};
    run_until([&] { return !witness.appeared_ids.empty(); });
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"SN0123456789"});
}

TEST_F(EngineTest, ADarenWithoutASerialNumberIsNamedAfterItsBarCode) {
    auto& bus = start({1}, 20ms, *bms::find_family("Daren485"));
    bus.batteries[1] = pack("", 52.8);
    bus.batteries[1].unique_id = "BARCODE00001";
    bus.unanswered = {"serial"};
    run_until([&] { return !witness.appeared_ids.empty(); }, 60s);
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"BARCODE00001"});
    EXPECT_TRUE(logged("named after what else it tells: BARCODE00001"));
}

TEST_F(EngineTest, WhoAnswersWhatCannotBeIsNotCalledSilent) {
    auto& bus = start({1}, 20ms, test::jkbms_pb(), {}, {bms::find_family("lltjbd")});
    bus.batteries[1] = pack("4061234567890", 40);
    run_until([&] { return logged("no known BMS answers"); });
    EXPECT_TRUE(logged("what is answered cannot be: the cells do not add up to the pack voltage")) << log.back();
}

TEST_F(EngineTest, ADarenWhoseCellsDoNotAddUpAtFirstSightIsNotCalledSilent) {
    auto& bus = start({1}, 20ms, *bms::find_family("Daren485"));
    bus.batteries[1] = pack("SN0123456789", 48);  // 10 % from what its cells have
    run_until([&] { return logged("no known BMS answers"); });
    EXPECT_TRUE(logged("says what cannot be")) << log.back();
    EXPECT_TRUE(logged("analog: the cells do not add up to the pack voltage")) << log.back();
}

TEST_F(EngineTest, AMasterOnTheBusIsNamed) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    Bytes foreign;
    bms::answer(test::jkbms_pb(), test::jkbms_pb().requests[2], {0, true, nullptr}, pack("x", 50), foreign);
    bus.noise.assign(foreign.begin(), foreign.end());
    run_until([&] { return logged("master mode"); });
    EXPECT_DOUBLE_EQ(*battery().reading.voltage_v, 52.8);
}

TEST_F(EngineTest, ALateAnswerComesFromNoOtherMaster) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 2; });
    Bytes answer;
    const bms::Family& family = test::jkbms_pb();
    bms::answer(family, family.requests[family.probe], {1, true, nullptr}, bus.batteries[1], answer);
    bus.silent = {1};
    const auto unanswered = bus.asked.size();
    run_until([&] { return battery().link.counters.timeouts > 0 && bus.asked.size() > unanswered; });
    bus.noise.assign(answer.begin(), answer.end());
    bus.silent.clear();
    int updates = witness.updates;
    run_until([&] { return witness.updates >= updates + 2; });
    EXPECT_GT(battery().link.counters.unsolicited_bytes, 0u) << "it was heard";
    EXPECT_FALSE(logged("another master"));

    bus.noise.assign(answer.begin(), answer.end());
    run_until([&] { return logged("another master"); });  // nothing was missing any more
}

TEST_F(EngineTest, WhatLiesThereAtTheStartComesFromNoOtherMaster) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.noise = {1, 2, 3, 4, 5};
    run_until([&] { return witness.updates >= 5; });
    EXPECT_EQ(battery().link.counters.unsolicited_bytes, 5u) << "it was heard";
    EXPECT_FALSE(logged("another master"));
}

TEST_F(EngineTest, AnAnswerToOurPredecessorComesFromNoOtherMaster) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    Bytes answer;
    bms::answer(test::jkbms_pb(), test::jkbms_pb().requests[test::jkbms_pb().probe], {1, true, nullptr},
                bus.batteries[1], answer);
    bus.noise.assign(answer.begin(), answer.end());
    run_until([&] { return witness.updates >= 5; });
    EXPECT_GT(battery().link.counters.unsolicited_bytes, 0u) << "it was heard";
    EXPECT_FALSE(logged("another master")) << log.back();
}

// The table in docs/when-things-fail.md: more than 10 s, whatever the port is waiting for.
TEST_F(EngineTest, SilenceIsNoticedWhileThePortHangsInAnAttemptToOpen) {
    parameters.block_on_disconnect = true;
    auto& bus = start({1}, 1s);
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 3; });
    bus.opening = 300s;
    bus.absent = true;
    const auto unplugged = Clock::now();
    run_until([&] { return !battery().online; }, 30s);
    EXPECT_LE(Clock::now() - unplugged, 12s);
    EXPECT_EQ(battery().limits.ccl_a, 0);
    EXPECT_EQ(battery().limits.allow_discharge, false);
    EXPECT_EQ(battery().link.state, LinkState::stale);
    run_until([&] { return battery().link.state == LinkState::lost; }, 120s);
    EXPECT_LE(Clock::now() - unplugged, 62s);
    EXPECT_EQ(bus.attempts, 2) << "it still hangs";
}

TEST_F(EngineTest, AllOfManyBatteriesAreNoticedToBeSilentInTime) {
    parameters.block_on_disconnect = true;
    auto& bus = start_fifteen();
    for (const auto& [address, pack] : bus.batteries) bus.silent.insert(address);
    const auto fell_silent = Clock::now();
    const auto& stations = engine.ports()[0]->stations();
    run_until([&] {
        return std::none_of(stations.begin(), stations.end(), [](const auto& one) { return one.battery->online; });
    });
    EXPECT_LE(Clock::now() - fell_silent, 12s);
    for (const auto& one : stations) EXPECT_EQ(one.battery->limits.ccl_a, 0) << one.address.value;
}

TEST_F(EngineTest, TheLastOfManyThatAnswersNeverGetsOld) {
    auto& bus = start_fifteen();
    for (const auto& [address, pack] : bus.batteries)
        if (address != 15) bus.silent.insert(address);
    Clock::duration oldest{};
    const auto end = Clock::now() + 60s;
    run_until(
        [&] {
            oldest = std::max(oldest, Clock::now() - engine.ports()[0]->stations()[14].last_good);
            return Clock::now() >= end;
        },
        61s);
    EXPECT_LT(oldest, 10s) << "it waited for the silence of the others";
    EXPECT_FALSE(battery(0).online);
}

TEST_F(EngineTest, AnAdapterThatIsNotUsedAnyMoreIsNoSleepingBattery) {
    auto& bus = start({1}, 1s);
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    const auto asked = engine.ports()[0]->stations()[0].evidence.requests;
    bus.broken = true;
    run_until([&] { return logged("the device is gone"); });
    run_for(5s);
    EXPECT_LE(engine.ports()[0]->stations()[0].evidence.requests, asked + 1);
}

TEST_F(EngineTest, WhyAnAdapterThatIsBackDoesNotOpenIsTold) {
    auto& bus = start({1}, 1s);
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.updates >= 1; });
    bus.absent = true;
    run_until([&] { return logged("the device is gone"); });
    run_for(5s);
    EXPECT_EQ(times_logged("there is no such port"), 0) << "that goes without saying";
    bus.absence = ErrorClass::refused;
    run_for(30s);
    EXPECT_EQ(times_logged("there is no such port"), 1) << "once";
}

TEST_F(EngineTest, GarbageInFrontOfAnswersIsSurvived) {
    auto& bus = start({1, 2});
    bus.prefix = {0x55, 0xAA, 0x00, 0xFF, 0x01, 0x10, 0x16};
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.batteries[2] = pack("4061234567891", 52.9);
    run_until([&] { return battery(0).link.polls >= 3 && battery(1).link.polls >= 3; });
    EXPECT_DOUBLE_EQ(*battery(1).reading.voltage_v, 52.9);
    EXPECT_EQ(battery(0).link.counters.checksum_errors, 0u);
}

TEST_F(EngineTest, APortThatOpensAndFailsAtOnceDoesNotKeepUsBusy) {
    auto& bus = start({1});
    bus.broken = true;
    const auto began = Clock::now();
    run_until([&] { return bus.opened >= 3; });
    EXPECT_GE(Clock::now() - began, 2s) << "a second lies between two attempts";
}

TEST_F(EngineTest, APortThatFailsWhileABatteryIsSearchedIsTold) {
    auto& bus = start({}, 20ms, *bms::find_family("Jkbms_pb"), {}, {bms::find_family("Jkbms")});
    bus.broken = true;
    run_until([&] { return bus.opened >= 2; });
    EXPECT_TRUE(logged("/dev/fake: the device is gone (Bad file descriptor); waiting for it to come back"));
}

TEST_F(EngineTest, APortThatOpensAndFailsAtOnceForHoursIsToldOnce) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_for(1min);
    bus.broken = true;
    run_for(1h);
    EXPECT_GT(bus.opened, 1000);
    EXPECT_LE(times_logged("the device is gone"), 2);
    const auto before = times_logged("the port is there again");
    EXPECT_LE(before, 1);
    bus.broken = false;
    run_for(10s);
    EXPECT_EQ(times_logged("the port is there again"), before + 1) << "it answers again";
}

TEST_F(EngineTest, NoUsablePortIsToldOnce) {
    auto& bus = start({1});
    bus.absent = true;
    run_until([&] { return all_failed; });
    EXPECT_TRUE(logged("there is no such port"));
}

TEST_F(EngineTest, APortThatOnlyTheUserCanHelpIsTriedAgainAllTheSameButSeldom) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    bus.absent = true;
    bus.absence = ErrorClass::config;
    run_until([&] { return all_failed; });
    EXPECT_EQ(bus.attempts, 1);
    run_for(10min);
    EXPECT_GE(bus.attempts, 20);
    EXPECT_LE(bus.attempts, 26);
    EXPECT_EQ(std::count(log.begin(), log.end(), "/dev/fake: there is no such port"), 1);
    bus.absent = false;
    run_until([&] { return witness.appeared_ids.size() == 1; }, 31s);
    EXPECT_TRUE(logged("the port is there again"));
}

TEST_F(EngineTest, StopRemovesEveryBattery) {
    start_two();
    engine.stop();
    EXPECT_EQ(witness.removed_ids.size(), 2u);
}

TEST_F(EngineTest, ARemovedPortEndsAndItsDeviceMayBeOpenedAgain) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });

    bool gone = false;
    engine.remove_port("/dev/fake", [&] { gone = true; });
    EXPECT_TRUE(engine.ports().empty());
    EXPECT_FALSE(gone) << "not while its coroutine may still use it";
    run_until([&] { return gone; });
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{"4061234567890"});
    EXPECT_FALSE(logged("the device is gone")) << "it was asked to end";

    auto link = std::make_unique<test::FakeBus>(io.get_executor(), test::jkbms_pb());
    link->batteries[1] = pack("4061234567890", 52.8);
    engine.add_port({.name = "/dev/fake", .families = {&test::jkbms_pb()}, .poll = 20ms}, std::move(link));
    run_until([&] { return witness.appeared_ids.size() == 2; });
    EXPECT_EQ(witness.appeared_ids[1], "4061234567890") << "the identity is free again";
    EXPECT_FALSE(all_failed);
}

TEST_F(EngineTest, APortWhoseTypeHasNoneOfTheAddressesSaysSoAndAsksNobody) {
    start({0});  // a Jkbms_pb has 1..15
    run_until([&] { return logged("nobody can be asked"); });
    EXPECT_TRUE(engine.ports()[0]->stations().empty());
    bool gone = false;
    engine.remove_port("/dev/fake", [&] { gone = true; });
    run_until([&] { return gone; });
}

TEST_F(EngineTest, ASilentPortCanBeRemovedAtOnce) {
    start({1, 2});
    run_until([&] { return !witness.waiting_for.empty(); });
    const auto before = Clock::now();
    bool gone = false;
    engine.remove_port("/dev/fake", [&] { gone = true; });
    run_until([&] { return gone; });
    EXPECT_LT(Clock::now() - before, 2s) << "it does not wait for answers";
    EXPECT_EQ(witness.removed_ids.size(), 2u) << "faces may have shown them as waiting";
}

TEST_F(EngineTest, APortThatIsNotThereIsGone) {
    start({1});
    bool gone = false;
    engine.remove_port("/dev/other", [&] { gone = true; });
    EXPECT_TRUE(gone);
    EXPECT_EQ(engine.ports().size(), 1u);
}

TEST_F(EngineTest, APortAddedLaterThatDoesNotOpenEndsNothing) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    bool gone = false;
    engine.remove_port("/dev/fake", [&] { gone = true; });
    run_until([&] { return gone; });
    auto link = std::make_unique<test::FakeBus>(io.get_executor(), test::jkbms_pb());
    link->absent = true;
    engine.add_port({.name = "/dev/fake", .families = {&test::jkbms_pb()}}, std::move(link));
    run_until([&] { return logged("there is no such port"); });
    EXPECT_FALSE(all_failed);
}

TEST_F(EngineTest, TheStateOfTheConfigurationCanChange) {
    auto& bus = start({1});
    bus.batteries[1] = pack("4061234567890", 52.8);
    run_until([&] { return witness.appeared_ids.size() == 1; });
    const Battery& battery = *engine.ports()[0]->stations()[0].battery;
    engine.set_config_state(true, true, "config.ini line 2: LOGGING: 'x' is no log level");
    EXPECT_TRUE(battery.config_error);
    EXPECT_EQ(battery.config_trouble, "config.ini line 2: LOGGING: 'x' is no log level");
    const int before = witness.updates;
    run_until([&] { return witness.updates > before; });
    EXPECT_EQ(battery.limits.ccl_a, 0);
    engine.set_config_state(false, false);
    run_until([&] { return battery.limits.ccl_a > 0; });
    EXPECT_FALSE(battery.config_error);
    EXPECT_EQ(battery.config_trouble, "");
}

TEST(Pace, AnAnswerIsTimedFirstAndThenLookedForMoreAndMoreOften) {
    engine::Pace pace;
    EXPECT_EQ(pace.expected(), 0ns);
    pace.timed(50ms, 13);
    EXPECT_GE(pace.expected(), 50ms);
    EXPECT_LT(pace.expected(), 51ms);
    EXPECT_EQ(pace.size(), 13u);
    unsigned timed = 1;
    for (int i = 0; i < 1000; ++i) {
        if (pace.expected() > 0ns)
            pace.there(13);
        else
            pace.timed(50ms, 13), ++timed;
    }
    EXPECT_LE(timed, 16u);
    EXPECT_GE(timed, 8u) << "from time to time it must be timed again";
}

TEST(Pace, TheSlowestAnswerCountsAndAQuickOneHalf) {
    engine::Pace pace;
    pace.timed(40ms, 13);
    pace.timed(80ms, 13);
    EXPECT_GE(pace.expected(), 80ms);
    pace.there(13);
    ASSERT_EQ(pace.expected(), 0ns) << "after a surprise the next but one is timed";
    pace.timed(40ms, 13);
    EXPECT_NEAR(static_cast<double>(pace.expected().count()), 61e6, 1e6);
    pace.forget();
    EXPECT_EQ(pace.expected(), 0ns);
}

TEST(Pace, PortsMeetAndWaitLittleLonger) {
    const Clock::time_point start{1234567890ns};
    const auto one = engine::shared_moment(start, 110ms);
    EXPECT_EQ(one, engine::shared_moment(start + 300us, 110ms + 200us)) << "another port, a little later";
    for (std::chrono::nanoseconds wait = 1us; wait < 1s; wait += wait / 3) {
        const auto moment = engine::shared_moment(start, wait);
        EXPECT_GE(moment, start + wait);
        EXPECT_LE(moment, start + wait + wait / 16);
    }
    EXPECT_EQ(engine::shared_moment(start, 0ns), start);
}

TEST(BackOff, DoublesUpToTenSeconds) {
    EXPECT_EQ(engine::back_off(0), 0ms);
    EXPECT_EQ(engine::back_off(2), 0ms);
    EXPECT_EQ(engine::back_off(3), 1s);
    EXPECT_EQ(engine::back_off(4), 2s);
    EXPECT_EQ(engine::back_off(7), 10s);
    EXPECT_EQ(engine::back_off(1000000), 10s);
}

TEST(Noise, OneDamagedAnswerIsRememberedForAnHourAndTwoAreHeavyForTenMinutes) {
    using Level = engine::Noise::Level;
    const Clock::time_point start{24h};
    engine::Noise noise;
    EXPECT_EQ(noise.level(start), Level::quiet);
    noise.damaged(start);
    EXPECT_EQ(noise.level(start), Level::noisy);
    EXPECT_EQ(noise.level(start + 59min), Level::noisy);
    EXPECT_EQ(noise.level(start + 60min), Level::quiet);
    noise.damaged(start + 11min);
    EXPECT_EQ(noise.level(start + 11min), Level::noisy) << "too long after the first";
    noise.damaged(start + 20min);
    EXPECT_EQ(noise.level(start + 20min), Level::heavy);
    EXPECT_EQ(noise.level(start + 29min), Level::heavy);
    EXPECT_EQ(noise.level(start + 30min), Level::noisy);
    EXPECT_EQ(noise.level(start + 80min), Level::quiet);
    noise.contradicted(start + 90min);
    noise.contradicted(start + 90min);
    EXPECT_EQ(noise.level(start + 90min), Level::noisy) << "a load may pulse";
    EXPECT_EQ(noise.level(start + 150min), Level::quiet);
}

TEST(DurationText, ShowsTheTwoBiggestUnits) {
    EXPECT_EQ(engine::duration_text(0s), "0s");
    EXPECT_EQ(engine::duration_text(59s), "59s");
    EXPECT_EQ(engine::duration_text(29min + 39s), "29m 39s");
    EXPECT_EQ(engine::duration_text(2h), "2h");
    EXPECT_EQ(engine::duration_text(24h + 120s), "1d");
    EXPECT_EQ(engine::duration_text(50h), "2d 2h");
}

TEST_F(EngineTest, ACurrentAgainstTheWordOfTheBmsIsToldOnceAfterTenPolls) {
    auto& bus = start({0x40}, 0ms, *bms::find_family("daly"), {.invert_current = true});
    Reading& battery = bus.batteries[0x40] = daly_pack();
    battery.current_a = -5, battery.told_charging = false;
    run_until([&] { return witness.updates >= 5; });
    EXPECT_DOUBLE_EQ(*witness.last.current_a, 5);
    EXPECT_FALSE(logged("INVERT_CURRENT_MEASUREMENT")) << "not yet ten polls";
    run_until([&] { return witness.updates >= 40; });
    EXPECT_EQ(std::count_if(log.begin(), log.end(),
                            [](const auto& line) { return line.find("INVERT_CURRENT") != std::string::npos; }),
              1);
    EXPECT_TRUE(logged("/dev/fake address 0x40: the current has the wrong sign"));
}

TEST_F(EngineTest, ACurrentThatAgreesOrIsSmallOrChangesRaisesNoDoubt) {
    auto& bus = start({0x40}, 0ms, *bms::find_family("daly"));
    Reading& battery = bus.batteries[0x40] = daly_pack();
    const auto poll_so_often = [&](int more) {
        const int before = witness.updates;
        run_until([&] { return witness.updates >= before + more; });
    };
    battery.current_a = -5, battery.told_charging = false;
    poll_so_often(15);
    battery.current_a = 1;  // no more than 1 A: noise of the shunt
    poll_so_often(15);
    battery.current_a = 5;
    poll_so_often(5);
    battery.told_charging = true;
    poll_so_often(15);
    EXPECT_FALSE(logged("INVERT_CURRENT_MEASUREMENT"));
}
