// The recorded answers of every family held against the detectors of all of them: exactly one claims them.
#include "engine/detector.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "bms/recorded.hpp"
#include "engine/scanner.hpp"
#include "fake_bus.hpp"

using namespace bmsd;
using namespace std::chrono_literals;

namespace {

/// A line on which recorded bytes answer every request, whoever asks and whatever is asked: first the recorded answers
/// that belong to the request, else all of them in turn.
class Parrot final : public link::ByteLink {
public:
    Parrot(const bms::Family& family, std::vector<tests::Recorded> answers)
        : family_(family), answers_(std::move(answers)) {}

    const std::string& name() const noexcept override { return name_; }
    Task<Result<void>> open(std::uint32_t) override { co_return Result<void>{}; }
    void close() noexcept override {}
    bool is_open() const noexcept override { return true; }
    std::size_t drain(std::span<std::uint8_t>) noexcept override { return 0; }
    Task<link::error_code> write(std::span<const std::uint8_t> bytes) override {
        const auto belongs = [&](const tests::Recorded& answer) {
            return bms::asks(family_, *answer.request, answer.asking(false), bytes);
        };
        const auto own = std::find_if(answers_.begin(), answers_.end(), belongs);
        const tests::Recorded& answer = own != answers_.end() ? *own : answers_[next_++ % answers_.size()];
        pending_.assign(answer.bytes.begin(), answer.bytes.end());
        co_return link::error_code{};
    }
    Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point, link::error_code& error) override {
        const std::size_t count = read_now(into, error);
        if (count == 0) error = boost::asio::error::timed_out;
        co_return count;
    }
    std::size_t read_now(std::span<std::uint8_t> into, link::error_code& error) noexcept override {
        error.clear();
        const std::size_t count = std::min(into.size(), pending_.size());
        std::copy_n(pending_.begin(), count, into.begin());
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
        return count;
    }
    std::chrono::nanoseconds byte_time() const noexcept override { return 0ns; }

private:
    const bms::Family& family_;
    std::vector<tests::Recorded> answers_;
    std::size_t next_ = 0;
    std::vector<std::uint8_t> pending_;
    std::string name_ = "/dev/parrot";
};

using MakeLink = std::function<std::unique_ptr<link::ByteLink>(Executor)>;

/// Asks a line for a family at an address.
std::optional<Reading> detect(const MakeLink& make_link, const bms::Family& family, std::uint32_t address) {
    boost::asio::io_context io{1};
    engine::Dialogue dialogue(io.get_executor(), make_link(io.get_executor()));
    const bms::Options options;
    engine::Detector detector(dialogue, options);
    std::optional<Reading> found;
    boost::asio::co_spawn(io, detector.ask(family, address), [&](std::exception_ptr error, std::optional<Reading> got) {
        if (error) std::rethrow_exception(error);
        found = std::move(got);
    });
    io.run();
    return found;
}

/// Recorded answers by file and address: each is one battery.
std::map<std::pair<std::string, std::uint32_t>, std::vector<tests::Recorded>> batteries(const bms::Family& family) {
    std::map<std::pair<std::string, std::uint32_t>, std::vector<tests::Recorded>> all;
    for (tests::Recorded& answer : tests::good_answers(family))
        all[{answer.file, answer.address}].push_back(std::move(answer));
    return all;
}

/// The file holds an answer to everything a detector asks.
bool complete(const bms::Family& family, const std::vector<tests::Recorded>& answers) {
    return std::all_of(family.requests.begin(), family.requests.end(), [&](const bms::Request& request) {
        if (request.when != bms::When::every_poll || !request.mandatory) return true;
        return std::any_of(answers.begin(), answers.end(),
                           [&](const tests::Recorded& answer) { return answer.request == &request; });
    });
}

class EveryDetector : public testing::TestWithParam<const bms::Family*> {};

}  // namespace

TEST_P(EveryDetector, ClaimsItsOwnBatteriesAndNobodyElseDoes) {
    const bms::Family& family = *GetParam();
    std::size_t claimed = 0;
    for (const auto& [place, answers] : batteries(family)) {
        const auto line = [&](const auto&) { return std::make_unique<Parrot>(family, answers); };
        if (detect(line, family, place.second)) ++claimed;
        for (const bms::Family* other : bms::catalog()) {
            // Dialects that frame alike understand each other's answers: their questions decide, at which only one
            // answers.
            if (other == &family || other->examine == family.examine || other->serial.rates.empty()) continue;
            const auto addresses = other->addresses.used
                                       ? std::set<std::uint32_t>{other->addresses.standard, place.second}
                                       : std::set<std::uint32_t>{0};
            for (const std::uint32_t address : addresses)
                EXPECT_FALSE(detect(line, *other, address))
                    << place.first << " of " << family.key << " is claimed by " << other->key;
        }
    }
    const auto all = batteries(family);
    const bool recorded =
        std::any_of(all.begin(), all.end(), [&](const auto& one) { return complete(family, one.second); });
    EXPECT_TRUE(claimed > 0 || !recorded) << "no complete recording is recognised";
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryDetector, testing::ValuesIn(bms::with_requests(bms::catalog())),
                         [](const auto& test) { return std::string(test.param->key); });

