#include "engine/scanner.hpp"

#include <algorithm>
#include <array>

#include "model/words.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;

/// So long a port is listened to before anything is asked: another master asks at least once a second.
constexpr auto listening = 1200ms;
/// A battery that was found is polled so often to see how clean its line is.
constexpr int more_polls = 12;
/// A line on which nobody was found gets at least so many questions.
constexpr std::uint32_t few_questions = 6;
/// An address that answers damaged frames is asked so often to see in which way.
constexpr int more_probes = 8;

/// A family that has no more addresses than this is looked for at the unusual ones as well.
constexpr std::uint32_t few_addresses = 16;

/// All addresses at which the plan allows to look for a family, the standard one first.
std::vector<std::uint32_t> addresses_of(const bms::Family& family, const ScanPlan& plan) {
    if (!family.addresses.used) return {0};
    std::vector<std::uint32_t> all;
    const auto add = [&](std::uint32_t address) {
        if (bms::check_address(family, address) && std::find(all.begin(), all.end(), address) == all.end())
            all.push_back(address);
    };
    if (!plan.addresses.empty()) {
        for (const std::uint32_t address : plan.addresses) add(address);
        return all;
    }
    add(family.addresses.standard);
    for (const std::uint32_t address : family.addresses.factory) add(address);
    const bms::AddressRange whole{family.addresses.first, family.addresses.last};
    const auto add_range = [&](const bms::AddressRange& range) {
        for (std::uint32_t address = range.first; address <= range.last; ++address) add(address);
    };
    for (const bms::AddressRange& range : family.addresses.usual) add_range(range);
    if (family.addresses.usual.empty() || whole.last - whole.first < few_addresses) add_range(whole);
    return all;
}

/// Bytes of frames, however damaged, came back.
bool answered_somehow(const Evidence& e) {
    return e.good + e.checksum + e.cut + e.refused > 0;
}

class Scan {
public:
    Scan(Dialogue& dialogue, const ScanPlan& plan, std::function<void(const std::string&)> progress)
        : dialogue_(dialogue), plan_(plan), progress_(std::move(progress)), detector_(dialogue, plan_.options) {}

    Task<ScanResult> run() {
        const auto open = co_await dialogue_.open(plan_.baud.value_or(plan_.families.front()->serial.rates.front()));
        if (!open) {
            result_.trouble = open.error().detail;
            co_return std::move(result_);
        }
        dialogue_.on_unsolicited = [this](std::string_view why) { result_.foreign = why; };
        const bool has_rates = dialogue_.link().byte_time() > 0ns;
        auto all = candidates(plan_.families, plan_.baud, has_rates);
        std::erase_if(all, [&](const Candidate& one) { return addresses_of(*one.family, plan_).empty(); });
        if (all.empty()) {
            result_.trouble = dialogue_.link().name() + ": no BMS that is looked for has such an address";
            co_return std::move(result_);
        }
        co_await listen();
        co_await look(all, false);
        // Nobody at the usual addresses: somebody may be at the others, or had not answered.
        if (result_.batteries.empty() && result_.suspects.empty() && !gone()) co_await look(all, true);
        // Too few questions say nothing about a line.
        if (result_.batteries.empty() && result_.suspects.empty())
            while (result_.evidence.requests < few_questions && !gone()) co_await ask_again(all.front());
        dialogue_.on_unsolicited = nullptr;
        if (dialogue_.device_error())
            result_.trouble =
                dialogue_.link().name() + ": the device is gone (" + dialogue_.device_error().message() + ")";
        result_.mistake = diagnose(result_.evidence, {});
        Evidence clean;
        for (const FoundBattery& found : result_.batteries) clean += found.evidence;
        for (Suspect& suspect : result_.suspects) suspect.mistake = verdict(suspect.evidence, clean);
        co_return std::move(result_);
    }

private:
    [[nodiscard]] bool gone() const { return static_cast<bool>(dialogue_.device_error()); }

    /// Another master gives itself away before anything is asked.
    Task<void> listen() {
        progress_("listening");
        std::array<std::uint8_t, max_frame> heard;
        dialogue_.link().drain(heard);
        co_await dialogue_.sleep_until(Clock::now() + listening);
        const std::size_t bytes = dialogue_.link().drain(heard);
        heard_unasked_ = bytes > 2;
        for (const bms::Family* family : plan_.families) {
            if (!family->unsolicited || !heard_unasked_) continue;
            const auto said = family->unsolicited({family->addresses.standard, false},
                                                  std::span(heard).first(std::min(bytes, heard.size())));
            if (said.progress == bms::Reply::Progress::failed) result_.foreign = said.why;
        }
    }

