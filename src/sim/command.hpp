// `bmsd simulate`: batteries to try bmsd with, and the test peer of the end-to-end tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/error.hpp"

namespace bmsd::sim {

/// Where clients connect.
enum class PortKind : std::uint8_t { pty, tcp, can };

/// Options of the command as the user gave them.
struct SimulateOptions {
    std::vector<std::string> families = {};     ///< BMS_TYPE, key or alias; at least one; all on one bus
    std::vector<std::uint32_t> addresses = {};  ///< empty: the family's standard one; each on every addressed family
    PortKind kind = PortKind::pty;
    std::string path = {};           ///< pty: symbolic link to publish; empty: none. CAN: the interface
    std::string host = "127.0.0.1";  ///< tcp: numeric address to listen on
    std::uint16_t tcp_port = 0;      ///< 0: any free one
    unsigned ports = 1;              ///< so many equal buses; `path` and `tcp_port` then count up from 1 / tcp_port
    bool baud_pacing = false;        ///< bytes take their time on the wire
    std::uint32_t baud = 0;          ///< 0: first rate of the first family
    std::chrono::milliseconds turnaround{10};  ///< from the end of a request to its answer
    std::vector<std::string> faults = {};      ///< see parse_fault()
    std::vector<std::string> alarms = {};      ///< raised in every battery: NAME[:warning|alarm]
    std::size_t cells = 16;                    ///< in series, 1..32
    double capacity_ah = 280;
    double soc_percent = 60;               ///< at the start
    std::optional<double> current_a = {};  ///< constant, positive = charging; absent: charges and discharges in turn
    double speed = 1;                      ///< seconds in the packs per second; 0: nothing changes
    bool jitter = false;                   ///< no measured value is the same twice
    bool json = false;                     ///< print JSON instead of text
};

/// Signals, faults and behaviour in plain text, for the help of the command.
[[nodiscard]] std::string simulate_help();

/// Prints one line per port once it can be opened (and again after it was plugged in again) and answers until
/// SIGINT or SIGTERM. ErrorClass::config: an option cannot be used; nothing was started.
[[nodiscard]] Result<void> simulate(const SimulateOptions& options);

}  // namespace bmsd::sim
