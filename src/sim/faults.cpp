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
    unsigned number = 1;     ///< unless given; 0: it must be given
    milliseconds time = {};  ///< unless given; 0: the fault has no time
    bool takes_number = false;
    bool whole_bus = false;
    bool on_serial = true;
    bool on_can = false;
    std::string_view usage;
    std::string_view meaning;
};

constexpr std::array words = {
    FaultWord{.name = "silence",
              .kind = FaultKind::silence,
              .takes_number = true,
              .on_can = true,
              .usage = "silence[:N]",
              .meaning = "every N-th request gets no answer; on CAN: every N-th frame is not sent (1)"},
    FaultWord{.name = "checksum",
              .kind = FaultKind::checksum,
              .takes_number = true,
              .usage = "checksum[:N]",
              .meaning = "every N-th answer is damaged (1)"},
    FaultWord{.name = "truncate",
              .kind = FaultKind::truncate,
              .takes_number = true,
              .on_can = true,
              .usage = "truncate[:N]",
              .meaning = "every N-th answer, or frame on CAN, is cut short (1)"},
    FaultWord{.name = "garbage",
              .kind = FaultKind::garbage,
              .takes_number = true,
              .usage = "garbage[:N]",
              .meaning = "every N-th answer has garbage before it (1)"},
    FaultWord{.name = "late",
              .kind = FaultKind::late,
              .time = milliseconds{700},
              .takes_number = true,
              .usage = "late[:N[:MS]]",
              .meaning = "every N-th answer comes only MS after its request (1, 700)"},
    FaultWord{.name = "foreign",
              .kind = FaultKind::foreign,
              .takes_number = true,
              .usage = "foreign[:N]",
              .meaning = "every N-th answer carries another battery's address, where answers carry one (1)"},
    FaultWord{.name = "duplicate",
              .kind = FaultKind::duplicate,
              .usage = "duplicate",
              .meaning = "two batteries have the same address and answer at once"},
    FaultWord{.name = "sleep",
              .kind = FaultKind::sleep,
              .number = 3,
              .takes_number = true,
              .usage = "sleep[:N]",
              .meaning = "the battery sleeps: the first N requests only wake it (3)"},
    FaultWord{.name = "missing",
              .kind = FaultKind::missing,
              .number = 0,
              .takes_number = true,
              .on_serial = false,
              .on_can = true,
              .usage = "missing:ID",
              .meaning = "CAN only: frames with this id are not sent"},
    FaultWord{.name = "swapped",
              .kind = FaultKind::swapped,
              .whole_bus = true,
              .usage = "swapped",
              .meaning = "A and B are swapped: only 0x00 and 0xFF come"},
    FaultWord{.name = "rate",
              .kind = FaultKind::rate,
              .whole_bus = true,
              .usage = "rate",
              .meaning = "a client at another rate than --baud gets only garbage (pty)"},
    FaultWord{.name = "echo",
              .kind = FaultKind::echo,
              .whole_bus = true,
              .usage = "echo",
              .meaning = "the adapter returns everything that is sent"},
    FaultWord{.name = "master",
              .kind = FaultKind::master,
              .time = milliseconds{260},
              .whole_bus = true,
              .usage = "master[:MS]",
              .meaning = "answers to another master's requests appear every MS (260)"},
};

bool happens_on(Medium medium, const FaultWord& word) noexcept {
    return medium == Medium::can ? word.on_can : word.on_serial;
}

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

std::string known_faults(Medium medium) {
    std::string all;
    for (const FaultWord& word : words)
        if (happens_on(medium, word)) all += (all.empty() ? "" : ", ") + std::string(word.usage);
    return all;
}

}  // namespace

Result<Fault> parse_fault(std::string_view text, Medium medium) {
    const std::string_view whole = trim(text);
    const auto at = whole.find('@');
    std::string_view rest = whole.substr(0, at);
    const std::string_view name = take_until(rest, ':');
    const auto* const word =
        std::find_if(words.begin(), words.end(), [&](const FaultWord& known) { return same_word(known.name, name); });
    if (word == words.end()) return refuse(whole, "not known; there are " + known_faults(medium));
    if (!happens_on(medium, *word))
        return refuse(whole, std::string("not possible on ") + (medium == Medium::can ? "CAN" : "a serial port") +
                                 "; there are " + known_faults(medium));

    Fault fault{word->kind, word->number, word->time};
    if (at != std::string_view::npos) {
        if (word->whole_bus) return refuse(whole, "it concerns the whole bus, leave out the address");
        fault.address = parse_number(whole.substr(at + 1));
        if (!fault.address) return refuse(whole, "behind @ stands a battery's address, e.g. @0x02");
    }
    if (word->number == 0 && rest.empty()) return refuse(whole, "say which: " + std::string(word->usage));
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

bool FaultPlan::lacks(std::uint32_t id) const noexcept {
    return enabled_ && std::any_of(entries_.begin(), entries_.end(), [id](const Entry& entry) {
               return entry.fault.kind == FaultKind::missing && entry.fault.number == id;
           });
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
