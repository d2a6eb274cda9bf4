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
    fs::path bmsd;                        ///< the program to measure
    const bms::Family* family = nullptr;  ///< all simulated batteries belong to it; it is spoken on wires or on CAN
    std::vector<std::string> can = {};    ///< CAN interfaces that are up, one per bus; empty: the buses are serial
    std::uint32_t baud = 0;               ///< of every serial bus
    std::size_t batteries = 16;
    std::size_t buses = 4;
    double interval_s = 1;                     ///< POLL_INTERVAL; 0 = back to back
    bool paced = true;                         ///< the simulated wires are as slow as real ones
    std::chrono::milliseconds turnaround{10};  ///< how long a simulated BMS thinks
    std::vector<std::string> faults = {};      ///< of every bus, as `bmsd simulate --fault` takes them
    bool unplug = false;                       ///< while polls are waited for, one adapter after the other is gone
};

/// What the daemon counted since its start, all batteries together.
struct Totals {
    std::uint64_t polls = 0;
    std::uint64_t requests = 0;
    std::uint64_t good = 0;
    std::uint64_t bytes = 0;  ///< both ways, on the wire
    double heap_in_use = 0;   ///< bytes
};

/// The addresses of the first `count` batteries on a bus, from the family's standard one upwards, then from its first;
/// fewer if it has no more. A family without addresses has one battery per bus, and this is empty.
[[nodiscard]] std::vector<std::uint32_t> bus_addresses(const bms::Family& family, std::size_t count);
/// How many batteries can share a bus.
[[nodiscard]] std::size_t most_per_bus(const bms::Family& family);
/// The time so much needs on all serial wires together: the bytes, the thinking before each answer, the silence the
/// family demands after it.
[[nodiscard]] std::chrono::duration<double> wire_time(const Options& options, std::uint64_t bytes,
                                                      std::uint64_t requests);

/// A daemon with all its batteries on the bus. Everything is gone with the object.
class Fleet {
public:
    /// Starts everything; throws if not all batteries appear on the bus in time.
    explicit Fleet(const Options& options);
    ~Fleet();
    Fleet(const Fleet&) = delete;
    Fleet& operator=(const Fleet&) = delete;

    [[nodiscard]] pid_t pid() const { return daemons_.back().pid(); }
    /// From the start of the daemon until the first battery's voltage was on D-Bus, within 10 ms.
    [[nodiscard]] std::chrono::duration<double> time_to_first_value() const noexcept { return first_value_; }
    [[nodiscard]] const Bus& bus() const { return *bus_; }
    /// Asks the daemon for its counters.
    [[nodiscard]] Totals totals();
    /// Waits until the daemon has made so many polls in all, and each adapter that may be unplugged was twice. All are
    /// plugged in before and after.
    void wait_for_polls(std::uint64_t polls);

private:
    void toggle_plug();
    void start_buses(const Options& options);
    void start_serial_bus(const Options& options, std::size_t bus);
    void start_can_bus(const Options& options, std::size_t bus);
    void add_simulator(std::vector<std::string> command, const Options& options);
    void start_daemon(const Options& options);
    void wait_for_first_value();
    void wait_for_services(std::size_t batteries);

    fs::path dir_;
    std::unique_ptr<Bus> bus_;
    std::string addresses_;  ///< of the batteries of each bus, separated by commas; empty: the family has none
    std::vector<std::string> ports_;
    std::vector<Process> daemons_;  ///< simulators, and last the daemon
    std::chrono::duration<double> first_value_{0};
    bool unplug_;
    std::size_t plugs_ = 0;  ///< pulled or put in; even: none is pulled
};

}  // namespace bmsd::bench
