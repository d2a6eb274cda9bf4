#include "bms/transaction.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
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

/// What the last answer to each question raised: it counts until the same is answered again.
class RaisedAlarms {
public:
    void replace(const Request& request, std::span<const std::uint8_t> asked, const Alarms& alarms) {
        const auto same = [&](const Told& one) {
            return one.request == &request &&
                   std::equal(one.asked.begin(), one.asked.end(), asked.begin(), asked.end());
        };
        const auto before = std::find_if(told_.begin(), told_.end(), same);
        if (before == told_.end())
            told_.push_back({&request, asked, alarms});
        else
            before->alarms = alarms;
    }

    [[nodiscard]] Alarms all() const {
        Alarms all;
        for (const Told& one : told_)
            for (std::size_t i = 0; i < alarm_count; ++i)
                if (const auto level = one.alarms[static_cast<Alarm>(i)]) all.raise(static_cast<Alarm>(i), *level);
        return all;
    }

    void clear() { told_.clear(); }

private:
    struct Told {
        const Request* request;
        std::span<const std::uint8_t> asked;
        Alarms alarms;
    };
    std::vector<Told> told_;
};

/// One address' side of a recorded dialogue.
struct Listener {
    const Family& family;
    Asking asking;
    std::optional<Error> unusable{};  ///< the address
    Reading reading{};
    bool decoded = false;
    unsigned acknowledged = 0;
    RaisedAlarms raised{};
    std::optional<Error> refused{};
    std::optional<Error> silent{};

    /// Hears the dialogue from its beginning; what it has told before stays known.
    void begin() {
        decoded = false;
        acknowledged = 0;
        raised.clear();
        refused.reset();
        silent.reset();
    }

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
        begin_poll(next);
        if (auto result = transaction.finish(next)) {
            raised.replace(request, exchange.request, next.alarms);
            reading = std::move(next), decoded = true;
            reading.alarms = raised.all();
            if (transaction.reply().acknowledges) ++acknowledged;
        } else if (transaction.bytes().empty()) {
            silent = result.error();
        } else if (!refused) {
            refused = result.error();
        }
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
        if (family.other) {
            std::optional<Error> of_other;
            if (try_as(*family.other, exchange, of_other)) return;
            // It looks at the question: what it says of the bytes is about the answer.
            if (of_other && of_other->cls != ErrorClass::unexpected) first = of_other;
        }
        if (!refused) refused = first;
    }

    /// Whether an exchange is that of a request; if not, its first error is kept.
    bool try_as(const Request& request, const Exchange& exchange, std::optional<Error>& first) {
        Listener attempt{.family = family, .asking = asking, .reading = reading, .raised = raised};
        attempt.take(request, exchange);
        if (attempt.decoded) {
            reading = std::move(attempt.reading);
            raised = std::move(attempt.raised);
            acknowledged += attempt.acknowledged;
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
        if (unusable) return {asking.address, tl::unexpected(*unusable), 0};
        if (refused) return {asking.address, tl::unexpected(*refused), acknowledged};
        if (decoded) return {asking.address, std::move(reading), acknowledged};
        return {asking.address, tl::unexpected(silent.value_or(Error{ErrorClass::truncated, "no answer"})), 0};
    }
};

/// Whether this is the sound dialogue of a battery at an address that nobody listens to.
bool is_of_another(std::span<const Listener> listeners, const Exchange& exchange) {
    const Family& family = listeners.front().family;
    if (!family.addresses.used) return false;
    const auto sound = [&](std::uint32_t address) {
        const auto listens = [&](const Listener& listener) { return listener.asking.address == address; };
        if (std::any_of(listeners.begin(), listeners.end(), listens)) return false;
        const Asking asking{.address = address, .options = listeners.front().asking.options, .recorded = true};
        const Request* request = recognise(family, asking, exchange.request);
        if (!request) request = recognise_step(family, asking, exchange.request);
        if (!request) request = family.other;
        if (!request || !check_address(family, address)) return false;
        Listener other{.family = family, .asking = asking};
        other.take(*request, exchange);
        return other.decoded;
    };
    const auto& factory = family.addresses.factory;
    for (std::uint32_t address = family.addresses.first; address <= family.addresses.last; ++address)
        if (sound(address)) return true;
    return std::any_of(factory.begin(), factory.end(), sound);
}

void hear(std::span<Listener> listeners, const Exchange& exchange) {
    if (exchange.request.empty()) {
        for (Listener& listener : listeners) listener.overhear(exchange);
        return;
    }
    bool recognised = false;
    for (Listener& listener : listeners)
        if (const Request* request = recognise(listener.family, listener.asking, exchange.request)) {
            listener.take(*request, exchange);
            recognised = true;
        } else if (const Request* step = recognise_step(listener.family, listener.asking, exchange.request)) {
            listener.take_step(*step, exchange);
            recognised = true;
        }
    if (recognised) return;
    if (is_of_another(listeners, exchange)) {
        for (Listener& listener : listeners)
            listener.silent = Error{ErrorClass::unexpected, "only a battery at another address was asked"};
        return;
    }
    for (Listener& listener : listeners) listener.take_unknown(exchange);
}

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
        if (auto usable = check_address(family, address); !usable) listeners.back().unusable = usable.error();
    };
    for (const std::uint32_t address : addresses) add(address);
    if (addresses.empty()) add(family.addresses.standard);

    // What an answer means may depend on one that was recorded behind it: the second time everything is known.
    for (int time = 0; time < 2; ++time) {
        for (Listener& listener : listeners) listener.begin();
        for (const Exchange& exchange : exchanges) hear(listeners, exchange);
    }

    std::vector<Heard> heard;
    for (Listener& listener : listeners) heard.push_back(listener.result());
    return heard;
}

}  // namespace bmsd::bms
