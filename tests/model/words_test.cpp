#include "model/words.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace bmsd {
namespace {

TEST(Words, AreTheSameInAnyCase) {
    EXPECT_TRUE(same_word("Jkbms_PB", "jkbms_pb"));
    EXPECT_TRUE(same_word("", ""));
    EXPECT_FALSE(same_word("Jkbms", "Jkbms_pb"));
    EXPECT_FALSE(same_word("[", "{")) << "letters only have a case";
}

TEST(Words, TheNearestIsTheFirstOfEquals) {
    NearestWord nearest("can");
    EXPECT_EQ(nearest.best(), "");
    for (const char* word : {"scenario", "scan", "cane", "list"}) nearest.consider(word);
    EXPECT_EQ(nearest.best(), "scan");
    nearest.consider("control", 0);
    EXPECT_EQ(nearest.best(), "control");
}

TEST(Words, AreCutBetweenCharacters) {
    EXPECT_EQ(cut_text("short", 5), "short");
    EXPECT_EQ(cut_text("short", 4), "shor");
    EXPECT_EQ(cut_text("a\xE2\x82\xAC", 3), "a");
    EXPECT_EQ(cut_text("a\xE2\x82\xAC!", 4), "a\xE2\x82\xAC");
    EXPECT_EQ(cut_text("\x80\x80\x80", 2), "") << "no text at all";
}

TEST(Words, AreAsFarApartAsTheEditsBetweenThem) {
    EXPECT_EQ(word_distance("kitten", "sitting"), 3U);
    EXPECT_EQ(word_distance("", "abc"), 3U);
    EXPECT_EQ(word_distance("abc", ""), 3U);
    EXPECT_EQ(word_distance("MAX_CELL", "max_cell"), 0U);
    EXPECT_EQ(word_distance("flaw", "lawn"), 2U);
    EXPECT_EQ(word_distance("ab", "ba"), 2U);
    for (std::size_t limit = 0; limit < 6; ++limit) {
        EXPECT_EQ(word_distance("kitten", "sitting", limit), std::min<std::size_t>(3, limit));
        EXPECT_EQ(word_distance("abc", "", limit), std::min<std::size_t>(3, limit));
    }
}

TEST(Words, AreTrimmedOfBlanks) {
    EXPECT_EQ(trim("  a b\t\r\n"), "a b");
    EXPECT_EQ(trim("ab"), "ab");
    EXPECT_EQ(trim(" \t "), "");
    EXPECT_EQ(trim(""), "");
}

}  // namespace
}  // namespace bmsd
