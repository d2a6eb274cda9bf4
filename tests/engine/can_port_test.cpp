// A CAN interface as the engine sees it, with simulated batteries at the other end of a socket pair.
#include "engine/can_port.hpp"

#include <algorithm>
#include <map>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>
#include <linux/can.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bms/catalog.hpp"
#include "engine/can_scan.hpp"
#include "engine/engine.hpp"
#include "sim/can_bus.hpp"
#include "witness.hpp"

using namespace bmsd;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// Remembers as long as the test runs, and how often it was told.
class Notes final : public engine::Memory {
public:
    std::vector<engine::Found> recall(const std::string& port) override { return ports[port]; }
    void remember(const std::string& port, const std::vector<engine::Found>& found) override {
        ports[port] = found;
        ++written;
    }
    std::map<std::string, std::vector<engine::Found>> ports;
    int written = 0;
};

class CanPortTest : public testing::Test {
protected:
    CanPortTest() {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
        ours = std::make_unique<link::CanSocket>("can0", ends[0]);
        auto theirs = std::make_unique<link::CanSocket>("can0", ends[1]);
        peer = ends[1];
        bus = std::make_unique<sim::CanBus>(io.get_executor(), std::move(theirs));
        EXPECT_TRUE(bus->open());
    }
    sim::CanBattery& add(const char* family, std::uint32_t address, const std::vector<std::string>& faults = {}) {
        sim::PackOptions pack;
        pack.number = 77 + address;
        std::vector<sim::Fault> wrong;
        for (const std::string& fault : faults) wrong.push_back(sim::parse_fault(fault, sim::Medium::can).value());
        return bus->add(*bms::find_family(family), address, pack, wrong, 1);
    }
    void start(const std::vector<std::string>& types, std::vector<std::uint32_t> addresses = {}) {
        engine::PortSettings settings{.name = "can0", .families = {}, .named = !types.empty()};
        for (const std::string& type : types) settings.families.push_back(bms::find_family(type));
        if (types.empty()) settings.families = bms::on_can(bms::catalog());
        for (const auto address : addresses) settings.addresses.push_back({address, ""});
        settings.options = options;
        engine.add_sink(witness);
        engine.add_port(settings, std::move(ours));
        asio::co_spawn(io, bus->run(), asio::detached);
        engine.start([] {});
    }
    void run_for(std::chrono::milliseconds time) {
        const auto end = Clock::now() + time;
        while (Clock::now() < end) io.run_one_for(20ms);
    }
    bool run_until(const std::function<bool()>& done, std::chrono::seconds limit = 15s) {
        const auto end = Clock::now() + limit;
        while (!done() && Clock::now() < end) io.run_one_for(20ms);
        return done();
    }
    /// As the battery's side of the bus sends it.
    void inject(std::uint32_t kernel_id, std::initializer_list<std::uint8_t> data) {
        can_frame frame{};
        frame.can_id = kernel_id;
        frame.can_dlc = static_cast<std::uint8_t>(data.size());
        std::copy(data.begin(), data.end(), frame.data);
        ASSERT_EQ(::send(peer, &frame, sizeof frame, 0), static_cast<ssize_t>(sizeof frame));
    }
    const std::vector<engine::Station>& stations() { return engine.ports()[0]->stations(); }
    std::size_t logged(std::string_view text) {
        return static_cast<std::size_t>(std::count_if(
            log.begin(), log.end(), [&](const auto& line) { return line.find(text) != std::string::npos; }));
    }

    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    control::Parameters parameters;
    std::vector<std::string> log;
    test::Witness witness;
    bms::Options options;
    std::unique_ptr<link::CanSocket> ours;
    std::unique_ptr<sim::CanBus> bus;
    int peer = -1;
    engine::Engine engine{io,    parameters, false,
                          false, false,      [this](Severity, const std::string& text) { log.push_back(text); }};
};

}  // namespace

TEST_F(CanPortTest, ABatteryThatSpeaksUnaskedAppears) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 2; }));
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{"can0__0x00"});
    const Battery& battery = *stations()[0].battery;
    EXPECT_EQ(battery.reading.cell_voltages_v.size(), 16u);
    EXPECT_EQ(battery.link.state, LinkState::fresh);
    EXPECT_TRUE(battery.online);
}

TEST_F(CanPortTest, ABatteryThatMustBeAskedIsAsked) {
    add("daly_can", 2);
    start({"Daly_Can"}, {2});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 2; }));
    const Battery& battery = *stations()[0].battery;
    EXPECT_EQ(witness.appeared_ids, std::vector<std::string>{battery.reading.serial_number.value_or("none")});
    EXPECT_EQ(battery.reading.cell_voltages_v.size(), 16u);
    EXPECT_GT(battery.reading.capacity_ah.value_or(0), 0);
}

