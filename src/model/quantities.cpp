#include "model/quantities.hpp"

#include <array>

#include "model/error.hpp"

namespace bmsd {
namespace {

constexpr std::array numbers = {
    NumberQuantity{"voltage_v", "V", 3, &Reading::voltage_v},
    NumberQuantity{"current_a", "A", 3, &Reading::current_a},
    NumberQuantity{"power_w", "W", 3, &Reading::power_w},
    NumberQuantity{"soc_percent", "%", 3, &Reading::soc_percent},
    NumberQuantity{"soh_percent", "%", 3, &Reading::soh_percent},
    NumberQuantity{"capacity_ah", "Ah", 3, &Reading::capacity_ah},
    NumberQuantity{"capacity_remaining_ah", "Ah", 3, &Reading::capacity_remaining_ah},
    NumberQuantity{"capacity_full_ah", "Ah", 3, &Reading::capacity_full_ah},
    NumberQuantity{"cycles", "", 0, &Reading::cycles},
    NumberQuantity{"total_charge_ah", "Ah", 3, &Reading::total_charge_ah},
    NumberQuantity{"total_discharge_ah", "Ah", 3, &Reading::total_discharge_ah},
    NumberQuantity{"cell_count", "", 0, &Reading::cell_count},
    NumberQuantity{"temperature_count", "", 0, &Reading::temperature_count},
    NumberQuantity{"min_cell_voltage_v", "V", 3, &Reading::min_cell_voltage_v},
    NumberQuantity{"max_cell_voltage_v", "V", 3, &Reading::max_cell_voltage_v},
    NumberQuantity{"min_cell_number", "", 0, &Reading::min_cell_number},
    NumberQuantity{"max_cell_number", "", 0, &Reading::max_cell_number},
    NumberQuantity{"min_cell_temperature_c", "°C", 2, &Reading::min_cell_temperature_c},
    NumberQuantity{"max_cell_temperature_c", "°C", 2, &Reading::max_cell_temperature_c},
    NumberQuantity{"module_count", "", 0, &Reading::module_count},
    NumberQuantity{"mosfet_temperature_c", "°C", 2, &Reading::mosfet_temperature_c},
    NumberQuantity{"environment_temperature_c", "°C", 2, &Reading::environment_temperature_c},
    NumberQuantity{"max_charge_current_a", "A", 3, &Reading::max_charge_current_a},
    NumberQuantity{"max_discharge_current_a", "A", 3, &Reading::max_discharge_current_a},
    NumberQuantity{"max_battery_voltage_v", "V", 3, &Reading::max_battery_voltage_v},
    NumberQuantity{"min_battery_voltage_v", "V", 3, &Reading::min_battery_voltage_v},
    NumberQuantity{"balance_current_a", "A", 3, &Reading::balance_current_a},
    NumberQuantity{"heater_current_a", "A", 3, &Reading::heater_current_a},
    NumberQuantity{"heating_start_c", "°C", 2, &Reading::heating_start_c},
    NumberQuantity{"heating_stop_c", "°C", 2, &Reading::heating_stop_c},
    NumberQuantity{"runtime_s", "s", 0, &Reading::runtime_s},
};

constexpr std::array flags = {
    FlagQuantity{"charge_fet", &Reading::charge_fet},
    FlagQuantity{"discharge_fet", &Reading::discharge_fet},
    FlagQuantity{"fet_software_lock", &Reading::fet_software_lock},
    FlagQuantity{"balance_fet", &Reading::balance_fet},
    FlagQuantity{"balancing_active", &Reading::balancing_active},
    FlagQuantity{"heater_on", &Reading::heater_on},
    FlagQuantity{"heating_enabled", &Reading::heating_enabled},
};

constexpr std::array texts = {
    TextQuantity{"manufacturer", &Reading::manufacturer},
    TextQuantity{"model", &Reading::model},
    TextQuantity{"hardware_version", &Reading::hardware_version},
    TextQuantity{"software_version", &Reading::software_version},
    TextQuantity{"serial_number", &Reading::serial_number},
    TextQuantity{"custom_name", &Reading::custom_name},
    TextQuantity{"production_date", &Reading::production_date},
    TextQuantity{"unique_id", &Reading::unique_id},
};

constexpr std::array<std::string_view, alarm_count> alarm_names = {
    "low_voltage",
    "high_voltage",
    "low_cell_voltage",
    "high_cell_voltage",
    "low_soc",
    "high_charge_current",
    "high_discharge_current",
    "cell_imbalance",
    "internal_failure",
    "high_charge_temperature",
    "low_charge_temperature",
    "high_temperature",
    "low_temperature",
    "high_internal_temperature",
    "fuse_blown",
};

template <class Table, class Member>
constexpr auto* find(const Table& table, Member member) noexcept {
    for (const auto& row : table)
        if (row.member == member) return &row;
    return static_cast<const typename Table::value_type*>(nullptr);
}

template <class Table, class Member>
std::string_view find_name(const Table& table, Member member) noexcept {
    const auto* row = find(table, member);
    return row ? row->name : std::string_view{};
}

}  // namespace

std::span<const NumberQuantity> number_quantities() noexcept {
    return numbers;
}
std::span<const FlagQuantity> flag_quantities() noexcept {
    return flags;
}
std::span<const TextQuantity> text_quantities() noexcept {
    return texts;
}

std::string_view name_of(NumberMember member) noexcept {
    return find_name(numbers, member);
}
std::string_view name_of(FlagMember member) noexcept {
    return find_name(flags, member);
}
std::string_view name_of(TextMember member) noexcept {
    return find_name(texts, member);
}

std::string_view name_of(CellsMember member) noexcept {
    return member == &Reading::cell_voltages_v ? "cell_voltages_v" : "cell_resistances_ohm";
}

std::string_view unit_of(NumberMember member) noexcept {
    const auto* row = find(numbers, member);
    return row ? row->unit : std::string_view{};
}

std::string_view to_string(Alarm alarm) noexcept {
    return alarm_names[static_cast<std::size_t>(alarm)];
}

std::string_view to_string(ErrorClass cls) noexcept {
    switch (cls) {
        case ErrorClass::checksum: return "checksum";
        case ErrorClass::truncated: return "truncated";
        case ErrorClass::malformed: return "malformed";
        case ErrorClass::unexpected: return "unexpected";
        case ErrorClass::refused: return "refused";
        case ErrorClass::implausible: return "implausible";
        case ErrorClass::config: return "config";
    }
    return "unknown";
}

}  // namespace bmsd