    /// Asks every candidate at its usual address, or at all: there once more, as one lost answer is an everyday event.
    /// Ends with the first that gives a good answer, but for other protocols of the same type: damaged ones alone may
    /// mean a wrong rate.
    Task<void> look(std::span<const Candidate> all, bool everywhere) {
        const Candidate* doubtful = nullptr;
        for (const Candidate& candidate : all) {
            const std::size_t suspects = result_.suspects.size();
            const auto addresses = addresses_of(*candidate.family, plan_);
            tell(candidate, everywhere ? "all addresses" : "");
            if (!co_await detector_.tune(candidate)) co_return;
            for (std::size_t i = 0; i < (everywhere ? addresses.size() : 1); ++i) {
                co_await ask(candidate, addresses[i]);
                if (gone()) co_return;
            }
            if (result_.batteries.empty()) {
                const auto fresh = std::span(result_.suspects).subspan(suspects);
                const bool good =
                    std::any_of(fresh.begin(), fresh.end(), [](const Suspect& one) { return one.evidence.good > 0; });
                const bool others = std::any_of(&candidate + 1, all.data() + all.size(), [&](const Candidate& later) {
                    return later.family->type == candidate.family->type && later.rate == candidate.rate;
                });
                if (!good || others) {
                    if (!doubtful && !fresh.empty()) doubtful = &candidate;
                    continue;
                }
            }
            std::erase_if(result_.suspects, [&](const Suspect& one) { return !(one.candidate == candidate); });
            if (!everywhere) co_await sweep(candidate, addresses);
            co_return;
        }
        if (doubtful && !everywhere && co_await detector_.tune(*doubtful))
            co_await sweep(*doubtful, addresses_of(*doubtful->family, plan_));
    }

    /// Somebody of this family is there: who else?
    Task<void> sweep(const Candidate& candidate, const std::vector<std::uint32_t>& addresses) {
        for (std::size_t i = 1; i < addresses.size() && !gone(); ++i) {
            tell(candidate, "address " + address_text(addresses[i]));
            co_await ask(candidate, addresses[i]);
        }
    }

    Task<void> ask(const Candidate& candidate, std::uint32_t address) {
        detector_.forget();
        auto reading = co_await detector_.ask(*candidate.family, address);
        if (gone()) co_return;
        if (reading) {
            FoundBattery& found = result_.batteries.emplace_back();
            found.candidate = candidate;
            found.address = address;
            found.reading = std::move(*reading);
            for (int i = 0; i < more_polls && !gone(); ++i) co_await probe(candidate, address);
            found.evidence = detector_.evidence();
            found.mistake = verdict(found.evidence, {});
        } else if (answered_somehow(detector_.evidence())) {
            for (int i = 0; i < more_probes && !gone(); ++i) co_await probe(candidate, address);
            const Evidence& evidence = detector_.evidence();
            result_.suspects.push_back({candidate, address, evidence, Mistake::none});  // judged in the end
        }
        result_.evidence += detector_.evidence();
    }

    Task<void> ask_again(const Candidate& candidate) {
        detector_.forget();
        static_cast<void>(co_await detector_.probe(*candidate.family, addresses_of(*candidate.family, plan_).front()));
        result_.evidence += detector_.evidence();
    }

    Task<void> probe(const Candidate& candidate, std::uint32_t address) {
        tell(candidate, "address " + address_text(address) + ", how clean the line is");
        static_cast<void>(co_await detector_.probe(*candidate.family, address));
    }

    /// What was heard before the first question counts as well.
    [[nodiscard]] Mistake verdict(const Evidence& evidence, const Evidence& others) const {
        return heard_unasked_ ? Mistake::other_master : diagnose(evidence, others);
    }

    void tell(const Candidate& candidate, const std::string& what) {
        std::string text(candidate.family->type);
        if (dialogue_.link().byte_time() > 0ns) text += " at " + std::to_string(candidate.rate) + " baud";
        if (!what.empty() && candidate.family->addresses.used) text += ", " + what;
        if (text == told_) return;
        progress_(text);
        told_ = std::move(text);
    }

    Dialogue& dialogue_;
    const ScanPlan& plan_;
    std::function<void(const std::string&)> progress_;
    Detector detector_;
    ScanResult result_;
    std::string told_;
    bool heard_unasked_ = false;
};

}  // namespace

std::chrono::milliseconds longest_scan(const ScanPlan& plan, bool has_rates) {
    return listening + longest_search(candidates(plan.families, plan.baud, has_rates),
                                      [&](const bms::Family& family) { return 1 + addresses_of(family, plan).size(); });
}

Task<ScanResult> scan(Dialogue& dialogue, const ScanPlan& plan, std::function<void(const std::string&)> progress) {
    Scan scan(dialogue, plan, std::move(progress));
    co_return co_await scan.run();
}

}  // namespace bmsd::engine
