#include "fleet/fleet.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/json.hpp>

#include "model/words.hpp"

namespace bmsd::bench {
namespace {

using namespace std::chrono_literals;

fs::path new_directory() {
    std::string name = (fs::temp_directory_path() / "bmsd-fleet.XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a directory " + name);
    return name;
}

/// Batteries that really share a bus are not more than this.
constexpr std::size_t most_on_a_bus = 16;

}  // namespace

std::vector<std::uint32_t> bus_addresses(const bms::Family& family, std::size_t count) {
    std::vector<std::uint32_t> all;
    if (!family.addresses.used) return all;
    const auto& range = family.addresses;
    const std::uint32_t places = range.last - range.first + 1;
    for (std::uint32_t i = 0; i < places && all.size() < count; ++i) {
        const std::uint32_t address = range.first + (range.standard - range.first + i) % places;
        if (bms::check_address(family, address)) all.push_back(address);
    }
    return all;
}

std::size_t most_per_bus(const bms::Family& family) {
    return family.addresses.used ? bus_addresses(family, most_on_a_bus).size() : 1;
}

std::chrono::duration<double> wire_time(const Options& options, std::uint64_t bytes, std::uint64_t requests) {
    constexpr double bits_per_byte = 10;  // start, 8 data, stop
    const std::chrono::duration<double> carried(static_cast<double>(bytes) * bits_per_byte / options.baud);
    const std::chrono::duration<double> pause = options.turnaround + options.family->timing.gap;
    return carried + pause * static_cast<double>(requests);
}

Fleet::Fleet(const Options& options) : dir_(new_directory()), unplug_(options.unplug) {
    for (const std::uint32_t address : bus_addresses(*options.family, options.batteries / options.buses))
        addresses_ += (addresses_.empty() ? "" : ",") + address_text(address);
    try {
        bus_ = std::make_unique<Bus>(dir_);
        start_buses(options);
        start_daemon(options);
        wait_for_first_value();
        wait_for_services(options.batteries);
    } catch (...) {
        daemons_.clear();
        bus_.reset();
        fs::remove_all(dir_);
        throw;
    }
}

Fleet::~Fleet() {
    while (!daemons_.empty()) daemons_.pop_back();
    bus_.reset();
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
}

void Fleet::start_buses(const Options& options) {
    for (std::size_t bus = 0; bus < options.buses; ++bus)
        options.can.empty() ? start_serial_bus(options, bus) : start_can_bus(options, bus);
    if (!options.can.empty()) return;  // an interface is there already
    for (std::size_t bus = 0; bus < options.buses; ++bus)
        for (int tries = 0; !fs::exists(ports_[bus]); ++tries) {
            daemons_[bus].must_run();
            if (tries == 200) throw std::runtime_error("the simulated bus " + ports_[bus] + " does not appear");
            pause_for(50ms);
        }
}

void Fleet::start_serial_bus(const Options& options, std::size_t bus) {
    ports_.push_back((dir_ / ("bus" + std::to_string(bus))).string());
    std::vector<std::string> command = {"--link",      "pty",    "--path",
                                        ports_.back(), "--baud", std::to_string(options.baud)};
    command.insert(command.end(), {"--turnaround", std::to_string(options.turnaround.count())});
    if (options.paced) command.emplace_back("--baud-pacing");
    add_simulator(std::move(command), options);
}

void Fleet::start_can_bus(const Options& options, std::size_t bus) {
    ports_.push_back(options.can[bus]);
    add_simulator({"--link", "can", "--path", ports_.back()}, options);
}

void Fleet::add_simulator(std::vector<std::string> command, const Options& options) {
    // All values move, as measured ones do: the daemon must not look good because nothing changes.
    command.insert(command.begin(), {options.bmsd.string(), "simulate", std::string(options.family->key), "--jitter"});
    if (!addresses_.empty()) command.insert(command.end(), {"--addresses", addresses_});
    for (const std::string& fault : options.faults) command.insert(command.end(), {"--fault", fault});
    daemons_.emplace_back(command, dir_ / ("simulate" + std::to_string(daemons_.size())));
}

void Fleet::start_daemon(const Options& options) {
    std::ofstream config(dir_ / "config.ini");
    config << "[DEFAULT]\nBMS_TYPE = " << options.family->type << "\nPOLL_INTERVAL = " << options.interval_s << "\n";
    if (options.can.empty()) config << "BAUD_RATE = " << options.baud << "\n";
    if (!addresses_.empty()) config << "BATTERY_ADDRESSES = " << addresses_ << "\n";
    config.close();

    std::vector<std::string> command = {options.bmsd.string(),
                                        "run",
                                        "--config",
                                        (dir_ / "config.ini").string(),
                                        "--bus",
                                        bus_->address(),
                                        "--state-dir",
                                        (dir_ / "state").string(),
                                        "--stats",
                                        (dir_ / "stats.json").string()};
    command.insert(command.end(), ports_.begin(), ports_.end());
    daemons_.emplace_back(command, dir_ / "bmsd");
}

void Fleet::wait_for_first_value() {
    const auto start = std::chrono::steady_clock::now();
    while (!bus_->any_voltage() && std::chrono::steady_clock::now() - start < 30s) {
        daemons_.back().must_run();
        pause_for(10ms);
    }
    first_value_ = std::chrono::steady_clock::now() - start;
}

void Fleet::wait_for_services(std::size_t batteries) {
    for (int tries = 0; bus_->batteries() < batteries; ++tries) {
        daemons_.back().must_run();
        if (tries == 300)
            throw std::runtime_error("only " + std::to_string(bus_->batteries()) + " of " + std::to_string(batteries) +
                                     " batteries appeared on D-Bus within a minute; the log ends:\n" +
                                     tail(daemons_.back().output().string() + ".err"));
        pause_for(200ms);
    }
}

Totals Fleet::totals() {
    const fs::path file = dir_ / "stats.json";
    fs::remove(file);
    ::kill(pid(), SIGUSR1);
    for (int tries = 0; !fs::exists(file); ++tries) {
        daemons_.back().must_run();
        if (tries == 1000) throw std::runtime_error("the daemon does not write " + file.string() + " on SIGUSR1");
        pause_for(10ms);
    }
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    Totals sum;
    const boost::json::value stats = boost::json::parse(text);
    sum.heap_in_use = stats.at("heap_in_use_bytes").to_number<double>();
    for (const auto& battery : stats.at("batteries").as_array()) {
        const auto counted = [&](const char* name) { return battery.at(name).to_number<std::uint64_t>(); };
        sum.polls += counted("polls");
        sum.requests += counted("requests");
        sum.good += counted("good");
        sum.bytes += counted("bytes");
    }
    return sum;
}

void Fleet::wait_for_polls(std::uint64_t polls) {
    std::uint64_t before = 0;
    int stuck = 0;
    const auto spared = [this] { return unplug_ && plugs_ < 4 * ports_.size(); };
    for (Totals now = totals(); now.polls < polls || spared(); now = totals()) {
        stuck = now.polls == before ? stuck + 1 : 0;
        if (stuck == 20) throw std::runtime_error("the daemon stopped polling");
        before = now.polls;
        // On a busy machine half a second may be too short to find an adapter again: then all stay as they are.
        if (unplug_ && stuck < 4) toggle_plug();
        pause_for(500ms);
    }
    if (plugs_ % 2 != 0) toggle_plug();
    if (unplug_) pause_for(6s);  // the daemon looks for an adapter every 5 s
}

/// Pulls the plug of the next bus, or puts the last one in again.
void Fleet::toggle_plug() {
    ::kill(daemons_[plugs_++ / 2 % ports_.size()].pid(), SIGUSR1);
}

}  // namespace bmsd::bench
