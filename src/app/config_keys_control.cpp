// What the battery may be asked to do, and what is known of it.
#include "app/config_keys.hpp"

namespace bmsd::app {
namespace {

constexpr std::array limits = std::to_array<Key>({
    {"MAX_BATTERY_CHARGE_CURRENT",
     "A",
     [](Config& c) -> Slot { return &c.control.charge.max_a; },
     "Largest charge current of one battery (CCL). The fractions below are parts of it.",
     {0, 10000, true},
     true},
    {"MAX_BATTERY_DISCHARGE_CURRENT",
     "A",
     [](Config& c) -> Slot { return &c.control.discharge.max_a; },
     "Largest discharge current of one battery (DCL). The fractions below are parts of it.",
     {0, 10000, true},
     true},
    {"MIN_CELL_VOLTAGE",
     "V",
     [](Config& c) -> Slot { return &c.control.min_cell_v; },
     "Times the number of cells: voltage below which inverters should stop.",
     {0, 4.5, true},
     true},
    {"MAX_CELL_VOLTAGE",
     "V",
     [](Config& c) -> Slot { return &c.control.max_cell_v; },
     "Times the number of cells: charge voltage (CVL).",
     {0, 4.5, true},
     true},
    {"FLOAT_CELL_VOLTAGE",
     "V",
     [](Config& c) -> Slot { return &c.control.float_cell_v; },
     "Times the number of cells: voltage that a full battery is kept at.",
     {0, 4.5, true},
     true},
    {"VOLTAGE_DROP",
     "V",
     [](Config& c) -> Slot { return &c.control.voltage.drop_v; },
     "Is lost in the cables: added to the charge voltage that is published.",
     {-1, 5},
     true},
    {"SOC_RESET_CELL_VOLTAGE",
     "V",
     [](Config& c) -> Slot { return &c.control.voltage.soc_reset_cell_v; },
     "Charge voltage per cell while the battery is charged to the brim, so that the BMS finds its 100 %. Not below "
     "MAX_CELL_VOLTAGE.",
     {0, 4.5, true},
     true,
     {{{"SOC_RESET_VOLTAGE"}, {"BULK_CELL_VOLTAGE"}}}},
    {"SOC_RESET_AFTER_DAYS",
     "d",
     [](Config& c) -> Slot { return &c.control.voltage.soc_reset_after_days; },
     "How often that is done. Empty: never.",
     {1, 10000},
     true,
     {{{"BULK_AFTER_DAYS"}}}},
});

constexpr std::array silence = std::to_array<Key>({
    {"BLOCK_ON_DISCONNECT",
     "",
     [](Config& c) -> Slot { return &c.control.block_on_disconnect; },
     "True: as soon as the values are old (10 s, or two polls), charging and discharging stop, until the next good "
     "answer.",
     {},
     true},
    {"BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES",
     "min",
     [](Config& c) -> Slot { return &c.control.block_timeout; },
     "With False: so long it goes on without data if all cells were inside the window below; else 60 s.",
     {1, 240},
     true},
    {"BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
     "V",
     [](Config& c) -> Slot { return &c.control.block_min_cell_v; },
     "Lower end of that window, per cell.",
     {0, 4.5, true},
     true},
    {"BLOCK_ON_DISCONNECT_VOLTAGE_MAX",
     "V",
     [](Config& c) -> Slot { return &c.control.block_max_cell_v; },
     "Upper end of that window, per cell.",
     {0, 4.5, true},
     true},
    {"BMS_CABLE_ALARM", "", [](Config& c) -> Slot { return &c.control.cable_alarm; },
     "Warn on D-Bus when the BMS is silent for more than a minute."},
});

/// How releases up to 1.4 said "all sensors".
std::string all_sensors(std::string_view value, Config&) {
    return value == "0" ? "1, 2, 3, 4" : std::string(value);
}

constexpr std::array sensors = std::to_array<Key>({
    {"TEMPERATURE_SOURCE_BATTERY",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_sources; },
     "Sensors that count for the temperature of the battery and for the limits.",
     {1, 4},
     true,
     {{{"TEMP_BATTERY", all_sensors}}}},
    {"TEMPERATURE_1_NAME",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_names[0]; },
     "Name of sensor 1.",
     {},
     false,
     {{{"TEMP_1_NAME"}}}},
    {"TEMPERATURE_2_NAME",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_names[1]; },
     "Name of sensor 2.",
     {},
     false,
     {{{"TEMP_2_NAME"}}}},
    {"TEMPERATURE_3_NAME",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_names[2]; },
     "Name of sensor 3.",
     {},
     false,
     {{{"TEMP_3_NAME"}}}},
    {"TEMPERATURE_4_NAME",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_names[3]; },
     "Name of sensor 4.",
     {},
     false,
     {{{"TEMP_4_NAME"}}}},
    {"TEMPERATURE_1_ADJUST",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_adjust[0]; },
     "Correction of sensor 1: offset in degC, slope. The value shown is measured x slope + offset.",
     {},
     true},
    {"TEMPERATURE_2_ADJUST",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_adjust[1]; },
     "Correction of sensor 2: offset in degC, slope. The value shown is measured x slope + offset.",
     {},
     true},
    {"TEMPERATURE_3_ADJUST",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_adjust[2]; },
     "Correction of sensor 3: offset in degC, slope. The value shown is measured x slope + offset.",
     {},
     true},
    {"TEMPERATURE_4_ADJUST",
     "",
     [](Config& c) -> Slot { return &c.control.temperature_adjust[3]; },
     "Correction of sensor 4: offset in degC, slope. The value shown is measured x slope + offset.",
     {},
     true},
    {"TEMPERATURE_MOS_ADJUST",
     "",
     [](Config& c) -> Slot { return &c.control.mosfet_adjust; },
     "The same for the sensor of the MOSFETs.",
     {},
     true},
});

