#include "sim/bus.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "client.hpp"
#include "model/quantities.hpp"

namespace bmsd::sim {
namespace {

using namespace testing_peer;

/// The unit in which a family sends a quantity, by its tables; what code encodes is sent in hundredths or tenths.
double unit_sent(const bms::Family& family, NumberMember member) {
    for (const bms::Request& request : family.requests)
        for (const bms::Row& row : request.layout.rows)
            if (row.to == member) return std::abs(row.scale.step());
    return std::max(0.1, family.cell_step_v);
}

/// Half of the unit in which a family sends a quantity, and what rounding in the pack adds.
double tolerance(const bms::Family& family, const NumberQuantity& quantity) {
    const std::string_view unit = quantity.unit;
    if (unit == "V" || unit == "A") return 0.501 * unit_sent(family, quantity.member) + 1e-3;
    if (unit == "s") return 30.1;  // sent in minutes
    if (unit == "%") return 1.01;  // some count it from the nominal capacity, of which 99 % are left
    return 0.501;
}

void expect_equal(const Cells& told, const Cells& measured, double within) {
    ASSERT_EQ(told.size(), measured.size());
    for (std::size_t i = 0; i < told.size(); ++i) EXPECT_NEAR(told[i].value(), measured[i].value(), within);
}

/// Whatever the family tells must be what the pack measures.
void expect_told(const bms::Family& family, const Reading& told, const Reading& measured) {
    for (const NumberQuantity& quantity : number_quantities()) {
        const Number& value = told.*quantity.member;
        const Number& truth = measured.*quantity.member;
        if (!value) continue;
        // A BMS that tells no remaining charge leaves it to be taken from the nominal capacity, not from the full one.
        const double nominal_share = measured.capacity_ah.value() * measured.soc_percent.value() / 100;
        if (quantity.member == &Reading::capacity_remaining_ah && std::abs(*value - nominal_share) < 0.1) continue;
        EXPECT_NEAR(*value, truth.value(), tolerance(family, quantity)) << quantity.name;
    }
    for (const FlagQuantity& quantity : flag_quantities()) {
        const Flag& value = told.*quantity.member;
        const Flag& truth = measured.*quantity.member;
        EXPECT_TRUE(!value || value == truth.value_or(false)) << quantity.name;  // a lock nobody set is off
    }
    for (const TextQuantity& quantity : text_quantities()) {
        const Text& value = told.*quantity.member;
        const Text& truth = measured.*quantity.member;
        EXPECT_TRUE(!value || truth.value().starts_with(*value)) << quantity.name;  // a family may cut a date
    }
    EXPECT_TRUE(told.voltage_v && told.current_a && told.soc_percent && told.charge_fet);
    expect_equal(told.cell_voltages_v, measured.cell_voltages_v, 0.501 * family.cell_step_v + 1e-5);
    ASSERT_FALSE(told.temperatures_c.empty());
    for (std::size_t i = 0; i < told.temperatures_c.size(); ++i)
        EXPECT_NEAR(told.temperatures_c[i].value(), measured.temperatures_c[i].value(), 0.501);
    EXPECT_FALSE(told.alarms.any());
}

std::vector<std::uint32_t> all_addresses(const bms::Family& family) {
    if (!family.addresses.used) return {0};
    std::vector<std::uint32_t> all;
    for (std::uint32_t address = family.addresses.first; address <= family.addresses.last; ++address)
        if (bms::check_address(family, address)) all.push_back(address);
    return all;
}

class EveryFamily : public testing::TestWithParam<const bms::Family*> {};

TEST_P(EveryFamily, AnswersAtEveryAddressWithItsPack) {
    const bms::Family& family = *GetParam();
    Peer peer({.turnaround = milliseconds{1}, .speed = 0});
    std::vector<Reading> packs;
    for (const std::uint32_t address : all_addresses(family))
        packs.push_back(peer.bus()
                            .add(family, address,
                                 {.number = address + 1, .soc_percent = 90.0 - address, .software_version = "15.4"})
                            .pack()
                            .reading());
    peer.start();
    for (std::size_t i = 0; i < packs.size(); ++i) {
        const std::uint32_t address = all_addresses(family)[i];
        SCOPED_TRACE(address);
        Reading told;
        for (const bms::Request& request : family.requests) {
            Bytes whole;
            bms::answer(family, request, {.address = address, .known = &packs[i]}, packs[i], whole);
            const auto bytes = peer.ask(family, request, address, whole.size(), patience, &told);
            ASSERT_EQ(bytes.size(), whole.size()) << request.name;
            const auto decoded = decode_answer(family, request, address, bytes, told, packs.size() == 1);
            ASSERT_TRUE(decoded) << decoded.error().detail;
        }
        expect_told(family, told, packs[i]);
        if (family.identity) {
            EXPECT_EQ(family.identity(told), family.identity(packs[i]));
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryFamily, testing::ValuesIn(bms::with_requests(bms::catalog())),
                         [](const auto& family) { return std::string(family.param->key); });

/// A JK PB at 1 and 2 and its status request.
class BusTest : public testing::Test {
protected:
    void start(BusOptions options) {
        options.speed = 0;
        peer = std::make_unique<Peer>(std::move(options));
        for (const std::uint32_t address : {1U, 2U}) peer->bus().add(pb, address, {.number = address});
        peer->start();
    }
    Octets ask(std::uint32_t address, std::size_t count, milliseconds limit = patience) {
        return peer->ask(pb, status, address, count, limit);
    }
    bool decodes(std::uint32_t address, const Octets& bytes) {
        Reading reading;
        return decode_answer(pb, status, address, bytes, reading).has_value();
    }

    const bms::Family& pb = *bms::find_family("jkbms_pb");
    const bms::Request& status = request_of(pb, "status");
    static constexpr std::size_t whole = 309;  // frame 300, acknowledge 8, padding 1
    std::unique_ptr<Peer> peer;
};

TEST_F(BusTest, TwoFamiliesShareAStream) {
    const bms::Family& jk = *bms::find_family("jkbms");
    Peer both({.turnaround = milliseconds{1}, .speed = 0});
    both.bus().add(jk, 0, {});
    both.bus().add(pb, 1, {});
    both.start();
    Reading reading;
    EXPECT_TRUE(decode_answer(pb, status, 1, both.ask(pb, status, 1, whole), reading));
    EXPECT_TRUE(decode_answer(jk, jk.requests[0], 0, both.ask(jk, jk.requests[0], 0, 291), reading));
}

TEST_F(BusTest, UnknownBytesAndAddressesMeetSilence) {
    start({.turnaround = milliseconds{0}});
    const Octets noise = {0x01, 0x02, 0x03, 0x04, 0xFF, 0x10, 0x16};
    ASSERT_TRUE(send_all(peer->client(), noise));
    EXPECT_TRUE(collect(peer->client(), 1, silence).empty());
    EXPECT_TRUE(ask(3, 1, silence).empty());
    EXPECT_TRUE(decodes(1, ask(1, whole)));
}

TEST_F(BusTest, FindsARequestBehindGarbage) {
    start({.turnaround = milliseconds{0}});
    Octets bytes(3000, 0x01);
    const auto request = question(pb, status, 1);
    bytes.insert(bytes.end(), request.begin(), request.end());
    ASSERT_TRUE(send_all(peer->client(), bytes));
    EXPECT_TRUE(decodes(1, collect(peer->client(), whole)));
}

TEST_F(BusTest, JoinsTheTwoHalvesOfARequest) {
    start({.turnaround = milliseconds{0}});
    const auto request = question(pb, status, 2);
    bool answered = false;
    // On a busy machine the second half may be read too late to belong to the first.
    for (int attempt = 0; attempt < 5 && !answered; ++attempt) {
        ASSERT_TRUE(send_all(peer->client(), std::span(request).first(4)));
        std::this_thread::sleep_for(milliseconds{5});
        ASSERT_TRUE(send_all(peer->client(), std::span(request).subspan(4)));
        answered = decodes(2, collect(peer->client(), whole, milliseconds{1000}));
    }
    EXPECT_TRUE(answered);
}

TEST_F(BusTest, ForgetsHalfARequestAfterAPause) {
    start({.turnaround = milliseconds{0}});
    const auto request = question(pb, status, 2);
    ASSERT_TRUE(send_all(peer->client(), std::span(request).first(4)));
    std::this_thread::sleep_for(milliseconds{200});
    ASSERT_TRUE(send_all(peer->client(), std::span(request).subspan(4)));
    EXPECT_TRUE(collect(peer->client(), 1, silence).empty());
    EXPECT_TRUE(decodes(2, ask(2, whole)));
}

TEST_F(BusTest, KeepsTheTurnaround) {
    start({.turnaround = milliseconds{60}});
    const auto before = Clock::now();
    EXPECT_EQ(ask(1, whole).size(), whole);
    EXPECT_GE(Clock::now() - before, milliseconds{60});
}

TEST_F(BusTest, BytesTakeTheirTimeOnTheWire) {
    start({.baud = 9600});
    const auto before = Clock::now();
    ASSERT_FALSE(ask(1, 1).empty());
    const auto first = Clock::now();
    const auto rest = collect(peer->client(), whole - 1);
    const auto took = Clock::now() - before;
    ASSERT_EQ(rest.size(), whole - 1);
    // (11 + 309) bytes of 10 bits and a turnaround of 10 ms.
    EXPECT_GE(took, std::chrono::microseconds{343'333});
    EXPECT_LE(took, std::chrono::seconds{3});
    // The beginning is there long before the end.
    EXPECT_LT(first - before, took - milliseconds{50});
}

TEST_F(BusTest, IsDeafWhileItSpeaks) {
    start({.baud = 4800});
    ASSERT_FALSE(ask(1, 1).empty());
    ASSERT_TRUE(send_all(peer->client(), question(pb, status, 2)));
    EXPECT_EQ(collect(peer->client(), whole - 1).size(), whole - 1);
    EXPECT_TRUE(collect(peer->client(), 1, silence).empty());
    EXPECT_TRUE(decodes(2, ask(2, whole)));
}

TEST_F(BusTest, HearsTheNextRequestAtOnceAfterAnAnswer) {
    start({.baud = 115200, .turnaround = milliseconds{0}});
    for (unsigned i = 0; i < 30; ++i) ASSERT_TRUE(decodes(1 + i % 2, ask(1 + i % 2, whole))) << i;
}

TEST_F(BusTest, ServesTheNextClientAfterOneLeft) {
    asio::io_context io;
    Bus bus(io.get_executor(), {.turnaround = milliseconds{0}});
    bus.add(pb, 1, {});
    for (int client = 0; client < 2; ++client) {
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        Bus::Stream stream(io, ends[1]);
        ASSERT_TRUE(send_all(ends[0], question(pb, status, 1)));
        ::shutdown(ends[0], SHUT_WR);
        asio::co_spawn(io, bus.serve(stream), asio::detached);
        io.run();  // ends by itself: nothing is left to wait for
        io.restart();
        EXPECT_TRUE(decodes(1, collect(ends[0], whole)));
        ::close(ends[0]);
    }
}

TEST_F(BusTest, ThePackLivesBetweenRequests) {
    Peer living({.turnaround = milliseconds{0}, .speed = 36000});  // 10 h per second
    living.bus().add(pb, 1, {.soc_percent = 50, .fixed_current_a = 2});
    living.start();
    Reading before, after;
    ASSERT_TRUE(decode_answer(pb, status, 1, living.ask(pb, status, 1, whole), before));
    std::this_thread::sleep_for(milliseconds{200});
    ASSERT_TRUE(decode_answer(pb, status, 1, living.ask(pb, status, 1, whole), after));
    EXPECT_GE(after.capacity_remaining_ah.value(), before.capacity_remaining_ah.value() + 3.9);  // 2 A for 2 h or more
}

}  // namespace
}  // namespace bmsd::sim
