#include "app/config_reload.hpp"

#include <array>

#include "app/config_keys.hpp"

namespace bmsd::app {
namespace {

constexpr std::array<std::string_view, 11> keys = {"USE_PORT_AS_UNIQUE_ID",
                                                   "BATTERY_CELL_DATA_FORMAT",
                                                   "PUBLISH_CONFIG_VALUES",
                                                   "PUBLISH_BATTERY_DATA_AS_JSON",
                                                   "GUI_PARAMETERS_SHOW_ADDITIONAL_INFO",
                                                   "LEGACY_PATHS",
                                                   "LEGACY_SERVICE_NAMES",
                                                   "TIME_TO_SOC_POINTS",
                                                   "EXTERNAL_SENSOR_DBUS_DEVICE",
                                                   "EXTERNAL_SENSOR_DBUS_PATH_CURRENT",
                                                   "EXTERNAL_SENSOR_DBUS_PATH_SOC"};

}  // namespace

std::span<const std::string_view> start_keys() noexcept {
    return keys;
}

std::vector<std::string> keep_until_restart(Config& used, Config& fresh) {
    std::vector<std::string> changed;
    for (const std::string_view name : keys) {
        const Key& key = *find_key(name).key;
        if (value_text(slot_of(key, used)) != value_text(slot_of(key, fresh)))
            changed.push_back(std::string(name) + " is followed when bmsd is started again");
    }
    if (used.control.count_soc != fresh.control.count_soc && !used.external_sensor.gives_soc())
        changed.push_back(
            "SOC_CALCULATION holds from now on; its paths, /SocBms and others, come or go when bmsd is started again");
    if (used.control.times.to_go != fresh.control.times.to_go && !used.control.times.to_soc_percent.empty())
        changed.push_back(
            "TIME_TO_GO_ENABLE holds from now on; the paths below /TimeToSoC come or go when bmsd is started again");
    // The paths are named after the points: other ones would show their times under wrong names.
    fresh.control.times.to_soc_percent = used.control.times.to_soc_percent;
    // The sensor that is followed decides what is shown.
    fresh.external_sensor = used.external_sensor;
    return changed;
}

}  // namespace bmsd::app
