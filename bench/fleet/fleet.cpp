#include "fleet/fleet.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <boost/json.hpp>

#include "bms/catalog.hpp"

namespace bmsd::bench {
namespace {

using namespace std::chrono_literals;

fs::path new_directory() {
    std::string name = (fs::temp_directory_path() / "bmsd-fleet.XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("cannot make a directory " + name);
    return name;
}

}  // namespace

Fleet::Fleet(const Options& options) : dir_(new_directory()) {
    try {
        bus_ = std::make_unique<Bus>(dir_);
        start_buses(options);
        start_daemon(options);
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
    std::string addresses;
    for (std::size_t address = 1; address <= options.batteries / options.buses; ++address)
        addresses += (address > 1 ? "," : "") + std::to_string(address);
    for (std::size_t bus = 0; bus < options.buses; ++bus) {
        ports_.push_back((dir_ / ("bus" + std::to_string(bus))).string());
        std::vector<std::string> command = {options.bmsd.string(),
                                            "simulate",
                                            std::string(family().key),
                                            "--addresses",
                                            addresses,
                                            "--link",
                                            "pty",
                                            "--path",
                                            ports_.back(),
                                            "--turnaround",
                                            std::to_string(options.turnaround.count())};
        if (options.paced) command.emplace_back("--baud-pacing");
        daemons_.emplace_back(command, dir_ / ("simulate" + std::to_string(bus)));
    }
    for (std::size_t bus = 0; bus < options.buses; ++bus)
        for (int tries = 0; !fs::exists(ports_[bus]); ++tries) {
            daemons_[bus].must_run();
            if (tries == 200) throw std::runtime_error("the simulated bus " + ports_[bus] + " does not appear");
            pause_for(50ms);
        }
}

void Fleet::start_daemon(const Options& options) {
    std::ofstream config(dir_ / "config.ini");
    config << "[DEFAULT]\nBMS_TYPE = " << family().type << "\nPOLL_INTERVAL = " << options.interval_s
           << "\nBATTERY_ADDRESSES = ";
    for (std::size_t address = 1; address <= options.batteries / options.buses; ++address)
        config << (address > 1 ? ", " : "") << "0x0" << std::hex << address << std::dec;
    config << "\n";
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
    }
    return sum;
}

void Fleet::wait_for_polls(std::uint64_t polls) {
    std::uint64_t before = 0;
    int stuck = 0;
    for (Totals now = totals(); now.polls < polls; now = totals()) {
        stuck = now.polls == before ? stuck + 1 : 0;
        if (stuck == 20) throw std::runtime_error("the daemon stopped polling");
        before = now.polls;
        pause_for(500ms);
    }
}

const bms::Family& Fleet::family() {
    const bms::Family* found = bms::find_family("jkbms_pb");
    if (!found) throw std::logic_error("the catalogue lacks jkbms_pb");
    return *found;
}

std::chrono::duration<double> Fleet::wire_time(std::chrono::milliseconds turnaround) {
    const auto& requests = family().requests;
    const bms::Request& polled = *std::find_if(
        requests.begin(), requests.end(), [](const bms::Request& one) { return one.when == bms::When::every_poll; });
    const bms::Asking asking{.address = family().addresses.standard};
    Bytes question, reply;
    family().build(polled, asking, question);
    bms::answer(family(), polled, asking, Reading{}, reply);
    constexpr double bits_per_byte = 10;  // start, 8 data, stop
    const std::chrono::duration<double> bytes(static_cast<double>(question.size() + reply.size()) * bits_per_byte /
                                              family().serial.rates.front());
    return bytes + turnaround + family().timing.gap;
}

}  // namespace bmsd::bench