TEST_F(CanPortTest, NothingIsSentWhereItShallOnlyListen) {
    add("daly_can", 1);
    options.listen_only = true;
    start({"Daly_Can"});
    run_for(2500ms);
    EXPECT_TRUE(witness.appeared_ids.empty());
}

TEST_F(CanPortTest, TwoFamiliesAndTwoAddressesShareABusAndAreFoundByThemselves) {
    add("jkbms_can", 0);
    add("jkbms_can", 1);
    add("ubms_can", 1);
    add("rv_c_can", 3);
    start({});
    ASSERT_TRUE(run_until([&] { return witness.appeared_ids.size() >= 4; }));
    run_for(1500ms);
    EXPECT_EQ(witness.appeared_ids.size(), 4u);
    std::map<std::string, int> types;
    for (const engine::Station& station : stations()) ++types[station.battery->identity.type];
    EXPECT_EQ(types, (std::map<std::string, int>{{"Jkbms_Can", 2}, {"Ubms_Can", 1}, {"RV_C_Can", 1}}));
}

TEST_F(CanPortTest, APylontechIsFoundAndNotTakenForAJbd) {
    add("pylontech_can", 0);
    start({});
    ASSERT_TRUE(run_until([&] { return !witness.appeared_ids.empty(); }));
    EXPECT_EQ(stations()[0].battery->identity.type, "Pylontech_Can");
    EXPECT_EQ(stations().size(), 1u);
}

// Victron's dialect alone proves no maker: without a hint it is told, not guessed.
TEST_F(CanPortTest, WhatManyMakesSendIsNotGuessed) {
    start({});
    for (int cycle = 0; cycle < 9; ++cycle) {
        inject(0x351, {0x40, 0x02, 0xD0, 0x07, 0xD0, 0x07, 0xB0, 0x01});
        inject(0x355, {0x3D, 0, 0x64, 0});
        inject(0x356, {0xC5, 0x14, 0, 0, 0xD6, 0});
        inject(0x373, {0xF5, 0x0C, 0x03, 0x0D, 0x25, 0x01, 0x26, 0x01});
        inject(0x379, {0x64, 0});
        run_for(1000ms);
    }
    EXPECT_TRUE(witness.appeared_ids.empty());
    EXPECT_EQ(logged("other makes send the same"), 1u);
}

TEST_F(CanPortTest, ShortAndForeignFramesChangeNothing) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 1; }));
    const double before = *stations()[0].battery->reading.soc_percent;
    inject(0x2F4, {0xFF, 0xFF});
    inject(0x2F5, {0xFF, 0x00, 0, 0, 99, 0, 0, 0});
    inject(0x2F4 | CAN_EFF_FLAG, {0xFF, 0x00, 0, 0, 99, 0, 0, 0});
    run_for(1500ms);
    EXPECT_NEAR(*stations()[0].battery->reading.soc_percent, before, 1.1);
    EXPECT_EQ(stations()[0].battery->link.state, LinkState::fresh);
}

TEST_F(CanPortTest, ABatteryThatFallsSilentIsReportedAndComesBack) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 1; }));
    bus->toggle_plug();
    ASSERT_TRUE(run_until([&] { return logged("no usable answer") == 1; }));
    EXPECT_NE(stations()[0].battery->link.trouble.find("0x2F4"), std::string::npos)
        << stations()[0].battery->link.trouble;
    bus->toggle_plug();
    EXPECT_TRUE(run_until([&] { return logged("answers again") == 1; }));
    EXPECT_EQ(witness.appeared_ids.size(), 1u) << "it is the same battery";
}

TEST_F(CanPortTest, AnotherBatteryAfterASilenceIsAnotherBattery) {
    auto& battery = add("daly_can", 2);
    start({"Daly_Can"}, {2});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 2; }));
    bus->toggle_plug();
    ASSERT_TRUE(run_until([&] { return logged("lost") == 1; }, 90s));
    sim::PackOptions other;
    other.number = 4711;
    battery.pack() = sim::Pack(other);
    bus->toggle_plug();
    ASSERT_TRUE(run_until([&] { return witness.appeared_ids.size() == 2; }));
    EXPECT_EQ(witness.removed_ids, std::vector<std::string>{witness.appeared_ids.front()});
    EXPECT_EQ(witness.appeared_ids.back(), "240000004711");
    EXPECT_EQ(witness.appeared_ids.back(), stations()[0].battery->reading.serial_number);
}

