#include "noisy_wire.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>

#include "bms/transaction.hpp"
#include "loop/loop.hpp"

namespace bmsd::test {

using namespace std::chrono_literals;

namespace {

constexpr auto turnaround = 10ms;
constexpr auto bits_per_byte = 10;

}  // namespace

NoisyWire::NoisyWire(Executor executor, const bms::Family& family, std::uint32_t seed)
    : timer_(executor),
      family_(family),
      battery_(family, family.addresses.standard, sim::PackOptions{}, {}, 0),
      random_(seed) {}

Reading NoisyWire::truth() {
    Reading reading;
    Bytes frame;
    for (const bms::Request& request : family_.requests) {
        const bms::Asking asking{battery_.address(), true, &reading};
        bms::answer(family_, request, asking, battery_.pack().reading(), frame);
        bms::Transaction transaction;
        transaction.start(family_, request, asking);
        std::copy(frame.begin(), frame.end(), transaction.room().begin());
        transaction.received(frame.size());
        if (!transaction.finish(reading)) std::abort();  // the families' own tests say more
    }
    return reading;
}

Task<Result<void>> NoisyWire::open(std::uint32_t baud) {
    if (const auto error = adapter())
        co_return tl::unexpected(Error{ErrorClass::truncated, name_ + ": " + error.message()});
    byte_time_ = std::chrono::nanoseconds{1s} * bits_per_byte / baud;
    arriving_.clear();
    open_ = true;
    co_return Result<void>{};
}

std::size_t NoisyWire::drain(std::span<std::uint8_t> sample) noexcept {
    std::size_t count = 0;
    for (const auto now = Clock::now(); !arriving_.empty() && arriving_.front().when <= now; arriving_.pop_front())
        if (count++ < sample.size()) sample[count - 1] = arriving_.front().byte;
    return count;
}

/// A battery does not answer a request that it does not understand.
Task<link::error_code> NoisyWire::write(std::span<const std::uint8_t> bytes) {
    if (const auto error = adapter()) co_return error;
    Bytes heard;
    heard.assign(bytes.begin(), bytes.end());
    damage(heard);
    const bms::Request* const request = asked(heard);
    Bytes answer;
    const auto now = Clock::now();
    if (request && battery_.answer(*request, now, answer)) {
        const Bytes sent = answer;
        damage(answer);
        ++answers_;
        damaged_ += !std::equal(sent.begin(), sent.end(), answer.begin(), answer.end());
        deliver(answer, now + byte_time_ * static_cast<long>(bytes.size()) + turnaround);
    }
    co_return link::error_code{};
}

Task<std::size_t> NoisyWire::read(std::span<std::uint8_t> into, Clock::time_point deadline, link::error_code& error) {
    for (;;) {
        const std::size_t count = read_now(into, error);
        if (count > 0 || error) co_return count;
        if (Clock::now() >= deadline) break;
        timer_.expires_at(arriving_.empty() ? deadline : std::min(deadline, arriving_.front().when));
        link::error_code ignored;
        co_await timer_.async_wait(boost::asio::redirect_error(use_task, ignored));
    }
    error = boost::asio::error::timed_out;
    co_return 0;
}

std::size_t NoisyWire::read_now(std::span<std::uint8_t> into, link::error_code& error) noexcept {
    error = adapter();
    if (error) return 0;
    std::size_t count = 0;
    const auto now = Clock::now();
    for (; count < into.size() && !arriving_.empty() && arriving_.front().when <= now; arriving_.pop_front())
        into[count++] = arriving_.front().byte;
    return count;
}

bool NoisyWire::happens(double probability) {
    return probability > 0 && std::uniform_real_distribution<>{}(random_) < probability;
}

/// What every call of a device says whose plug was pulled.
link::error_code NoisyWire::adapter() {
    if (!happens(gone)) return {};
    ++faults_;
    return boost::system::errc::make_error_code(boost::system::errc::io_error);
}

const bms::Request* NoisyWire::asked(std::span<const std::uint8_t> bytes) {
    const bms::Asking asking{battery_.address(), true, &battery_.pack().reading()};
    Bytes built;
    for (const bms::Request& request : family_.requests) {
        family_.build(request, asking, built);
        if (std::equal(built.begin(), built.end(), bytes.begin(), bytes.end())) return &request;
    }
    return nullptr;
}

/// The bits of a byte that are flipped. How far it is to the next one does not depend on where the last one was.
std::uint8_t NoisyWire::flips() {
    if (noise <= 0) return 0;
    std::geometric_distribution<std::uint64_t> distance(noise);
    unsigned bits = 0;
    for (auto bit = distance(random_); bit < 8; bit += 1 + distance(random_)) bits |= 1U << bit;
    return static_cast<std::uint8_t>(bits);
}

void NoisyWire::damage(Bytes& bytes) {
    const Bytes sent = bytes;
    bytes.clear();
    const auto put = [&](std::uint8_t byte) {
        if (bytes.size() < bytes.capacity()) bytes.push_back(byte);
    };
    for (const std::uint8_t byte : sent) {
        if (happens(noise)) put(static_cast<std::uint8_t>(random_()));
        if (!happens(noise)) put(byte ^ flips());
    }
}

/// Adapters hand over what came in portions of their own: sometimes the whole answer at once, sometimes bit by bit.
void NoisyWire::deliver(std::span<const std::uint8_t> bytes, Clock::time_point begin) {
    const std::size_t longest = random_() % 2 == 0 ? bytes.size() : 1 + random_() % 40;
    std::size_t in_portion = 0, portion = 0;
    auto pause = 0ns;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (in_portion == portion) {
            portion = std::min(1 + random_() % std::max<std::size_t>(longest, 1), bytes.size() - i);
            if (longest == bytes.size()) portion = bytes.size() - i;
            in_portion = 0;
            if (i > 0 && happens(noise / 4)) pause += family_.timing.between_bytes * 2;
        }
        // A portion becomes visible with its last byte.
        const std::size_t last = i + portion - in_portion++;
        arriving_.push_back({begin + pause + byte_time_ * static_cast<long>(last), bytes[i]});
    }
    std::stable_sort(arriving_.begin(), arriving_.end(),
                     [](const Arrival& a, const Arrival& b) { return a.when < b.when; });
}

}  // namespace bmsd::test
