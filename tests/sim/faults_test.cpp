#include "sim/faults.hpp"

#include <gtest/gtest.h>

namespace bmsd::sim {
namespace {

using std::chrono::milliseconds;

TEST(ParseFault, UnderstandsEveryForm) {
    EXPECT_EQ(parse_fault("silence"), (Fault{FaultKind::silence, 1}));
    EXPECT_EQ(parse_fault("checksum:5"), (Fault{FaultKind::checksum, 5}));
    EXPECT_EQ(parse_fault("truncate:7@3"), (Fault{FaultKind::truncate, 7, milliseconds{0}, 3U}));
    EXPECT_EQ(parse_fault(" Garbage:3 "), (Fault{FaultKind::garbage, 3}));
    EXPECT_EQ(parse_fault("late:4"), (Fault{FaultKind::late, 4, milliseconds{700}}));
    EXPECT_EQ(parse_fault("late:4:900@0x0F"), (Fault{FaultKind::late, 4, milliseconds{900}, 15U}));
    EXPECT_EQ(parse_fault("foreign:2"), (Fault{FaultKind::foreign, 2}));
    EXPECT_EQ(parse_fault("duplicate@2"), (Fault{FaultKind::duplicate, 1, milliseconds{0}, 2U}));
    EXPECT_EQ(parse_fault("sleep"), (Fault{FaultKind::sleep, 3}));
    EXPECT_EQ(parse_fault("echo"), (Fault{FaultKind::echo, 1}));
    EXPECT_EQ(parse_fault("master"), (Fault{FaultKind::master, 1, milliseconds{260}}));
    EXPECT_EQ(parse_fault("master:500"), (Fault{FaultKind::master, 1, milliseconds{500}}));
}

TEST(ParseFault, NamesTheKnownOnes) {
    const auto fault = parse_fault("silnce:2");
    ASSERT_FALSE(fault);
    EXPECT_EQ(fault.error().cls, ErrorClass::config);
    for (const char* part : {"silnce:2", "silence[:N]", "late[:N[:MS]]", "master[:MS]"})
        EXPECT_NE(fault.error().detail.find(part), std::string::npos) << part;
}

class WrongFault : public testing::TestWithParam<const char*> {};

TEST_P(WrongFault, IsRefused) {
    const auto fault = parse_fault(GetParam());
    ASSERT_FALSE(fault);
    EXPECT_EQ(fault.error().cls, ErrorClass::config);
    EXPECT_NE(fault.error().detail.find(GetParam()), std::string::npos) << fault.error().detail;
}

INSTANTIATE_TEST_SUITE_P(Texts, WrongFault,
                         testing::Values("checksum:0", "checksum:x", "checksum:-1", "checksum:3:4", "late:4:0",
                                         "late:4:5:6", "duplicate:2", "silence@", "silence@two", "echo@1", "echo:3",
                                         "master@1", "master:0"));

TEST(ParseFault, KnowsWhatIsPossibleWhere) {
    EXPECT_EQ(parse_fault("missing:0x18FF50E5", Medium::can), (Fault{FaultKind::missing, 0x18FF50E5}));
    EXPECT_EQ(parse_fault("silence:2", Medium::can), (Fault{FaultKind::silence, 2}));
    const auto why = [](std::string_view text, Medium medium) {
        const auto fault = parse_fault(text, medium);
        return fault ? std::string() : fault.error().detail;
    };
    EXPECT_NE(why("missing", Medium::can).find("say which: missing:ID"), std::string::npos);
    EXPECT_NE(why("missing:0x123", Medium::serial).find("not possible on a serial port"), std::string::npos);
    EXPECT_NE(why("echo", Medium::can).find("not possible on CAN"), std::string::npos);
}

TEST(FaultHelp, HasALineForEachFault) {
    const std::string help = fault_help();
    for (const char* name : {"silence", "checksum", "truncate", "garbage", "late", "foreign", "duplicate", "sleep",
                             "missing", "echo", "master"})
        EXPECT_NE(help.find(std::string("  ") + name), std::string::npos) << name;
}

TEST(FaultPlan, StrikesEveryNthTime) {
    const std::array faults = {Fault{FaultKind::checksum, 3}};
    FaultPlan plan(faults, 1);
    for (int round = 0; round < 3; ++round) {
        EXPECT_FALSE(plan.strikes(FaultKind::checksum));
        EXPECT_FALSE(plan.strikes(FaultKind::checksum));
        EXPECT_TRUE(plan.strikes(FaultKind::checksum));
        EXPECT_FALSE(plan.strikes(FaultKind::silence));
    }
}

TEST(FaultPlan, SleepIsOverAfterNRequests) {
    const std::array faults = {Fault{FaultKind::sleep, 2}};
    FaultPlan plan(faults, 1);
    EXPECT_TRUE(plan.strikes(FaultKind::sleep));
    EXPECT_TRUE(plan.strikes(FaultKind::sleep));
    for (int i = 0; i < 5; ++i) EXPECT_FALSE(plan.strikes(FaultKind::sleep));
}

TEST(FaultPlan, KeepsToItsAddress) {
    const std::array faults = {Fault{FaultKind::silence, 1, milliseconds{0}, 2U}};
    FaultPlan one(faults, 1), two(faults, 2);
    EXPECT_FALSE(one.strikes(FaultKind::silence));
    EXPECT_TRUE(two.strikes(FaultKind::silence));
}

TEST(FaultPlan, CanBeSwitchedOffAndBeginsAfreshAfterwards) {
    const std::array faults = {Fault{FaultKind::sleep, 1}, Fault{FaultKind::master, 1}};
    FaultPlan plan(faults, 1);
    EXPECT_TRUE(plan.planned(FaultKind::master));
    plan.enable(false);
    EXPECT_FALSE(plan.strikes(FaultKind::sleep));
    EXPECT_FALSE(plan.planned(FaultKind::master));
    plan.enable(true);
    EXPECT_TRUE(plan.strikes(FaultKind::sleep));
    EXPECT_FALSE(plan.strikes(FaultKind::sleep));
    EXPECT_TRUE(plan.planned(FaultKind::master));
}

TEST(Damage, ChangesWhatItSays) {
    const Bytes sound(10, 0xAB);
    Bytes bytes = sound;
    spoil(bytes);
    EXPECT_EQ(bytes.size(), sound.size());
    EXPECT_NE(bytes, sound);
    bytes = sound;
    cut(bytes);
    EXPECT_EQ(bytes, Bytes(5, 0xAB));
    bytes = sound;
    prepend_garbage(bytes);
    EXPECT_GT(bytes.size(), sound.size());
    EXPECT_TRUE(std::equal(sound.rbegin(), sound.rend(), bytes.rbegin()));
}

TEST(Damage, CollisionsComeInThreeForms) {
    const Bytes other(10, 0x3C);
    Bytes together(10, 0xF0);
    collide(together, other, 0);
    EXPECT_EQ(together, Bytes(10, 0x30));

    Bytes shifted(10, 0xF0);
    collide(shifted, other, 1);
    Bytes expected(7, 0xF0);
    expected.insert(expected.end(), 3, 0x30);
    expected.insert(expected.end(), 7, 0x3C);
    EXPECT_EQ(shifted, expected);

    Bytes in_turn(10, 0xF0);
    collide(in_turn, other, 2);
    expected.assign(10, 0xF0);
    expected.insert(expected.end(), 10, 0x3C);
    EXPECT_EQ(in_turn, expected);
}

TEST(Damage, NeverOverflows) {
    const Bytes longest(max_frame, 0x55);
    for (unsigned round = 0; round < 3; ++round) {
        Bytes bytes = longest;
        collide(bytes, longest, round);
        EXPECT_EQ(bytes.size(), max_frame);
        prepend_garbage(bytes);
        EXPECT_EQ(bytes.size(), max_frame);
    }
    Bytes empty;
    spoil(empty);
    cut(empty);
    EXPECT_TRUE(empty.empty());
}

}  // namespace
}  // namespace bmsd::sim
