// What a simulation consists of, checked: the options of a person made into batteries, faults and alarms.
#pragma once

#include <utility>
#include <vector>

#include "bms/family.hpp"
#include "sim/command.hpp"
#include "sim/faults.hpp"

namespace bmsd::sim {

/// An alarm to raise; without a level, the one the family knows it with.
struct PlannedAlarm {
    Alarm alarm;
    std::optional<Level> level;
};

/// One bus full of batteries; the same for every port.
struct Plan {
    struct Place {
        const bms::Family* family;
        std::uint32_t address;
    };
    std::vector<Place> batteries;
    std::vector<Fault> faults;
    std::vector<PlannedAlarm> alarms;
    std::uint32_t baud = 0;
    bool can = false;  ///< on a CAN interface
};

/// Checks every option; ErrorClass::config, with what to write instead.
[[nodiscard]] Result<Plan> make_plan(const SimulateOptions& options);

/// The level with which a family reports an alarm unless told otherwise: the worst its tables know.
[[nodiscard]] Level usual_level(const bms::Family& family, Alarm alarm) noexcept;

}  // namespace bmsd::sim
