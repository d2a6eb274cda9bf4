// What every family must hold, run over the whole catalogue with its recorded answers: damage never passes for
// another reading, and how the bytes arrive makes no difference.
#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Asking;
using bms::Family;
using bms::Reply;
using bms::Request;

/// Ways to be asked: alone on the link, and where the family has addresses also as one of several.
std::vector<bool> company(const Family& family) {
    return family.addresses.used ? std::vector<bool>{true, false} : std::vector<bool>{true};
}

class EveryFamily : public testing::TestWithParam<const Family*> {
protected:
    const Family& family() const { return *GetParam(); }
    const std::vector<Recorded>& answers() const { return answers_; }

    void SetUp() override { ASSERT_FALSE(answers_.empty()) << "no recorded answer decodes"; }

    /// Damaged or decorated bytes may be refused, but must never say anything else than the recorded answer.
    void expect_same_or_error(const Recorded& answer, std::span<const std::uint8_t> bytes, const std::string& what) {
        for (const bool alone : company(family())) {
            const auto got = hear(family(), *answer.request, answer.asking(alone), bytes);
            if (got && *got != answer.reading)
                ADD_FAILURE() << answer.file << ", " << answer.request->name << ": " << what << " changes the reading";
        }
    }
    void expect_same(const Recorded& answer, std::span<const std::uint8_t> bytes, const std::string& what,
                     std::size_t piece = max_frame) {
        const auto got = hear(family(), *answer.request, answer.asking(true), bytes, piece);
        ASSERT_TRUE(got) << answer.file << ", " << answer.request->name << ", " << what << ": " << got.error().detail;
        EXPECT_EQ(*got, answer.reading) << answer.file << ", " << answer.request->name << ", " << what;
    }

private:
    const std::vector<Recorded> answers_ = good_answers(*GetParam());
};

TEST_P(EveryFamily, HasARecordedAnswerToEveryRequest) {
    for (const Request& request : family().requests)
        EXPECT_TRUE(std::any_of(answers().begin(), answers().end(), [&](const Recorded& answer) {
            return answer.request == &request;
        })) << request.name;
}

TEST_P(EveryFamily, NeverReadsACutAnswerDifferently) {
    for (const Recorded& answer : answers())
        for (std::size_t size = 0; size < answer.bytes.size(); ++size)
            expect_same_or_error(answer, std::span(answer.bytes).first(size), "a cut after " + std::to_string(size));
}

// A lost byte shifts all behind it. An 8-bit sum misses one in 256 of them; nothing worse may pass.
TEST_P(EveryFamily, NoticesALostByteAsOftenAsItsChecksumAllows) {
    std::size_t tried = 0;
    std::size_t missed = 0;
    for (const Recorded& answer : answers())
        for (std::size_t at = 0; at < answer.bytes.size(); ++at) {
            ByteList bytes = answer.bytes;
            bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
            for (const bool alone : company(family())) {
                const auto got = hear(family(), *answer.request, answer.asking(alone), bytes);
                ++tried;
                if (got && *got != answer.reading) ++missed;
            }
        }
    EXPECT_LE(missed * 128, tried);
}

TEST_P(EveryFamily, NeverReadsAFlippedBitDifferently) {
    if (family().integrity != bms::Integrity::checked) GTEST_SKIP() << "its frames cannot notice every flipped bit";
    for (const Recorded& answer : answers()) {
        ByteList bytes = answer.bytes;
        for (std::size_t at = 0; at < bytes.size(); ++at)
            for (int bit = 0; bit < 8; ++bit) {
                bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
                expect_same_or_error(answer, bytes,
                                     "flipping bit " + std::to_string(bit) + " of byte " + std::to_string(at));
                bytes[at] = answer.bytes[at];
            }
    }
}

