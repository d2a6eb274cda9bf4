#include "engine/dialogue.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>

#include "loop/loop.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;

/// Below this, waiting for more bytes is cheaper than a timer of our own.
constexpr std::chrono::nanoseconds worth_sleeping = 2ms;
/// Somebody who talks without pause is not waited for longer than this before a request.
constexpr std::chrono::milliseconds longest_wait_for_silence = 300ms;
/// Padding behind an answer is no news (JK PB sends one or two bytes).
constexpr std::size_t padding = 2;

bool blank(std::uint8_t byte) {
    return byte == 0x00 || byte == 0xFF;
}

}  // namespace

Dialogue::Dialogue(Executor executor, std::unique_ptr<link::ByteLink> link)
    : link_(std::move(link)), timer_(std::move(executor)) {}

Task<Result<void>> Dialogue::open(std::uint32_t baud) {
    device_error_ = {};
    baud_ = baud;
    last_request_ = nullptr;
    Result<void> opened = co_await link_->open(baud);
    if (!opened)
        device_error_ = asio::error::bad_descriptor;
    else
        framing_errors_ = link_->framing_errors();
    co_return opened;
}

Task<void> Dialogue::sleep_until(Clock::time_point when) {
    if (when <= Clock::now()) co_return;
    timer_.expires_at(when);
    link::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(use_task, ignored));
}

Task<Result<void>> Dialogue::ask(const bms::Family& family, const bms::Request& request, bms::Asking asking, Pace& pace,
                                 Account account, Reading& reading) {
    if (!is_quiet()) co_await quiet();
    if (hear_unasked(family, asking, account)) co_await wait_for_silence(family, account);
    last_family_ = &family;
    last_request_ = &request;
    last_address_ = asking.address;

    asking.otherwise = std::count(otherwise_.begin(), otherwise_.end(), asking.address) > 0;
    family.build(request, asking, request_);
    if (request_.empty())
        co_return tl::unexpected(Error{ErrorClass::refused, "what must be known for this request is not known"});
    transaction_.start(family, request, asking);
    ++account.counters.requests;
    account.evidence.fade();
    ++account.evidence.requests;
    link::error_code error;
    const std::size_t taken = link_->write_now(request_, error);
    if (!error && taken < request_.size())
        error = co_await link_->write(std::span<const std::uint8_t>(request_).subspan(taken));
    if (error) {
        device_error_ = error;
        --account.evidence.requests;  // says nothing of the battery
        co_return tl::unexpected(Error{ErrorClass::truncated, "the request cannot be sent: " + error.message()});
    }
    const auto sent = Clock::now();
    const auto first_byte =
        sent + link_->byte_time() * static_cast<long>(request_.size()) + request.timeout + link_->latency();
    const bool look = pace.expected() > Pace::Span{0};
    if (look) {
        // Nothing may be sent before the gap behind the answer is over, so nobody needs to be awake before: one wake-up
        // fetches the answer and sends the next request.
        answered_ = sent + pace.expected();
        co_await sleep_until(std::min(shared_moment(sent, pace.expected() + family.timing.gap), first_byte));
    }
    if (look && fetch(pace.size())) {
        pace.there(transaction_.bytes().size());
    } else {
        co_await collect(family, pace, sent, first_byte);
        answered_ = Clock::now();
    }
    account.counters.bytes += request_.size() + transaction_.bytes().size();
    if (device_error_) {
        --account.evidence.requests;
        co_return tl::unexpected(Error{ErrorClass::truncated, "the device is gone: " + device_error_.message()});
    }

    Result<void> result = transaction_.finish(reading);
    // Refused both ways: back to the first.
    if (otherwise() && !asking.otherwise) otherwise_.push_back(asking.address);
    if (otherwise() && asking.otherwise) std::erase(otherwise_, asking.address);
    if (!result) pace.forget();
    count(result, account);
    co_return result;
}

/// Whatever lies in the port before a request is not its answer. Says whether it was more than padding. A plain
/// function: its buffer is needed before every request, but not while anything is waited for.
bool Dialogue::hear_unasked(const bms::Family& family, const bms::Asking& asking, Account account) {
    std::array<std::uint8_t, max_frame> sample;
    const std::size_t bytes = link_->drain(sample);
    if (bytes <= padding) return false;
    count_unasked(bytes, account);
    const auto heard = std::span<const std::uint8_t>(sample).first(std::min(bytes, sample.size()));
    const bool again = answers_again(heard);
    // Before the first request since the port was opened it may be what our predecessor asked for.
    const bool expected = again ? last_request_->long_tail : !last_request_;
    if (!expected) ++(again ? account.evidence.surplus : account.evidence.unasked);
    // What the last question, or the one of our predecessor, was still waiting for is late, not somebody else's.
    const bool late = !last_request_ || (again && transaction_.reply().payload.empty());
    if (family.unsolicited && on_unsolicited && !late) {
        const bms::Reply meaning = family.unsolicited(asking, heard);
        if (meaning.progress == bms::Reply::Progress::failed) on_unsolicited(meaning.why);
    }
    return true;
}

/// While bytes still arrive somebody still talks, and a request would collide with him.
Task<void> Dialogue::wait_for_silence(const bms::Family& family, Account account) {
    const auto latest = Clock::now() + longest_wait_for_silence;
    std::size_t bytes = 0;
    do {
        co_await sleep_until(Clock::now() + std::max<std::chrono::milliseconds>(family.timing.gap, 5ms));
        bytes = link_->drain({});
        if (bytes > padding) count_unasked(bytes, account);
    } while (bytes > padding && Clock::now() < latest);
}

