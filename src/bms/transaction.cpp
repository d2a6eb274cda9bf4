#include "bms/transaction.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace bmsd::bms {
namespace {

Error error_of(const Request& request, const Reply& reply) {
    return {reply.fault, std::string(request.name) + ": " + std::string(reply.why)};
}

const Request* among(std::span<const Request> requests, const Family& family, const Asking& asking,
                     std::span<const std::uint8_t> bytes) {
    for (const Request& request : requests)
        if (asks(family, request, asking, bytes)) return &request;
    return nullptr;
}

/// The request of the family that these bytes are, for this address; null if it is none.
const Request* recognise(const Family& family, const Asking& asking, std::span<const std::uint8_t> bytes) {
    if (const Request* request = among(family.requests, family, asking, bytes)) return request;
    return among(family.on_demand, family, asking, bytes);
}

/// The step of a control that these bytes are; null if they are none.
const Request* recognise_step(const Family& family, const Asking& asking, std::span<const std::uint8_t> bytes) {
    for (const Control& control : family.controls) {
        if (const Request* step = among(control.steps, family, asking, bytes)) return step;
        if (const Request* step = among(control.finally, family, asking, bytes)) return step;
    }
    return nullptr;
}

std::vector<std::uint8_t> joined(const Exchange& exchange) {
    std::vector<std::uint8_t> all;
    for (const auto& chunk : exchange.answer) all.insert(all.end(), chunk.begin(), chunk.end());
    return all;
}

/// One address' side of a recorded dialogue.
struct Listener {
    const Family& family;
    Asking asking;
    Reading reading{};
    bool decoded = false;
    unsigned acknowledged = 0;
    std::vector<const Request*> poll{};  ///< requests of the poll that goes on
    std::optional<Error> refused{};
    std::optional<Error> silent{};

    void take(const Request& request, const Exchange& exchange) {
        asking.known = &reading;
        asking.asked = exchange.request;
        Transaction transaction;
        transaction.start(family, request, asking);
        for (const auto& chunk : exchange.answer)
            for (std::size_t at = 0; at < chunk.size() && !transaction.room().empty();) {
                const auto room = transaction.room();
                const std::size_t count = std::min(room.size(), chunk.size() - at);
                std::memcpy(room.data(), chunk.data() + at, count);
                transaction.received(count);
                at += count;
            }
        Reading next = reading;
        if (request.when == When::every_poll) {
            if (std::find(poll.begin(), poll.end(), &request) != poll.end()) {
                poll.clear();
                begin_poll(next);
            }
            poll.push_back(&request);
        }
        if (auto result = transaction.finish(next))
            reading = std::move(next), decoded = true;
        else if (transaction.bytes().empty())
            silent = result.error();
        else if (!refused)
            refused = result.error();
    }

    void take_step(const Request& step, const Exchange& exchange) {
        const bool before = std::exchange(decoded, false);
        take(step, exchange);
        if (decoded) ++acknowledged;
        decoded = decoded || before;
    }

    /// An unknown request (another tool's): whichever of our answers the bytes are, or else sound without telling us
    /// anything.
    void take_unknown(const Exchange& exchange) {
        std::optional<Error> first;
        for (const Request& request : family.requests)
            if (try_as(request, exchange, first)) return;
        if (family.other && try_as(*family.other, exchange, first)) return;
        if (!refused) refused = first;
    }

    /// Whether an exchange is that of a request; if not, its first error is kept.
    bool try_as(const Request& request, const Exchange& exchange, std::optional<Error>& first) {
        Listener attempt{.family = family, .asking = asking, .reading = reading};
        attempt.take(request, exchange);
        if (attempt.decoded) {
            reading = std::move(attempt.reading);
            decoded = true;
            return true;
        }
        if (!first) first = attempt.refused;
        silent = attempt.silent;
        return false;
    }

