#include "sim/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "bms/can.hpp"
#include "bms/catalog.hpp"
#include "model/words.hpp"

namespace bmsd::sim {
namespace {

tl::unexpected<Error> refuse(std::string detail) {
    return tl::unexpected(Error{ErrorClass::config, std::move(detail)});
}

Result<void> add_family(const std::string& word, const SimulateOptions& options, Plan& plan) {
    const bms::Family* family = bms::find_family(trim(word));
    if (!family)
        return refuse("\"" + word + "\" is no BMS this program knows; did you mean " +
                      std::string(bms::nearest_type(word)) + "? `bmsd list` names them all");
    if (family->serial.rates.empty() && !family->can)
        return refuse(std::string(family->key) + " is not spoken on wires");
    if (!plan.batteries.empty() && plan.can != (family->can != nullptr))
        return refuse("batteries on CAN and on serial ports cannot share a bus; start a simulation for each");
    plan.can = family->can != nullptr;
    std::vector<std::uint32_t> addresses = options.addresses;
    // On a mixed bus the addresses are those of the families that have any.
    const bool for_others = !family->addresses.used && options.families.size() > 1;
    if (addresses.empty() || for_others) addresses = {family->addresses.used ? family->addresses.standard : 0};
    for (const std::uint32_t address : addresses) {
        if (auto usable = bms::check_address(*family, address); !usable) return tl::unexpected(usable.error());
        for (const Plan::Place& other : plan.batteries)
            if (other.family == family && other.address == address)
                return refuse(std::string(family->type) +
                              " is wanted twice at one address; to simulate that mistake use the fault \"duplicate\"");
        plan.batteries.push_back({family, address});
    }
    return {};
}

Result<void> add_fault(const std::string& word, Plan& plan) {
    const auto fault = parse_fault(word, plan.can ? Medium::can : Medium::serial);
    if (!fault) return tl::unexpected(fault.error());
    const bool meets_a_battery = std::any_of(plan.batteries.begin(), plan.batteries.end(), [&](const auto& place) {
        return !fault->address || *fault->address == place.address;
    });
    if (!meets_a_battery) return refuse("fault \"" + word + "\": no battery with this address is simulated");
    plan.faults.push_back(*fault);
    return {};
}

Result<void> add_alarm(const std::string& word, Plan& plan) {
    const auto colon = word.find(':');
    const std::string_view name = trim(std::string_view(word).substr(0, colon));
    PlannedAlarm planned{};
    std::string known;
    bool found = false;
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const auto alarm = static_cast<Alarm>(i);
        known += (known.empty() ? "" : ", ") + std::string(to_string(alarm));
        if (same_word(to_string(alarm), name)) planned.alarm = alarm, found = true;
    }
    if (!found) return refuse("alarm \"" + word + "\": not known; there are " + known);
    if (colon != std::string::npos) {
        const std::string_view level = trim(std::string_view(word).substr(colon + 1));
        if (!same_word(level, "warning") && !same_word(level, "alarm"))
            return refuse("alarm \"" + word + "\": behind the colon stands warning or alarm");
        planned.level = same_word(level, "warning") ? Level::warning : Level::alarm;
    }
    plan.alarms.push_back(planned);
    return {};
}

/// The limits of the numbers; NaN meets none of them.
Result<void> check_numbers(const SimulateOptions& options) {
    const auto within = [](double value, double low, double high) { return value >= low && value <= high; };
    if (options.cells < 1 || options.cells > 32) return refuse("the number of cells must be 1..32");
    if (!within(options.capacity_ah, 1, 10000)) return refuse("the capacity must be 1..10000 Ah");
    if (!within(options.soc_percent, 0, 100)) return refuse("the state of charge must be 0..100 %");
    if (!within(options.current_a.value_or(0), -2000, 2000)) return refuse("the current must be -2000..2000 A");
    if (!within(options.speed, 0, 1e6)) return refuse("the speed must be 0..1000000");
    if (options.turnaround.count() < 0 || options.turnaround.count() > 60000)
        return refuse("the turnaround must be 0..60000 ms");
    if (options.ports < 1 || options.ports > 256) return refuse("the number of ports must be 1..256");
    if (options.tcp_port != 0 && options.tcp_port + options.ports - 1 > 65535)
        return refuse("the TCP ports would go beyond 65535");
    return {};
}

/// What a simulation on CAN can and cannot do.
Result<void> check_can(const SimulateOptions& options, const Plan& plan) {
    if (!plan.can && options.kind == PortKind::can)
        return refuse(std::string(plan.batteries.front().family->type) + " is not spoken on CAN");
    if (!plan.can) return {};
    if (options.kind == PortKind::tcp) return refuse("a battery on CAN needs an interface: --link can --path can0");
    if (options.path.empty()) return refuse("name the CAN interface, for example --path can0");
    return {};
}

}  // namespace

Result<Plan> make_plan(const SimulateOptions& options) {
    Plan plan;
    if (options.families.empty()) return refuse("say which BMS to simulate; `bmsd list` names them all");
    if (auto sane = check_numbers(options); !sane) return tl::unexpected(sane.error());
    for (const std::string& word : options.families)
        if (auto added = add_family(word, options, plan); !added) return tl::unexpected(added.error());
    for (const std::string& word : options.faults)
        if (auto added = add_fault(word, plan); !added) return tl::unexpected(added.error());
    for (const std::string& word : options.alarms)
        if (auto added = add_alarm(word, plan); !added) return tl::unexpected(added.error());
    if (auto usable = check_can(options, plan); !usable) return tl::unexpected(usable.error());
    if (plan.can) return plan;
    plan.baud = options.baud != 0 ? options.baud : plan.batteries.front().family->serial.rates.front();
    return plan;
}

Level usual_level(const bms::Family& family, Alarm alarm) noexcept {
    Level level = Level::warning;
    for (const bms::Request& request : family.requests)
        for (const bms::AlarmBit& row : request.layout.alarms)
            if (row.alarm == alarm) level = std::max(level, row.level);
    return family.can ? Level::alarm : level;
}

}  // namespace bmsd::sim
