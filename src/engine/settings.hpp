// What the user decides about ports.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bms/family.hpp"
#include "model/report.hpp"

namespace bmsd::engine {

/// A bus address, and how the user spelt it (it becomes part of the service name).
struct Address {
    std::uint32_t value = 0;
    std::string text;

    bool operator==(const Address&) const = default;
};

struct PortSettings {
    std::string name;                                    ///< "/dev/ttyUSB0", "tcp://host:port"
    std::vector<const bms::Family*> families;            ///< candidates, in the order in which they are asked
    bool named = false;                                  ///< the user has named the families
    std::vector<Address> addresses = {};                 ///< empty: the family's standard address
    std::optional<std::chrono::milliseconds> poll = {};  ///< POLL_INTERVAL; 0 = back to back; absent: the family's
    std::optional<std::uint32_t> baud = {};              ///< BAUD_RATE; absent: the family's rates
    bms::Options options = {};                           ///< what the BMS does not say or says wrong

    bool operator==(const PortSettings&) const = default;
};

}  // namespace bmsd::engine
