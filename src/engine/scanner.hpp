// Looking over one port: which BMS answer, at which rates and addresses, and what is wrong if they do not.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/detector.hpp"
#include "engine/settings.hpp"

namespace bmsd::engine {

/// A battery that answers.
struct FoundBattery {
    Candidate candidate;
    std::uint32_t address = 0;  ///< 0 where the family has none
    Reading reading;
    Evidence evidence;  ///< of some polls more, to see how clean the line is
    Mistake mistake = Mistake::none;
};

/// An address that answers, but not cleanly enough to be believed.
struct Suspect {
    Candidate candidate;
    std::uint32_t address = 0;
    Evidence evidence;
    Mistake mistake = Mistake::none;
};

struct ScanResult {
    std::string trouble;  ///< the port cannot be used: why; empty otherwise
    std::vector<FoundBattery> batteries;
    std::vector<Suspect> suspects;
    Evidence evidence;                ///< of everything that was asked
    std::string foreign;              ///< what overheard frames say (static text of the family); empty: nothing
    Mistake mistake = Mistake::none;  ///< of the port as a whole, when no battery was found
};

/// What is looked for.
struct ScanPlan {
    std::vector<const bms::Family*> families;  ///< in the order in which they are asked
    std::vector<std::uint32_t> addresses;      ///< empty: all that each family has
    std::optional<std::uint32_t> baud;         ///< absent: each family's rates
    bms::Options options;
};

/// The longest time a scan of a silent port can take.
[[nodiscard]] std::chrono::milliseconds longest_scan(const ScanPlan& plan, bool has_rates);

/// Scans one port. `progress` is told what is being asked, in words, before each question of a new kind.
[[nodiscard]] Task<ScanResult> scan(Dialogue& dialogue, const ScanPlan& plan,
                                    std::function<void(const std::string&)> progress);

}  // namespace bmsd::engine
