// A scan of batteries that do not answer at first.
#include "engine/scanner.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "fake_bus.hpp"

using namespace bmsd;

namespace {

Reading pack() {
    Reading reading;
    reading.serial_number = "4061234567890";
    reading.voltage_v = 52.8;
    reading.current_a = 1.5;
    reading.soc_percent = 50;
    reading.cell_count = 16;
    reading.temperature_count = 2;
    reading.charge_fet = reading.discharge_fet = true;
    for (int i = 0; i < 16; ++i) reading.cell_voltages_v.push_back(3.3);
    for (int i = 0; i < 2; ++i) reading.temperatures_c.push_back(20.0);
    return reading;
}

/// Batteries found at the only address that is looked at, where so many requests get no answer.
std::size_t found(const char* family_key, std::uint32_t address, int lost) {
    const bms::Family& family = *bms::find_family(family_key);
    boost::asio::io_context io{1};
    auto bus = std::make_unique<test::FakeBus>(io.get_executor(), family);
    bus->batteries[address] = pack();
    bus->deaf = lost;
    engine::Dialogue dialogue(io.get_executor(), std::move(bus));
    const engine::ScanPlan plan{.families = {&family}, .addresses = {address}, .baud = {}, .options = {}};
    std::size_t batteries = 0;
    boost::asio::co_spawn(io, engine::scan(dialogue, plan, [](const std::string&) {}),
                          [&](std::exception_ptr error, engine::ScanResult result) {
                              if (error) std::rethrow_exception(error);
                              batteries = result.batteries.size();
                          });
    io.run();
    return batteries;
}

}  // namespace

TEST(Scanner, OneLostAnswerHidesNoBattery) {
    EXPECT_EQ(found("jkbms_pb", 1, 0), 1U);
    EXPECT_EQ(found("jkbms_pb", 1, 1), 1U);
}

// It answers the question of seven registers and refuses the long ones (dossier renogy §4).
TEST(Scanner, AfterAGoodAnswerTheOtherProtocolsOfATypeAreAskedAsWell) {
    boost::asio::io_context io{1};
    const bms::Family& few = *bms::find_family("renogy_few");
    auto bus = std::make_unique<test::FakeBus>(io.get_executor(), few);
    bus->batteries[0x30] = pack();
    bus->batteries[0x30].capacity_ah = 200;
    bus->batteries[0x30].capacity_remaining_ah = 140;
    engine::Dialogue dialogue(io.get_executor(), std::move(bus));
    const engine::ScanPlan plan{.families = {bms::find_family("renogy"), &few, bms::find_family("lltjbd")},
                                .addresses = {0x30},
                                .baud = {},
                                .options = {}};
    std::vector<std::string_view> families;
    boost::asio::co_spawn(io, engine::scan(dialogue, plan, [](const std::string&) {}),
                          [&](std::exception_ptr error, engine::ScanResult result) {
                              if (error) std::rethrow_exception(error);
                              for (const auto& found : result.batteries)
                                  families.push_back(found.candidate.family->key);
                              EXPECT_TRUE(result.suspects.empty());
                          });
    io.run();
    EXPECT_EQ(families, std::vector<std::string_view>{"renogy_few"});
}

// Dossier daly §4: "identify (3 tries)".
TEST(Scanner, ADalyMayMissTwoRequests) {
    EXPECT_EQ(found("daly", 0x40, 2), 1U);
}
