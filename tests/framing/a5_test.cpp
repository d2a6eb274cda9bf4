#include "framing/a5.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

namespace a5 = bmsd::framing::a5;

namespace {

using Bytes = std::vector<std::uint8_t>;

// Captured: answer to 0x90 of board 1, 53.2 V.
const Bytes answer = {0xA5, 0x01, 0x90, 0x08, 0x02, 0x14, 0x00, 0x00, 0x75, 0x45, 0x03, 0x78, 0x89};

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

}  // namespace

TEST(A5, WritesTheWorkedExamplesOfTheDossier) {
    std::array<std::uint8_t, a5::frame_size> out{};
    a5::write(0x40, 0x90, {}, out);
    EXPECT_EQ(Bytes(out.begin(), out.end()), (Bytes{0xA5, 0x40, 0x90, 0x08, 0, 0, 0, 0, 0, 0, 0, 0, 0x7D}));
    const Bytes filler(8, 0xAA);
    a5::write(0x40, 0x90, filler, out);
    EXPECT_EQ(out[12], 0xCD);
}

TEST(A5, ReadsFramesAndStepsOverWhatIsBetween) {
    const Bytes received = Bytes{0x00, 0xA5} + answer + Bytes{0xA5, 0x17} + answer;
    a5::Frames frames(received);
    for (int i = 0; i < 2; ++i) {
        const auto frame = frames.next();
        ASSERT_EQ(frame.data.size(), 8u) << i;
        EXPECT_EQ(frame.address, 1);
        EXPECT_EQ(frame.command, 0x90);
        EXPECT_EQ(frame.data[1], 0x14);
    }
    EXPECT_TRUE(frames.next().data.empty());
    EXPECT_EQ(frames.cut(), 0u);
}

TEST(A5, SaysHowMuchOfACutFrameIsThere) {
    for (std::size_t size = 1; size < answer.size(); ++size) {
        const Bytes cut(answer.begin(), answer.begin() + static_cast<long>(size));
        a5::Frames frames(cut);
        EXPECT_TRUE(frames.next().data.empty());
        EXPECT_EQ(frames.cut(), size);
    }
}

TEST(A5, TellsAWrongSumFromAWrongLength) {
    Bytes damaged = answer;
    damaged[5] ^= 1;
    a5::Frames wrong_sum(damaged);
    EXPECT_TRUE(wrong_sum.next().data.empty());
    EXPECT_EQ(wrong_sum.damage(), a5::Frames::Damage::checksum);
    damaged = answer;
    damaged[3] = 9;
    a5::Frames wrong_length(damaged);
    EXPECT_TRUE(wrong_length.next().data.empty());
    EXPECT_EQ(wrong_length.damage(), a5::Frames::Damage::length);
}

TEST(A5, DoesNotTakeATornFrameWhoseSumFitsByChance) {
    // The head of a captured answer to 0x93, then the whole answer: the first 13 bytes add up.
    const Bytes captured = {0xA5, 0x01, 0x93, 0x08, 0x02, 0x01, 0x01, 0x7A, 0x00, 0x00, 0x00, 0x00, 0xBF};
    const Bytes received = Bytes{0xA5, 0x01, 0x93, 0x08} + captured;
    a5::Frames frames(received);
    const auto frame = frames.next();
    ASSERT_EQ(frame.data.size(), 8u);
    EXPECT_EQ(frame.data[3], 0x7A);
}
