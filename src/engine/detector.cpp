#include "engine/detector.hpp"

#include <array>

#include "bms/plausible.hpp"

namespace bmsd::engine {
namespace {

using bms::When;

/// An identification or poll that must be answered is asked so often: one lost answer is an everyday event.
constexpr int tries = 2;

/// What no poll may go without proves the family.
bool proves(const bms::Request& request) {
    return request.when == When::every_poll && request.mandatory;
}

}  // namespace

std::vector<Candidate> candidates(std::span<const bms::Family* const> families, std::optional<std::uint32_t> baud,
                                  bool has_rates) {
    std::vector<Candidate> all;
    for (const bms::Family* family : families) {
        if (baud || !has_rates)
            all.push_back({family, baud.value_or(family->serial.rates.front())});
        else
            for (const std::uint32_t rate : family->serial.rates) all.push_back({family, rate});
    }
    return all;
}

std::chrono::milliseconds longest_search(std::span<const Candidate> candidates,
                                         const std::function<std::size_t(const bms::Family&)>& addresses) {
    std::chrono::milliseconds total{0};
    for (const Candidate& candidate : candidates) {
        const bms::Family& family = *candidate.family;
        const auto probe = family.requests[family.probe].timeout + family.timing.gap;
        total += probe * static_cast<long>(addresses(family) * family.timing.probes);
    }
    return total;
}

Task<bool> Detector::tune(const Candidate& candidate) {
    const bool has_rates = dialogue_.link().byte_time() > std::chrono::nanoseconds{0};
    if (dialogue_.link().is_open() && (!has_rates || dialogue_.baud() == candidate.rate)) co_return true;
    const Result<void> opened = co_await dialogue_.open(candidate.rate);
    co_return opened.has_value();
}

Task<bool> Detector::once(const bms::Family& family, std::uint32_t address, std::size_t request, Reading& reading) {
    Pace pace;
    // Not alone: an answer must prove whose it is.
    const bms::Asking asking{address, false, &reading, options_};
    Result<void> answered =
        co_await dialogue_.ask(family, family.requests[request], asking, pace, {counters_, evidence_}, reading);
    if (!answered && dialogue_.otherwise())
        answered =
            co_await dialogue_.ask(family, family.requests[request], asking, pace, {counters_, evidence_}, reading);
    co_return answered.has_value();
}

/// What else is asked at every poll must be answered, too.
Task<bool> Detector::poll(const bms::Family& family, std::uint32_t address, Extent extent, Reading& reading) {
    for (std::size_t i = 0; i < family.requests.size(); ++i) {
        const bms::Request& request = family.requests[i];
        const bool wanted = request.when == When::identify || proves(request) ||
                            (extent == Extent::everything && request.when != When::on_demand);
        if (i == family.probe || !wanted || (request.wanted && !request.wanted(reading))) continue;
        // What is no proof is none against it either: nothing is kept of an answer that cannot be true.
        Reading next = reading;
        bool answered = false;
        for (int attempt = 0; attempt < tries && !answered && !dialogue_.device_error(); ++attempt)
            answered = co_await once(family, address, i, next);
        if (!proves(request) && !bms::newly_implausible(reading, next).empty()) answered = false;
        if (answered) reading = next;
        if (!answered && (proves(request) || dialogue_.device_error())) co_return false;
        unanswered_[i] = !answered;
    }
    co_return true;
}

Task<bool> Detector::probe(const bms::Family& family, std::uint32_t address) {
    Reading ignored;
    co_return co_await once(family, address, family.probe, ignored);
}

Task<std::optional<Reading>> Detector::ask(const bms::Family& family, std::uint32_t address, Extent extent) {
    unanswered_.assign(family.requests.size(), false);
    Reading first;
    bool answered = false;
    for (int attempt = 0; attempt < family.timing.probes && !answered && !dialogue_.device_error(); ++attempt)
        answered = co_await once(family, address, family.probe, first);
    if (!answered) co_return std::nullopt;

    Reading second;
    answered = co_await once(family, address, family.probe, second);
    if (!answered) answered = co_await once(family, address, family.probe, second);
    if (!answered || !bms::consistent(first, second)) co_return std::nullopt;
    if (is_weak(family) && !bms::repeats(first, second)) {  // one may be damaged
        Reading third;
        if (!co_await once(family, address, family.probe, third)) co_return std::nullopt;
        second = bms::middle(std::array{first, second, third});
    }
    if (!co_await poll(family, address, extent, second)) co_return std::nullopt;
    if (const std::string_view why = bms::no_battery(second); !why.empty()) {
        evidence_.refusal = why;
        co_return std::nullopt;
    }
    co_return second;
}

}  // namespace bmsd::engine
