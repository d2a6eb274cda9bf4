#include "venus/surroundings.hpp"

#include <cmath>

namespace bmsd::venus {
namespace {

/// Of the energy manager (dossier "D-Bus", 2.3).
enum Setting : std::size_t { hub4_mode, state, minimum_soc_limit, soc_limit };
constexpr double ess_with_battery_life = 1;
constexpr double keep_charged = 9;
constexpr double without_battery_life_first = 10, without_battery_life_last = 12;

std::vector<RemoteItem> manager_items() {
    const std::string service = "com.victronenergy.settings", manager = "/Settings/CGwacs/";
    return {{service, manager + "Hub4Mode"},
            {service, manager + "BatteryLife/State"},
            {service, manager + "BatteryLife/MinimumSocLimit"},
            {service, manager + "BatteryLife/SocLimit"}};
}

std::vector<RemoteItem> sensor_items(const ExternalSensor& sensor) {
    std::vector<RemoteItem> items;
    if (sensor.service.empty()) return items;
    for (const std::string* path : {&sensor.current_path, &sensor.soc_path})
        if (!path->empty()) items.push_back({sensor.service, *path});
    return items;
}

}  // namespace

Surroundings::Surroundings(Executor executor, const std::string& address, const ExternalSensor& sensor, Report report)
    : sensor_(executor, address, sensor_items(sensor), std::move(report)),
      manager_(executor, address, manager_items(), {}) {
    std::size_t place = 0;
    if (sensor.service.empty()) return;
    if (!sensor.current_path.empty()) current_ = place++;
    if (!sensor.soc_path.empty()) soc_ = place;
}

control::Surroundings Surroundings::now() const {
    return {.external_current_a = current_ ? sensor_.number(*current_) : std::nullopt,
            .external_soc_percent = soc_ ? sensor_.number(*soc_) : std::nullopt,
            .low_soc_percent = low_soc()};
}

/// Where the energy manager stops discharging; absent without one.
Number Surroundings::low_soc() const {
    const Number life = manager_.number(state);
    if (manager_.number(hub4_mode) != ess_with_battery_life || !life || *life == keep_charged) return std::nullopt;
    const bool plain = *life >= without_battery_life_first && *life <= without_battery_life_last;
    const Number limit = manager_.number(plain ? minimum_soc_limit : soc_limit);
    return limit ? Number{std::trunc(*limit)} : std::nullopt;
}

}  // namespace bmsd::venus
