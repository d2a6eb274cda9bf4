// What is remembered of a port from one start to the next.
#pragma once

#include <optional>
#include <string>

#include "engine/detector.hpp"

namespace bmsd::engine {

/// Where detections are kept. Implementations must not block for long.
class Memory {
public:
    virtual ~Memory() = default;
    Memory() = default;
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    /// What answered on this port the last time; absent if that is not known.
    [[nodiscard]] virtual std::optional<Candidate> recall(const std::string& port) = 0;
    virtual void remember(const std::string& port, const Candidate& found) = 0;
};

}  // namespace bmsd::engine
