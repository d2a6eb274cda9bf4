// Looking over one CAN bus: which batteries speak, which other ids there are, what is wrong. Told of frames; no I/O.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "bms/can.hpp"
#include "link/can.hpp"

namespace bmsd::engine {

/// What a scan of one bus found.
struct CanScanResult {
    struct Found {
        const bms::Family* family;
        std::uint32_t address;
        bms::Certainty certainty;
        Reading reading;
    };
    /// Frames of a family came, but no battery made of them.
    struct Partial {
        const bms::Family* family;
        std::uint32_t address;
        std::string why;
    };
    struct Id {
        std::uint32_t id;
        bool extended;
        std::uint64_t frames;
        double per_second;
        std::string known_as;  ///< "Jkbms_Can status"; empty: nobody's
    };
    std::vector<Found> batteries;
    std::vector<Partial> partial;
    std::vector<Id> ids;  ///< sorted
    std::uint64_t frames = 0;
    bool from_here = false;  ///< another program on this computer sends, too
    std::string trouble;     ///< the likely mistake when no battery was found, in words; empty: none
};

class CanScan {
public:
    /// `addresses` empty: all that a family has. The families must outlive it.
    CanScan(const std::vector<const bms::Family*>& families, const std::vector<std::uint32_t>& addresses,
            const bms::Options& options);

    void hear(const link::CanReceived& received);

    /// What is to be asked next of those who do not speak unasked: one address after the other; empty when all were.
    [[nodiscard]] std::vector<CanFrame> next_questions(Clock::time_point now);

    /// After `listened`.
    [[nodiscard]] CanScanResult result(Clock::time_point now, std::chrono::duration<double> listened,
                                       const link::CanErrors& errors) const;

private:
    struct Count {
        std::uint64_t frames = 0;
        std::string known_as;
    };

    void listen_for(const bms::Family& family, std::uint32_t address);
    [[nodiscard]] std::string known_as(const CanFrame& frame) const;
    [[nodiscard]] std::string likely_mistake(const CanScanResult& result, const link::CanErrors& errors) const;

    std::vector<const bms::Family*> families_;
    bool all_addresses_;
    bms::Options options_;
    std::vector<bms::CanPicture> pictures_;
    std::map<std::pair<bool, std::uint32_t>, Count> ids_;
    std::size_t asked_ = 0;
    std::uint64_t frames_ = 0;
    bool from_here_ = false;
};

}  // namespace bmsd::engine
