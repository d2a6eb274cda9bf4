// A battery with something in every place.
#pragma once

#include "model/quantities.hpp"
#include "model/reading.hpp"

namespace bmsd::tests {

/// A battery that says everything, in values that every family's wire can carry exactly (whole degrees, whole
/// minutes, hundredths of ampere ...). A family with a new quantity adds it here.
inline Reading rich() {
    Reading state;
    state.voltage_v = 26.6;
    state.current_a = -12.3;
    state.soc_percent = 65;  // of the capacity: some families tell the charge only
    state.soh_percent = 97;
    state.capacity_ah = 280;
    state.capacity_remaining_ah = 182;
    state.capacity_full_ah = 271;
    state.cycles = 123;
    state.total_charge_ah = 31337;
    state.total_discharge_ah = 30000;
    state.cell_count = 8;
    state.temperature_count = 4;
    state.min_cell_voltage_v = 3.301;
    state.max_cell_voltage_v = 3.35;
    state.min_cell_number = 1;
    state.max_cell_number = 8;
    state.min_cell_temperature_c = -7;
    state.max_cell_temperature_c = 35;
    state.module_count = 8;
    state.mosfet_temperature_c = 41;
    state.environment_temperature_c = 23;
    state.max_charge_current_a = 60;
    state.max_discharge_current_a = 120;
    state.max_battery_voltage_v = 29.2;
    state.min_battery_voltage_v = 22.4;
    state.balance_current_a = -0.5;
    state.heater_current_a = 4.5;
    state.heating_start_c = 5;
    state.heating_stop_c = 10;
    state.runtime_s = 36'000'000;
    for (const FlagQuantity& flag : flag_quantities()) state.*flag.member = true;
    state.manufacturer = "JBD";
    state.model = "JK_TEST";
    state.hardware_version = "15A";
    state.software_version = "15.5";
    state.serial_number = "4011949148";
    state.custom_name = "cellar";
    state.production_date = "2024-09-14";
    state.unique_id = "4011949148";
    for (int i = 0; i < 8; ++i) {
        state.cell_voltages_v.push_back(3.301 + 0.007 * i);
        state.cell_resistances_ohm.push_back(0.051 + 0.002 * i);
    }
    for (const double celsius : {21.0, -7.0, 35.0, 19.0}) state.temperatures_c.push_back(celsius);
    return state;
}

}  // namespace bmsd::tests
