// Listening to whole dialogues: several addresses, silence, unknown requests, and untouched readings on failure.
#include "bms/transaction.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "app/vector_file.hpp"
#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Exchange;

const bms::Family& pb() {
    return *bms::find_family("Jkbms_pb");
}

/// Question and answer of a battery whose state is `reading`, at `address`.
Exchange exchange(std::size_t request, std::uint32_t address, const Reading& reading) {
    const bms::Asking asking{address, false, nullptr};
    Bytes asked;
    Bytes answered;
    pb().build(pb().requests[request], asking, asked);
    bms::answer(pb(), pb().requests[request], asking, reading, answered);
    return {{asked.begin(), asked.end()}, {{answered.begin(), answered.end()}}};
}
constexpr std::size_t about = 0;
constexpr std::size_t status = 2;

Reading at(double voltage) {
    Reading reading;
    reading.voltage_v = voltage;
    reading.alarms.raise(Alarm::high_cell_voltage, Level::alarm);
    return reading;
}

TEST(Listen, KeepsTheBatteriesOfABusApart) {
    const std::vector<std::uint32_t> addresses = {4, 2, 9};
    const std::vector<Exchange> exchanges = {
        exchange(status, 2, at(52)), exchange(status, 4, at(54)), {exchange(status, 9, {}).request, {}}};
    const auto heard = bms::listen(pb(), addresses, exchanges);
    ASSERT_EQ(heard.size(), 3U);
    EXPECT_EQ(heard[0].address, 4U);
    ASSERT_TRUE(heard[0].reading);
    EXPECT_NEAR(*heard[0].reading->voltage_v, 54, 1e-9);
    ASSERT_TRUE(heard[1].reading);
    EXPECT_NEAR(*heard[1].reading->voltage_v, 52, 1e-9);
    ASSERT_FALSE(heard[2].reading);
    EXPECT_EQ(heard[2].reading.error().cls, ErrorClass::truncated);
}

TEST(Listen, ForgivesSilenceOfABatteryThatAnsweredBefore) {
    const std::vector<Exchange> exchanges = {exchange(status, 1, at(53)), {exchange(status, 1, {}).request, {}}};
    const auto heard = bms::listen(pb(), {}, exchanges);
    ASSERT_TRUE(heard.at(0).reading);
    EXPECT_NEAR(*heard[0].reading->voltage_v, 53, 1e-9);
    EXPECT_EQ(heard[0].reading->alarms[Alarm::high_cell_voltage], Level::alarm);
}

TEST(Listen, ForgivesSilenceAfterAnUnknownRequest) {
    const std::vector<Exchange> exchanges = {exchange(status, 1, at(53)), {hex("01 03 12 00 00 0A C1 75"), {}}};
    EXPECT_TRUE(bms::listen(pb(), {}, exchanges).at(0).reading);
}

TEST(Listen, DoesNotForgiveARefusedAnswer) {
    std::vector<Exchange> exchanges = {exchange(status, 1, at(53)), exchange(status, 1, at(53))};
    exchanges[0].answer[0][200] ^= 0x10;
    const auto heard = bms::listen(pb(), {}, exchanges);
    ASSERT_FALSE(heard.at(0).reading);
    EXPECT_EQ(heard[0].reading.error().cls, ErrorClass::checksum);
}

TEST(Listen, TakesTheAnswerToAnotherToolsRequest) {
    Exchange other = exchange(status, 1, at(53));
    other.request = hex("01 02 03");
    const auto heard = bms::listen(pb(), {}, std::vector<Exchange>{other});
    ASSERT_TRUE(heard.at(0).reading);
    EXPECT_NEAR(*heard[0].reading->voltage_v, 53, 1e-9);
}

TEST(Listen, NeverTakesUnsolicitedBytesForData) {
    Exchange unasked = exchange(status, 1, at(53));
    unasked.request.clear();
    const auto heard = bms::listen(pb(), {}, std::vector<Exchange>{unasked});
    ASSERT_FALSE(heard.at(0).reading);
    EXPECT_EQ(heard[0].reading.error().cls, ErrorClass::unexpected);
}

TEST(Listen, ForgetsAlarmsThatAreNotRaisedAgain) {
    Reading calm;
    calm.voltage_v = 52;
    const std::vector<Exchange> exchanges = {exchange(status, 1, at(54)), exchange(status, 1, calm)};
    const auto heard = bms::listen(pb(), {}, exchanges);
    ASSERT_TRUE(heard.at(0).reading);
    EXPECT_FALSE(heard[0].reading->alarms.any());
}

