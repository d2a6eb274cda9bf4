#include <gtest/gtest.h>

#include "client.hpp"

namespace bmsd::sim {
namespace {

using namespace testing_peer;

/// JK PB batteries at 1 and 2 on a faulty bus.
class BusFaults : public testing::Test {
protected:
    void start(std::initializer_list<std::string_view> faults) {
        BusOptions options{.turnaround = milliseconds{0}, .speed = 0};
        for (const std::string_view fault : faults) options.faults.push_back(parse_fault(fault).value());
        peer = std::make_unique<Peer>(std::move(options));
        for (const std::uint32_t address : {1U, 2U}) peer->bus().add(pb, address, {.number = address});
        peer->start();
    }
    Octets ask(std::uint32_t address, std::size_t count, milliseconds limit = patience) {
        return peer->ask(pb, status, address, count, limit);
    }
    /// nullopt: decoded; else why not.
    std::optional<ErrorClass> verdict(std::uint32_t address, const Octets& bytes) {
        Reading reading;
        const auto result = decode_answer(pb, status, address, bytes, reading);
        return result ? std::nullopt : std::optional(result.error().cls);
    }
    std::optional<ErrorClass> ask_whole(std::uint32_t address) { return verdict(address, ask(address, whole)); }
    bool silent(std::uint32_t address) { return ask(address, 1, silence).empty(); }

    const bms::Family& pb = *bms::find_family("jkbms_pb");
    const bms::Request& status = request_of(pb, "status");
    static constexpr std::size_t whole = 309;
    std::unique_ptr<Peer> peer;
};

TEST_F(BusFaults, Silence) {
    start({"silence:2"});
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_TRUE(silent(1));
    EXPECT_EQ(ask_whole(1), std::nullopt);
}

TEST_F(BusFaults, OnlyTheAddressedBattery) {
    start({"silence@2"});
    EXPECT_TRUE(silent(2));
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_TRUE(silent(2));
}

TEST_F(BusFaults, Checksum) {
    start({"checksum:3"});
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_EQ(ask_whole(1), ErrorClass::checksum);
    EXPECT_EQ(ask_whole(1), std::nullopt);
}

TEST_F(BusFaults, Truncate) {
    start({"truncate:2"});
    EXPECT_EQ(ask_whole(1), std::nullopt);
    const auto bytes = ask(1, whole, milliseconds{300});
    EXPECT_EQ(bytes.size(), whole / 2);
    EXPECT_EQ(verdict(1, bytes), ErrorClass::truncated);
}

TEST_F(BusFaults, Garbage) {
    start({"garbage:1"});
    const auto bytes = ask(1, whole + 6);
    ASSERT_EQ(bytes.size(), whole + 6);
    EXPECT_NE(bytes[0], 0x55);
    EXPECT_EQ(verdict(1, bytes), std::nullopt);
}

TEST_F(BusFaults, Echo) {
    start({"echo"});
    const auto request = question(pb, status, 1);
    const auto bytes = ask(1, request.size() + whole);
    ASSERT_EQ(bytes.size(), request.size() + whole);
    EXPECT_TRUE(std::equal(request.begin(), request.end(), bytes.begin()));
    EXPECT_EQ(verdict(1, bytes), std::nullopt);

    const auto unanswered = question(pb, status, 5);
    EXPECT_EQ(ask(5, unanswered.size()), unanswered);
}

TEST_F(BusFaults, LateAnswersDoNotHoldUpTheOthers) {
    start({"late:1:1500@1"});
    const auto asked = Clock::now();
    ASSERT_TRUE(send_all(peer->client(), question(pb, status, 1)));
    EXPECT_EQ(ask_whole(2), std::nullopt);
    EXPECT_EQ(verdict(1, collect(peer->client(), whole)), std::nullopt);
    EXPECT_GE(Clock::now() - asked, milliseconds{1500});
}

TEST_F(BusFaults, Foreign) {
    start({"foreign:2"});
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_EQ(ask_whole(1), ErrorClass::unexpected);
}

TEST_F(BusFaults, Duplicate) {
    start({"duplicate@1"});
    const auto& about = request_of(pb, "about");
    const auto ask_about = [&](std::size_t count) { return peer->ask(pb, about, 1, count); };
    Reading one, other;
    EXPECT_FALSE(decode_answer(pb, about, 1, ask_about(whole), one));
    EXPECT_FALSE(decode_answer(pb, about, 1, ask_about(whole + 7), one));
    const auto both = ask_about(2 * whole);
    ASSERT_EQ(both.size(), 2 * whole);
    ASSERT_TRUE(decode_answer(pb, about, 1, std::span(both).first(whole), one));
    ASSERT_TRUE(decode_answer(pb, about, 1, std::span(both).subspan(whole), other));
    EXPECT_NE(pb.identity(one), pb.identity(other));
    EXPECT_EQ(ask_whole(2), std::nullopt);
}

TEST_F(BusFaults, Sleep) {
    start({"sleep:2@1"});
    EXPECT_TRUE(silent(1));
    EXPECT_EQ(ask_whole(2), std::nullopt);
    EXPECT_TRUE(silent(1));
    EXPECT_EQ(ask_whole(1), std::nullopt);
    EXPECT_EQ(ask_whole(1), std::nullopt);
}

TEST_F(BusFaults, AnotherMaster) {
    start({"master:40"});
    for (int i = 0; i < 3; ++i) {
        const auto bytes = collect(peer->client(), whole);
        ASSERT_EQ(bytes.size(), whole);
        const auto reply = pb.unsolicited({1}, bytes);
        EXPECT_EQ(reply.progress, bms::Reply::Progress::failed);
        EXPECT_NE(reply.why.find("address 0"), std::string_view::npos) << reply.why;
        EXPECT_EQ(verdict(1, bytes), ErrorClass::unexpected);
    }
}

TEST_F(BusFaults, CanBeSwitchedOffAndOnAgain) {
    start({"silence", "master:40"});
    ASSERT_EQ(collect(peer->client(), whole).size(), whole);
    peer->in_bus([this] { peer->bus().enable_faults(false); });
    while (!collect(peer->client(), whole, silence).empty()) {
    }
    EXPECT_EQ(ask_whole(1), std::nullopt);
    peer->in_bus([this] { peer->bus().enable_faults(true); });
    // Although nothing is asked.
    EXPECT_EQ(collect(peer->client(), whole).size(), whole);
}

}  // namespace
}  // namespace bmsd::sim