// ---- simulated batteries -------------------------------------------------------------------------------

namespace {

Reading pack(double volts, int cells) {
    Reading reading;
    reading.serial_number = "4061234567890";
    reading.hardware_version = "15A";
    reading.software_version = "15.41";
    reading.voltage_v = volts;
    reading.current_a = 1.5;
    reading.soc_percent = 50;
    reading.charge_fet = reading.discharge_fet = true;
    for (int i = 0; i < cells; ++i) reading.cell_voltages_v.push_back(3.3);
    return reading;
}

}  // namespace

/// A bus with one battery at address 1.
MakeLink bus_with(const Reading& battery) {
    return [=](const Executor& executor) {
        auto bus = std::make_unique<test::FakeBus>(executor, test::jkbms_pb());
        bus->batteries[1] = battery;
        return bus;
    };
}

TEST(Detector, BelievesAPlausibleBattery) {
    const auto found = detect(bus_with(pack(52.8, 16)), test::jkbms_pb(), 1);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->serial_number, "4061234567890") << "identification is part of it";
}

TEST(Detector, DoesNotBelieveWhatCannotBe) {
    EXPECT_FALSE(detect(bus_with(pack(12.8, 16)), test::jkbms_pb(), 1)) << "16 cells of 3.3 V are not 12.8 V";
}

TEST(Detector, HearsNobodyAtAnotherAddress) {
    EXPECT_FALSE(detect(bus_with(pack(52.8, 16)), test::jkbms_pb(), 2));
}

TEST(Candidates, AreEveryFamilyAtEveryRateUnlessTheUserNamesOne) {
    static constexpr std::array<std::uint32_t, 2> rates = {9600, 19200};
    bms::Family two = test::jkbms_pb();
    two.serial = {rates};
    const std::vector<const bms::Family*> families = {&test::jkbms_pb(), &two};
    const auto all = engine::candidates(families, {}, true);
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0], (engine::Candidate{&test::jkbms_pb(), 115200}));
    EXPECT_EQ(all[1], (engine::Candidate{&two, 9600}));
    EXPECT_EQ(all[2], (engine::Candidate{&two, 19200}));
    EXPECT_EQ(engine::candidates(families, 57600, true).back(), (engine::Candidate{&two, 57600}));
    EXPECT_EQ(engine::candidates(families, {}, false).size(), 2u) << "a network gateway has no rates";
    const auto one_each = [](const bms::Family&) { return std::size_t{1}; };
    EXPECT_EQ(engine::longest_search(all, one_each), 3 * (500ms + 75ms));
}

TEST(Scanner, GoesOnWithTheOtherRateWhereNoAnswerIsGood) {
    const bms::Family& daren = *bms::find_family("Daren485");
    boost::asio::io_context io{1};
    auto link = std::make_unique<test::FakeBus>(io.get_executor(), daren);
    link->wrong_rate = 19200;
    Reading& pack = link->batteries[1];
    pack.voltage_v = 6.6;
    pack.cell_voltages_v = {Number{3.3}, Number{3.3}};
    engine::Dialogue dialogue(io.get_executor(), std::move(link));
    const engine::ScanPlan plan{{&daren}, {1}, {}, {}};
    engine::ScanResult result;
    boost::asio::co_spawn(io, engine::scan(dialogue, plan, [](const std::string&) {}),
                          [&](std::exception_ptr, engine::ScanResult found) { result = std::move(found); });
    io.run();
    ASSERT_EQ(result.batteries.size(), 1u);
    EXPECT_EQ(result.batteries[0].candidate.rate, 9600u);
    EXPECT_TRUE(result.suspects.empty()) << "it was the rate";
}

TEST(Scanner, LooksAtTheUnusualAddressesOfAShortRangeToo) {
    const bms::Family& daren = *bms::find_family("Daren485");
    // Listening, and at two rates sixteen DIP addresses with a second for the answer and 100 ms behind it.
    EXPECT_EQ(engine::longest_scan({{&daren}, {}, {}, {}}, true), 1200ms + 2 * (1 + 16) * 1100ms);
}
