#include "sim/bus.hpp"

#include <algorithm>
#include <ctime>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "loop/loop.hpp"
#include "sim/no_throw.hpp"

namespace bmsd::sim {
namespace {

using namespace std::chrono_literals;

/// A pause after which what came before cannot be the beginning of a request.
constexpr auto forget_after = 50ms;

/// Bytes become visible in portions, like those of an adapter: at least so many, and at most so often.
constexpr std::size_t portion_bytes = 32;
constexpr auto portion_time = 2ms;

/// Timers wake up to about so much late. The last byte of an answer is what clients measure a line by, so the bus
/// sets its timer earlier for that one and looks at the clock for the rest.
constexpr auto timer_delay = 80us;

constexpr std::size_t bits_per_byte = 10;  // start bit, 8 data bits, stop bit

/// Faults of the whole bus carry no address, so any address finds them and no others matter.
constexpr std::uint32_t no_address = 0;

void discard_received(Bus::Stream& stream) {
    std::array<std::uint8_t, 256> lost;
    error_code error;
    while (!error && stream.read_some(asio::buffer(lost), error) > 0) {
    }
}

}  // namespace

Bus::Bus(const Executor& executor, BusOptions options)
    : options_(std::move(options)), timer_(executor), faults_(options_.faults, no_address) {}

Responder& Bus::add(const bms::Family& family, std::uint32_t address, const PackOptions& pack) {
    Responder& battery = batteries_.emplace_back(family, address, pack, options_.faults, options_.speed);
    Bytes bytes;
    for (const bms::Request& request : family.requests) {
        family.build(request, {address, true, &battery.pack().reading()}, bytes);
        questions_.push_back({&battery, &request, {bytes.begin(), bytes.end()}});
    }
    return battery;
}

Task<error_code> Bus::serve(Stream& stream) {
    error_code error;
    stream.non_blocking(true, error);
    heard_.clear();
    late_.clear();
    next_broadcast_ = Clock::now();
    serving_ = &stream;
    while (!error) {
        co_await readable_or(stream, next_unasked());
        co_await speak_unasked(stream);
        std::array<std::uint8_t, 256> buffer;
        const std::size_t count = stream.read_some(asio::buffer(buffer), error);
        if (error == asio::error::would_block) error.clear();
        co_await hear(stream, std::span(buffer).first(count));
    }
    serving_ = nullptr;
    co_return error;
}

void Bus::enable_faults(bool on) {
    for (Responder& battery : batteries_) battery.enable_faults(on);
    faults_.enable(on);
    // The wait for the next request may have to become one for the next broadcast.
    if (serving_) {
        error_code closed_already;
        serving_->cancel(closed_already);
    }
}

Task<void> Bus::sleep_until(Clock::time_point time) {
    if (time <= Clock::now()) co_return;
    timer_.expires_at(time);
    co_await timer_.async_wait(no_throw);
}

Task<void> Bus::readable_or(Stream& stream, std::optional<Clock::time_point> deadline) {
    using namespace asio::experimental::awaitable_operators;
    if (!deadline) {
        co_await stream.async_wait(Stream::wait_read, no_throw);
        co_return;
    }
    timer_.expires_at(*deadline);
    co_await (stream.async_wait(Stream::wait_read, no_throw) || timer_.async_wait(no_throw));
}

std::optional<Clock::time_point> Bus::next_unasked() const {
    std::optional<Clock::time_point> next;
    if (!late_.empty()) next = late_.begin()->first;
    if (faults_.planned(FaultKind::master)) next = std::min(next.value_or(next_broadcast_), next_broadcast_);
    return next;
}

Task<void> Bus::speak_unasked(Stream& stream) {
    const auto now = Clock::now();
    if (!late_.empty() && late_.begin()->first <= now) {
        const auto answer = late_.extract(late_.begin());
        co_await transmit(stream, answer.mapped(), now, Ears::open);
    }
    if (const Fault* master = faults_.planned(FaultKind::master); master && next_broadcast_ <= now) {
        next_broadcast_ = now + master->time;
        batteries_.front().broadcast(now, out_);
        co_await transmit(stream, out_, now, Ears::open);
    }
}

Task<void> Bus::hear(Stream& stream, std::span<const std::uint8_t> bytes) {
    if (bytes.empty()) co_return;
    const auto now = Clock::now();
    if (now - last_heard_ > forget_after) heard_.clear();
    if (heard_.empty()) first_heard_ = now;
    last_heard_ = now;
    if (faults_.planned(FaultKind::echo)) co_await transmit(stream, bytes, now, Ears::open);

    if (const Damage damaged = damage()) {
        out_.assign(bytes.begin(), bytes.end());
        damaged(out_);
        co_await transmit(stream, out_, now, Ears::open);
        co_return;
    }

    for (const std::uint8_t& byte : bytes) {
        if (heard_.size() == heard_.capacity()) heard_.erase(heard_.begin(), heard_.begin() + max_frame / 2);
        heard_.push_back(byte);
        if (const Question* question = recognise()) {
            heard_.clear();
            // The stream delivered at once what takes its time on a wire.
            const auto asked = std::max(first_heard_ + wire_time(question->bytes.size()), now);
            const bool spoke = co_await reply(stream, *question, asked);
            if (spoke) co_return;  // it did not hear the rest
        } else if (&byte == &bytes.back() && co_await obey(stream, now)) {
            co_return;
        }
    }
}

Bus::Damage Bus::damage() const {
    if (faults_.planned(FaultKind::swapped)) return &blank;
    const std::uint32_t client = options_.client_rate ? options_.client_rate() : 0;
    if (!faults_.planned(FaultKind::rate) || client == 0 || client == options_.line_rate) return nullptr;
    return &garble;
}

bool Bus::ends_with(std::span<const std::uint8_t> bytes) const noexcept {
    return !bytes.empty() && bytes.size() <= heard_.size() && bytes.back() == heard_.back() &&
           std::equal(bytes.rbegin(), bytes.rend(), heard_.rbegin());
}

const Bus::Question* Bus::recognise() const {
    for (const Question& question : questions_)
        if (ends_with(question.bytes)) return &question;
    return nullptr;
}

/// Steps are built for every value they can carry, with the clock of the second that passes or one before.
bool Bus::says(const Responder& battery, const bms::Control& control, const bms::Request& step, bms::Asking& asking) {
    const std::time_t wall = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&wall, &local);
    const bool percent = control.setting == bms::Setting::percent;
    const int last = percent ? 100 : control.setting == bms::Setting::on_off ? 1 : 0;
    for (int value = 0; value <= last; ++value)
        for (int ago = 0; ago <= (percent ? 2 : 0); ++ago) {
            asking.value = value;
            asking.local_time_s = wall + local.tm_gmtoff - ago;
            battery.family().build(step, asking, built_);
            if (ends_with(built_)) return true;
        }
    return false;
}

