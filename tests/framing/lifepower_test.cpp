// Frames 7E .. 0D: the checksums of the dossier, and where a frame begins and ends.
#include "framing/lifepower.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace bmsd::framing::lifepower {
namespace {

using State = Look::State;
using Octets = std::vector<std::uint8_t>;

// Dossier section 3: columns are addresses 0..F.
TEST(Lifepower, ChecksumsAreThoseOfTheDossier) {
    struct Row {
        std::uint8_t command;
        std::array<std::uint8_t, 16> sums;
    };
    constexpr Row rows[] = {
        {0x01, {0x00, 0xFE, 0xFC, 0xFE, 0xF8, 0xFE, 0xFC, 0xFE, 0xF0, 0xFE, 0xFC, 0xFE, 0xF8, 0xFE, 0xFC, 0xFE}},
        {0x33, {0xFC, 0xFE, 0xFC, 0xFA, 0xFC, 0xFE, 0xFC, 0xF2, 0xFC, 0xFE, 0xFC, 0xFA, 0xFC, 0xFE, 0xFC, 0x82}},
        {0x42, {0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC, 0xFC}},
    };
    for (const Row& row : rows)
        for (std::uint8_t address = 0; address < 16; ++address)
            EXPECT_EQ(checksum(Octets{0x7E, address, row.command, 0x00}), row.sums[address])
                << int{row.command} << " of address " << int{address};
    EXPECT_EQ(checksum(Octets{0x7C, 0x01, 0x01, 0x00}), 0x02);
    EXPECT_EQ(checksum(Octets{0x7C, 0x01, 0x42, 0x00}), 0x80);
    EXPECT_EQ(checksum(Octets{0x7C, 0x01, 0x33, 0x00}), 0xFE);
    EXPECT_EQ(checksum(Octets{0x7C, 0x01, 0x06, 0x00}), 0xF8);
    EXPECT_EQ(checksum(Octets{}), 0);
}

TEST(Lifepower, FindsBothStartBytes) {
    const Octets bytes = {0x00, 0x7C, 0x0D, 0x7E};
    EXPECT_EQ(next_start(bytes, 0), 1U);
    EXPECT_EQ(next_start(bytes, 2), 3U);
    EXPECT_EQ(next_start(bytes, 4), 4U);
    EXPECT_EQ(next_start({}, 0), 0U);
}

TEST(Lifepower, TakesTheLengthNotTheEndMark) {
    Octets frame = {0x7E, 0x01, 0x33, 0x04, 0x0D, 0x7E, 0x7C, 0x0D};
    for (std::size_t size = 0; size < frame.size() + 2; ++size) {
        const Look look = look_at(std::span(frame).first(std::min(size, frame.size())));
        EXPECT_EQ(look.state, State::cut) << size;
        EXPECT_EQ(look.size, size < 4 ? least_answer : 10U) << size;
    }
    frame.push_back(0x4A ^ 0xCA);  // XOR and sum, by hand
    frame.push_back(0x0D);
    EXPECT_EQ(look_at(frame).state, State::sound);
    EXPECT_EQ(look_at(frame).size, 10U);
    frame[9] = 0x00;
    EXPECT_EQ(look_at(frame).state, State::no_end);
    frame[9] = 0x0D;
    frame[8] ^= 0x01;
    EXPECT_EQ(look_at(frame).state, State::mismatch);
}

}  // namespace
}  // namespace bmsd::framing::lifepower
