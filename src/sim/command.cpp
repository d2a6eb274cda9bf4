#include "sim/command.hpp"

#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "loop/loop.hpp"
#include "model/words.hpp"
#include "sim/bus.hpp"
#include "sim/can_bus.hpp"
#include "sim/no_throw.hpp"
#include "sim/plan.hpp"
#include "sim/port.hpp"

namespace bmsd::sim {
namespace {

/// FNV-1a: the same text gives the same number for ever.
std::uint32_t number_of(std::string_view text) noexcept {
    std::uint32_t hash = 2166136261U;
    for (const char c : text) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619U;
    return hash;
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        char escaped[8];
        if (c == '"' || c == '\\') {
            out += '\\', out += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned char>(c));
            out += escaped;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

PackOptions pack_options(const SimulateOptions& options, const Plan::Place& place, const std::string& where) {
    PackOptions pack;
    pack.number = number_of(where + " " + std::string(place.family->key) + " " + address_text(place.address));
    pack.cells = options.cells;
    pack.capacity_ah = options.capacity_ah;
    pack.soc_percent = options.soc_percent;
    pack.fixed_current_a = options.current_a;
    pack.jitter = options.jitter;
    if (place.family->addresses.used) pack.name = "Sim " + address_text(place.address);
    return pack;
}

/// A port and the bus behind it.
class Site {
public:
    Site(asio::io_context& io, const SimulateOptions& options, const Plan& plan, unsigned index)
        : options_(options),
          plan_(plan),
          plug_(io, Timer::time_point::max()),
          bus_(io.get_executor(), {options.baud_pacing ? plan.baud : 0, options.turnaround, options.speed, plan.faults,
                                   plan.baud, [this] { return port_->client_rate(); }}),
          port_(make_port(io, index)) {}

    /// Opens the port and only then makes the batteries, whose serial numbers follow from its name.
    Result<void> start() {
        if (auto opened = port_->open(); !opened) return opened;
        for (const Plan::Place& place : plan_.batteries) add(place);
        return {};
    }

    Task<void> run() {
        for (;;) {
            announce();
            bool connected = co_await port_->client();
            while (connected) {
                co_await bus_.serve(port_->stream());
                connected = co_await port_->client();
            }
            co_await plug_in_again();
        }
    }

    void toggle_plug() {
        plugged_ = !plugged_;
        if (plugged_)
            plug_.cancel();
        else
            port_->close();
    }

    void enable_faults(bool on) { bus_.enable_faults(on); }

private:
    Task<void> plug_in_again() {
        for (;;) {
            while (!plugged_) co_await plug_.async_wait(no_throw);
            const auto opened = port_->open();
            if (opened) co_return;
            std::fprintf(stderr, "bmsd simulate: %s; SIGUSR1 tries again\n", opened.error().detail.c_str());
            plugged_ = false;
        }
    }

    [[nodiscard]] std::unique_ptr<Port> make_port(asio::io_context& io, unsigned index) const {
        if (options_.kind == PortKind::tcp)
            return make_tcp_port(io.get_executor(), options_.host,
                                 static_cast<std::uint16_t>(options_.tcp_port == 0 ? 0 : options_.tcp_port + index));
        const bool numbered = options_.ports > 1 && !options_.path.empty();
        return make_pty_port(io.get_executor(), numbered ? options_.path + std::to_string(index + 1) : options_.path);
    }

    void add(const Plan::Place& place) {
        const bms::Family& family = *place.family;
        const std::string where = port_->link().empty() ? port_->name() : port_->link();
        const PackOptions pack = pack_options(options_, place, where);
        Responder& battery = bus_.add(family, place.address, pack);
        for (const PlannedAlarm& planned : plan_.alarms)
            battery.pack().raise(planned.alarm, planned.level.value_or(usual_level(family, planned.alarm)));
    }

    void announce() const {
        std::string families, addresses, line;
        const bms::Family* last = nullptr;
        for (const Plan::Place& place : plan_.batteries) {
            if (place.family != last) {
                const std::string key(place.family->key);
                families += (last ? "," : "") + (options_.json ? quoted(key) : key);
            }
            last = place.family;
            if (!last->addresses.used) continue;
            if (!addresses.empty()) addresses += options_.json ? "," : " ";
            addresses += options_.json ? std::to_string(place.address) : address_text(place.address);
        }
        const std::string& link = port_->link();
        if (options_.json) {
            line = "{\"families\":[" + families + "],\"addresses\":[" + addresses +
                   "],\"port\":" + quoted(port_->name()) + ",\"link\":" + (link.empty() ? "null" : quoted(link)) +
                   ",\"baud\":" + std::to_string(plan_.baud) + "}";
        } else {
            line = families + (addresses.empty() ? "" : " addresses " + addresses) + " on " + port_->name() +
                   (link.empty() ? "" : " (link " + link + ")");
        }
        std::printf("%s\n", line.c_str());
        std::fflush(stdout);
    }

    const SimulateOptions& options_;
    const Plan& plan_;
    bool plugged_ = true;
    Timer plug_;
    Bus bus_;
    std::unique_ptr<Port> port_;
};

/// Does what the signals of simulate_help() say to what is simulated; ends at SIGINT or SIGTERM.
Task<void> obey(asio::io_context& io, asio::signal_set& signals, std::function<void()> toggle_plugs,
                std::function<void(bool)> enable_faults) {
    bool faulty = true;
    for (;;) {
        const auto [error, signal] = co_await signals.async_wait(no_throw);
        if (error || signal == SIGINT || signal == SIGTERM) break;
        if (signal == SIGUSR1) toggle_plugs();
        if (signal == SIGUSR2) enable_faults(faulty = !faulty);
    }
    io.stop();
}

/// Batteries on a CAN interface.
Result<void> simulate_on_can(const SimulateOptions& options, const Plan& plan) {
    asio::io_context io(1);
    asio::signal_set signals(io, SIGINT, SIGTERM, SIGUSR1);
    signals.add(SIGUSR2);
    CanBus bus(io.get_executor(), std::make_unique<link::CanSocket>(options.path));
    if (auto opened = bus.open(); !opened) return opened;
    std::string families;
    for (const Plan::Place& place : plan.batteries) {
        CanBattery& battery = bus.add(*place.family, place.address, pack_options(options, place, options.path),
                                      plan.faults, options.speed);
        for (const PlannedAlarm& planned : plan.alarms)
            battery.pack().raise(planned.alarm, planned.level.value_or(usual_level(*place.family, planned.alarm)));
        families += (families.empty() ? "" : ", ") + std::string(place.family->key);
        if (place.family->addresses.used) families += " " + address_text(place.address);
    }
    if (options.json)
        std::printf("{\"batteries\":%s,\"port\":%s}\n", quoted(families).c_str(), quoted(options.path).c_str());
    else
        std::printf("%s on %s\n", families.c_str(), options.path.c_str());
    std::fflush(stdout);
    asio::co_spawn(io, bus.run(), asio::detached);
    asio::co_spawn(io,
                   obey(
                       io, signals, [&] { bus.toggle_plug(); }, [&](bool on) { bus.enable_faults(on); }),
                   asio::detached);
    io.run();
    return {};
}

}  // namespace

std::string simulate_help() {
    return "Simulates batteries on one bus per port, until SIGINT or SIGTERM.\n"
           "  SIGUSR1  unplugs every port, and plugs it in again the next time\n"
           "  SIGUSR2  switches all faults off, and on again the next time\n"
           "Serial numbers follow from the path or port and the address: they are the same at every start.\n"
           "What is sent while a battery prepares or sends its answer is lost, as on a half-duplex line.\n"
           "Faults (@ADDRESS behind one limits it to that battery; the last four concern the whole bus):\n" +
           fault_help();
}

Result<void> simulate(const SimulateOptions& options) {
    const auto plan = make_plan(options);
    if (!plan) return tl::unexpected(plan.error());

    if (plan->can) return simulate_on_can(options, *plan);
    std::signal(SIGPIPE, SIG_IGN);  // a client that leaves is no reason to end
    asio::io_context io(1);
    asio::signal_set signals(io, SIGINT, SIGTERM, SIGUSR1);
    signals.add(SIGUSR2);
    std::vector<std::unique_ptr<Site>> sites;
    for (unsigned index = 0; index < options.ports; ++index) {
        sites.push_back(std::make_unique<Site>(io, options, *plan, index));
        if (auto started = sites.back()->start(); !started) return started;
    }
    for (const auto& site : sites) asio::co_spawn(io, site->run(), asio::detached);
    const auto toggle_plugs = [&] {
        for (const auto& site : sites) site->toggle_plug();
    };
    const auto enable_faults = [&](bool on) {
        for (const auto& site : sites) site->enable_faults(on);
    };
    asio::co_spawn(io, obey(io, signals, toggle_plugs, enable_faults), asio::detached);
    io.run();
    return {};
}

}  // namespace bmsd::sim