TEST_F(CanPortTest, TroublesOfTheBusAreTold) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    inject(CAN_ERR_FLAG | 0x40, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(run_until([&] { return logged("bus-off") == 1; }));
    inject(CAN_ERR_FLAG | 0x100, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(run_until([&] { return logged("error-active again") == 1; }));
    inject(CAN_ERR_FLAG | 0x20, {0, 0, 0, 0, 0, 0, 0, 0});
    EXPECT_TRUE(run_until([&] { return logged("120 ohm") == 1; }));
}

TEST_F(CanPortTest, AnInterfaceThatGoesAwayIsNoticedAndItsBatteriesAreNotForgotten) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 1; }));
    ::shutdown(peer, SHUT_RDWR);
    ASSERT_TRUE(run_until([&] { return logged("down or gone") == 1; }));
    run_for(500ms);
    EXPECT_TRUE(witness.removed_ids.empty());
    EXPECT_EQ(stations().size(), 1u);
}

TEST_F(CanPortTest, RemovingThePortRemovesItsBatteries) {
    add("jkbms_can", 0);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 1; }));
    bool gone = false;
    engine.remove_port("can0", [&] { gone = true; });
    ASSERT_TRUE(run_until([&] { return gone; }));
    EXPECT_EQ(witness.removed_ids, witness.appeared_ids);
}

TEST_F(CanPortTest, WhoWasFoundIsRemembered) {
    Notes notes;
    engine.set_memory(notes);
    add("jkbms_can", 0);
    add("rv_c_can", 3);
    start({});
    ASSERT_TRUE(run_until([&] { return witness.appeared_ids.size() >= 2; }));
    const engine::Found jk{{bms::find_family("jkbms_can"), 0}, 0}, rv_c{{bms::find_family("rv_c_can"), 0}, 3};
    const auto& found = notes.ports["can0"];
    EXPECT_EQ(found.size(), 2u);
    EXPECT_EQ(std::count(found.begin(), found.end(), jk), 1);
    EXPECT_EQ(std::count(found.begin(), found.end(), rv_c), 1);
}

// Whoever speaks first: names do not depend on it. 0x00 alone makes no other name than the interface (dbus.md).
TEST_F(CanPortTest, TheNameOfTheInterfaceIsThatOfWhoWasFoundFirstEver) {
    Notes notes;
    const engine::Found jk{{bms::find_family("jkbms_can"), 0}, 0}, ubms{{bms::find_family("ubms_can"), 0}, 1};
    notes.ports["can0"] = {ubms, jk};
    sim::CanBattery& late = add("ubms_can", 1, {"silence"});
    add("jkbms_can", 0);
    start({});
    engine.set_memory(notes);  // the program makes its ports before its memory
    ASSERT_TRUE(run_until([&] { return !witness.appeared_ids.empty(); }));
    EXPECT_EQ(stations()[0].battery->identity.address_text, "jkbms_can");
    late.enable_faults(false);
    ASSERT_TRUE(run_until([&] { return witness.appeared_ids.size() >= 2; }));
    EXPECT_EQ(stations()[1].battery->identity.type, "Ubms_Can");
    EXPECT_EQ(stations()[1].battery->identity.address_text, "");
}

// Nobody listens for a JK at address 5 who does not know of it.
TEST_F(CanPortTest, WhoIsRememberedIsListenedForAndNotWrittenAgain) {
    Notes notes;
    notes.ports["can0"] = {{{bms::find_family("jkbms_can"), 0}, 5}, {{bms::find_family("ubms_can"), 0}, 1}};
    add("jkbms_can", 5);
    start({});
    engine.set_memory(notes);
    ASSERT_TRUE(run_until([&] { return !witness.appeared_ids.empty(); }));
    EXPECT_EQ(stations()[0].battery->identity.address, 5u);
    EXPECT_EQ(stations().size(), 1u) << "who is remembered has to show himself all the same";
    EXPECT_EQ(notes.written, 0);
}