// A weak checksum must at least be looked at, and what it lets pass must keep its address, command and length.
TEST_P(EveryFamily, NoticesFlippedBitsAsOftenAsAWeakChecksumAllows) {
    if (family().integrity != bms::Integrity::weak) GTEST_SKIP() << "all or none are noticed";
    std::size_t tried = 0;
    std::size_t missed = 0;
    for (const Recorded& answer : answers()) {
        ByteList bytes = answer.bytes;
        for (std::size_t at = 0; at < bytes.size(); ++at)
            for (int bit = 0; bit < 8; ++bit) {
                bytes[at] ^= static_cast<std::uint8_t>(1 << bit);
                const auto got = hear(family(), *answer.request, answer.asking(true), bytes);
                ++tried;
                if (got && *got != answer.reading) ++missed;
                bytes[at] = answer.bytes[at];
            }
    }
    EXPECT_LE(missed * 2, tried);
}

TEST_P(EveryFamily, FindsTheAnswerBehindGarbage) {
    for (const Recorded& answer : answers()) {
        const std::span<const std::uint8_t> whole(answer.bytes);
        Bytes request;
        family().build(*answer.request, answer.asking(true), request);
        expect_same(answer, joined(request, whole), "behind the echo of the request");
        expect_same(answer, joined(std::span(request).last(3), whole), "behind the end of the echo");
        expect_same(answer, joined(ByteList(20, 0x00), whole), "behind zeros");
        expect_same(answer, joined(ByteList(20, 0xFF), whole), "behind ones");
        expect_same(answer, joined(hex("DD 03 00 1B 68 4E 55 AA 01 77"), whole), "behind another protocol");
        for (const std::size_t size : {std::size_t{3}, std::size_t{40}, whole.size() / 2})
            if (size < whole.size())
                expect_same(answer, joined(whole.last(size), whole), "behind the end of an older answer");
        for (const std::size_t size : {std::size_t{100}, whole.size() / 2})
            if (size < whole.size()) expect_same(answer, joined(whole.first(size), whole), "behind its own beginning");
        for (std::size_t size = 1; size <= 16 && size < whole.size(); ++size)
            expect_same(answer, joined(whole.first(size), whole), "behind its own first " + std::to_string(size));
    }
}

TEST_P(EveryFamily, TakesADoubledAnswerOnce) {
    for (const Recorded& answer : answers()) expect_same(answer, joined(answer.bytes, answer.bytes), "doubled");
}

TEST_P(EveryFamily, DoesNotCareHowTheBytesArrive) {
    for (const Recorded& answer : answers()) {
        for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{64}})
            expect_same(answer, answer.bytes, "in pieces of " + std::to_string(piece), piece);
        for (std::size_t split = 1; split < answer.bytes.size(); ++split) {
            bms::Transaction transaction;
            transaction.start(family(), *answer.request, answer.asking(true));
            std::copy_n(answer.bytes.begin(), split, transaction.room().begin());
            transaction.received(split);
            std::copy(answer.bytes.begin() + static_cast<std::ptrdiff_t>(split), answer.bytes.end(),
                      transaction.room().begin());
            transaction.received(answer.bytes.size() - split);
            Reading reading = answer.known;
            ASSERT_TRUE(transaction.finish(reading)) << answer.file << ", split at " << split;
            EXPECT_EQ(reading, answer.reading) << answer.file << ", split at " << split;
        }
    }
}

TEST_P(EveryFamily, SaysHowManyBytesAreMissing) {
    for (const Recorded& answer : answers()) {
        const Asking asking = answer.asking(false);
        if (!hear(family(), *answer.request, asking, answer.bytes)) continue;  // needs silence to be accepted
        std::span<const std::uint8_t> left(answer.bytes);
        bms::Transaction transaction;
        transaction.start(family(), *answer.request, asking);
        while (transaction.reply().progress == Reply::Progress::waiting) {
            const std::size_t missing = transaction.reply().missing;
            ASSERT_GE(missing, 1U);
            ASSERT_LE(missing, left.size()) << answer.file << ": more bytes are awaited than this answer has";
            std::copy_n(left.begin(), missing, transaction.room().begin());
            left = left.subspan(missing);
            transaction.received(missing);
        }
        Reading reading = answer.known;
        ASSERT_TRUE(transaction.finish(reading)) << answer.file;
        EXPECT_EQ(reading, answer.reading);
    }
}

