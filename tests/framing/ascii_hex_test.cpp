// Frames of the YD/T 1363 kind against frames of dossiers and recordings.
#include "framing/ascii_hex.hpp"

#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bmsd::framing::ascii_hex {
namespace {

using ByteList = std::vector<std::uint8_t>;
using enum Found::State;

ByteList ascii(std::string_view text) {
    return {text.begin(), text.end()};
}

std::string built(const Head& head, const ByteList& info) {
    std::string out;
    append(out, head, info);
    return out;
}

// Recorded: a battery tells its protocol version, 2.00.
const std::string recorded = "~22014A00E002C8FD14\r";
const std::string asked = "~22014A42E00201FD28\r";
const std::string refusal = "~22014A040000FDA2\r";

TEST(AsciiHex, BuildsTheFramesThatBatteriesAreAsked) {
    EXPECT_EQ(built({0x22, 0x01, 0x4A, 0x42}, {0x01}), asked);
    EXPECT_EQ(built({0x22, 0x02, 0x4A, 0x42}, {0x02}), "~22024A42E00202FD26\r");
    EXPECT_EQ(built({0x22, 0x01, 0x4A, 0x4F}, {}), "~22014A4F0000FD8C\r");
    EXPECT_EQ(built({0x22, 0x01, 0x4A, 0xB0}, {0x01, 0x01, 0x03, 0xFF, 0x00}), "~22014AB0600A010103FF00FB6C\r");
    EXPECT_EQ(built({0x20, 0x01, 0x40, 0x43}, {0x00}), "~20014043E00200FD3B\r");
}

TEST(AsciiHex, ChecksTheLengthWithOneDigit) {
    EXPECT_EQ(length_check(0x000), 0);
    EXPECT_EQ(length_check(0x002), 0xE);
    EXPECT_EQ(length_check(0x012), 0xD);
    EXPECT_EQ(length_check(0x0C6), 0xE);
    EXPECT_EQ(length_check(0x0EE), 0x4);
    // Digits that add up to 16: the check digit is 0, never 16.
    EXPECT_EQ(length_check(0x088), 0);
    EXPECT_EQ(length_check(0x07A), 0xF);
    EXPECT_EQ(length_check(0xFFF), 3);
    const ByteList info(0x88 / 2);
    const ByteList frame_bytes = ascii(built({0x22, 1, 0x4A, 0}, info));
    EXPECT_EQ(std::string(frame_bytes.begin() + 9, frame_bytes.begin() + 13), "0088");
    EXPECT_EQ(find_frame(frame_bytes).state, frame);
}

TEST(AsciiHex, FindsAFrame) {
    const ByteList received = ascii(recorded);
    const Found found = find_frame(received);
    ASSERT_EQ(found.state, frame);
    EXPECT_EQ(found.head, (Head{0x22, 0x01, 0x4A, 0x00}));
    EXPECT_EQ(std::string(found.info.begin(), found.info.end()), "C8");
    EXPECT_EQ(found.end, received.size());
    const ByteList refused = ascii(refusal);
    EXPECT_EQ(find_frame(refused).head.cid2, 4);
    EXPECT_TRUE(find_frame(refused).info.empty());
}

TEST(AsciiHex, FindsEveryFrameInTurn) {
    const ByteList received = ascii(asked + "noise" + recorded + refusal);
    Found found = find_frame(received);
    EXPECT_EQ(found.head.cid2, 0x42);
    found = find_frame(received, found.end);
    EXPECT_EQ(found.head.cid2, 0x00);
    found = find_frame(received, found.end);
    EXPECT_EQ(found.head.cid2, 0x04);
    EXPECT_EQ(find_frame(received, found.end).state, nothing);
}

TEST(AsciiHex, BeginsAnewAtEveryStart) {
    for (const std::string& front :
         {std::string("\0\xFF", 2), std::string("~"), std::string("~22014A00E0"), recorded.substr(0, 17),
          std::string("~22014A00E002C8FD15\r"), std::string("~22014A00FFFF"), std::string("\r\r22014A\r")}) {
        const ByteList received = ascii(front + recorded);
        const Found found = find_frame(received);
        EXPECT_EQ(found.state, frame) << front;
        EXPECT_EQ(found.end, received.size()) << front;
    }
}

TEST(AsciiHex, SaysHowManyCharactersAreMissing) {
    EXPECT_EQ(find_frame({}).state, nothing);
    EXPECT_EQ(find_frame({}).missing, overhead);
    const ByteList received = ascii(recorded);
    for (std::size_t size = 1; size < received.size(); ++size) {
        const Found found = find_frame(std::span(received).first(size));
        EXPECT_EQ(found.state, cut) << size;
        EXPECT_GE(found.missing, 1U);
        EXPECT_LE(found.missing, received.size() - size);
        if (size >= 13) {
            EXPECT_EQ(found.missing, received.size() - size) << "the length is known";
        }
    }
}

TEST(AsciiHex, NoticesDamage) {
    const auto state = [](std::string_view text) {
        const ByteList received = ascii(text);
        const Found found = find_frame(received);
        EXPECT_FALSE(found.why.empty());
        EXPECT_GE(found.missing, 1U);
        return found.state;
    };
    EXPECT_EQ(state("22014A00E002C8FD14\r"), garbage);
    EXPECT_EQ(state("~22014A00E002C8FD15\r"), wrong_checksum);
    EXPECT_EQ(state("~22024A00E002C8FD14\r"), wrong_checksum);
    EXPECT_EQ(state("~22014A001002C8FD14\r"), wrong_length);
    EXPECT_EQ(state("~22014A00E002ZZFD14\r"), malformed);
    EXPECT_EQ(state("~2X014A00E002C8FD14\r"), malformed);
    EXPECT_EQ(state("~22014A00E002C8FD\r"), malformed) << "too short";
    EXPECT_EQ(state("~22014A00E002C8FD1400\r"), malformed) << "too long";
    EXPECT_EQ(state("~22014A00F001CFD42\r"), malformed) << "half a byte";
    EXPECT_EQ(state("~22014A0053EA"), malformed) << "1002 characters will not come";
    EXPECT_EQ(state("~22014A0073E8"), cut);
}

TEST(AsciiHex, NoticesEveryFlippedBit) {
    ByteList received = ascii(recorded);
    for (std::size_t at = 0; at < received.size(); ++at)
        for (int bit = 0; bit < 8; ++bit) {
            received[at] ^= static_cast<std::uint8_t>(1 << bit);
            const Found found = find_frame(received);
            // Lower case means the same; only the checksum's own case is not covered by the checksum.
            const bool case_of_checksum = bit == 5 && at >= 15 && at < 19 && recorded[at] >= 'A';
            EXPECT_EQ(found.state == frame, case_of_checksum) << at << " bit " << bit;
            received[at] ^= static_cast<std::uint8_t>(1 << bit);
        }
}

TEST(AsciiHex, SpellsBytes) {
    EXPECT_EQ(byte_of('0', '0'), 0);
    EXPECT_EQ(byte_of('A', '5'), 0xA5);
    EXPECT_EQ(byte_of('f', 'F'), 0xFF);
    for (const char wrong : {'G', 'g', '/', ':', '@', '`', ' ', '\0', '~'}) {
        EXPECT_EQ(byte_of(static_cast<std::uint8_t>(wrong), '0'), -1) << wrong;
        EXPECT_EQ(byte_of('0', static_cast<std::uint8_t>(wrong)), -1) << wrong;
    }
    ByteList out;
    unhex(out, ascii("00A5fF0"));
    EXPECT_EQ(out, (ByteList{0x00, 0xA5, 0xFF}));
    out.clear();
    unhex(out, ascii("01XX02"));
    EXPECT_EQ(out, (ByteList{0x01}));
}

TEST(AsciiHex, BuildsTheLongestFrameThereIs) {
    const ByteList longest = ascii(built({0x25, 1, 0x46, 0}, ByteList(5000, 0xA5)));
    EXPECT_EQ(longest.size(), overhead + 2 * max_info);
    EXPECT_EQ(find_frame(longest).state, frame);
}

TEST(AsciiHex, SurvivesAnyBytes) {
    std::mt19937 random(20260103);
    const std::string pieces = asked + recorded + refusal + "~22014A00E0C6";
    for (int round = 0; round < 20000; ++round) {
        ByteList received;
        while (received.size() < 200 && random() % 8 != 0) {
            const std::size_t from = random() % pieces.size();
            const std::string piece = pieces.substr(from, random() % 30);
            received.insert(received.end(), piece.begin(), piece.end());
            if (random() % 4 == 0) received.push_back(static_cast<std::uint8_t>(random()));
        }
        for (std::size_t from = 0;;) {
            const Found found = find_frame(received, from);
            EXPECT_EQ(found.missing == 0, found.state == frame);
            if (found.state != frame) break;
            EXPECT_GT(found.end, from);
            EXPECT_LE(found.end, received.size());
            from = found.end;
        }
    }
}

}  // namespace
}  // namespace bmsd::framing::ascii_hex