TEST_F(CanPortTest, AFrameThatComesLessOftenThanTheDocumentsSayIsNotMissed) {
    add("jkbms_can", 0, {"missing:0x4F4"});
    start({"Jkbms_Can"});
    const auto send_extremes = [&] { inject(0x4F4, {0xE4, 0x0C, 1, 0xE4, 0x0C, 2}); };
    run_for(300ms);
    send_extremes();
    // Once between two polls, never around one: it is believed for five seconds.
    for (int second = 0; second < 9; ++second) {
        const int before = witness.updates;
        ASSERT_TRUE(run_until([&] { return witness.updates > before; })) << second;
        run_for(300ms);
        send_extremes();
    }
    EXPECT_DOUBLE_EQ(stations()[0].battery->reading.max_cell_voltage_v.value_or(0), 3.3);
    EXPECT_EQ(stations()[0].battery->link.counters.timeouts, 0U);
}

TEST_F(CanPortTest, FramesThatAreMissingAreNamed) {
    sim::CanBattery& battery = add("jkbms_can", 0, {"missing:0x2F4"});
    battery.enable_faults(false);
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 1; }));
    battery.enable_faults(true);
    ASSERT_TRUE(run_until([&] { return logged("no usable answer") == 1; }));
    EXPECT_NE(stations()[0].battery->link.trouble.find("0x2F4"), std::string::npos)
        << stations()[0].battery->link.trouble;
    battery.enable_faults(false);
    EXPECT_TRUE(run_until([&] { return logged("answers again") == 1; }));
}

TEST_F(CanPortTest, FramesThatAreTooShortAreNamedAndNoReading) {
    add("jkbms_can", 0, {"truncate"});
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return !stations()[0].battery->link.trouble.empty(); }));
    EXPECT_NE(stations()[0].battery->link.trouble.find("0x2F4 (voltage, current, state of charge) is too short"),
              std::string::npos)
        << stations()[0].battery->link.trouble;
    EXPECT_TRUE(witness.appeared_ids.empty());
    EXPECT_FALSE(stations()[0].battery->reading.voltage_v);
}

TEST_F(CanPortTest, ABusThatLosesFramesLosesNoBattery) {
    add("jkbms_can", 0, {"silence:7"});
    start({"Jkbms_Can"});
    ASSERT_TRUE(run_until([&] { return witness.updates >= 4; }));
    EXPECT_EQ(stations()[0].battery->link.state, LinkState::fresh);
    EXPECT_EQ(logged("no usable answer"), 0u);
}

// USE_BMS_DVCC_VALUES, for the two families on CAN that know it.
class CanVoltageLimits : public CanPortTest, public testing::WithParamInterface<const char*> {};

TEST_P(CanVoltageLimits, CountIfTheUserWants) {
    parameters.use_bms_voltages = true;
    add(GetParam(), bms::find_family(GetParam())->addresses.standard);
    start({std::string(bms::find_family(GetParam())->type)});
    ASSERT_TRUE(run_until([&] { return !stations().empty() && stations()[0].battery->reading.max_battery_voltage_v; }));
    ASSERT_TRUE(run_until([&] { return stations()[0].battery->limits.cvl_reason.find("BMS") != std::string::npos; }))
        << stations()[0].battery->limits.cvl_reason;
    // Sixteen cells of 3.65 V in the simulator.
    EXPECT_NEAR(*stations()[0].battery->limits.cvl_v, 58.4, 0.05);
}

