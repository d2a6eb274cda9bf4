// What Daly's alarm bytes mean, in whichever order a protocol sends them. Facts: dossier daly §7.
#pragma once

#include <array>

#include "bms/layout.hpp"

namespace bmsd::bms {

/// One bit of the seven alarm bytes of command 0x98.
struct DalyAlarm {
    std::uint8_t byte;
    std::uint8_t bit;
    Alarm alarm;
    Level level;
};

// SoC high, temperature difference, communication and "low voltage: charging forbidden" are no alarm here.
inline constexpr std::array daly_alarm_list = {
    DalyAlarm{0, 0, Alarm::high_cell_voltage, Level::warning},
    DalyAlarm{0, 1, Alarm::high_cell_voltage, Level::alarm},
    DalyAlarm{0, 2, Alarm::low_cell_voltage, Level::warning},
    DalyAlarm{0, 3, Alarm::low_cell_voltage, Level::alarm},
    DalyAlarm{0, 4, Alarm::high_voltage, Level::warning},
    DalyAlarm{0, 5, Alarm::high_voltage, Level::alarm},
    DalyAlarm{0, 6, Alarm::low_voltage, Level::warning},
    DalyAlarm{0, 7, Alarm::low_voltage, Level::alarm},
    DalyAlarm{1, 0, Alarm::high_charge_temperature, Level::warning},
    DalyAlarm{1, 1, Alarm::high_charge_temperature, Level::alarm},
    DalyAlarm{1, 2, Alarm::low_charge_temperature, Level::warning},
    DalyAlarm{1, 3, Alarm::low_charge_temperature, Level::alarm},
    DalyAlarm{1, 4, Alarm::high_temperature, Level::warning},
    DalyAlarm{1, 5, Alarm::high_temperature, Level::alarm},
    DalyAlarm{1, 6, Alarm::low_temperature, Level::warning},
    DalyAlarm{1, 7, Alarm::low_temperature, Level::alarm},
    DalyAlarm{2, 0, Alarm::high_charge_current, Level::warning},
    DalyAlarm{2, 1, Alarm::high_charge_current, Level::alarm},
    DalyAlarm{2, 2, Alarm::high_discharge_current, Level::warning},
    DalyAlarm{2, 3, Alarm::high_discharge_current, Level::alarm},
    DalyAlarm{2, 6, Alarm::low_soc, Level::warning},
    DalyAlarm{2, 7, Alarm::low_soc, Level::alarm},
    DalyAlarm{3, 0, Alarm::cell_imbalance, Level::warning},
    DalyAlarm{3, 1, Alarm::cell_imbalance, Level::alarm},
    DalyAlarm{4, 0, Alarm::high_internal_temperature, Level::warning},
    DalyAlarm{4, 1, Alarm::high_internal_temperature, Level::warning},
    DalyAlarm{4, 2, Alarm::internal_failure, Level::alarm},
    DalyAlarm{4, 3, Alarm::internal_failure, Level::alarm},
    DalyAlarm{4, 4, Alarm::internal_failure, Level::alarm},
    DalyAlarm{4, 5, Alarm::internal_failure, Level::alarm},
    DalyAlarm{4, 6, Alarm::internal_failure, Level::alarm},
    DalyAlarm{4, 7, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 0, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 1, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 2, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 3, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 4, Alarm::internal_failure, Level::alarm},
    DalyAlarm{5, 5, Alarm::internal_failure, Level::alarm},
    DalyAlarm{6, 0, Alarm::internal_failure, Level::alarm},
    DalyAlarm{6, 1, Alarm::internal_failure, Level::alarm},
    DalyAlarm{6, 2, Alarm::high_discharge_current, Level::alarm},
};

/// The rows of a layout in which alarm byte n stands at `offset_of(n)`.
template <class OffsetOf>
constexpr auto daly_alarms(const OffsetOf& offset_of) {
    std::array<AlarmBit, daly_alarm_list.size()> rows{};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const DalyAlarm& known = daly_alarm_list[i];
        rows[i] = {known.alarm, known.level, static_cast<std::uint16_t>(offset_of(known.byte)), Wire::u8, known.bit};
    }
    return rows;
}

}  // namespace bmsd::bms
