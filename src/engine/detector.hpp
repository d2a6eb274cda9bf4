// Finding out which BMS answers on a port.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/dialogue.hpp"

namespace bmsd::engine {

/// A family at one of its rates.
struct Candidate {
    const bms::Family* family = nullptr;
    std::uint32_t rate = 0;

    bool operator==(const Candidate&) const = default;
};

/// Every family at every rate, in the order in which they are asked; `baud`: only at this one; a link without rates of
/// its own (network) asks each family once.
[[nodiscard]] std::vector<Candidate> candidates(std::span<const bms::Family* const> families,
                                                std::optional<std::uint32_t> baud, bool has_rates);

/// How long it takes to find that nothing answers: the sum of the time-outs of the probes, `addresses` of each family.
[[nodiscard]] std::chrono::milliseconds longest_search(std::span<const Candidate> candidates,
                                                       const std::function<std::size_t(const bms::Family&)>& addresses);

/// How much is asked of a battery that has proved what it is.
enum class Extent : std::uint8_t {
    proof,       ///< what belongs to the proof: the identification and what every poll must have
    everything,  ///< also what a poll may do without and what is asked only sometimes, as far as it is answered
};

/// Asks a port for one family after the other. A family is believed once it has answered its probe twice and, where it
/// has more, its other polls, all with sound checksums and contents that are plausible and agree.
class Detector {
public:
    explicit Detector(Dialogue& dialogue, const bms::Options& options) : dialogue_(dialogue), options_(options) {}

    /// Asks one address. Absent: it is not this family; the reason is in `evidence()`.
    Task<std::optional<Reading>> ask(const bms::Family& family, std::uint32_t address, Extent extent = Extent::proof);
    /// Asks the family's probe once; true if it was answered.
    Task<bool> probe(const bms::Family& family, std::uint32_t address);
    /// Whether the battery that ask() told of last left this request of its family unanswered.
    [[nodiscard]] bool unanswered(std::size_t request) const { return unanswered_[request]; }
    /// Opens the port at the candidate's rate if it is not; false: the device failed.
    Task<bool> tune(const Candidate& candidate);

    /// What was met since the last forget().
    [[nodiscard]] const Evidence& evidence() const noexcept { return evidence_; }
    void forget() noexcept { evidence_ = {}; }

private:
    Task<bool> once(const bms::Family& family, std::uint32_t address, std::size_t request, Reading& reading);
    Task<bool> poll(const bms::Family& family, std::uint32_t address, Extent extent, Reading& reading);

    Dialogue& dialogue_;
    const bms::Options& options_;
    Counters counters_;
    Evidence evidence_;
    std::vector<bool> unanswered_;
};

}  // namespace bmsd::engine
