// From what was counted on the wire to the mistake in the wiring that explains it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bmsd::engine {

/// What the last requests to one address (or to all of a port) met. Counts are halved together when `requests` reaches
/// `window`, so that old troubles fade.
struct Evidence {
    static constexpr std::uint32_t window = 64;

    std::uint32_t requests = 0;
    std::uint32_t good = 0;
    std::uint32_t silent = 0;          ///< not one byte came
    std::uint32_t echo_only = 0;       ///< nothing but our own request came back
    std::uint32_t garbled = 0;         ///< bytes came, but no frame of this family among them
    std::uint32_t checksum = 0;        ///< a frame came, its checksum was wrong
    std::uint32_t cut = 0;             ///< a frame began, its end was missing
    std::uint32_t foreign = 0;         ///< a sound frame of another address or request
    std::uint32_t refused = 0;         ///< the BMS said no, or impossible content
    std::uint32_t echoes = 0;          ///< our own request came back in front of what else came
    std::uint32_t surplus = 0;         ///< more bytes followed a whole answer
    std::uint32_t unasked = 0;         ///< bytes lay in the port before a request, although the line had been quiet
    std::uint32_t bytes = 0;           ///< received altogether
    std::uint32_t blank_bytes = 0;     ///< of those in garbled answers: 0x00 and 0xFF
    std::uint32_t garbled_bytes = 0;   ///< in garbled answers
    std::uint32_t framing_errors = 0;  ///< as counted by the driver of the UART
    std::string refusal = {};          ///< in words: the last one of `refused`, or why a battery is not believed

    /// True if every request was answered and nothing else was heard.
    [[nodiscard]] bool clean() const noexcept { return good == requests && echoes + surplus + unasked == 0; }
    Evidence& operator+=(const Evidence& other);
    /// The counters alone: what several batteries have met.
    void count_in(const Evidence& other) noexcept;
    /// Halves everything once the window is full.
    void fade() noexcept;
};

/// The mistakes people make (connect.md's table), in the order in which they are looked for.
enum class Mistake : std::uint8_t {
    none,
    swapped,            ///< A and B swapped, or no ground
    wrong_rate,         ///< wrong baud rate, or another device talks
    duplicate_address,  ///< two batteries have the same address
    unconfigured,       ///< this address is silent, others answer
    silence,            ///< asleep, off, wrong port
    refused,            ///< somebody answers, but only to refuse, or what cannot be
    unstable,           ///< ground, termination, length
    echo,               ///< the adapter returns what is sent (survived)
    other_master,       ///< somebody else asks on this bus
};

/// A word for programs, e.g. "duplicate-address".
[[nodiscard]] std::string_view to_string(Mistake mistake) noexcept;

/// What explains this address' evidence; `others` is that of the other addresses on the same bus (all zero if there are
/// none). The most telling mistake wins; none while the dialogue is clean or too short to tell.
[[nodiscard]] Mistake diagnose(const Evidence& own, const Evidence& others) noexcept;

/// The mistake in words for a person: what is likely wrong, the evidence, what to do; empty for none.
[[nodiscard]] std::string explain(Mistake mistake, const Evidence& own);

}  // namespace bmsd::engine
