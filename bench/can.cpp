// CPU of the engine for batteries on CAN at their natural frame rates: JK BMS, some 90 frames a second each, or another
// family that has addresses.
// The bus is a socket pair that carries frames as a CAN socket does; the batteries live in a process of their own.
// usage: can [--family KEY] [--batteries N] [--buses N] [--seconds N] [--limit MICROSECONDS]
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bms/catalog.hpp"
#include "engine/engine.hpp"
#include "sim/can_bus.hpp"

using namespace bmsd;

namespace {

struct Options {
    unsigned batteries = 16, buses = 2, seconds = 20;
    double limit_us = 0;  ///< 0: none
    const bms::Family* family = bms::find_family("jkbms_can");
};

Options parse(int count, char** arguments) {
    Options options;
    for (int i = 1; i + 1 < count; i += 2) {
        if (!std::strcmp(arguments[i], "--family")) options.family = bms::find_family(arguments[i + 1]);
        const double value = std::atof(arguments[i + 1]);
        const auto number = static_cast<unsigned>(value);
        if (!std::strcmp(arguments[i], "--batteries")) options.batteries = number;
        if (!std::strcmp(arguments[i], "--buses")) options.buses = number;
        if (!std::strcmp(arguments[i], "--seconds")) options.seconds = number;
        if (!std::strcmp(arguments[i], "--limit")) options.limit_us = value;
    }
    return options;
}

/// Batteries at the first addresses of each bus, until the engine's process is gone.
[[noreturn]] void simulate(const bms::Family& family, const std::vector<int>& ends, unsigned per_bus) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    boost::asio::io_context io{1};
    std::vector<std::unique_ptr<sim::CanBus>> buses;
    for (const int end : ends) {
        auto& bus = *buses.emplace_back(
            std::make_unique<sim::CanBus>(io.get_executor(), std::make_unique<link::CanSocket>("bench", end)));
        if (!bus.open()) std::_Exit(1);
        for (unsigned i = 0; i < per_bus; ++i) {
            sim::PackOptions pack;
            pack.number = i + 1;
            bus.add(family, family.addresses.first + i, pack, {}, 1);
        }
        boost::asio::co_spawn(io, bus.run(), boost::asio::detached);
    }
    io.run();
    std::_Exit(0);
}

double cpu_us() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
    };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

}  // namespace

int main(int count, char** arguments) {
    const Options options = parse(count, arguments);
    if (options.buses == 0 || options.batteries < options.buses) return 2;
    if (!options.family || !options.family->can || !options.family->addresses.used) {
        std::fprintf(stderr,
                     "can: --family needs one that is spoken on CAN and has addresses; `bmsd list` shows all\n");
        return 2;
    }
    const bms::Addresses& places = options.family->addresses;
    const unsigned per_bus = std::min(options.batteries / options.buses, std::min(places.last - places.first + 1, 16U));
    std::vector<int> ours, theirs;
    for (unsigned i = 0; i < options.buses; ++i) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) return 1;
        ours.push_back(ends[0]);
        theirs.push_back(ends[1]);
    }
    const pid_t child = ::fork();
    if (child == 0) simulate(*options.family, theirs, per_bus);

    boost::asio::io_context io{1};
    control::Parameters parameters;
    engine::Engine engine(io, parameters, false, false, false, [](Severity, const std::string&) {});
    for (unsigned i = 0; i < options.buses; ++i) {
        engine::PortSettings settings{.name = "can" + std::to_string(i), .families = {options.family}, .named = true};
        for (unsigned k = 0; k < per_bus; ++k) settings.addresses.push_back({places.first + k, ""});
        engine.add_port(settings, std::make_unique<link::CanSocket>(settings.name, ours[i]));
    }
    engine.start([] {});
    io.run_for(std::chrono::seconds{4});
    const double before = cpu_us();
    io.run_for(std::chrono::seconds{options.seconds});
    const double used = (cpu_us() - before) / options.seconds / (per_bus * options.buses);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);

    std::uint64_t polls = 0;
    unsigned fresh = 0;
    for (const auto& port : engine.ports())
        for (const engine::Station& station : port->stations()) {
            polls += station.battery->link.polls;
            fresh += station.battery->link.state == LinkState::fresh;
        }
    std::printf("%u batteries on %u buses: %.0f us CPU per battery and second, %u fresh, %llu readings\n",
                per_bus * options.buses, options.buses, used, fresh, static_cast<unsigned long long>(polls));
    if (fresh != per_bus * options.buses) return 1;
    return options.limit_us > 0 && used > options.limit_us ? 1 : 0;
}
