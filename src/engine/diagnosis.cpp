#include "engine/diagnosis.hpp"

namespace bmsd::engine {
namespace {

/// Fewer requests than this say nothing about a line.
constexpr std::uint32_t enough = 3;

/// All counters, in one place for what is done to each.
constexpr std::uint32_t Evidence::*counters[] = {
    &Evidence::requests, &Evidence::good,        &Evidence::silent,        &Evidence::echo_only,
    &Evidence::garbled,  &Evidence::checksum,    &Evidence::cut,           &Evidence::foreign,
    &Evidence::refused,  &Evidence::echoes,      &Evidence::surplus,       &Evidence::unasked,
    &Evidence::bytes,    &Evidence::blank_bytes, &Evidence::garbled_bytes, &Evidence::framing_errors,
};

std::uint32_t percent(std::uint32_t part, std::uint32_t whole) noexcept {
    return whole == 0 ? 0 : static_cast<std::uint32_t>(std::uint64_t{100} * part / whole);
}

/// Answers that arrived damaged.
std::uint32_t damaged(const Evidence& e) noexcept {
    return e.checksum + e.cut + e.garbled;
}

/// Nothing but bytes without a frame: swapped wires give blanks, a wrong rate gives anything.
Mistake unreadable(const Evidence& e) noexcept {
    const std::uint32_t blank = percent(e.blank_bytes, e.garbled_bytes);
    const bool framing = e.framing_errors > 0 && e.framing_errors >= e.garbled;
    return blank >= 60 || (framing && blank >= 30) ? Mistake::swapped : Mistake::wrong_rate;
}

Mistake partly_damaged(const Evidence& own, const Evidence& others) noexcept {
    const std::uint32_t rate = percent(damaged(own), own.requests);
    const std::uint32_t collided = percent(own.checksum + own.surplus, own.requests);
    const bool others_clean = others.requests < enough || percent(damaged(others), others.requests) * 4 < rate + 1;
    // Two senders overwrite each other or answer one behind the other; noise alone rarely spoils every third answer.
    if (collided >= 30 && own.checksum + own.surplus > own.cut && others_clean) {
        // They collide at random: some answers are good, here or elsewhere on the bus. At a wrong rate none is.
        const bool any_good = own.good + own.surplus + others.good > 0;
        return any_good ? Mistake::duplicate_address : Mistake::wrong_rate;
    }
    return rate >= 10 && own.requests >= 2 * enough ? Mistake::unstable : Mistake::none;
}

std::string counted(std::uint32_t count, const char* what) {
    return std::to_string(count) + " " + what;
}

/// The numbers behind a mistake.
std::string numbers(Mistake mistake, const Evidence& e) {
    switch (mistake) {
        case Mistake::swapped:
        case Mistake::wrong_rate:
            return counted(e.garbled, "answered by bytes without a frame, ") +
                   std::to_string(percent(e.blank_bytes, e.garbled_bytes)) + " % of them 0x00 or 0xFF, " +
                   (e.checksum > 0 ? counted(e.checksum, "with a wrong checksum, ") : std::string()) +
                   counted(e.framing_errors, "framing errors");
        case Mistake::refused: return counted(e.refused, "answered so, last: ") + e.refusal;
        case Mistake::duplicate_address:
        case Mistake::unstable:
            return counted(e.good, "good, ") + counted(e.checksum, "with a wrong checksum, ") +
                   counted(e.cut, "cut short, ") + counted(e.garbled, "unreadable, ") + counted(e.surplus, "too long");
        case Mistake::other_master:
            return counted(e.unasked, "preceded by bytes nobody asked for, ") +
                   counted(e.foreign, "answered by frames of others");
        case Mistake::echo: return counted(e.echoes, "came back");
        default: return e.echo_only > 0 ? "only our own bytes came back: the adapter works" : "not one byte came back";
    }
}

struct Words {
    std::string_view likely;
    std::string_view remedy;
};

Words words(Mistake mistake) noexcept {
    switch (mistake) {
        case Mistake::none: break;
        case Mistake::swapped:
            return {"A and B are probably swapped, or ground is not connected",
                    "swap A and B at one end, and connect GND"};
        case Mistake::wrong_rate:
            return {"wrong baud rate, or a device of another kind talks on this line",
                    "`bmsd scan` tries every rate and type"};
        case Mistake::duplicate_address:
            return {"two batteries probably have the same address", "give each battery its own address"};
        case Mistake::unconfigured:
            return {
                "no answer from this address, while others on the bus answer",
                "is this battery switched on, and set to this address? `bmsd scan` shows the addresses that answer"};
        case Mistake::silence:
            return {
                "no answer",
                "the battery is off or asleep, has another address or is of another type, the cable is in the wrong "
                "socket, or A and B are swapped; wake the battery, check its address and the wiring"};
        case Mistake::refused:
            return {"somebody answers, but refuses what is asked, or says what cannot be",
                    "is it a BMS of another type, or set to another protocol? `bmsd scan` tries every type"};
        case Mistake::unstable:
            return {"the line is unstable",
                    "connect GND, end a long line with 120 ohm on both sides, keep it away from power cables; avoid "
                    "cables shorter than 30 cm"};
        case Mistake::echo:
            return {"the adapter returns what is sent", "this is tolerated; an adapter without echo is better"};
        case Mistake::other_master:
            return {
                "another master asks on this bus",
                "disconnect inverter, display or monitor from these wires, and give a BMS in master mode an address"};
    }
    return {};
}

}  // namespace

void Evidence::count_in(const Evidence& other) noexcept {
    for (const auto counter : counters) this->*counter += other.*counter;
}

Evidence& Evidence::operator+=(const Evidence& other) {
    count_in(other);
    if (!other.refusal.empty()) refusal = other.refusal;
    return *this;
}

void Evidence::fade() noexcept {
    if (requests < window) return;
    for (const auto counter : counters) this->*counter /= 2;
}

std::string_view to_string(Mistake mistake) noexcept {
    switch (mistake) {
        case Mistake::none: return "none";
        case Mistake::swapped: return "swapped";
        case Mistake::wrong_rate: return "wrong-rate";
        case Mistake::duplicate_address: return "duplicate-address";
        case Mistake::unconfigured: return "unconfigured";
        case Mistake::silence: return "silence";
        case Mistake::refused: return "refused";
        case Mistake::unstable: return "unstable";
        case Mistake::echo: return "echo";
        case Mistake::other_master: return "other-master";
    }
    return "unknown";
}

Mistake diagnose(const Evidence& own, const Evidence& others) noexcept {
    if (own.good == 0 && own.refused > 0 && own.refused >= damaged(own)) return Mistake::refused;
    if (own.requests < enough) return Mistake::none;
    // Bytes between our requests come from somebody else, whatever they did to our answers.
    if (own.unasked * 4 >= own.requests || own.foreign * 4 >= own.requests) return Mistake::other_master;
    if (own.good + own.checksum + own.cut + own.refused + own.foreign == 0) {
        if (own.garbled > 0) return unreadable(own);
        return others.good > 0 ? Mistake::unconfigured : Mistake::silence;
    }
    if (const Mistake mistake = partly_damaged(own, others); mistake != Mistake::none) return mistake;
    return own.echoes * 2 >= own.requests ? Mistake::echo : Mistake::none;
}

std::string explain(Mistake mistake, const Evidence& own) {
    if (mistake == Mistake::none) return {};
    const Words said = words(mistake);
    return std::string(said.likely) + " (" + counted(own.requests, own.requests == 1 ? "request: " : "requests: ") +
           numbers(mistake, own) + "); " + std::string(said.remedy);
}

}  // namespace bmsd::engine