TEST_P(EveryFamily, RefusesTheAnswerOfAnotherAddress) {
    if (!family().addresses.used) GTEST_SKIP() << "one battery per port";
    const auto proven = good_answers_among_several(family());
    ASSERT_FALSE(proven.empty());
    for (const Recorded& answer : proven)
        for (std::uint32_t address = family().addresses.first; address <= family().addresses.last; ++address)
            for (const bool alone : {true, false}) {
                if (address == answer.address) continue;
                const auto got = hear(family(), *answer.request, {address, alone, &answer.known}, answer.bytes);
                ASSERT_FALSE(got) << answer.file << " taken for address " << address;
                EXPECT_EQ(got.error().cls, ErrorClass::unexpected);
            }
}

TEST_P(EveryFamily, RefusesTheAnswerToAnotherRequest) {
    if (family().answers_alike) GTEST_SKIP() << "its answers do not say what they answer";
    for (const Recorded& answer : answers())
        for (const Request& other : family().requests) {
            if (&other == answer.request) continue;
            EXPECT_FALSE(hear(family(), other, answer.asking(true), answer.bytes))
                << answer.file << " taken for " << other.name;
        }
}

TEST_P(EveryFamily, IsRecognisedByNoOtherFamily) {
    for (const Recorded& answer : answers())
        for (const Family* other : bms::with_requests(bms::catalog())) {
            // Dialects that frame alike understand each other's answers; which one it is their questions decide.
            if (other == GetParam() || other->examine == family().examine) continue;
            for (const Request& request : other->requests)
                EXPECT_FALSE(hear(*other, request, {other->addresses.standard, true, &answer.known}, answer.bytes))
                    << answer.file << " taken for " << other->type << " " << request.name;
        }
}

TEST_P(EveryFamily, SaysItIsSilentWhenNothingCame) {
    for (const Request& request : family().requests) {
        const auto got = hear(family(), request, {family().addresses.standard, true, nullptr}, {});
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().cls, ErrorClass::truncated);
        EXPECT_NE(got.error().detail.find("no answer"), std::string::npos) << got.error().detail;
    }
}

/// Bytes that are random, but begin and continue with pieces of real answers often enough to get past the header.
ByteList noise(std::mt19937& random, const std::vector<Recorded>& answers) {
    const auto below = [&](std::size_t limit) {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
    };
    ByteList bytes;
    while (bytes.size() < 1000 && below(6) != 0) {
        if (below(2) == 0) {
            for (std::size_t i = below(40); i > 0; --i) bytes.push_back(static_cast<std::uint8_t>(below(256)));
        } else {
            const ByteList& source = answers[below(answers.size())].bytes;
            const std::size_t from = below(3) == 0 ? below(source.size()) : 0;
            bytes.insert(bytes.end(), source.begin() + static_cast<std::ptrdiff_t>(from),
                         source.begin() + static_cast<std::ptrdiff_t>(from + below(source.size() - from) + 1));
        }
    }
    bytes.resize(std::min(bytes.size(), max_frame));
    return bytes;
}

TEST_P(EveryFamily, SurvivesAnyBytes) {
    std::mt19937 random(20260101);
    for (int round = 0; round < 3000; ++round) {
        const ByteList bytes = noise(random, answers());
        for (const Request& request : family().requests)
            for (const bool alone : company(family())) {
                const Asking asking{family().addresses.standard, alone, nullptr};
                const Reply reply = family().examine(request, asking, bytes);
                if (reply.progress == Reply::Progress::waiting) {
                    EXPECT_GE(reply.missing, 1U);
                    EXPECT_LE(reply.missing, max_frame);
                    EXPECT_FALSE(reply.why.empty());
                }
                if (!reply.payload.empty()) {
                    ASSERT_GE(reply.payload.data(), bytes.data());
                    ASSERT_LE(reply.payload.data() + reply.payload.size(), bytes.data() + bytes.size());
                }
            }
        if (family().unsolicited) {
            const Reply reply = family().unsolicited({family().addresses.standard, true, nullptr}, bytes);
            EXPECT_TRUE(reply.payload.empty()) << "bytes nobody asked for are never data";
            EXPECT_NE(reply.progress, Reply::Progress::complete);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryFamily, testing::ValuesIn(bms::with_requests(bms::catalog())),
                         [](const auto& test) { return std::string(test.param->key); });

}  // namespace
}  // namespace bmsd::tests