constexpr std::array soc = std::to_array<Key>({
    {"SOC_CALCULATION", "", [](Config& c) -> Slot { return &c.control.count_soc; },
     "Count the state of charge here instead of taking that of the BMS."},
    {"CURRENT_REPORTED_BY_BMS",
     "A",
     [](Config& c) -> Slot { return &c.control.current_reported_a; },
     "Corrects the current: what the BMS reports, ascending ...",
     {},
     true,
     {{{"SOC_CALC_CURRENT_REPORTED_BY_BMS"}}}},
    {"CURRENT_MEASURED_BY_USER",
     "A",
     [](Config& c) -> Slot { return &c.control.current_measured_a; },
     "... and what was really measured at these points. Equal lists: no correction.",
     {},
     true,
     {{{"SOC_CALC_CURRENT_MEASURED_BY_USER"}}}},
    {"SOC_LOW_WARNING",
     "%",
     [](Config& c) -> Slot { return &c.control.soc_low_warning_percent; },
     "Warn of a low state of charge below this, and count the time to go down to it.",
     {0, 100},
     false},
    {"SOC_LOW_ALARM",
     "%",
     [](Config& c) -> Slot { return &c.control.soc_low_alarm_percent; },
     "Alarm below this.",
     {0, 100},
     false},
    {"AUTO_RESET_SOC",
     "",
     [](Config& c) -> Slot { return &c.control.auto_reset_soc; },
     "Tell the BMS that its state of charge is 100 % when float begins: Daly. At most once an hour.",
     {}},
    {"HISTORY_ENABLE", "", [](Config& c) -> Slot { return &c.control.history; },
     "Keep the history values (deepest discharge, cycles and so on)."},
    {"MIDPOINT_ENABLE", "", [](Config& c) -> Slot { return &c.control.midpoint; },
     "Show the voltage of the middle of the battery and its deviation."},
});

constexpr std::array times = std::to_array<Key>({
    {"TIME_TO_GO_ENABLE", "", [](Config& c) -> Slot { return &c.control.times.to_go; },
     "Show the time until the battery is empty."},
    {"TIME_TO_SOC_POINTS",
     "%",
     [](Config& c) -> Slot { return &c.control.times.to_soc_percent; },
     "Show the time to these states of charge, for example 100, 80, 20.",
     {0, 100},
     false},
    {"TIME_TO_SOC_VALUE_TYPE",
     "",
     [](Config& c) -> Slot { return &c.control.times.to_soc_format; },
     "1: in seconds, 2: as text, 3: both.",
     {1, 3},
     false},
    {"TIME_TO_SOC_RECALCULATE_EVERY",
     "s",
     [](Config& c) -> Slot { return &c.control.times.every_s; },
     "How often these times are renewed.",
     {5, 86400},
     false},
    {"TIME_TO_SOC_INC_FROM",
     "",
     [](Config& c) -> Slot { return &c.control.times.increasing_from; },
     "Times in the wrong direction are never shown.",
     {},
     false,
     {},
     Effect::never},
});

}  // namespace

Group limit_keys() {
    return {"Limits of the battery", "", limits};
}

Group silence_keys() {
    return {"When a battery falls silent", "", silence};
}

Group sensor_keys() {
    return {"Temperatures", "", sensors};
}

Group soc_keys() {
    return {"State of charge, current, history", "", soc};
}

Group time_keys() {
    return {"Time estimates", "", times};
}

}  // namespace bmsd::app
