// Modbus RTU frames against published examples, frames of dossiers, and CRCs computed elsewhere.
#include "framing/modbus.hpp"

#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bmsd::framing::modbus {
namespace {

using ByteList = std::vector<std::uint8_t>;
using enum Found::State;

ByteList hex(const std::string& text) {
    std::istringstream words{text};
    ByteList bytes;
    for (std::string word; words >> word;) bytes.push_back(static_cast<std::uint8_t>(std::stoul(word, nullptr, 16)));
    return bytes;
}

ByteList bytes(const Frame& frame) {
    return {frame.begin(), frame.end()};
}

ByteList operator+(ByteList first, const ByteList& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

ByteList data(const Found& found) {
    return {found.data.begin(), found.data.end()};
}

// Renogy: registers 5042..5048 of unit 0x30.
constexpr Question renogy{.unit = 0x30, .first = 0x13B2, .count = 7};
const std::string renogy_asks = "30 03 13 B2 00 07 A4 8A ";
const std::string renogy_says = "30 03 0E FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F E0 1E ";
const std::string renogy_data = "FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F";

// Published examples of writing.
constexpr Question write_one{.unit = 0x11, .function = Function::write_single, .first = 1, .count = 3};
const std::string one_written = "11 06 00 01 00 03 9A 9B ";
constexpr Question write_two{.unit = 0x11, .function = Function::write_multiple, .first = 1, .count = 2};
const std::string two_asked = "11 10 00 01 00 02 04 00 0A 01 02 C6 F0 ";
const std::string two_written = "11 10 00 01 00 02 12 98 ";

TEST(ModbusRequest, IsWhatBatteriesAreAsked) {
    EXPECT_EQ(bytes(request(renogy)), hex(renogy_asks));
    EXPECT_EQ(bytes(request({.unit = 0x81, .first = 0x41, .count = 0x3E, .answers_as = 0x51})),
              hex("81 03 00 41 00 3E 8B CE"));
    EXPECT_EQ(bytes(request({.unit = 0x01, .function = Function::read_input, .first = 0, .count = 1})),
              hex("01 04 00 00 00 01 31 CA"));
    EXPECT_EQ(bytes(request(write_one)), hex(one_written));
    EXPECT_EQ(bytes(request(write_two, hex("00 0A 01 02"))), hex(two_asked));
    EXPECT_EQ(
        bytes(request({.unit = 3, .function = Function::write_multiple, .first = 0x1620, .count = 1}, hex("00 00"))),
        hex("03 10 16 20 00 01 02 00 00 CF 91"));
}

TEST(ModbusRequest, IsUnderstood) {
    const auto asked = parse_request(hex(renogy_asks));
    ASSERT_TRUE(asked);
    EXPECT_EQ(asked->unit, 0x30);
    EXPECT_EQ(asked->function, Function::read_holding);
    EXPECT_EQ(asked->first, 0x13B2);
    EXPECT_EQ(asked->count, 7);
    const auto written = parse_request(hex(one_written));
    ASSERT_TRUE(written);
    EXPECT_EQ(written->function, Function::write_single);
    EXPECT_EQ(written->count, 3);
    const auto several = parse_request(bytes(request(write_two, hex("00 0A 01 02"))));
    ASSERT_TRUE(several);
    EXPECT_EQ(several->function, Function::write_multiple);
    EXPECT_EQ(several->first, write_two.first);
    EXPECT_EQ(several->count, 2);
    for (const char* text : {"", "30 03 13 B2 00 07 A4 8B", "30 03 13 B2 00 07 A4", "30 03 13 B2 00 07 A4 8A 00",
                             "11 10 00 01 00 02 12 98", "30 83 02 91 3E"})
        EXPECT_FALSE(parse_request(hex(text))) << text;
}

TEST(ModbusAnswer, IsWhatBatteriesSay) {
    EXPECT_EQ(bytes(answer(renogy, hex(renogy_data))), hex(renogy_says));
    EXPECT_EQ(bytes(answer({.unit = 0x81, .count = 2, .answers_as = 0x51}, hex("0D 05 0D 06"))),
              hex("51 03 04 0D 05 0D 06 3C 09"));
    EXPECT_EQ(bytes(answer(write_one)), hex(one_written));
    EXPECT_EQ(bytes(answer(write_two)), hex(two_written));
    EXPECT_EQ(bytes(exception(renogy, 2)), hex("30 83 02 91 3E"));
    EXPECT_EQ(bytes(exception({.unit = 0x81, .answers_as = 0x51}, 2)), hex("51 83 02 C0 E0"));
}

TEST(ModbusAnswer, NeverOutgrowsItsPlace) {
    EXPECT_EQ(answer(renogy, ByteList(255)).size(), 260U);
    EXPECT_EQ(answer(renogy, ByteList(1000)).size(), Frame::capacity);
    EXPECT_EQ(request(write_two, ByteList(1000)).size(), Frame::capacity);
}

TEST(ModbusExamine, FindsTheAnswer) {
    const ByteList received = hex(renogy_says);
    const Found found = examine(renogy, received);
    EXPECT_EQ(found.state, complete);
    EXPECT_EQ(data(found), hex(renogy_data));
    EXPECT_EQ(found.missing, 0U);

    const ByteList written = hex(two_written);
    const Found acknowledged = examine(write_two, written);
    EXPECT_EQ(acknowledged.state, complete);
    EXPECT_EQ(data(acknowledged), hex("00 01 00 02"));
    const ByteList single = hex(one_written);
    EXPECT_EQ(examine(write_one, single).state, complete);
    EXPECT_EQ(data(examine(write_one, single)), hex("00 01 00 03"));
}

TEST(ModbusExamine, FindsItBehindWhateverStandsInFront) {
    const ByteList says = hex(renogy_says);
    for (const std::string front : {renogy_asks.c_str(),                  // the echo
                                    "8A ", "00 07 A4 8A ",                // its end
                                    "30 ", "30 03 ", "30 03 0E ",         // what looks like the beginning
                                    "30 03 0E FF AA 00 88 00 01 7B B0 ",  // a cut answer
                                    "30 03 0E FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F E0 1F ",  // a damaged one
                                    "00 00 00 FF FF FF ",                                         // idle line
                                    "31 03 0E 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E C1 D0 ",  // another unit
                                    "30 03 02 00 04 C4 43 ",        // an answer to another request
                                    "31 83 02 C0 FE ",              // an exception of another unit
                                    "30 84 02 93 0E ",              // an exception to another function
                                    "31 03 13 B2 00 07 A5 5B "}) {  // another master
        const ByteList received = hex(front) + says;
        const Found found = examine(renogy, received);
        EXPECT_EQ(found.state, complete) << front;
        EXPECT_EQ(data(found), hex(renogy_data)) << front;
    }
    const ByteList echoed = hex(two_asked + two_written);
    EXPECT_EQ(examine(write_two, echoed).state, complete);
}

TEST(ModbusExamine, TakesTheFirstOfTwo) {
    const ByteList received = hex(renogy_says + renogy_says);
    EXPECT_EQ(examine(renogy, received).data.data(), received.data() + 3);
}

TEST(ModbusExamine, SaysHowManyBytesAreMissing) {
    const ByteList says = hex(renogy_says);
    EXPECT_EQ(examine(renogy, {}).missing, 19U);
    EXPECT_EQ(examine(renogy, {}).state, nothing);
    for (std::size_t size = 1; size < says.size(); ++size) {
        const Found found = examine(renogy, std::span(says).first(size));
        EXPECT_EQ(found.state, cut) << size;
        EXPECT_EQ(found.missing, 19 - size);
    }
    const ByteList echoed = hex(renogy_asks + "30 03 0E FF");
    EXPECT_EQ(examine(renogy, echoed).state, cut);
    EXPECT_EQ(examine(renogy, echoed).missing, 15U);
    const ByteList written = hex("11 10 00 01 00");
    EXPECT_EQ(examine(write_two, written).missing, 3U);
}

TEST(ModbusExamine, TellsAnEchoFromAnAnswer) {
    const ByteList echo_only = hex(renogy_asks);
    EXPECT_EQ(examine(renogy, echo_only).state, echo);
    EXPECT_EQ(examine(renogy, echo_only).missing, 19U);
    const ByteList two_echoed = hex(two_asked);
    EXPECT_EQ(examine(write_two, two_echoed).state, echo);

    // Registers 0x1400.. x 10: the echo begins like the answer of 0x14 bytes.
    constexpr Question alike{.unit = 0x30, .first = 0x1402, .count = 10};
    const ByteList asked = hex("30 03 14 02 00 0A 65 DC ");
    ASSERT_EQ(bytes(request(alike)), asked);
    EXPECT_EQ(examine(alike, asked).state, echo);
    const ByteList both = asked + hex("30 03 14 00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33 A0 C9");
    const Found found = examine(alike, both);
    EXPECT_EQ(found.state, complete);
    EXPECT_EQ(found.data.data(), both.data() + 11);
}

TEST(ModbusExamine, DistinguishesWhoElseSpoke) {
    const auto why = [](const std::string& text) {
        const ByteList received = hex(text);
        const Found found = examine(renogy, received);
        EXPECT_EQ(found.state, foreign) << text;
        EXPECT_EQ(found.missing, 19U);
        return std::string(found.why);
    };
    EXPECT_EQ(why("31 03 0E 01 02 03 04 05 06 07 08 09 0A 0B 0C 0D 0E C1 D0"), "another unit on the bus answered");
    EXPECT_EQ(why("31 83 02 C0 FE"), "another unit on the bus answered");
    EXPECT_EQ(why("30 03 02 00 04 C4 43"), "an answer to another request came, perhaps a late one");
    EXPECT_EQ(why("30 84 02 93 0E"), "an answer to another request came, perhaps a late one");
    EXPECT_EQ(why("31 03 13 B2 00 07 A5 5B"), "another master asks questions on this bus");
    EXPECT_EQ(why(renogy_asks + "30 03 02 00 04 C4 43"), "an answer to another request came, perhaps a late one");
}

TEST(ModbusExamine, HearsARefusal) {
    const ByteList refusal = hex("30 83 02 91 3E");
    for (const ByteList& front : {ByteList{}, hex(renogy_asks), hex("FF 00")}) {
        const ByteList received = front + refusal;
        const Found found = examine(renogy, received);
        EXPECT_EQ(found.state, refused);
        EXPECT_EQ(found.code, 2);
        EXPECT_EQ(found.why, "Modbus exception 2: illegal data address");
    }
    EXPECT_NE(examine(renogy, std::span(refusal).first(4)).state, refused);
    const ByteList damaged = hex("30 83 02 91 3F");
    EXPECT_EQ(examine(renogy, damaged).state, garbage);
}

TEST(ModbusExamine, NoticesDamage) {
    const ByteList wrong = hex("30 03 0E FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F E0 1F");
    EXPECT_EQ(examine(renogy, wrong).state, checksum);
    EXPECT_EQ(examine(renogy, wrong).missing, 19U) << "it may be sent again";
    const ByteList noise = hex("00 00");
    EXPECT_EQ(examine(renogy, noise).state, garbage);
    // A real answer with an odd byte count and one byte less.
    const ByteList odd = hex("30 03 0D 00 00 00 88 00 01 7B B0 00 01 86 A0 0C EB");
    EXPECT_EQ(examine(renogy, odd).state, garbage);

    ByteList says = hex(renogy_says);
    for (std::uint8_t& byte : says)
        for (int bit = 0; bit < 8; ++bit) {
            byte ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_NE(examine(renogy, says).state, complete);
            byte ^= static_cast<std::uint8_t>(1 << bit);
        }
}

TEST(ModbusExamine, KnowsABatteryThatAnswersUnderAnotherNumber) {
    constexpr Question daly{.unit = 0x81, .first = 0, .count = 2, .answers_as = 0x51};
    const ByteList received = hex("81 03 00 00 00 02 DB CB 51 03 04 0D 05 0D 06 3C 09");
    EXPECT_EQ(data(examine(daly, received)), hex("0D 05 0D 06"));
    EXPECT_EQ(examine(daly, std::span(received).first(8)).state, echo);
    const ByteList refusal = hex("51 83 02 C0 E0");
    EXPECT_EQ(examine(daly, refusal).state, refused);
    constexpr Question plain{.unit = 0x81, .first = 0, .count = 2};
    EXPECT_EQ(examine(plain, received).state, foreign);
}

TEST(ModbusExamine, TakesOnlyTheAcknowledgeOfWhatWasWritten) {
    const ByteList written = hex(two_written);
    Question other = write_two;
    other.first = 2;
    EXPECT_EQ(examine(other, written).state, foreign);
    other = write_two;
    other.unit = 0x12;
    EXPECT_EQ(examine(other, written).state, foreign);
    other = write_one;
    other.count = 4;
    const ByteList single = hex(one_written);
    EXPECT_EQ(examine(other, single).state, foreign) << "another value was written";
}

TEST(ModbusExamine, ReadsTheLongestAnswer) {
    const ByteList longest = bytes(answer({.unit = 1, .count = 127}, ByteList(254, 0x5A)));
    const Found found = examine({.unit = 1, .count = 127}, longest);
    EXPECT_EQ(found.state, complete);
    EXPECT_EQ(found.data.size(), 254U);
}

TEST(ModbusExamine, SurvivesAnyBytes) {
    std::mt19937 random(20260102);
    const ByteList pieces = hex(renogy_asks + renogy_says + two_asked + two_written + "30 83 02 91 3E");
    for (int round = 0; round < 20000; ++round) {
        ByteList received;
        while (received.size() < 300 && random() % 8 != 0) {
            const std::size_t from = random() % pieces.size();
            const std::size_t size = random() % (pieces.size() - from) + 1;
            received.insert(received.end(), pieces.begin() + static_cast<std::ptrdiff_t>(from),
                            pieces.begin() + static_cast<std::ptrdiff_t>(from + size));
            received.push_back(static_cast<std::uint8_t>(random()));
        }
        for (const Question& question : {renogy, write_one, write_two, Question{.unit = 0x30, .count = 0xFFFF}}) {
            const Found found = examine(question, received);
            EXPECT_EQ(found.missing == 0, found.state == complete || found.state == refused);
            EXPECT_LE(found.missing, Frame::capacity);
            if (found.data.empty()) continue;
            EXPECT_GE(found.data.data(), received.data());
            EXPECT_LE(found.data.data() + found.data.size(), received.data() + received.size());
        }
    }
}

TEST(ModbusException, HasAMeaning) {
    for (std::uint8_t code = 1; code <= 11; ++code) {
        if (code == 9) continue;
        EXPECT_NE(meaning_of_exception(code).find(" " + std::to_string(code) + ":"), std::string_view::npos);
    }
    EXPECT_EQ(meaning_of_exception(0), "a Modbus exception with an unknown code");
    EXPECT_EQ(meaning_of_exception(0x83), "a Modbus exception with an unknown code");
}

}  // namespace
}  // namespace bmsd::framing::modbus
