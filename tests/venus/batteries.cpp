#include "venus/batteries.hpp"

namespace bmsd::test {
namespace {

using namespace std::chrono_literals;

/// Alarms a JK PB tells, none of them raised; fuse and internal failure are not among those of the recording.
Alarms quiet() {
    Alarms alarms;
    for (std::size_t i = 0; i < alarm_count; ++i)
        if (const auto alarm = static_cast<Alarm>(i); alarm != Alarm::fuse_blown && alarm != Alarm::internal_failure)
            alarms.known(alarm);
    return alarms;
}

/// What is taken over as it was said.
void take_over(Battery& battery) {
    battery.summary.voltage_v = battery.reading.voltage_v;
    battery.summary.soc_percent = battery.reading.soc_percent;
    battery.summary.capacity_ah = battery.reading.capacity_ah;
    battery.summary.temperatures_c = battery.reading.temperatures_c;
    battery.summary.mosfet_temperature_c = battery.reading.mosfet_temperature_c;
    battery.alarms = battery.reading.alarms;
}

}  // namespace

Battery jk_discharging() {
    Battery battery;
    battery.identity.id = "4061234567";
    battery.identity.type = "Jkbms_pb";
    battery.identity.label = "JKBMS PB Model";
    battery.identity.hardware = "15A / 15.41";
    battery.identity.port = "/dev/ttyUSB71";
    battery.identity.address = 1;

    Reading& said = battery.reading;
    said.voltage_v = 52.808;
    said.current_a = -12.34;
    said.soc_percent = 57;
    said.soh_percent = 98;
    said.capacity_ah = 280;
    said.capacity_remaining_ah = 159.6;
    said.cycles = 321;
    said.cell_count = 16;
    said.mosfet_temperature_c = 26.8;
    said.heating_start_c = 2;
    said.heating_stop_c = 8;
    said.charge_fet = said.discharge_fet = said.balance_fet = true;
    said.balancing_active = said.heater_on = said.heating_enabled = false;
    said.cell_voltages_v = {3.301, 3.302, 3.303, 3.304, 3.305, 3.306, 3.307, 3.308,
                            3.300, 3.299, 3.298, 3.297, 3.296, 3.295, 3.294, 3.293};
    said.temperatures_c = {21.5, 22.4, 23.1, 19.8};
    said.alarms = quiet();

    battery.summary = {.min_cell_v = 3.293,
                       .max_cell_v = 3.308,
                       .min_cell = 16,
                       .max_cell = 8,
                       .cell_sum_v = 52.808,
                       .cell_diff_v = 3.308 - 3.293,
                       .temperature_c = (21.5 + 22.4 + 23.1 + 19.8) / 4,
                       .min_temperature_c = 19.8,
                       .max_temperature_c = 23.1,
                       .min_sensor = 4,
                       .max_sensor = 3,
                       .remaining_ah = 159.6,
                       .consumed_ah = -(280 - 159.6),
                       .current_a = -12.34,
                       .power_w = -12.34 * 52.808};
    battery.limits = {.cvl_v = 55.2,
                      .ccl_a = 50,
                      .dcl_a = 60,
                      .max_cell_v = 3.45,
                      .low_voltage_v = 46.4,
                      .allow_charge = true,
                      .allow_discharge = true,
                      .allow_balance = true,
                      .allow_heat = false,
                      .charge_mode = "Bulk │ Linear Mode",
                      .charge_limitation = "Max Battery Charge Current",
                      .discharge_limitation = "Max Battery Discharge Current"};
    battery.limits.activity = Activity::running;
    take_over(battery);
    battery.link.state = LinkState::fresh;
    battery.link.polls = 2;
    battery.online = true;
    return battery;
}

Battery jk_charging_with_alarms() {
    Battery battery = jk_discharging();
    Reading& said = battery.reading;
    said.voltage_v = 55.068;
    said.current_a = 45.6;
    said.soc_percent = 97;
    said.capacity_remaining_ah = 271.6;
    said.mosfet_temperature_c = 71.2;
    said.balancing_active = true;
    said.cell_voltages_v = {3.441, 3.442, 3.443, 3.444, 3.445, 3.446, 3.447, 3.448,
                            3.460, 3.439, 3.438, 3.437, 3.436, 3.435, 3.434, 3.433};
    said.temperatures_c = {40.5, 41.1, 39.8, 40.2};
    said.alarms.raise(Alarm::high_cell_voltage, Level::alarm);
    said.alarms.raise(Alarm::high_charge_current, Level::alarm);
    said.alarms.raise(Alarm::high_internal_temperature, Level::alarm);

    battery.summary = {.min_cell_v = 3.433,
                       .max_cell_v = 3.460,
                       .min_cell = 16,
                       .max_cell = 9,
                       .cell_sum_v = 55.068,
                       .cell_diff_v = 3.460 - 3.433,
                       .temperature_c = (40.5 + 41.1 + 39.8 + 40.2) / 4,
                       .min_temperature_c = 39.8,
                       .max_temperature_c = 41.1,
                       .min_sensor = 3,
                       .max_sensor = 2,
                       .remaining_ah = 271.6,
                       .consumed_ah = -(280 - 271.6),
                       .current_a = 45.6,
                       .power_w = 45.6 * 55.068};
    take_over(battery);
    Limits& limits = battery.limits;
    limits.cvl_v = 55.06;
    limits.ccl_a = 0.2;
    limits.dcl_a = 53.4;
    limits.charge_mode = "Bulk (Cell OVP) + Balancing │ Linear Mode";
    limits.charge_limitation = "Cell Voltage";
    limits.discharge_limitation = "Temp";
    return battery;
}

void fall_silent(Battery& battery) {
    battery.online = false;
    battery.link.state = LinkState::stale;
    battery.link.silent = 21s;
    battery.link.trouble = "no answer";
}

}  // namespace bmsd::test
