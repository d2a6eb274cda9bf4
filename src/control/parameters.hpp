// What the user decides about the treatment of the battery. Defaults are those of docs/configuration.
#pragma once

#include <array>
#include <chrono>
#include <string>
#include <vector>

namespace bmsd::control {

struct Parameters {
    double max_charge_current_a = 50;                     ///< MAX_BATTERY_CHARGE_CURRENT, > 0
    double max_discharge_current_a = 60;                  ///< MAX_BATTERY_DISCHARGE_CURRENT, > 0
    double min_cell_v = 2.900;                            ///< MIN_CELL_VOLTAGE
    double max_cell_v = 3.450;                            ///< MAX_CELL_VOLTAGE
    double float_cell_v = 3.375;                          ///< FLOAT_CELL_VOLTAGE
    bool block_on_disconnect = false;                     ///< BLOCK_ON_DISCONNECT
    std::chrono::minutes block_timeout{30};               ///< BLOCK_ON_DISCONNECT_TIMEOUT_MINUTES
    double block_min_cell_v = 3.225;                      ///< BLOCK_ON_DISCONNECT_VOLTAGE_MIN
    double block_max_cell_v = 3.375;                      ///< BLOCK_ON_DISCONNECT_VOLTAGE_MAX
    bool cable_alarm = true;                              ///< BMS_CABLE_ALARM
    std::vector<int> temperature_sources = {1, 2, 3, 4};  ///< TEMPERATURE_SOURCE_BATTERY, 1..4
    std::array<std::string, 4> temperature_names = {"Temp 1", "Temp 2", "Temp 3", "Temp 4"};  ///< TEMPERATURE_n_NAME
};

}  // namespace bmsd::control
