#include "sim/faults.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "model/words.hpp"

namespace bmsd::sim {
namespace {

using std::chrono::milliseconds;

struct FaultWord {
    std::string_view name;
    FaultKind kind;
    bool takes_number;
    bool whole_bus;
    unsigned number;    ///< unless given
    milliseconds time;  ///< unless given; 0: the fault has no time
    std::string_view usage;
    std::string_view meaning;
};

constexpr std::array words = {
    FaultWord{
        "silence", FaultKind::silence, true, false, 1, {}, "silence[:N]", "every N-th request gets no answer (1)"},
    FaultWord{"checksum", FaultKind::checksum, true, false, 1, {}, "checksum[:N]", "every N-th answer is damaged (1)"},
    FaultWord{
        "truncate", FaultKind::truncate, true, false, 1, {}, "truncate[:N]", "every N-th answer is cut short (1)"},
    FaultWord{"garbage",
              FaultKind::garbage,
              true,
              false,
              1,
              {},
              "garbage[:N]",
              "every N-th answer has garbage before it (1)"},
    FaultWord{"late", FaultKind::late, true, false, 1, milliseconds{700}, "late[:N[:MS]]",
              "every N-th answer comes only MS after its request (1, 700)"},
    FaultWord{"foreign",
              FaultKind::foreign,
              true,
              false,
              1,
              {},
              "foreign[:N]",
              "every N-th answer carries another battery's address, where answers carry one (1)"},
    FaultWord{"duplicate",
              FaultKind::duplicate,
              false,
              false,
              1,
              {},
              "duplicate",
              "two batteries have the same address and answer at once"},
    FaultWord{"sleep",
              FaultKind::sleep,
              true,
              false,
              3,
              {},
              "sleep[:N]",
              "the battery sleeps: the first N requests only wake it (3)"},
    FaultWord{
        "swapped", FaultKind::swapped, false, true, 1, {}, "swapped", "A and B are swapped: only 0x00 and 0xFF come"},
    FaultWord{"rate",
              FaultKind::rate,
              false,
              true,
              1,
              {},
              "rate",
              "a client at another rate than --baud gets only garbage (pty)"},
    FaultWord{"echo", FaultKind::echo, false, true, 1, {}, "echo", "the adapter returns everything that is sent"},
    FaultWord{"master", FaultKind::master, false, true, 1, milliseconds{260}, "master[:MS]",
              "answers to another master's requests appear every MS (260)"},
};

tl::unexpected<Error> refuse(std::string_view text, const std::string& why) {
    return tl::unexpected(Error{ErrorClass::config, "fault \"" + std::string(text) + "\": " + why});
}

/// The number that is the whole of `text`, decimal or with 0x; absent if it is none.
std::optional<std::uint32_t> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    }
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// Cuts `text` behind the first `mark`; the part in front is returned.
std::string_view take_until(std::string_view& text, char mark) {
    const std::string_view front = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(front.size() + 1, text.size()));
    return front;
}

std::string known_faults() {
    std::string all;
    for (const FaultWord& word : words) all += (all.empty() ? "" : ", ") + std::string(word.usage);
    return all;
}

}  // namespace

Result<Fault> parse_fault(std::string_view text) {
    const std::string_view whole = trim(text);
    const auto at = whole.find('@');
    std::string_view rest = whole.substr(0, at);
    const std::string_view name = take_until(rest, ':');
    const auto* const word =
        std::find_if(words.begin(), words.end(), [&](const FaultWord& known) { return same_word(known.name, name); });
    if (word == words.end()) return refuse(whole, "not known; there are " + known_faults());

    Fault fault{word->kind, word->number, word->time};
    if (at != std::string_view::npos) {
        if (word->whole_bus) return refuse(whole, "it concerns the whole bus, leave out the address");
        fault.address = parse_number(whole.substr(at + 1));
        if (!fault.address) return refuse(whole, "behind @ stands a battery's address, e.g. @0x02");
    }
    if (word->takes_number && !rest.empty()) {
        const auto number = parse_number(take_until(rest, ':'));
        if (!number || *number == 0) return refuse(whole, "the number must be 1 or more: " + std::string(word->usage));
        fault.number = *number;
    }
    if (word->time.count() > 0 && !rest.empty()) {
        const auto time = parse_number(take_until(rest, ':'));
        if (!time || *time == 0) return refuse(whole, "the time is in ms, 1 or more: " + std::string(word->usage));
        fault.time = milliseconds{*time};
    }
    if (!rest.empty()) return refuse(whole, "there is too much behind the name: " + std::string(word->usage));
    return fault;
}