TEST_P(CanVoltageLimits, DoNotCountOtherwise) {
    add(GetParam(), bms::find_family(GetParam())->addresses.standard);
    start({std::string(bms::find_family(GetParam())->type)});
    ASSERT_TRUE(run_until([&] { return !stations().empty() && stations()[0].battery->reading.max_battery_voltage_v; }));
    ASSERT_TRUE(run_until([&] { return witness.updates >= 2; }));
    EXPECT_LT(*stations()[0].battery->limits.cvl_v, 56);
    EXPECT_EQ(stations()[0].battery->limits.cvl_reason.find("BMS"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Families, CanVoltageLimits, testing::Values("lltjbd_can", "rv_c_can"),
                         [](const auto& one) { return std::string(one.param); });

// Its status 4, DGN 0x1FEC9, comes every five seconds and counts for fifteen (dossier rv_c_can §10).
TEST_F(CanPortTest, AnRvCThatFallsSilentAboutItsLimitsIsNotCharged) {
    sim::CanBattery& battery = add("rv_c_can", 1, {"missing:0x19FEC945"});
    battery.enable_faults(false);
    start({"RV_C_Can"});
    ASSERT_TRUE(run_until([&] { return !stations().empty() && stations()[0].battery->limits.ccl_a.value_or(0) > 0; }));
    battery.enable_faults(true);
    EXPECT_TRUE(run_until([&] { return stations()[0].battery->limits.ccl_a == 0.0; }, 25s));
    EXPECT_EQ(stations()[0].battery->link.state, LinkState::fresh);
    EXPECT_GT(stations()[0].battery->limits.dcl_a.value_or(0), 0);
}

// The U-BMS opens its contactor without it; but nothing is sent before it has shown itself.
TEST(CanHeartbeat, BeginsOnlyWhenTheBatteryHasShownItself) {
    const bms::Family& ubms = *bms::find_family("ubms_can");
    const bms::CanQuestion& beat = ubms.can->questions[0];
    const Clock::time_point now{std::chrono::hours{1}};
    bms::CanPicture picture(ubms, 2);
    EXPECT_FALSE(beat.wanted(bms::CanView(picture, now)));
    picture.take({0x0C6, false, 8, {53, 0x0A, 0, 0, 0, 8}}, now);
    EXPECT_FALSE(beat.wanted(bms::CanView(picture, now)));
    picture.take({0x181, false, 8, {0x9C}}, now);
    EXPECT_TRUE(beat.wanted(bms::CanView(picture, now)));
    EXPECT_FALSE(beat.wanted(bms::CanView(picture, now + 20s))) << "it is gone";
    EXPECT_EQ(frame_of(ubms, beat, 2), (CanFrame{0x442, false, 4, {0x00, 0x02}}));
}

// ---- scan ------------------------------------------------------------------------------------------------
namespace {

engine::CanScanResult scanned(const std::vector<CanFrame>& frames, const link::CanErrors& errors = {}) {
    const auto now = Clock::now();
    engine::CanScan scan(bms::on_can(bms::catalog()), {}, {});
    for (const CanFrame& frame : frames) scan.hear({frame, now, false});
    return scan.result(now, 2s, errors);
}

std::vector<CanFrame> frames_of(const char* key, std::uint32_t address) {
    const bms::Family& family = *bms::find_family(key);
    const sim::Pack pack({});
    std::vector<CanFrame> frames;
    for (std::size_t i = 0; i < family.can->messages.size(); ++i)
        bms::add_frames(family, i, {.address = address}, pack.reading(), frames);
    return frames;
}

}  // namespace

TEST(CanScan, FindsABatteryAtAnyAddressAndCountsItsIds) {
    const auto result = scanned(frames_of("jkbms_can", 5));
    ASSERT_EQ(result.batteries.size(), 1u);
    EXPECT_EQ(result.batteries[0].family->key, "jkbms_can");
    EXPECT_EQ(result.batteries[0].address, 5u);
    EXPECT_TRUE(result.trouble.empty());
    for (const auto& id : result.ids) {
        EXPECT_EQ(id.known_as, "Jkbms_Can") << std::hex << id.id;
        EXPECT_DOUBLE_EQ(id.per_second, 0.5);
    }
}

TEST(CanScan, NamesTheLikelyMistake) {
    EXPECT_NE(scanned({}).trouble.find("silence"), std::string::npos);
    link::CanErrors off;
    off.state = link::CanBusState::off;
    EXPECT_NE(scanned({}, off).trouble.find("bus-off"), std::string::npos);
    link::CanErrors lonely;
    lonely.no_ack = 3;
    EXPECT_NE(scanned({}, lonely).trouble.find("acknowledge"), std::string::npos);
    link::CanErrors garbled;
    garbled.protocol = 12;
    EXPECT_NE(scanned({}, garbled).trouble.find("bitrate"), std::string::npos);
    EXPECT_NE(scanned({{0x305, false, 8, {}}, {0x307, false, 8, {}}}).trouble.find("inverter"), std::string::npos);
    EXPECT_NE(scanned({{0x123, false, 8, {}}}).trouble.find("none of a known BMS"), std::string::npos);
    const auto part = scanned({{0x351, false, 8, {0x40, 2, 0xD0, 7, 0xD0, 7, 0xB0, 1}}});
    EXPECT_NE(part.trouble.find("_Can came"), std::string::npos) << part.trouble;
    EXPECT_NE(part.trouble.find("0x355"), std::string::npos) << part.trouble;
}

TEST(CanScan, AsksEveryBoardOnce) {
    engine::CanScan scan({bms::find_family("daly_can")}, {}, {});
    std::map<std::uint32_t, int> asked;
    for (auto frames = scan.next_questions({}); !frames.empty(); frames = scan.next_questions({}))
        for (const CanFrame& frame : frames) ++asked[frame.id >> 8 & 0xFF];
    EXPECT_EQ(asked.size(), 16u);
    for (const auto& [board, count] : asked) EXPECT_EQ(count, 11) << board;
}
