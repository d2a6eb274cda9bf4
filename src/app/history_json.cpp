#include "app/history_json.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace bmsd::app {
namespace {

constexpr auto quantities = std::to_array<HistoryQuantity>({
    {"deepest_discharge", "DeepestDischarge", &History::deepest_discharge_ah, true},
    {"last_discharge", "LastDischarge", &History::last_discharge_ah, true},
    {"average_discharge", "AverageDischarge", &History::average_discharge_ah, true},
    {"total_ah_drawn", "TotalAhDrawn", &History::total_drawn_ah, true},
    {"charge_cycles", "ChargeCycles", &History::charge_cycles},
    {"full_discharges", "FullDischarges", &History::full_discharges},
    {"timestamp_last_full_charge", "TimeSinceLastFullCharge", &History::last_full_charge_s},
    {"automatic_syncs", "AutomaticSyncs", &History::automatic_syncs},
    {"minimum_voltage", "MinimumVoltage", &History::minimum_voltage_v},
    {"maximum_voltage", "MaximumVoltage", &History::maximum_voltage_v},
    {"minimum_cell_voltage", "MinimumCellVoltage", &History::minimum_cell_v},
    {"maximum_cell_voltage", "MaximumCellVoltage", &History::maximum_cell_v},
    {"low_voltage_alarms", "LowVoltageAlarms", &History::low_voltage_alarms},
    {"high_voltage_alarms", "HighVoltageAlarms", &History::high_voltage_alarms},
    {"minimum_temperature", "MinimumTemperature", &History::minimum_temperature_c},
    {"maximum_temperature", "MaximumTemperature", &History::maximum_temperature_c},
    {"discharged_energy", "DischargedEnergy", &History::discharged_kwh},
    {"charged_energy", "ChargedEnergy", &History::charged_kwh},
});

}  // namespace

std::span<const HistoryQuantity> history_quantities() noexcept {
    return quantities;
}

std::string read_history(const boost::json::object& stored, History& history) {
    std::string wrong;
    for (const auto& [key, value] : stored) {
        if (key == "clear") continue;
        const std::string_view name = key;
        const auto quantity = std::find_if(quantities.begin(), quantities.end(),
                                           [&](const HistoryQuantity& known) { return known.stored == name; });
        const Number number = value.is_number() ? Number(value.to_number<double>()) : std::nullopt;
        if (quantity != quantities.end() && number && std::abs(*number) <= largest_stored)
            history.*quantity->member = number;
        else if (wrong.empty())
            wrong = std::string(name) + (quantity != quantities.end() ? " must be a number" : " is not known");
    }
    return wrong;
}

}  // namespace bmsd::app