void Dialogue::count_unasked(std::size_t bytes, Account account) {
    unsolicited_bytes_ += bytes;
    account.counters.unsolicited_bytes += bytes;
}

/// Takes what is there of the answer and nothing behind it, which is heard before the next request. Says whether the
/// answer is complete.
bool Dialogue::fetch(std::size_t usual) {
    const bms::Reply& reply = transaction_.reply();
    for (std::size_t wanted = std::max(usual, reply.missing);; wanted = reply.missing) {
        const auto room = transaction_.room();
        link::error_code error;
        const std::size_t count = link_->read_now(room.first(std::min(wanted, room.size())), error);
        if (error) device_error_ = error;
        if (count == 0) return false;
        if (transaction_.received(count).progress != bms::Reply::Progress::waiting) return true;
    }
}

/// Receives until the answer is complete, the BMS pauses too long within it, or nothing comes at all.
Task<void> Dialogue::collect(const bms::Family& family, Pace& pace, Clock::time_point sent,
                             Clock::time_point first_byte) {
    // Somebody who talks without pause must not hold the port for ever.
    const auto latest = first_byte + link_->byte_time() * static_cast<long>(max_frame) + 1s;
    const auto patience = [&, pause = family.timing.between_bytes + link_->latency()] {
        // An echo is no answer: the BMS still has its time to begin.
        const bool begun = transaction_.bytes().size() > request_.size();
        return std::min(begun ? Clock::now() + pause : std::max(first_byte, Clock::now() + pause), latest);
    };
    auto deadline = transaction_.bytes().empty() ? first_byte : patience();
    while (transaction_.reply().progress == bms::Reply::Progress::waiting && !transaction_.room().empty()) {
        link::error_code error;
        std::size_t count = link_->read_now(transaction_.room(), error);
        const bool just_came = count == 0;
        if (just_came && !error) count = co_await link_->read(transaction_.room(), deadline, error);
        if (error && error != asio::error::timed_out) device_error_ = error;
        if (count == 0) co_return;
        const bms::Reply& reply = transaction_.received(count);
        const auto now = Clock::now();
        if (reply.progress != bms::Reply::Progress::waiting)
            co_return pace.timed(now - sent, transaction_.bytes().size());
        // What is missing cannot be here before the wire has carried it. But of bytes that lay there nobody knows how
        // long they did: the rest may be due.
        const auto on_the_wire = link_->byte_time() * static_cast<long>(reply.missing);
        if (just_came && on_the_wire > worth_sleeping) co_await sleep_until(std::min(now + on_the_wire, latest));
        deadline = patience();
    }
}

bool Dialogue::heard() const noexcept {
    const auto bytes = transaction_.bytes();
    return !bytes.empty() && !std::equal(bytes.begin(), bytes.end(), request_.begin(), request_.end());
}

/// True if the bytes are one more answer to the question before.
bool Dialogue::answers_again(std::span<const std::uint8_t> bytes) const {
    if (!last_request_) return false;
    return !last_family_->examine(*last_request_, {last_address_, true}, bytes).payload.empty();
}

void Dialogue::count(const Result<void>& result, Account account) {
    Counters& counters = account.counters;
    Evidence& evidence = account.evidence;
    const auto bytes = transaction_.bytes();
    evidence.bytes += static_cast<std::uint32_t>(bytes.size());
    const bool echo = bytes.size() >= request_.size() && std::equal(request_.begin(), request_.end(), bytes.begin());
    if (echo) ++evidence.echoes;
    if (result) {
        ++counters.good;
        ++evidence.good;
        return;
    }
    switch (result.error().cls) {
        case ErrorClass::checksum: ++counters.checksum_errors; break;
        case ErrorClass::unexpected: ++counters.foreign_address; break;
        case ErrorClass::refused:
        case ErrorClass::implausible: ++counters.refused; break;
        default: ++(bytes.empty() ? counters.timeouts : counters.short_answers);
    }
    if (bytes.empty())
        ++evidence.silent;
    else if (!heard())
        ++evidence.echo_only;
    else
        weigh(result.error(), evidence);
}

/// What a damaged answer says about the line.
void Dialogue::weigh(const Error& error, Evidence& evidence) {
    switch (error.cls) {
        case ErrorClass::checksum: ++evidence.checksum; return;
        case ErrorClass::unexpected: ++evidence.foreign; return;
        case ErrorClass::refused:
        case ErrorClass::implausible:
            ++evidence.refused;
            evidence.refusal = error.detail;
            return;
        default: break;
    }
    // Once a frame has begun, what is missing of it is known better than at the start.
    if (transaction_.reply().missing != transaction_.initially_missing()) {
        ++evidence.cut;
        return;
    }
    const auto bytes = transaction_.bytes();
    ++evidence.garbled;
    evidence.garbled_bytes += static_cast<std::uint32_t>(bytes.size());
    evidence.blank_bytes += static_cast<std::uint32_t>(std::count_if(bytes.begin(), bytes.end(), blank));
    const std::uint32_t now = link_->framing_errors();
    evidence.framing_errors += now - framing_errors_;
    framing_errors_ = now;
}

}  // namespace bmsd::engine
