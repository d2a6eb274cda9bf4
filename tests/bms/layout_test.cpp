#include "bms/layout.hpp"

#include <gtest/gtest.h>

#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::get;
using bms::put;
using enum bms::Wire;

TEST(Wire, ReadsEveryTypeInItsByteOrder) {
    const ByteList bytes = hex("FF 80 01 02 03 04");
    EXPECT_EQ(get(bytes, 0, u8), 255);
    EXPECT_EQ(get(bytes, 0, i8), -1);
    EXPECT_EQ(get(bytes, 0, u16be), 0xFF80);
    EXPECT_EQ(get(bytes, 0, i16be), -128);
    EXPECT_EQ(get(bytes, 0, u16le), 0x80FF);
    EXPECT_EQ(get(bytes, 0, i16le), -32513);
    EXPECT_EQ(get(bytes, 2, u32be), 0x01020304);
    EXPECT_EQ(get(bytes, 2, u32le), 0x04030201);
    EXPECT_EQ(get(bytes, 0, u32be), 0xFF800102);
    EXPECT_EQ(get(bytes, 0, i32be), -8388350);
    EXPECT_EQ(get(hex("FE FF FF FF"), 0, i32le), -2);
    EXPECT_EQ(get(hex("FE FF FF FF"), 0, u32le), 0xFFFFFFFE);
}

TEST(Wire, WritesWhatItReads) {
    for (const bms::Wire type : {u8, i8, u16be, i16be, u16le, i16le, u32be, i32be, u32le, i32le})
        for (const std::int64_t raw : {0, 1, 42, 127}) {
            ByteList bytes(6, 0xEE);
            put(bytes, 1, type, raw);
            EXPECT_EQ(get(bytes, 1, type), raw) << bms::to_string(type);
            EXPECT_EQ(bytes[0], 0xEE);
            EXPECT_EQ(bytes[1 + width(type)], 0xEE);
        }
    ByteList bytes(4, 0);
    put(bytes, 0, i16be, -2);
    EXPECT_EQ(bytes, hex("FF FE 00 00"));
    put(bytes, 0, u32le, 0x01020304);
    EXPECT_EQ(bytes, hex("04 03 02 01"));
}

TEST(WireText, IsCutAtTheFirstNulAndTrimmed) {
    EXPECT_EQ(bms::text(hex("20 4A 4B 20 00 41 42")), "JK");
    EXPECT_EQ(bms::text(hex("4A 4B")), "JK");
    EXPECT_EQ(bms::text(hex("00 41")), "");
    EXPECT_EQ(bms::text(hex("20 20")), "");
    EXPECT_EQ(bms::text({}), "");
}

TEST(WireText, NeverHoldsBytesThatAreNotUtf8) {
    EXPECT_EQ(bms::text(hex("41 BF 42")), "A?B");
    EXPECT_EQ(bms::text(hex("41 C3")), "A?");          // cut sequence
    EXPECT_EQ(bms::text(hex("C0 AF")), "??");          // overlong
    EXPECT_EQ(bms::text(hex("ED A0 80")), "???");      // surrogate
    EXPECT_EQ(bms::text(hex("F4 90 80 80")), "????");  // above U+10FFFF
    EXPECT_EQ(bms::text(hex("41 07 42 7F")), "A?B?");  // control characters
    EXPECT_EQ(bms::text(hex("C3 A4")), "\xC3\xA4");    // ä
    EXPECT_EQ(bms::text(hex("F0 9F 94 8B")), "\xF0\x9F\x94\x8B");
}

TEST(Layout, ClampsWhatTheWireCannotCarry) {
    static constexpr bms::Row rows[] = {{&Reading::voltage_v, 0, u8, 0.5, 10}};
    const bms::Layout layout{.size = 1, .rows = rows};
    for (const auto& [value, raw] : {std::pair{20.0, 20}, {5.0, 0}, {1e9, 255}, {137.5, 255}}) {
        Reading state;
        state.voltage_v = value;
        ByteList bytes(1, 0);
        bms::encode(layout, state, bytes);
        EXPECT_EQ(bytes[0], raw) << value;
    }
}

TEST(Layout, AppliesScaleBiasAndAbsence) {
    static constexpr bms::Row rows[] = {{&Reading::soc_percent, 0, i8, 0.5, -40, -1}};
    const bms::Layout layout{.size = 1, .rows = rows};
    Reading reading;
    bms::decode(layout, hex("0A"), reading);
    EXPECT_EQ(reading.soc_percent, -35.0);
    bms::decode(layout, hex("FF"), reading);
    EXPECT_FALSE(reading.soc_percent) << "an absent value must not leave the old one";
}

TEST(Layout, ReadsSwitchesByMaskAndInverted) {
    static constexpr bms::FlagRow rows[] = {{&Reading::charge_fet, 0, u16be, 0x0100, false},
                                            {&Reading::discharge_fet, 0, u16be, 0x0002, true}};
    const bms::Layout layout{.size = 2, .flags = rows};
    Reading reading;
    bms::decode(layout, hex("01 02"), reading);
    EXPECT_EQ(reading.charge_fet, true);
    EXPECT_EQ(reading.discharge_fet, false);
    bms::decode(layout, hex("FE FD"), reading);
    EXPECT_EQ(reading.charge_fet, false);
    EXPECT_EQ(reading.discharge_fet, true);
}

}  // namespace
}  // namespace bmsd::tests
