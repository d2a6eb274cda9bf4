// Simulated battery buses, one real daemon that reads them, and the daemon's own count of what it did.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bms/family.hpp"
#include "fleet/bus.hpp"
#include "fleet/process.hpp"

namespace bmsd::bench {

struct Options {
    fs::path bmsd;  ///< the program to measure
    std::size_t batteries = 16;
    std::size_t buses = 4;
    double interval_s = 1;                     ///< POLL_INTERVAL; 0 = back to back
    bool paced = true;                         ///< the simulated wires are as slow as real ones
    std::chrono::milliseconds turnaround{10};  ///< how long a simulated BMS thinks
};

/// What the daemon counted since its start, all batteries together.
struct Totals {
    std::uint64_t polls = 0;
    std::uint64_t requests = 0;
    std::uint64_t good = 0;
    double heap_in_use = 0;  ///< bytes
};

/// A daemon with all its batteries on the bus. Everything is gone with the object.
class Fleet {
public:
    /// Starts everything; throws if not all batteries appear on the bus in time.
    explicit Fleet(const Options& options);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    [[nodiscard]] pid_t pid() const { return daemons_.back().pid(); }
    [[nodiscard]] const Bus& bus() const { return *bus_; }
    /// Asks the daemon for its counters.
    [[nodiscard]] Totals totals();
    /// Waits until the daemon has made so many polls in all.
    void wait_for_polls(std::uint64_t polls);

    /// The family all simulated batteries belong to.
    [[nodiscard]] static const bms::Family& family();
    /// The time one question and its answer need on a wire of the family: bytes, thinking and silence.
    [[nodiscard]] static std::chrono::duration<double> wire_time(std::chrono::milliseconds turnaround);

private:
    void start_buses(const Options& options);
    void start_daemon(const Options& options);
    void wait_for_services(std::size_t batteries);

    fs::path dir_;
    std::unique_ptr<Bus> bus_;
    std::vector<std::string> ports_;
    std::vector<Process> daemons_;  ///< simulators, and last the daemon
};

}  // namespace bmsd::bench
