#include "app/config_keys.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include "bms/catalog.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

std::vector<std::string> items(std::string_view text) {
    std::vector<std::string> out;
    while (!text.empty()) {
        const auto end = text.find_first_of(",\n");
        if (const auto item = trim(text.substr(0, end)); !item.empty()) out.emplace_back(item);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

std::string understand_log_level(Config& config, const std::string& value) {
    constexpr std::array<std::string_view, 4> names = {"DEBUG", "INFO", "WARNING", "ERROR"};
    for (std::size_t i = 0; i < names.size(); ++i)
        if (same_word(names[i], value)) {
            config.log_level = static_cast<LogLevel>(i);
            return {};
        }
    return "'" + value + "' is not one of ERROR, WARNING, INFO, DEBUG";
}

/// Types of the reference that later versions will bring.
constexpr std::array<std::string_view, 29> types_to_come = {
    "Daly",          "Daren485",     "Ecs",        "EG4_Lifepower", "EG4_LL",       "Felicity",
    "HeltecModbus",  "HLPdataBMS4S", "KS48100",    "LltJbd",        "LltJbd_Up16s", "Pace",
    "Renogy",        "Seplos",       "Seplosv3",   "ANT",           "MNB",          "Sinowealth",
    "Daly_Can",      "Jkbms_Can",    "LltJbd_Can", "RV_C_Can",      "Ubms_Can",     "Jkbms_Ble",
    "Kilovault_Ble", "LiTime_Ble",   "LltJbd_Ble", "Xdzn_Ble",      "Lifepower"};

std::string understand_types(Config& config, const std::string& value) {
    config.families.clear();
    for (const std::string& name : items(value)) {
        const auto found = bms::find_families(name);
        for (const bms::Family* family : found)
            if (std::find(config.families.begin(), config.families.end(), family) == config.families.end())
                config.families.push_back(family);
        if (!found.empty()) continue;
        const bool to_come = std::any_of(types_to_come.begin(), types_to_come.end(),
                                         [&](std::string_view type) { return same_word(type, name); });
        return "there is no BMS type '" + name + "'" +
               (to_come ? " in this version" : "; did you mean " + std::string(bms::nearest_type(name)) + "?") +
               " (`bmsd list` shows all)";
    }
    return {};
}

/// Address in one or two hexadecimal digits, with or without 0x.
std::optional<std::uint32_t> address(std::string_view text) {
    if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || end != text.data() + text.size() || text.size() > 2) return std::nullopt;
    return value;
}

std::string understand_addresses(Config& config, const std::string& value) {
    config.addresses.clear();
    for (const std::string& item : items(value)) {
        const auto number = address(item);
        if (!number) return "'" + item + "' is no address; write hexadecimal numbers such as 0x01, 0x02";
        for (const engine::Address& other : config.addresses)
            if (other.value == *number) return "the address " + item + " is listed twice";
        char normal[8];
        std::snprintf(normal, sizeof normal, "0x%02x", *number);
        // The spelling of the user becomes part of the service name, if it is a full one.
        const bool full = item.size() == 4 && item.starts_with("0x");
        config.addresses.push_back({*number, full ? item : normal});
    }
    return {};
}

std::string understand_sources(Config& config, const std::string& value) {
    std::vector<int> sensors;
    // "0" is how the older key TEMP_BATTERY said "all".
    for (const std::string& item : items(value == "0" ? "1, 2, 3, 4" : value)) {
        if (item.size() != 1 || item[0] < '1' || item[0] > '4')
            return "'" + item + "' is no temperature sensor; they are 1, 2, 3, 4";
        sensors.push_back(item[0] - '0');
    }
    if (sensors.empty()) return "the list is empty; the default is 1, 2, 3, 4";
    config.control.temperature_sources = std::move(sensors);
    return {};
}

constexpr std::array<std::string_view, 1> temp_battery = {"TEMP_BATTERY"};
constexpr std::array<std::string_view, 1> modbus_addresses = {"MODBUS_ADDRESSES"};
constexpr std::array<std::string_view, 1> temp_1_name = {"TEMP_1_NAME"};
constexpr std::array<std::string_view, 1> temp_2_name = {"TEMP_2_NAME"};
constexpr std::array<std::string_view, 1> temp_3_name = {"TEMP_3_NAME"};
constexpr std::array<std::string_view, 1> temp_4_name = {"TEMP_4_NAME"};

template <std::size_t N>
std::string& temperature_name(Config& config) {
    return config.control.temperature_names[N];
}

const std::array table = {
    Key{"LOGGING", "", understand_log_level, "How much is logged: ERROR, WARNING, INFO or DEBUG."},
    Key{"BMS_TYPE", "", understand_types,
        "Types to look for, separated by commas; empty: all. A single type is not searched for but taken for granted."},
    Key{"PORTS", "", Place<std::vector<std::string>>([](Config& c) -> auto& { return c.ports; }),
        "Ports to use when the command line names none: /dev/serial/by-id/..., /dev/ttyUSB0, tcp://host:port."},
    Key{"EXCLUDED_DEVICES", "", Place<std::vector<std::string>>([](Config& c) -> auto& { return c.excluded_devices; }),
        "Ports that must not be touched."},
    Key{"POLL_INTERVAL",
        "s",
        Place<std::optional<double>>([](Config& c) -> auto& { return c.poll_interval_s; }),
        "Time between two polls of a battery; 0: as fast as the bus allows; empty: what suits the BMS.",
        {0, 60}},
    Key{"BATTERY_ADDRESSES",
        "",
        understand_addresses,
        "Bus addresses of several batteries on one adapter, hexadecimal: 0x01, 0x02. Empty: the default address.",
        {},
        false,
        modbus_addresses},
    Key{"USE_PORT_AS_UNIQUE_ID", "", Place<bool>([](Config& c) -> auto& { return c.port_as_id; }),
        "Identify batteries by port and address instead of their serial numbers."},
    Key{"BATTERY_CELL_DATA_FORMAT",
        "",
        Place<int>([](Config& c) -> auto& { return c.cell_data_format; }),
        "Cells on D-Bus: 0 none, 1 /Voltages and /Balances, 2 /Cell/N/Volts, 3 /Cell/N/Volts and /Balances.",
        {0, 3}},
    Key{"MAX_BATTERY_CHARGE_CURRENT",
        "A",
        Place<double>([](Config& c) -> auto& { return c.control.max_charge_current_a; }),
        "Largest charge current of one battery.",
        {0, 10000, true},
        true},
    Key{"MAX_BATTERY_DISCHARGE_CURRENT",
        "A",
        Place<double>([](Config& c) -> auto& { return c.control.max_discharge_current_a; }),
        "Largest discharge current of one battery.",
        {0, 10000, true},
        true},
    Key{"MIN_CELL_VOLTAGE",
        "V",
        Place<double>([](Config& c) -> auto& { return c.control.min_cell_v; }),
        "Times the number of cells: voltage below which inverters should stop.",
        {0, 4.5, true},
        true},
    Key{"MAX_CELL_VOLTAGE",
        "V",
        Place<double>([](Config& c) -> auto& { return c.control.max_cell_v; }),
        "Times the number of cells: charge voltage (CVL).",
        {0, 4.5, true},
        true},
    Key{"FLOAT_CELL_VOLTAGE",
        "V",
        Place<double>([](Config& c) -> auto& { return c.control.float_cell_v; }),
        "Times the number of cells: voltage that a full battery is kept at.",
        {0, 4.5, true},
        true},
    Key{"TEMPERATURE_SOURCE_BATTERY",
        "",
        understand_sources,
        "Sensors that count for the battery temperature: 1, 2, 3, 4.",
        {},
        false,
        temp_battery},
    Key{"TEMPERATURE_1_NAME", "", Place<std::string>(temperature_name<0>), "Name of sensor 1.", {}, false, temp_1_name},
    Key{"TEMPERATURE_2_NAME", "", Place<std::string>(temperature_name<1>), "Name of sensor 2.", {}, false, temp_2_name},
    Key{"TEMPERATURE_3_NAME", "", Place<std::string>(temperature_name<2>), "Name of sensor 3.", {}, false, temp_3_name},
    Key{"TEMPERATURE_4_NAME", "", Place<std::string>(temperature_name<3>), "Name of sensor 4.", {}, false, temp_4_name},
    Key{"BLOCK_ON_DISCONNECT",
        "",
        Place<bool>([](Config& c) -> auto& { return c.control.block_on_disconnect; }),
        "Stop charging and discharging 10 s after the BMS fell silent.",
        {},
        true},
    Key{"BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES",
        "min",
        Place<std::chrono::minutes>([](Config& c) -> auto& { return c.control.block_timeout; }),
        "How long to go on without data while the last cell voltages were inside the window below.",
        {1, 240},
        true},
    Key{"BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
        "V",
        Place<double>([](Config& c) -> auto& { return c.control.block_min_cell_v; }),
        "Lower end of that window, per cell.",
        {0, 4.5, true},
        true},
    Key{"BLOCK_ON_DISCONNECT_VOLTAGE_MAX",
        "V",
        Place<double>([](Config& c) -> auto& { return c.control.block_max_cell_v; }),
        "Upper end of that window, per cell.",
        {0, 4.5, true},
        true},
    Key{"BMS_CABLE_ALARM", "", Place<bool>([](Config& c) -> auto& { return c.control.cable_alarm; }),
        "Warn on D-Bus when the BMS is silent for more than a minute."},
};

constexpr auto without_effect = std::to_array<std::string_view>({"PUBLISH_CONFIG_VALUES",
                                                                 "PUBLISH_BATTERY_DATA_AS_JSON",
                                                                 "MIDPOINT_ENABLE",
                                                                 "GUI_PARAMETERS_SHOW_ADDITIONAL_INFO",
                                                                 "GUI_INSTALL_CUSTOMIZATIONS",
                                                                 "TELEMETRY",
                                                                 "HISTORY_ENABLE",
                                                                 "SERIAL_STARTER_ENABLED",
                                                                 "VOLTAGE_DROP",
                                                                 "SOC_RESET_CELL_VOLTAGE",
                                                                 "SOC_RESET_VOLTAGE",
                                                                 "SOC_RESET_AFTER_DAYS",
                                                                 "SOC_CALCULATION",
                                                                 "CURRENT_REPORTED_BY_BMS",
                                                                 "CURRENT_MEASURED_BY_USER",
                                                                 "EXTERNAL_SENSOR_DBUS_DEVICE",
                                                                 "EXTERNAL_SENSOR_DBUS_PATH_CURRENT",
                                                                 "EXTERNAL_SENSOR_DBUS_PATH_SOC",
                                                                 "SOC_LOW_WARNING",
                                                                 "SOC_LOW_ALARM",
                                                                 "AUTO_RESET_SOC",
                                                                 "BATTERY_CAPACITY",
                                                                 "TEMPERATURE_1_ADJUST",
                                                                 "TEMPERATURE_2_ADJUST",
                                                                 "TEMPERATURE_3_ADJUST",
                                                                 "TEMPERATURE_4_ADJUST",
                                                                 "TEMPERATURE_MOS_ADJUST",
                                                                 "CHARGE_MODE",
                                                                 "CVCM_ENABLE",
                                                                 "SWITCH_TO_FLOAT_WAIT_FOR_SEC",
                                                                 "SWITCH_TO_FLOAT_CELL_VOLTAGE_DIFF",
                                                                 "SWITCH_TO_FLOAT_CELL_VOLTAGE_DEVIATION",
                                                                 "SWITCH_TO_BULK_SOC_THRESHOLD",
                                                                 "SWITCH_TO_BULK_CELL_VOLTAGE_DIFF",
                                                                 "CVL_CONTROLLER_MODE",
                                                                 "CVL_ICONTROLLER_FACTOR",
                                                                 "CVL_RECOVERY_HOLD_SEC",
                                                                 "CVL_RECOVERY_RATE_V_PER_SEC",
                                                                 "CVL_RECALCULATION_EVERY",
                                                                 "CVL_RECALCULATION_ON_MAX_PERCENTAGE_CHANGE",
                                                                 "CCCM_CV_ENABLE",
                                                                 "DCCM_CV_ENABLE",
                                                                 "CELL_VOLTAGES_WHILE_CHARGING",
                                                                 "MAX_CHARGE_CURRENT_CV_FRACTION",
                                                                 "CELL_VOLTAGES_WHILE_DISCHARGING",
                                                                 "MAX_DISCHARGE_CURRENT_CV_FRACTION",
                                                                 "CCCM_T_ENABLE",
                                                                 "DCCM_T_ENABLE",
                                                                 "TEMPERATURES_WHILE_CHARGING",
                                                                 "MAX_CHARGE_CURRENT_T_FRACTION",
                                                                 "TEMPERATURES_WHILE_DISCHARGING",
                                                                 "MAX_DISCHARGE_CURRENT_T_FRACTION",
                                                                 "CCCM_T_MOSFET_ENABLE",
                                                                 "DCCM_T_MOSFET_ENABLE",
                                                                 "MOSFET_TEMPERATURES_WHILE_CHARGING",
                                                                 "MAX_CHARGE_CURRENT_T_MOSFET_FRACTION",
                                                                 "MOSFET_TEMPERATURES_WHILE_DISCHARGING",
                                                                 "MAX_DISCHARGE_CURRENT_T_MOSFET_FRACTION",
                                                                 "CCCM_SOC_ENABLE",
                                                                 "DCCM_SOC_ENABLE",
                                                                 "SOC_WHILE_CHARGING",
                                                                 "MAX_CHARGE_CURRENT_SOC_FRACTION",
                                                                 "SOC_WHILE_DISCHARGING",
                                                                 "MAX_DISCHARGE_CURRENT_SOC_FRACTION",
                                                                 "CHARGE_CURRENT_RECOVERY_THRESHOLD_PERCENT",
                                                                 "DISCHARGE_CURRENT_RECOVERY_THRESHOLD_PERCENT",
                                                                 "CCL_RECOVERY_HOLD_SEC",
                                                                 "DCL_RECOVERY_HOLD_SEC",
                                                                 "CCL_RECOVERY_RATE_A_PER_SEC",
                                                                 "DCL_RECOVERY_RATE_A_PER_SEC",
                                                                 "TIME_TO_GO_ENABLE",
                                                                 "TIME_TO_SOC_POINTS",
                                                                 "TIME_TO_SOC_VALUE_TYPE",
                                                                 "TIME_TO_SOC_RECALCULATE_EVERY",
                                                                 "TIME_TO_SOC_INC_FROM",
                                                                 "BLUETOOTH_BMS",
                                                                 "BLUETOOTH_USE_POLLING",
                                                                 "BLUETOOTH_FORCE_RESET_BLE_STACK",
                                                                 "BLUETOOTH_USE_USB",
                                                                 "CAN_PORT",
                                                                 "MQTT_TOPIC",
                                                                 "MQTT_BROKER_ADDRESS",
                                                                 "MQTT_BROKER_PORT",
                                                                 "MQTT_TLS_ENABLED",
                                                                 "MQTT_TLS_PATH_TO_CA",
                                                                 "MQTT_TLS_INSECURE",
                                                                 "MQTT_USERNAME",
                                                                 "MQTT_PASSWORD",
                                                                 "USE_BMS_DVCC_VALUES",
                                                                 "INVERT_CURRENT_MEASUREMENT",
                                                                 "BMS_CAPTURE_RAW_DATA",
                                                                 "LINEAR_LIMITATION_ENABLE",
                                                                 "BMS_CAPTURE_RAW_DATA_BACKUP_COUNT",
                                                                 "BMS_CAPTURE_RAW_DATA_MAX_SIZE_MB",
                                                                 "BULK_AFTER_DAYS",
                                                                 "BULK_CELL_VOLTAGE",
                                                                 "CC_CURRENT_LIMIT1_FRACTION",
                                                                 "CC_CURRENT_LIMIT2_FRACTION",
                                                                 "CC_CURRENT_LIMIT3_FRACTION",
                                                                 "CC_SOC_LIMIT1",
                                                                 "CC_SOC_LIMIT2",
                                                                 "CC_SOC_LIMIT3",
                                                                 "CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_TIME_RESTART",
                                                                 "CELL_VOLTAGE_DIFF_KEEP_MAX_VOLTAGE_UNTIL",
                                                                 "CELL_VOLTAGE_DIFF_TO_RESET_VOLTAGE_LIMIT",
                                                                 "CVL_ICONTROLLER_MODE",
                                                                 "DC_CURRENT_LIMIT1_FRACTION",
                                                                 "DC_CURRENT_LIMIT2_FRACTION",
                                                                 "DC_CURRENT_LIMIT3_FRACTION",
                                                                 "DC_SOC_LIMIT1",
                                                                 "DC_SOC_LIMIT2",
                                                                 "DC_SOC_LIMIT3",
                                                                 "EXTERNAL_CURRENT_SENSOR_DBUS_DEVICE",
                                                                 "EXTERNAL_CURRENT_SENSOR_DBUS_PATH",
                                                                 "GREENMETER_ADDRESS",
                                                                 "HELTEC_MODBUS_ADDR",
                                                                 "JKBMS_CAN_CELL_COUNT",
                                                                 "LINEAR_RECALCULATION_EVERY",
                                                                 "LINEAR_RECALCULATION_ON_PERC_CHANGE",
                                                                 "LIPRO_CELL_COUNT",
                                                                 "LIPRO_END_ADDRESS",
                                                                 "LIPRO_START_ADDRESS",
                                                                 "MAX_VOLTAGE_TIME_SEC",
                                                                 "SEPLOS_USE_BMS_VALUES",
                                                                 "SOC_CALC_CURRENT_MEASURED_BY_USER",
                                                                 "SOC_CALC_CURRENT_REPORTED_BY_BMS",
                                                                 "SOC_LEVEL_TO_RESET_VOLTAGE_LIMIT",
                                                                 "SOC_RESET_CURRENT",
                                                                 "SOC_RESET_TIME",
                                                                 "TEMPERATURE_LIMITS_WHILE_CHARGING",
                                                                 "TEMPERATURE_LIMITS_WHILE_DISCHARGING",
                                                                 "TIME_TO_SOC_LOOP_CYCLES",
                                                                 "UBMS_CAN_MODULE_PARALLEL",
                                                                 "UBMS_CAN_MODULE_SERIES",
                                                                 "UP16S_REQUIRE_DIRECT_CONNECTION"});

}  // namespace

std::span<const Key> keys() {
    return table;
}

std::span<const std::string_view> keys_without_effect() {
    return without_effect;
}

const Key* find_key(std::string_view name) {
    for (const Key& key : table) {
        if (same_word(key.name, name)) return &key;
        for (const std::string_view old_name : key.old_names)
            if (same_word(old_name, name)) return &key;
    }
    return nullptr;
}

std::string_view nearest_key(std::string_view name) {
    std::string_view best = table.front().name;
    std::size_t best_distance = word_distance(best, name);
    const auto consider = [&](std::string_view candidate) {
        if (const std::size_t distance = word_distance(candidate, name); distance < best_distance)
            best = candidate, best_distance = distance;
    };
    for (const Key& key : table) consider(key.name);
    for (const std::string_view key : without_effect) consider(key);
    return best;
}

}  // namespace bmsd::app
