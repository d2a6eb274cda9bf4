// Checksums against published check values and the worked examples of the dossiers; the search for frames.
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "framing/checksum.hpp"
#include "framing/dd77.hpp"
#include "framing/find.hpp"

namespace bmsd::framing {
namespace {

using ByteList = std::vector<std::uint8_t>;

ByteList ascii(std::string_view text) {
    return {text.begin(), text.end()};
}

TEST(Crc16Modbus, HasThePublishedCheckValue) {
    EXPECT_EQ(crc16_modbus(ascii("123456789")), 0x4B37);
    EXPECT_EQ(crc16_modbus({}), 0xFFFF);
}

TEST(Crc16Modbus, EndsFramesLowByteFirst) {
    const ByteList request = {0x03, 0x10, 0x16, 0x20, 0x00, 0x01, 0x02, 0x00, 0x00, 0xCF, 0x91};
    EXPECT_EQ(crc16_modbus(std::span(request).first(9)), 0x91CF);
    EXPECT_TRUE(has_crc16_modbus(request));
    const ByteList acknowledge = {0x03, 0x10, 0x16, 0x20, 0x00, 0x01, 0x05, 0xA9};
    EXPECT_TRUE(has_crc16_modbus(acknowledge));
}

TEST(Crc16Modbus, NoticesEveryFlippedBit) {
    ByteList frame = {0x03, 0x10, 0x16, 0x20, 0x00, 0x01, 0x05, 0xA9};
    for (std::uint8_t& byte : frame)
        for (int bit = 0; bit < 8; ++bit) {
            byte ^= static_cast<std::uint8_t>(1 << bit);
            EXPECT_FALSE(has_crc16_modbus(frame));
            byte ^= static_cast<std::uint8_t>(1 << bit);
        }
}

TEST(Crc16Modbus, NeedsSomethingToCheck) {
    EXPECT_FALSE(has_crc16_modbus({}));
    EXPECT_FALSE(has_crc16_modbus(ByteList{0xFF}));
    EXPECT_FALSE(has_crc16_modbus(ByteList{0xFF, 0xFF})) << "the CRC of nothing is no frame";
    EXPECT_TRUE(has_crc16_modbus(ByteList{0x00, 0xBF, 0x40}));
}

TEST(Sums, AddWithoutCarryingOver) {
    EXPECT_EQ(sum8(ByteList{0x01, 0x02, 0x03}), 0x06);
    EXPECT_EQ(sum8(ByteList{0xFF, 0x02}), 0x01);
    EXPECT_EQ(sum8({}), 0);
    EXPECT_EQ(sum16(ByteList(300, 0xFF)), 300 * 255 - 65536);
    const ByteList request = {0x4E, 0x57, 0x00, 0x13, 0, 0, 0, 0, 0x06, 0x03, 0, 0, 0, 0, 0, 0, 0x68};
    EXPECT_EQ(sum16(request), 0x0129);
}

TEST(FindMark, FindsTheFirstWholeMark) {
    const ByteList mark = {0x55, 0xAA, 0xEB, 0x90};
    EXPECT_EQ(find_mark(ByteList{0x55, 0xAA, 0xEB, 0x90}, mark), 0U);
    EXPECT_EQ(find_mark(ByteList{0x00, 0x55, 0x55, 0xAA, 0xEB, 0x90, 0x55, 0xAA, 0xEB, 0x90}, mark), 2U);
    EXPECT_EQ(find_mark(ByteList{0x55, 0xAA, 0xEB, 0x90, 0x55, 0xAA, 0xEB, 0x90}, mark, 1), 4U);
    EXPECT_EQ(find_mark(ByteList{0x55, 0xAA, 0x00, 0x55, 0xAA, 0xEB, 0x90}, mark), 3U) << "not the broken one before";
}

TEST(FindMark, KeepsABeginningThatTheEndCuts) {
    const ByteList mark = {0x55, 0xAA, 0xEB, 0x90};
    EXPECT_EQ(find_mark(ByteList{0x00, 0x00, 0x55}, mark), 2U);
    EXPECT_EQ(find_mark(ByteList{0x00, 0x55, 0xAA, 0xEB}, mark), 1U);
    EXPECT_EQ(find_mark(ByteList{0x00, 0x55, 0xAA, 0x55}, mark), 3U);
}

TEST(FindMark, SaysSizeWhenThereIsNone) {
    const ByteList mark = {0x4E, 0x57};
    EXPECT_EQ(find_mark({}, mark), 0U);
    EXPECT_EQ(find_mark(ByteList{0x01, 0x02}, mark), 2U);
    EXPECT_EQ(find_mark(ByteList{0x4E, 0x57}, mark, 1), 2U);
    EXPECT_EQ(find_mark(ByteList{0x4E, 0x57}, mark, 2), 2U);
}

// The examples of dossier lltjbd §3.
TEST(Dd77, HasTheChecksumOfTheDossier) {
    EXPECT_EQ(checksum_dd77(ByteList{0x03, 0x00}), 0xFFFD);
    EXPECT_EQ(checksum_dd77(ByteList{0x00, 0x00}), 0x0000);
    EXPECT_EQ(checksum_dd77(ByteList{0x81, 0x00}), 0xFF7F);
    EXPECT_EQ(checksum_dd77(ByteList{0x00, 0x08, 0x0F, 0x45, 0x0F, 0x3D, 0x0F, 0x37, 0x0F, 0x3D}), 0xFEC6);
}

TEST(Dd77, IsFoundBehindStrayBytesAndInsideADamagedFrame) {
    const ByteList frame = {0xDD, 0x24, 0x81, 0x00, 0xFF, 0x7F, 0x77};
    for (const ByteList& before : {ByteList{}, ByteList{0x00, 0x00}, ByteList{0xDD}, ByteList{0xDD, 0x03, 0x00, 0x1D},
                                   ByteList{0xDD, 0x03, 0x00, 0x00, 0xFF, 0xFF, 0x77}}) {
        ByteList bytes = before;
        bytes.insert(bytes.end(), frame.begin(), frame.end());
        const Dd77 found = find_dd77(bytes);
        ASSERT_EQ(ByteList(found.frame.begin(), found.frame.end()), frame) << before.size();
        EXPECT_EQ(found.frame.data(), bytes.data() + before.size());
    }
}

TEST(Dd77, SaysWhatIsWrongAndHowMuchIsMissing) {
    struct Case {
        ByteList bytes;
        Dd77::Fault fault;
        std::size_t missing;
    };
    const Case cases[] = {
        {{}, Dd77::Fault::none, 7},
        {{0x00, 0x77}, Dd77::Fault::none, 7},
        {{0xDD}, Dd77::Fault::cut, 6},
        {{0xDD, 0x04, 0x00, 0x08, 0x0F}, Dd77::Fault::cut, 10},
        {{0xDD, 0x24, 0x81, 0x00, 0xFF, 0x7F, 0x78}, Dd77::Fault::end, 7},
        {{0xDD, 0x24, 0x81, 0x00, 0xFF, 0x7E, 0x77}, Dd77::Fault::checksum, 7},
    };
    for (const Case& one : cases) {
        const Dd77 found = find_dd77(one.bytes);
        EXPECT_TRUE(found.frame.empty());
        EXPECT_EQ(found.fault, one.fault);
        EXPECT_EQ(found.missing, one.missing);
    }
}

}  // namespace
}  // namespace bmsd::framing
