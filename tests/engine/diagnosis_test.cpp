// From counts to mistakes, as the table of what each mistake looks like on the wire says.
#include "engine/diagnosis.hpp"

#include <set>

#include <gtest/gtest.h>

using namespace bmsd::engine;

namespace {

Evidence clean(std::uint32_t requests) {
    Evidence e;
    e.requests = e.good = requests;
    e.bytes = 100 * requests;
    return e;
}

/// The mistake is named, and its text holds the evidence and a remedy.
void expect_told(Mistake mistake, const Evidence& own, const char* word) {
    EXPECT_EQ(diagnose(own, {}), mistake) << to_string(diagnose(own, {}));
    const std::string text = explain(mistake, own);
    EXPECT_NE(text.find(word), std::string::npos) << text;
    EXPECT_NE(text.find(std::to_string(own.requests) + " requests"), std::string::npos) << text;
    EXPECT_NE(text.find("; "), std::string::npos) << "no remedy in: " << text;
}

}  // namespace

TEST(Diagnosis, SaysNothingOfACleanLineOrAfterTwoRequests) {
    EXPECT_EQ(diagnose(clean(50), {}), Mistake::none);
    EXPECT_TRUE(explain(Mistake::none, clean(50)).empty());
    Evidence young;
    young.requests = young.silent = 2;
    EXPECT_EQ(diagnose(young, {}), Mistake::none);
    EXPECT_TRUE(clean(3).clean());
    EXPECT_FALSE(young.clean());
}

TEST(Diagnosis, BlankBytesWithoutFramesAreSwappedWires) {
    Evidence e;
    e.requests = e.garbled = 10;
    e.bytes = e.garbled_bytes = 110;
    e.blank_bytes = 100;
    expect_told(Mistake::swapped, e, "A and B");
}

TEST(Diagnosis, FramingErrorsCountForSwappedWiresToo) {
    Evidence e;
    e.requests = e.garbled = 10;
    e.bytes = e.garbled_bytes = 100;
    e.blank_bytes = 40;
    EXPECT_EQ(diagnose(e, {}), Mistake::wrong_rate);
    e.framing_errors = 60;
    EXPECT_EQ(diagnose(e, {}), Mistake::swapped);
}

TEST(Diagnosis, OtherBytesWithoutFramesAreAWrongRate) {
    Evidence e;
    e.requests = e.garbled = 10;
    e.bytes = e.garbled_bytes = 110;
    e.blank_bytes = 5;
    expect_told(Mistake::wrong_rate, e, "baud rate");
}

TEST(Diagnosis, CollidingAnswersOfOneAddressAreADuplicate) {
    Evidence e;
    e.requests = 12;
    e.good = 4;
    e.checksum = 8;
    expect_told(Mistake::duplicate_address, e, "same address");
    EXPECT_EQ(diagnose(e, clean(30)), Mistake::duplicate_address);
}

TEST(Diagnosis, WhereNoAnswerIsGoodTheRateIsWrong) {
    Evidence e;
    e.requests = e.checksum = 10;
    expect_told(Mistake::wrong_rate, e, "10 with a wrong checksum");
    EXPECT_EQ(diagnose(e, clean(30)), Mistake::duplicate_address) << "the others are heard well";
    e.surplus = 5;
    EXPECT_EQ(diagnose(e, {}), Mistake::duplicate_address) << "a good one among them, and one more behind it";
}

TEST(Diagnosis, WhoRefusesIsNotSilent) {
    Evidence e;
    e.requests = 5;
    e.refused = 1;
    e.silent = 4;
    e.refusal = "analog: the BMS does not accept the data of the command (return code 06)";
    expect_told(Mistake::refused, e, "return code 06");
    e.good = 1;
    EXPECT_EQ(diagnose(e, {}), Mistake::none) << "one refusal among good answers";
}

TEST(Diagnosis, AnswersThatAreTooLongAreADuplicateEvenIfTheirFirstPartIsSound) {
    Evidence e = clean(12);
    e.surplus = 5;
    EXPECT_EQ(diagnose(e, clean(30)), Mistake::duplicate_address);
}

TEST(Diagnosis, TheSameDamageAtEveryAddressIsTheLine) {
    Evidence e;
    e.requests = 20;
    e.good = 13;
    e.checksum = 7;
    expect_told(Mistake::duplicate_address, e, "same address");
    EXPECT_EQ(diagnose(e, e), Mistake::unstable);
}

TEST(Diagnosis, SporadicDamageIsAnUnstableLine) {
    Evidence e;
    e.requests = 40;
    e.good = 34;
    e.checksum = 4;
    e.cut = 2;
    expect_told(Mistake::unstable, e, "120 ohm");
    e.good = 39;
    e.checksum = 1;
    e.cut = 0;
    EXPECT_EQ(diagnose(e, {}), Mistake::none) << "one in forty is an everyday event";
}

TEST(Diagnosis, SilenceOfOneAmongSeveralIsItsAddressSilenceOfAllIsTheBattery) {
    Evidence e;
    e.requests = e.silent = 5;
    expect_told(Mistake::silence, e, "off or asleep");
    expect_told(Mistake::silence, e, "another address");
    EXPECT_EQ(diagnose(e, clean(20)), Mistake::unconfigured);
    EXPECT_EQ(diagnose(e, e), Mistake::silence);
}

TEST(Diagnosis, AnEchoAloneIsSilenceOfTheBatteryAndSaysThatTheAdapterWorks) {
    Evidence e;
    e.requests = e.echo_only = e.echoes = 5;
    EXPECT_EQ(diagnose(e, {}), Mistake::silence);
    EXPECT_NE(explain(Mistake::silence, e).find("adapter works"), std::string::npos);
    Evidence answered = clean(10);
    answered.echoes = 10;
    expect_told(Mistake::echo, answered, "returns what is sent");
}

TEST(Diagnosis, BytesNobodyAskedForAreAnotherMaster) {
    Evidence e = clean(12);
    e.unasked = 4;
    expect_told(Mistake::other_master, e, "another master");
    Evidence foreign;
    foreign.requests = 8;
    foreign.good = 5;
    foreign.foreign = 3;
    EXPECT_EQ(diagnose(foreign, {}), Mistake::other_master);
}

TEST(Evidence, FadesTogetherOnceItsWindowIsFull) {
    Evidence e = clean(Evidence::window - 1);
    e.checksum = 10;
    e.fade();
    EXPECT_EQ(e.requests, Evidence::window - 1);
    ++e.requests;
    e.fade();
    EXPECT_EQ(e.requests, Evidence::window / 2);
    EXPECT_EQ(e.checksum, 5u);
    EXPECT_EQ(e.bytes, 100 * (Evidence::window - 1) / 2);
}

TEST(Mistakes, HaveDifferentWords) {
    std::set<std::string_view> words;
    for (int i = 0; i <= static_cast<int>(Mistake::other_master); ++i)
        EXPECT_TRUE(words.insert(to_string(static_cast<Mistake>(i))).second);
}