std::string fault_help() {
    std::string help;
    for (const FaultWord& word : words) {
        help += "  " + std::string(word.usage);
        help.append(word.usage.size() < 16 ? 16 - word.usage.size() : 1, ' ');
        help += std::string(word.meaning) + "\n";
    }
    return help;
}

FaultPlan::FaultPlan(std::span<const Fault> faults, std::uint32_t address) {
    for (const Fault& fault : faults)
        if (!fault.address || *fault.address == address) entries_.push_back({fault});
}

const Fault* FaultPlan::strikes(FaultKind kind) noexcept {
    if (!enabled_) return nullptr;
    const Fault* striking = nullptr;
    for (Entry& entry : entries_) {
        if (entry.fault.kind != kind) continue;
        if (kind == FaultKind::sleep) {
            if (entry.occasions < entry.fault.number) ++entry.occasions, striking = &entry.fault;
        } else if (++entry.occasions == entry.fault.number) {
            entry.occasions = 0;
            striking = &entry.fault;
        }
    }
    return striking;
}

const Fault* FaultPlan::planned(FaultKind kind) const noexcept {
    if (!enabled_) return nullptr;
    const auto found =
        std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.fault.kind == kind; });
    return found == entries_.end() ? nullptr : &found->fault;
}

void FaultPlan::enable(bool on) noexcept {
    enabled_ = on;
    for (Entry& entry : entries_) entry.occasions = 0;
}

void spoil(Bytes& answer) noexcept {
    if (!answer.empty()) answer[answer.size() / 2] ^= 0x10;
}

void cut(Bytes& answer) noexcept {
    answer.resize(answer.size() / 2);
}

void blank(Bytes& bytes) noexcept {
    for (std::uint8_t& byte : bytes) byte = byte & 0x04 ? 0xFF : 0x00;
}

void garble(Bytes& bytes) noexcept {
    std::uint8_t before = 0x5B;
    for (std::uint8_t& byte : bytes) {
        before = static_cast<std::uint8_t>((before * 29) ^ (byte << 3) ^ (byte >> 2));
        byte = before;
    }
}

void prepend_garbage(Bytes& answer) {
    constexpr std::array<std::uint8_t, 6> garbage = {0x00, 0xFF, 0x4E, 0x55, 0xAA, 0x13};
    answer.resize(std::min(answer.size(), max_frame - garbage.size()));
    answer.insert(answer.begin(), garbage.begin(), garbage.end());
}

void collide(Bytes& answer, std::span<const std::uint8_t> other, unsigned round) {
    constexpr std::size_t few = 7;
    const std::size_t rounds = 3;
    const std::size_t begin = round % rounds == 0 ? 0 : round % rounds == 1 ? few : answer.size();
    const std::size_t overlap_end = answer.size();
    answer.resize(std::clamp(begin + other.size(), answer.size(), std::max(answer.size(), max_frame)));
    for (std::size_t i = 0; i < other.size() && begin + i < answer.size(); ++i) {
        std::uint8_t& byte = answer[begin + i];
        // Two drivers against each other: a 0 wins.
        byte = begin + i < overlap_end ? static_cast<std::uint8_t>(byte & other[i]) : other[i];
    }
}

}  // namespace bmsd::sim
