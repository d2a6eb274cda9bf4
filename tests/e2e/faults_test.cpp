// What goes wrong on wires, and what the bus shows of it.
#include <csignal>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;

namespace {

constexpr const char* one_jk = "BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\n";

std::int64_t counter(Rig& rig, std::size_t battery, const char* name) {
    return rig.stats().at("batteries").as_array().at(battery).at(name).to_number<std::int64_t>();
}

}  // namespace

TEST(Faults, DamagedFramesChangeNothing) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--current", "7", "--speed", "0", "--fault", "checksum:3",
                                                "--fault", "garbage:4", "--fault", "truncate:7"});
    rig.run(one_jk, {port});
    const auto service = service_of(port);
    ASSERT_TRUE(eventually([&] { return rig.present(service); })) << rig.daemon().err();
    const auto voltage = rig.number(service, "/Dc/0/Voltage");
    ASSERT_TRUE(eventually([&] {
        EXPECT_EQ(rig.number(service, "/Dc/0/Voltage"), voltage);
        EXPECT_EQ(rig.number(service, "/Dc/0/Current"), 7);
        return counter(rig, 0, "checksum_errors") >= 5 && counter(rig, 0, "short") >= 2;
    })) << rig.daemon().err();
    EXPECT_EQ(rig.number(service, "/System/NrOfModulesOnline"), 1);
}

TEST(Faults, AnEchoingAdapterWorks) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--addresses", "1,2", "--fault", "echo"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02\n", {port});
    EXPECT_TRUE(eventually([&] {
        return rig.present(service_of(port, "0x01")) && rig.present(service_of(port, "0x02"));
    })) << rig.daemon().err();
}

TEST(Faults, LateAnswersAreNotTakenForThoseOfAnotherBattery) {
    Rig rig;
    const auto port =
        rig.simulate("ttyTest0", {"jkbms_pb", "--addresses", "1,2", "--speed", "0", "--fault", "late:3:620@1"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02\nPOLL_INTERVAL = 0.2\n", {port});
    const auto second = service_of(port, "0x02");
    ASSERT_TRUE(eventually([&] { return rig.present(second) && rig.present(service_of(port, "0x01")); }))
        << rig.daemon().err();
    const auto cells = rig.number(second, "/Voltages/Cell1");
    const auto voltage = rig.number(second, "/Dc/0/Voltage");
    ASSERT_TRUE(eventually([&] {
        EXPECT_EQ(rig.number(second, "/Dc/0/Voltage"), voltage);
        EXPECT_EQ(rig.number(second, "/Voltages/Cell1"), cells);
        return counter(rig, 0, "timeouts") >= 4;
    }));
}

TEST(Faults, ForeignAnswersAreCountedAndRefused) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--fault", "foreign:2"});
    rig.run(one_jk, {port});
    ASSERT_TRUE(eventually([&] { return rig.present(service_of(port)); })) << rig.daemon().err();
    EXPECT_TRUE(eventually([&] { return counter(rig, 0, "foreign_address") >= 3; }));
}

TEST(Faults, AMasterOnTheBusIsNamed) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--fault", "master:300"});
    rig.run("BMS_TYPE = Jkbms_pb\n", {port});
    EXPECT_TRUE(eventually([&] { return rig.logged("master mode"); })) << rig.daemon().err();
}

TEST(Faults, UnpluggedAndPluggedInAgainWithoutHarmToTheOtherPort) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb"});
    const auto other = rig.simulate("ttyTest1", {"jkbms_pb"});
    rig.run(one_jk, {port, other});
    ASSERT_TRUE(eventually([&] { return rig.present(service_of(port)) && rig.present(service_of(other)); }))
        << rig.daemon().err();

    rig.simulator(port).signal(SIGUSR1);
    ASSERT_TRUE(eventually([&] { return rig.logged("the device is gone"); })) << rig.daemon().err();
    const auto polls = counter(rig, 1, "polls");
    EXPECT_TRUE(eventually([&] { return counter(rig, 1, "polls") >= polls + 5; })) << "the other port goes on";
    EXPECT_TRUE(eventually([&] { return rig.number(service_of(port), "/System/NrOfModulesOnline") == 0; }))
        << "stale after 10 s";
    EXPECT_FALSE(rig.number(service_of(port), "/Dc/0/Voltage")) << "old values are not shown as fresh";
    EXPECT_TRUE(rig.number(service_of(port), "/Soc"));

    rig.simulator(port).signal(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return rig.number(service_of(port), "/Dc/0/Voltage").has_value(); }))
        << rig.daemon().err();
    EXPECT_EQ(rig.number(service_of(port), "/System/NrOfModulesOnline"), 1);
    EXPECT_EQ(counter(rig, 0, "reopens"), 1);
}

TEST(Faults, ASilentAddressIsSaidAndTheOthersGoOn) {
    Rig rig;
    const auto port = rig.simulate("ttyTest0", {"jkbms_pb", "--addresses", "1,3"});
    rig.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x02, 0x03\n", {port});
    EXPECT_TRUE(
        eventually([&] { return rig.present(service_of(port, "0x01")) && rig.present(service_of(port, "0x03")); }));
    EXPECT_TRUE(eventually([&] { return rig.logged("address 0x02: no usable answer"); })) << rig.daemon().err();
    EXPECT_FALSE(rig.present(service_of(port, "0x02")));
}
