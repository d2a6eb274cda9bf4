// The other side of the daemon's D-Bus face: who is there, and how much is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "fleet/process.hpp"

namespace bmsd::bench {

/// A private D-Bus.
class Bus {
public:
    /// Starts a dbus-daemon with its socket in `dir`; throws if it does not come up.
    explicit Bus(fs::path dir);

    [[nodiscard]] const std::string& address() const noexcept { return address_; }
    /// How many battery services are on the bus now.
    [[nodiscard]] std::size_t batteries() const;
    /// Whether one of them tells a voltage.
    [[nodiscard]] bool any_voltage() const;
    /// How many paths all batteries have together.
    [[nodiscard]] std::size_t paths() const;

    struct Traffic {
        std::uint64_t signals = 0;  ///< ItemsChanged
        std::uint64_t bytes = 0;    ///< of these messages, headers included
        std::uint64_t paths = 0;    ///< values told in them
    };
    /// Listens for so long.
    [[nodiscard]] Traffic listen(std::chrono::nanoseconds duration) const;

    /// How long GetValue takes.
    struct Latency {
        std::chrono::nanoseconds median{}, longest{};
    };
    /// Asks the batteries in turn for their voltage, `calls` times with a pause of `pause` between.
    [[nodiscard]] Latency ask(std::size_t calls, std::chrono::nanoseconds pause) const;

private:
    [[nodiscard]] std::vector<std::string> services() const;

    fs::path dir_;
    std::string address_;
    Process daemon_;
};

}  // namespace bmsd::bench
