#include "model/words.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bmsd {
namespace {

/// The definition of the distance, as slow as it is.
std::size_t edits(std::string_view a, std::string_view b) {
    if (a.empty() || b.empty()) return a.size() + b.size();
    const std::string_view c = a.substr(1), d = b.substr(1);
    return same_word(a.substr(0, 1), b.substr(0, 1)) ? edits(c, d)
                                                     : 1 + std::min({edits(c, d), edits(a, d), edits(c, b)});
}

/// Of three letters, one of them in both cases, up to so many.
std::vector<std::string> words_up_to(std::size_t letters) {
    std::vector<std::string> words{""};
    for (std::size_t begin = 0; letters > 0; --letters)
        for (const std::size_t end = words.size(); begin < end; ++begin)
            for (const char letter : {'a', 'A', 'b', 'c'}) words.push_back(words[begin] + letter);
    return words;
}

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
    const std::vector<std::string> words = words_up_to(4);
    for (const std::string& a : words)
        for (const std::string& b : words) {
            const std::size_t apart = edits(a, b);
            ASSERT_EQ(word_distance(a, b), apart) << a << ' ' << b;
            for (std::size_t limit = 0; limit < 5; ++limit)
                ASSERT_EQ(word_distance(a, b, limit), std::min(apart, limit)) << a << ' ' << b << ' ' << limit;
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
