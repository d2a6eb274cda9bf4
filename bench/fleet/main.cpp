// Measures a real daemon on simulated battery buses: CPU, wake-ups, memory, D-Bus traffic and use of the wire.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <stdexcept>

#include <CLI/CLI.hpp>

#include "bms/catalog.hpp"
#include "fleet/fleet.hpp"
#include "fleet/report.hpp"

namespace {

using namespace bmsd::bench;
using Seconds = std::chrono::duration<double>;

/// POLL_INTERVAL that lets the bus never rest.
constexpr double back_to_back_s = 0;
/// What the machine's own wake-ups are measured with where the bus never rests.
constexpr double shortest_sleep_s = 0.1;

/// Share of the time the wire must be in use.
constexpr double wire_target = 0.95;
/// Families whose use of the wire is checked: many short frames, few long ones, one long one.
constexpr std::array wire_families = {"daly", "renogy", "jkbms_pb"};

struct Plan {
    Seconds settle{5};
    Seconds window{20};
    bool back_to_back = false;
    std::uint64_t heap_polls = 10'000;
};

/// Microseconds. Back to back no two buses share a wake-up: the targets are meant for the usual polling once a second.
std::optional<double> cpu_target(const Options& options, bool back_to_back) {
    if (back_to_back || !options.can.empty()) return std::nullopt;
    if (options.batteries > 1) return options.buses < 16 ? 250 : 90;
    if (options.family->type == "Daly") return 900;
    return options.family->type == "LltJbd" ? 350 : 300;
}

/// MiB.
double memory_target(std::size_t batteries) {
    if (batteries == 1) return 6;
    return batteries <= 16 ? 10 : 12;
}

double per(double sum, std::uint64_t count) {
    return sum / static_cast<double>(std::max<std::uint64_t>(count, 1));
}

/// What share of the time the wires were needed.
double efficiency(const Options& options, const Totals& before, const Totals& after, Seconds window) {
    const Seconds needed = wire_time(options, after.bytes - before.bytes, after.requests - before.requests);
    return needed / (window * static_cast<double>(options.buses));
}

std::chrono::nanoseconds exact(Seconds seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(seconds);
}

void measure_cpu(Fleet& fleet, const Options& options, const Plan& plan, Report& report) {
    // Asking for the counters costs the daemon as much as a poll: that stays outside of what is measured.
    const Totals before = fleet.totals();
    // The daemon's polls and this have the same rhythm: the longer a process sleeps, the more its next moment costs.
    const Sleeper sleeper(exact(Seconds(std::max(options.interval_s, shortest_sleep_s))));
    const Usage slept_before = usage(sleeper.pid());
    const Usage used_before = usage(fleet.pid());
    const auto start = std::chrono::steady_clock::now();
    pause_for(exact(plan.window));
    const Usage used = usage(fleet.pid());
    const Usage slept = usage(sleeper.pid());
    const Seconds window = std::chrono::steady_clock::now() - start;
    const Totals after = fleet.totals();

    const std::uint64_t polls = after.polls - before.polls;
    const std::uint64_t requests = after.requests - before.requests;
    const double cpu_us = static_cast<double>((used.on_cpu - used_before.on_cpu).count()) / 1e3;
    const double ticks_us = static_cast<double>((used.ticks - used_before.ticks).count()) * 1e3;
    report.push_back({"battery_polls", static_cast<double>(polls), ""});
    // A request may be under way in either snapshot.
    const auto unanswered = static_cast<double>(requests) - static_cast<double>(after.good - before.good);
    report.push_back({"requests_without_good_answer", std::max(unanswered, 0.0), ""});
    if (!options.can.empty())
        report.push_back({"cpu_per_battery_and_second",
                          cpu_us / window.count() / static_cast<double>(options.batteries), "us", 100});
    report.push_back({"cpu_per_poll", per(cpu_us, polls), "us", cpu_target(options, plan.back_to_back)});
    const double bare_us = per(static_cast<double>((slept.on_cpu - slept_before.on_cpu).count()) / 1e3,
                               slept.wakeups - slept_before.wakeups);
    report.push_back({"bare_wakeup", bare_us, "us"});
    report.push_back({"cpu_per_poll_in_bare_wakeups", per(cpu_us, polls) / std::max(bare_us, 0.001), ""});
    report.push_back({"cpu_per_poll_by_ticks", per(ticks_us, polls), "us"});
    report.push_back({"cpu_load_of_one_core", cpu_us / 1e4 / window.count(), "%"});
    report.push_back({"wakeups_per_poll", per(static_cast<double>(used.wakeups - used_before.wakeups), polls), ""});

    const double rounds = static_cast<double>(polls) / static_cast<double>(options.batteries);
    report.push_back({"round_time", window.count() * 1e3 / std::max(rounds, 1.0), "ms"});
    if (plan.back_to_back)
        report.push_back({"wire_efficiency", efficiency(options, before, after, window), "", {}, wire_target});
}

void measure_traffic(Fleet& fleet, const Plan& plan, Report& report) {
    const Totals before = fleet.totals();
    const Bus::Traffic traffic = fleet.bus().listen(exact(plan.window));
    const std::uint64_t polls = fleet.totals().polls - before.polls;
    // The window may begin and end between a poll and its signal.
    report.push_back({"dbus_signals_per_poll", per(static_cast<double>(traffic.signals), polls), "", 1.05});
    report.push_back({"dbus_bytes_per_poll", per(static_cast<double>(traffic.bytes), polls), "B"});
    report.push_back({"dbus_bytes_per_changed_path", per(static_cast<double>(traffic.bytes), traffic.paths), "B", 100});
}

void measure_answers(const Fleet& fleet, Report& report) {
    const Bus::Latency latency = fleet.bus().ask(1000, std::chrono::milliseconds{7});
    const auto ms = [](std::chrono::nanoseconds time) { return static_cast<double>(time.count()) / 1e6; };
    report.push_back({"get_value_median", ms(latency.median), "ms", 0.3});
    report.push_back({"get_value_worst", ms(latency.longest), "ms", 3});
}

Report measure_run(const Options& options, const Plan& plan) {
    Fleet fleet(options);
    pause_for(exact(plan.settle));
    Report report{{"start_to_first_value", fleet.time_to_first_value().count(), "s", 0.5}};
    measure_cpu(fleet, options, plan, report);
    report.push_back(
        {"memory_pss", static_cast<double>(memory(fleet.pid()).pss) / 1024, "MiB", memory_target(options.batteries)});
    measure_traffic(fleet, plan, report);
    measure_answers(fleet, report);
    return report;
}

/// The use of one full bus that never rests, for families of different kinds.
void measure_wires(Options options, const Plan& plan, Report& report) {
    options.buses = 1;
    options.interval_s = back_to_back_s;
    for (const std::string key : wire_families) {
        options.family = bmsd::bms::find_family(key);
        if (!options.family) throw std::logic_error("the catalogue lacks " + key);
        options.baud = options.family->serial.rates.front();
        options.batteries = most_per_bus(*options.family);
        Fleet fleet(options);
        pause_for(exact(plan.settle));
        const auto start = std::chrono::steady_clock::now();
        const Totals before = fleet.totals();
        pause_for(exact(plan.window));
        const Seconds window = std::chrono::steady_clock::now() - start;
        report.push_back(
            {"wire_efficiency_" + key, efficiency(options, before, fleet.totals(), window), "", {}, wire_target});
    }
}

Report measure_heap(const Options& options, const Plan& plan) {
    // The C library keeps freed blocks of every size in a cache of limited size that fills slowly, and counts them as
    // in use: without it, growth is growth.
    ::setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
    Fleet fleet(options);
    fleet.wait_for_polls(plan.heap_polls / 10);  // everything that is allocated once has been
    const Totals first = fleet.totals();
    const Memory before = memory(fleet.pid());
    const auto count = [](std::size_t of) { return static_cast<double>(of); };
    const double paths = count(fleet.bus().paths()), open = count(descriptors(fleet.pid()));
    fleet.wait_for_polls(first.polls + plan.heap_polls);
    const Totals last = fleet.totals();
    const Memory after = memory(fleet.pid());
    const auto grown = [](double from, double to) { return (to - from) / 1024; };
    return {{"battery_polls", static_cast<double>(last.polls - first.polls), ""},
            {"heap_in_use_before", first.heap_in_use / 1024, "KiB"},
            {"heap_in_use_growth", grown(first.heap_in_use, last.heap_in_use), "KiB", 4},
            {"private_memory_growth", static_cast<double>(after.private_dirty - before.private_dirty), "KiB", 64},
            {"descriptors_before", open, ""},
            {"descriptors_growth", count(descriptors(fleet.pid())) - open, "", 0},
            {"dbus_paths_before", paths, ""},
            {"dbus_paths_growth", count(fleet.bus().paths()) - paths, "", 0}};
}

/// Completes the options; says why that is impossible, or nothing.
std::string settle_options(Options& options, std::string name) {
    const bool can = !options.can.empty();
    if (name.empty()) name = can ? "jkbms_can" : "jkbms_pb";
    options.family = bmsd::bms::find_family(name);
    if (!options.family || (can ? !options.family->can : options.family->serial.rates.empty()))
        return "--family " + name + ": no family of that name is spoken on " + (can ? "CAN" : "wires") +
               "; `bmsd list` shows all";
    if (can) options.buses = options.can.size();
    if (!can && options.baud == 0) options.baud = options.family->serial.rates.front();
    const std::size_t most = most_per_bus(*options.family);
    if (options.batteries % options.buses == 0 && options.batteries <= most * options.buses) return {};
    return "every bus needs the same number of batteries, 1 to " + std::to_string(most) + "; " +
           std::to_string(options.batteries) + " on " + std::to_string(options.buses) + " buses is impossible";
}

}  // namespace