    void overhear(const Exchange& exchange) {
        if (family.self_describing) return take_unknown(exchange);
        const auto bytes = joined(exchange);
        Reply reply{};
        if (family.unsolicited) reply = family.unsolicited(asking, bytes);
        if (reply.progress == Reply::Progress::failed)
            refused = Error{reply.fault, std::string(reply.why)};
        else if (!bytes.empty())
            refused = Error{ErrorClass::unexpected, "bytes came that nobody asked for"};
    }

    Heard result() {
        if (refused) return {asking.address, tl::unexpected(*refused), acknowledged};
        if (decoded) return {asking.address, std::move(reading), acknowledged};
        return {asking.address, tl::unexpected(silent.value_or(Error{ErrorClass::truncated, "no answer"})), 0};
    }
};

}  // namespace

void Transaction::start(const Family& family, const Request& request, const Asking& asking) {
    family_ = &family;
    request_ = &request;
    asking_ = asking;
    size_ = 0;
    reply_ = family.examine(request, asking, {});
    initially_missing_ = reply_.missing;
}

std::span<std::uint8_t> Transaction::room() noexcept {
    return std::span(buffer_).subspan(size_);
}

std::span<const std::uint8_t> Transaction::bytes() const noexcept {
    return std::span(buffer_).first(size_);
}

const Reply& Transaction::received(std::size_t count) {
    size_ += count;
    reply_ = family_->examine(*request_, asking_, bytes());
    return reply_;
}

Result<void> Transaction::finish(Reading& reading) {
    if (reply_.payload.empty()) return tl::unexpected(error_of(*request_, reply_));
    before_ = reading;
    if (auto result = decode(*family_, *request_, asking_, reply_.payload, reading); !result) {
        reading = before_;
        return tl::unexpected(Error{result.error().cls, std::string(request_->name) + ": " + result.error().detail});
    }
    return {};
}

bool asks(const Family& family, const Request& request, const Asking& asking, std::span<const std::uint8_t> bytes) {
    if (family.matches) return family.matches(request, asking, bytes);
    Bytes built;
    family.build(request, asking, built);
    return std::equal(built.begin(), built.end(), bytes.begin(), bytes.end());
}

bool speaks(const Family& family, std::span<const std::uint32_t> addresses, std::span<const Exchange> exchanges) {
    const auto sent_to = [&](std::uint32_t address) {
        return check_address(family, address) &&
               std::any_of(exchanges.begin(), exchanges.end(), [&](const Exchange& exchange) {
                   return !exchange.request.empty() && recognise(family, {address}, exchange.request);
               });
    };
    if (addresses.empty()) return sent_to(family.addresses.standard);
    return std::any_of(addresses.begin(), addresses.end(), sent_to);
}

std::vector<Heard> listen(const Family& family, std::span<const std::uint32_t> addresses,
                          std::span<const Exchange> exchanges, const Options& options) {
    std::vector<Listener> listeners;
    const auto add = [&](std::uint32_t address) {
        listeners.push_back({family, {address, addresses.size() <= 1, nullptr, options}});
        listeners.back().asking.recorded = true;
        if (auto usable = check_address(family, address); !usable) listeners.back().refused = usable.error();
    };
    for (const std::uint32_t address : addresses) add(address);
    if (addresses.empty()) add(family.addresses.standard);

    for (const Exchange& exchange : exchanges) {
        if (exchange.request.empty()) {
            for (Listener& listener : listeners) listener.overhear(exchange);
            continue;
        }
        bool recognised = false;
        for (Listener& listener : listeners)
            if (const Request* request = recognise(family, listener.asking, exchange.request)) {
                listener.take(*request, exchange);
                recognised = true;
            } else if (const Request* step = recognise_step(family, listener.asking, exchange.request)) {
                listener.take_step(*step, exchange);
                recognised = true;
            }
        if (!recognised)
            for (Listener& listener : listeners) listener.take_unknown(exchange);
    }

    std::vector<Heard> heard;
    for (Listener& listener : listeners) heard.push_back(listener.result());
    return heard;
}

}  // namespace bmsd::bms
