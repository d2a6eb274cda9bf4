#include "model/words.hpp"

#include <gtest/gtest.h>

namespace bmsd {
namespace {

TEST(Words, AreTheSameInAnyCase) {
    EXPECT_TRUE(same_word("Jkbms_PB", "jkbms_pb"));
    EXPECT_TRUE(same_word("", ""));
    EXPECT_FALSE(same_word("Jkbms", "Jkbms_pb"));
    EXPECT_FALSE(same_word("[", "{")) << "letters only have a case";
}

TEST(Words, AreAsFarApartAsTheEditsBetweenThem) {
    EXPECT_EQ(word_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(word_distance("", "abc"), 3U);
    EXPECT_EQ(word_distance("abc", ""), 3U);
    EXPECT_EQ(word_distance("MAX_CELL", "max_cell"), 0U);
    EXPECT_EQ(word_distance("flaw", "lawn"), 2U);
    EXPECT_EQ(word_distance("ab", "ba"), 2U);
}

TEST(Words, AreTrimmedOfBlanks) {
    EXPECT_EQ(trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(trim("ab"), "ab");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace bmsd