int main(int argc, char** argv) {
    Options options{.bmsd = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / "bmsd"};
    Plan plan;
    bool heap = false, json = false, check = false;
    std::string family;

    CLI::App app{"Measures bmsd on simulated batteries."};
    app.add_option("--family", family, "key or BMS_TYPE of the family; default jkbms_pb, on CAN jkbms_can");
    app.add_option("--baud", options.baud, "rate of the buses; default: the family's first");
    app.add_option("--bmsd", options.bmsd, "the program to measure (default: the one built with this)");
    app.add_option("--batteries", options.batteries, "in all; default 16")->check(CLI::Range(1, 240));
    app.add_option("--buses", options.buses, "serial buses, at most 16 batteries each; default 4")
        ->check(CLI::Range(1, 64));
    auto* const can =
        app.add_option("--can", options.can, "CAN interfaces that are up, in place of serial buses, one bus each");
    app.add_option("--interval", options.interval_s, "POLL_INTERVAL in seconds; default 1")
        ->check(CLI::Range(0.1, 60.0));
    app.add_option("--seconds", plan.window, "length of each measurement; default 20")->check(CLI::PositiveNumber);
    app.add_option("--settle", plan.settle, "wait before the first; default 5")->check(CLI::NonNegativeNumber);
    app.add_flag("--back-to-back", plan.back_to_back, "poll without a pause and measure the use of the wire")
        ->excludes(can);
    app.add_flag("--heap", heap, "measure only whether memory grows, on wires without delay");
    app.add_option("--polls", plan.heap_polls, "how many polls --heap lasts; default 10000")
        ->check(CLI::PositiveNumber);
    app.add_option("--fault", options.faults, "what goes wrong on every bus, as `bmsd simulate --fault`");
    app.add_flag("--unplug", options.unplug, "with --heap: one adapter after the other is unplugged and plugged in");
    app.add_flag("--json", json, "print JSON");
    app.add_flag("--check", check,
                 "exit with 1 if a target is missed; measures the use of the wire of several families as well");
    CLI11_PARSE(app, argc, argv);
    if (const std::string why = settle_options(options, family); !why.empty()) {
        std::cerr << "fleet: " << why << "\n";
        return 2;
    }
    if (heap || plan.back_to_back) options.interval_s = back_to_back_s;
    if (heap) options.paced = false, options.turnaround = std::chrono::milliseconds{0};

    take_signals();
    try {
        Report report = heap ? measure_heap(options, plan) : measure_run(options, plan);
        if (check && !heap && !plan.back_to_back && options.can.empty()) measure_wires(options, plan, report);
        json ? print_json(std::cout, report) : print_table(std::cout, report);
        return check && !all_reached(report) ? 1 : 0;
    } catch (const Interrupted&) {
        return 130;
    } catch (const std::exception& error) {
        std::cerr << "fleet: " << error.what() << "\n";
        return 2;
    }
}
