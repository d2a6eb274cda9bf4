// What is remembered from one start to the next.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "control/controller.hpp"
#include "engine/detector.hpp"

namespace bmsd::engine {

/// A BMS that was found on a port.
struct Found {
    Candidate candidate;        ///< rate 0: the link has none of its own (network, CAN)
    std::uint32_t address = 0;  ///< 0 also where the family has no addresses

    bool operator==(const Found&) const = default;
};

/// Where detections are kept. Implementations must not block for long.
class Memory {
public:
    virtual ~Memory() = default;
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    /// What was found on this port the last time; empty if that is not known.
    [[nodiscard]] virtual std::vector<Found> recall(const std::string& port) = 0;
    /// In place of what was known of this port.
    virtual void remember(const std::string& port, const std::vector<Found>& found) = 0;
};

/// Where the state of batteries is kept, by their identity. Implementations must not block for long.
class BatteryMemory {
public:
    virtual ~BatteryMemory() = default;
    BatteryMemory() = default;
    BatteryMemory(const BatteryMemory&) = delete;
    BatteryMemory& operator=(const BatteryMemory&) = delete;

    /// A battery is met, before it is recalled; its other names may help to find what is stored of it.
    virtual void meet(const Identity& battery) { static_cast<void>(battery); }
    /// How this battery was left; absent if nothing is known of it.
    [[nodiscard]] virtual std::optional<control::Persistent> recall(const std::string& id) = 0;
    virtual void keep(const std::string& id, const control::Persistent& state) = 0;
    /// Where the battery is that alone may have this identity, as several claim it; empty: nobody else does.
    [[nodiscard]] virtual std::string place(const std::string& id) = 0;
    virtual void keep_place(const std::string& id, const std::string& place) = 0;
};

}  // namespace bmsd::engine
