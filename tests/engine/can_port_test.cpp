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
    const auto part = scanned({{0x2F4, false, 8, {0x13, 0x02, 0xB2, 0x0F, 0x51}}});
    EXPECT_NE(part.trouble.find("Jkbms_Can"), std::string::npos);
    EXPECT_NE(part.trouble.find("0x4F4"), std::string::npos) << part.trouble;
}

TEST(CanScan, AsksEveryBoardOnce) {
    engine::CanScan scan({bms::find_family("daly_can")}, {}, {});
    std::map<std::uint32_t, int> asked;
    for (auto frames = scan.next_questions({}); !frames.empty(); frames = scan.next_questions({}))
        for (const CanFrame& frame : frames) ++asked[frame.id >> 8 & 0xFF];
    EXPECT_EQ(asked.size(), 16u);
    for (const auto& [board, count] : asked) EXPECT_EQ(count, 11) << board;
}
