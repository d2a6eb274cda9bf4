// What one BMS has said, in canonical units. Nothing here is guessed or derived.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/alarms.hpp"
#include "model/bounded.hpp"

namespace bmsd {

using Number = std::optional<double>;
using Flag = std::optional<bool>;
using Text = std::optional<std::string>;
/// One value per cell or sensor; an absent element keeps the position of a sensor that is not there.
using Cells = Bounded<Number, max_cells>;
using CellFlags = Bounded<bool, max_cells>;
using Temperatures = Bounded<Number, max_temperatures>;

/// How the current limits count that a BMS tells.
enum class CurrentLimits : std::uint8_t {
    followed,   ///< always: while they are not told they stay what they were
    lapsing,    ///< while they are told
    informing,  ///< not at all: there its protection begins to act
};

/// Everything a BMS can tell. An absent member is not known; 0 is a value.
/// Names are the canonical field names of the vector files, units are their suffix.
struct Reading {
    Number voltage_v;                  ///< pack voltage
    Number current_a;                  ///< positive = charging
    Number power_w;                    ///< only if the BMS reports a signed power of its own
    Number soc_percent;                ///< 0..100
    Number soh_percent;                ///< 0..100
    Number capacity_ah;                ///< nominal
    Number capacity_remaining_ah;      ///<
    Number capacity_full_ah;           ///< learned full-charge capacity, ages with the cells
    Number cycles;                     ///< full equivalents
    Number total_charge_ah;            ///< cycled so far, over the battery's life
    Number total_discharge_ah;         ///< the same, taken out
    Number cell_count;                 ///< in series
    Number temperature_count;          ///< sensors fitted, as the BMS says
    Number min_cell_voltage_v;         ///< only if reported by the BMS itself
    Number max_cell_voltage_v;         ///< only if reported by the BMS itself
    Number min_cell_number;            ///< which cell that is, from 1; only if reported by the BMS itself
    Number max_cell_number;            ///< the same of the highest
    Number min_cell_temperature_c;     ///< only if reported by the BMS itself
    Number max_cell_temperature_c;     ///< only if reported by the BMS itself
    Number module_count;               ///< packs behind one BMS
    Number mosfet_temperature_c;       ///<
    Number environment_temperature_c;  ///<
    Number max_charge_current_a;       ///< limit set in the BMS
    Number max_discharge_current_a;    ///< limit set in the BMS, positive
    Number max_battery_voltage_v;      ///< limit set in the BMS
    Number min_battery_voltage_v;      ///< limit set in the BMS
    Number balance_current_a;          ///< negative while a cell is discharged
    Number heater_current_a;           ///< only while heating
    Number heating_start_c;            ///< heater switches on below
    Number heating_stop_c;             ///< heater switches off above
    Number runtime_s;                  ///< since the BMS was first powered

    Flag charge_fet;         ///< charge MOSFET on
    Flag discharge_fet;      ///< discharge MOSFET on
    Flag fet_software_lock;  ///< a MOSFET is off because software ordered it, not by a protection
    Flag balance_fet;        ///< balancing permitted
    Flag balancing_active;   ///< balancing now
    Flag told_charging;      ///< the BMS says itself: true = it charges, false = it discharges; absent: neither
    Flag heater_on;          ///<
    Flag heating_enabled;    ///< heating permitted

    Text manufacturer;  ///< as the BMS names it
    Text model;         ///< as the BMS names itself
    Text hardware_version;
    Text software_version;
    Text serial_number;    ///< factory serial, trimmed
    Text custom_name;      ///< free text set by the user in the vendor's app
    Text production_date;  ///< YYYY-MM-DD or YYYY-MM
    Text unique_id;        ///< the id users of older drivers know this battery by

    Cells cell_voltages_v;
    Cells cell_resistances_ohm;
    CellFlags cell_balancing;
    Temperatures temperatures_c;

    Alarms alarms;

    bool operator==(const Reading&) const = default;
};

using NumberMember = Number Reading::*;
using FlagMember = Flag Reading::*;
using TextMember = Text Reading::*;
using CellsMember = Cells Reading::*;

}  // namespace bmsd