// vectors.md: what is printed is what the answers determine.
TEST(Listen, TheOrderOfDifferentQuestionsDoesNotMatter) {
    std::size_t files = 0;
    for (const bms::Family* family : bms::catalog()) {
        for (const std::string& path : vector_files(*family)) {
            auto file = app::read_vector_file(path);
            if (!file || file->family->can) continue;
            std::set<std::vector<std::uint8_t>> questions;
            for (const Exchange& one : file->exchanges) questions.insert(one.request);
            if (questions.size() < 2 || questions.size() != file->exchanges.size()) continue;
            const auto forwards = app::listen(*file);
            std::reverse(file->exchanges.begin(), file->exchanges.end());
            const auto backwards = app::listen(*file);
            ++files;
            for (std::size_t i = 0; i < forwards.size(); ++i) {
                ASSERT_EQ(forwards[i].reading.has_value(), backwards[i].reading.has_value()) << path;
                if (!forwards[i].reading) continue;
                EXPECT_EQ(*forwards[i].reading, *backwards[i].reading) << path;
            }
        }
    }
    EXPECT_GT(files, 20U);
}

TEST(Listen, LeavesOutWhatAnotherBatteryWasAsked) {
    const auto heard = bms::listen(pb(), {}, std::vector{exchange(status, 2, at(52)), exchange(status, 1, at(54))});
    ASSERT_TRUE(heard.at(0).reading) << heard[0].reading.error().detail;
    EXPECT_NEAR(*heard[0].reading->voltage_v, 54, 1e-9);
    const auto other = bms::listen(pb(), {}, std::vector{exchange(status, 2, at(52))});
    ASSERT_FALSE(other.at(0).reading);
    EXPECT_EQ(other[0].reading.error().cls, ErrorClass::unexpected);
    Exchange crossed = exchange(status, 2, at(52));
    crossed.answer = exchange(status, 3, at(52)).answer;
    EXPECT_FALSE(bms::listen(pb(), {}, std::vector{exchange(status, 1, at(54)), crossed}).at(0).reading)
        << "nobody's sound answer";
}

TEST(Listen, RefusesAnAddressBeforeLookingAtBytes) {
    const std::vector<std::uint32_t> addresses = {0};
    const auto heard = bms::listen(pb(), addresses, std::vector<Exchange>{exchange(status, 0, at(53))});
    ASSERT_FALSE(heard.at(0).reading);
    EXPECT_EQ(heard[0].reading.error().cls, ErrorClass::config);
}

TEST(Transaction, LeavesTheReadingAloneOnFailure) {
    const Reading before = at(51);
    Reading reading = before;
    Exchange damaged = exchange(status, 1, at(53));
    damaged.answer[0][150] ^= 0x01;
    Exchange impossible = exchange(status, 1, [] {
        Reading state = at(53);
        state.soc_percent = 111;
        return state;
    }());
    for (const Exchange& bad : {damaged, impossible, exchange(about, 1, {}), exchange(status, 2, at(53))}) {
        bms::Transaction transaction;
        transaction.start(pb(), pb().requests[status], {1, true, nullptr});
        std::copy(bad.answer[0].begin(), bad.answer[0].end(), transaction.room().begin());
        transaction.received(bad.answer[0].size());
        EXPECT_FALSE(transaction.finish(reading));
        EXPECT_EQ(reading, before);
    }
}

TEST(Transaction, TakesNoMoreThanItsBuffer) {
    bms::Transaction transaction;
    transaction.start(pb(), pb().requests[status], {1, true, nullptr});
    std::size_t total = 0;
    while (!transaction.room().empty()) {
        const std::size_t count = std::min<std::size_t>(transaction.room().size(), 100);
        std::fill_n(transaction.room().begin(), count, std::uint8_t{0x55});
        transaction.received(count);
        total += count;
    }
    EXPECT_EQ(total, max_frame);
    Reading reading;
    EXPECT_FALSE(transaction.finish(reading));
}

TEST(Transaction, CanBeUsedAgain) {
    bms::Transaction transaction;
    for (const double voltage : {51.0, 52.0}) {
        const Exchange one = exchange(status, 1, at(voltage));
        transaction.start(pb(), pb().requests[status], {1, true, nullptr});
        std::copy(one.answer[0].begin(), one.answer[0].end(), transaction.room().begin());
        transaction.received(one.answer[0].size());
        Reading reading;
        ASSERT_TRUE(transaction.finish(reading));
        EXPECT_NEAR(*reading.voltage_v, voltage, 1e-9);
    }
}

}  // namespace
}  // namespace bmsd::tests
