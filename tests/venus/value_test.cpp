// Values, their texts, rounding and conversion. Expected numbers are what Python prints.
#include "venus/value.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "venus/utf8.hpp"

namespace bmsd::venus {
namespace {

TEST(Text, PlainIsPythonStyle) {
    const auto plain = [](double number) { return text_of(number, {}); };
    EXPECT_EQ(plain(57), "57.0");
    EXPECT_EQ(plain(46.4), "46.4");
    EXPECT_EQ(plain(0.1), "0.1");
    EXPECT_EQ(plain(-0.015), "-0.015");
    EXPECT_EQ(plain(-8.399999999999977), "-8.399999999999977");
    EXPECT_EQ(plain(0), "0.0");
    EXPECT_EQ(plain(100000), "100000.0");
    EXPECT_EQ(plain(1234567890123456), "1234567890123456.0");
    EXPECT_EQ(plain(1e16), "1e+16");
    EXPECT_EQ(plain(0.0001), "0.0001");
    EXPECT_EQ(plain(0.00001), "1e-05");
    EXPECT_EQ(text_of(std::int32_t{-57}, {}), "-57");
    EXPECT_EQ(text_of(std::string_view{"Bulk │ Linear Mode"}, {}), "Bulk │ Linear Mode");
}

TEST(Text, InvalidIsThreeDashesInEveryFormat) {
    for (const auto style : {Format::Style::plain, Format::Style::whole, Format::Style::fixed, Format::Style::hex})
        EXPECT_EQ(text_of(Invalid{}, Format{style, 2, 2, "V"}), "---");
}

TEST(Text, WholeLeavesDecimalsAwayOnlyWhereThereAreNone) {
    constexpr Format whole{Format::Style::whole, 2};
    EXPECT_EQ(text_of(57.0, whole), "57");
    EXPECT_EQ(text_of(57.25, whole), "57.25");
    EXPECT_EQ(text_of(-2.0, whole), "-2");
}

TEST(Text, FixedHasDecimalsAndUnit) {
    EXPECT_EQ(text_of(52.81, Format{Format::Style::fixed, 2, 2, "V"}), "52.81V");
    EXPECT_EQ(text_of(3.3, Format{Format::Style::fixed, 3, 3, "V"}), "3.300V");
    EXPECT_EQ(text_of(-651.65, Format{Format::Style::fixed, 2, 0, "W"}), "-652W");
    EXPECT_EQ(text_of(-120.4, Format{Format::Style::fixed, 3, 0, "Ah"}), "-120Ah");
    EXPECT_EQ(text_of(2.5, Format{Format::Style::fixed, 2, 0, "W"}), "2W") << "ties go to the even digit";
    EXPECT_EQ(text_of(1.25, Format{Format::Style::fixed, 2, 1, "%"}), "1.2%");
}

TEST(Text, HexIsUpperCase) {
    EXPECT_EQ(text_of(std::int32_t{0xBA77}, Format{Format::Style::hex}), "0xBA77");
}

TEST(Convert, NumbersFromWhateverCame) {
    EXPECT_EQ(convert(Value{80.0}, Kind::integer), Value{80});
    EXPECT_EQ(convert(Value{80.9}, Kind::integer), Value{80});
    EXPECT_EQ(convert(Value{std::string{"80"}}, Kind::integer), Value{80});
    EXPECT_EQ(convert(Value{80}, Kind::real), Value{80.0});
    EXPECT_EQ(convert(Value{std::string{"3.45"}}, Kind::real), Value{3.45});
}

TEST(Convert, RefusesWhatIsNoNumber) {
    for (const Kind kind : {Kind::integer, Kind::real}) {
        EXPECT_EQ(convert(Value{std::string{"3.4V"}}, kind), std::nullopt);
        EXPECT_EQ(convert(Value{std::string{}}, kind), std::nullopt);
        EXPECT_EQ(convert(Value{std::string{"nan"}}, kind), std::nullopt);
        EXPECT_EQ(convert(Value{Invalid{}}, kind), std::nullopt);
    }
    EXPECT_EQ(convert(Value{3e9}, Kind::integer), std::nullopt) << "does not fit";
}

TEST(Convert, TextsFromWhateverCame) {
    EXPECT_EQ(convert(Value{5}, Kind::text), Value{std::string{"5"}});
    EXPECT_EQ(convert(Value{5.5}, Kind::text), Value{std::string{"5.5"}});
    EXPECT_EQ(convert(Value{std::string{"Garage"}}, Kind::text), Value{std::string{"Garage"}});
    EXPECT_EQ(convert(Value{Invalid{}}, Kind::text), Value{std::string{}});
}

TEST(Utf8, KeepsWhatIsValid) {
    for (const std::string_view text : {"", "plain", "Außen", "│", "温度", "🔋"}) EXPECT_EQ(valid_utf8(text), text);
}

TEST(Utf8, ReplacesWhatIsNot) {
    EXPECT_EQ(valid_utf8("Au\xDF"
                         "en"),
              "Au?en")
        << "Latin-1";
    EXPECT_EQ(valid_utf8("\xC0\xAF"), "??") << "overlong";
    EXPECT_EQ(valid_utf8("\xED\xA0\x80"), "???") << "surrogate";
    EXPECT_EQ(valid_utf8("\xEF\xBF\xBF"), "???") << "noncharacter";
    EXPECT_EQ(valid_utf8("\xF4\x90\x80\x80"), "????") << "beyond Unicode";
    EXPECT_EQ(valid_utf8("a\xE2\x94"), "a??") << "cut short";
    EXPECT_EQ(valid_utf8(std::string_view{"a\0b", 3}), "a?b");
}

}  // namespace
}  // namespace bmsd::venus