Task<bool> Bus::obey(Stream& stream, Clock::time_point now) {
    for (Responder& battery : batteries_)
        for (const bms::Control& control : battery.family().controls)
            for (const auto& steps : {control.steps, control.finally})
                for (const bms::Request& step : steps) {
                    bms::Asking asking{battery.address(), true, &battery.pack().reading()};
                    if (!says(battery, control, step, asking)) continue;
                    heard_.clear();
                    if (!battery.obey(control, step, asking, now, out_)) co_return false;
                    co_await transmit(stream, out_, now + options_.turnaround, Ears::shut);
                    co_return true;
                }
    co_return false;
}

Task<bool> Bus::reply(Stream& stream, const Question& question, Clock::time_point asked) {
    const auto delay = question.battery->answer(*question.request, asked, out_);
    if (!delay) co_return false;
    if (delay->count() > 0) {
        late_.emplace(asked + *delay, out_);
        co_return false;
    }
    co_await transmit(stream, out_, asked + options_.turnaround, Ears::shut);
    co_return true;
}

Task<void> Bus::transmit(Stream& stream, std::span<const std::uint8_t> bytes, Clock::time_point start, Ears ears) {
    std::size_t portion = bytes.size();
    if (options_.baud != 0) {
        const std::size_t often_enough = options_.baud / bits_per_byte * std::size_t{portion_time.count()} / 1000;
        portion = std::max(portion_bytes, often_enough);
    }
    for (std::size_t sent = 0; sent < bytes.size();) {
        const std::size_t until = std::min(sent + portion, bytes.size());
        const bool last = until == bytes.size();
        const auto due = start + wire_time(until);
        co_await sleep_until(last && options_.baud != 0 ? due - timer_delay : due);
        while (Clock::now() < due) {
        }
        // Before the client can know that the answer is whole: its next request must not be lost.
        if (ears == Ears::shut && last) discard_received(stream);
        error_code client_does_not_read;
        stream.write_some(asio::buffer(bytes.data() + sent, until - sent), client_does_not_read);
        sent = until;
    }
}

Clock::duration Bus::wire_time(std::size_t bytes) const noexcept {
    if (options_.baud == 0) return Clock::duration{0};
    return std::chrono::nanoseconds{bytes * bits_per_byte * 1'000'000'000ULL / options_.baud};
}

}  // namespace bmsd::sim
