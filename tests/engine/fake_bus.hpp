// Batteries on a wire that a test controls: no device, no pacing.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>

#include "bms/catalog.hpp"
#include "link/link.hpp"
#include "loop/loop.hpp"

namespace bmsd::test {

/// The family that most tests speak.
inline const bms::Family& jkbms_pb() {
    return *bms::find_family("jkbms_pb");
}

/// A ByteLink with simulated batteries of one family behind it.
class FakeBus final : public link::ByteLink {
public:
    FakeBus(Executor executor, const bms::Family& family) : family(&family), timer_(executor) {}

    const bms::Family* family;                   ///< what all batteries speak
    std::map<std::uint32_t, Reading> batteries;  ///< by address
    std::set<std::uint32_t> silent;              ///< addresses that do not answer
    std::set<std::string_view> unanswered;       ///< requests nobody answers, by name
    bool absent = false;                         ///< the adapter is unplugged
    ErrorClass absence = ErrorClass::truncated;  ///< what that is called when it is opened
    bool broken = false;                         ///< opens, but nothing can be written
    std::chrono::seconds opening{0};             ///< so long every attempt to open takes
    std::vector<std::uint8_t> noise;             ///< lies in the port before the next request
    std::vector<std::uint8_t> refusal;           ///< of questions that are not asked the other way
    std::vector<std::uint8_t> prefix;            ///< comes in front of every answer
    std::deque<Reading> odd;                     ///< said instead by the next answers to polls
    int damaged = 0;                             ///< so many answers get a wrong byte
    int deaf = 0;                                ///< so many requests get no answer
    std::uint32_t wrong_rate = 0;                ///< at this one all of them do
    int opened = 0, attempts = 0;
    std::vector<std::uint32_t> asked;   ///< addresses in the order in which status was requested
    std::vector<std::string> requests;  ///< names of all requests

    const std::string& name() const noexcept override { return name_; }
    Task<Result<void>> open(std::uint32_t baud) override {
        baud_ = baud;
        ++attempts;
        if (opening > std::chrono::seconds{0}) {
            timer_.expires_after(opening);
            link::error_code ignored;
            co_await timer_.async_wait(boost::asio::redirect_error(use_task, ignored));
        }
        if (absent) co_return tl::unexpected(Error{absence, "/dev/fake: there is no such port"});
        ++opened;
        open_ = true;
        pending_.clear();
        co_return Result<void>{};
    }
    void close() noexcept override { open_ = false; }
    bool is_open() const noexcept override { return open_; }
    std::size_t drain(std::span<std::uint8_t> sample) noexcept override {
        pending_.insert(pending_.end(), noise.begin(), noise.end());
        noise.clear();
        const std::size_t count = pending_.size();
        std::copy_n(pending_.begin(), std::min(count, sample.size()), sample.begin());
        pending_.clear();
        return count;
    }
    Task<link::error_code> write(std::span<const std::uint8_t> bytes) override {
        if (absent || broken) co_return boost::asio::error::bad_descriptor;
        respond(bytes);
        co_return link::error_code{};
    }
    Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point deadline, link::error_code& error) override {
        if (const std::size_t count = read_now(into, error)) co_return count;
        if (error) co_return 0;
        timer_.expires_at(deadline);
        link::error_code ignored;
        co_await timer_.async_wait(boost::asio::redirect_error(use_task, ignored));
        error = boost::asio::error::timed_out;
        co_return 0;
    }
    std::size_t read_now(std::span<std::uint8_t> into, link::error_code& error) noexcept override {
        error.clear();
        if (absent) error = boost::asio::error::eof;
        const std::size_t count = absent ? 0 : std::min(into.size(), pending_.size());
        std::copy_n(pending_.begin(), count, into.begin());
        pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
        return count;
    }
    std::chrono::nanoseconds byte_time() const noexcept override { return std::chrono::microseconds{87}; }

private:
    void respond(std::span<const std::uint8_t> bytes) {
        if (deaf > 0) return static_cast<void>(--deaf);
        Bytes built, otherwise;
        for (std::uint32_t address = 0; address <= 0x40; ++address)
            for (const bms::Request& request : family->requests) {
                family->build(request, {address, true, nullptr}, built);
                bms::Asking asking{address, true, nullptr};
                asking.otherwise = true;
                family->build(request, asking, otherwise);
                const bool other = std::equal(otherwise.begin(), otherwise.end(), bytes.begin(), bytes.end());
                if (!other && !std::equal(built.begin(), built.end(), bytes.begin(), bytes.end())) continue;
                requests.emplace_back(request.name);
                if (request.when == bms::When::every_poll) asked.push_back(address);
                if (!batteries.count(address) || silent.count(address) || unanswered.count(request.name)) return;
                if (!refusal.empty() && !other) {
                    pending_.insert(pending_.end(), refusal.begin(), refusal.end());
                    return;
                }
                Bytes answer;
                const bool strange = request.when == bms::When::every_poll && !odd.empty();
                bms::answer(*family, request, {address, true, nullptr}, strange ? odd.front() : batteries[address],
                            answer);
                if (strange) odd.pop_front();
                if (baud_ == wrong_rate) answer[answer.size() / 2] ^= 0x01;
                if (damaged > 0) --damaged, answer[answer.size() / 2] ^= 0x01;
                pending_.insert(pending_.end(), prefix.begin(), prefix.end());
                pending_.insert(pending_.end(), answer.begin(), answer.end());
                return;
            }
    }

    Timer timer_;
    std::string name_ = "/dev/fake";
    std::deque<std::uint8_t> pending_;
    bool open_ = false;
    std::uint32_t baud_ = 1;
};

}  // namespace bmsd::test
