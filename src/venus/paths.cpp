// Facts: D-Bus chapter, section 2.2. Physical quantities are doubles, counters and flags integers.
#include "venus/paths.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iterator>
#include <limits>

namespace bmsd::venus {
namespace {

using S = const Source&;
using N = std::size_t;

constexpr std::int32_t product_id = 0xBA77;  // reserved by Victron for this kind of driver

// Values of /State, /Mode, /DeviceState and /ErrorCode.
constexpr std::int32_t state_initialising = 0, state_running = 9, state_error = 10, state_standby = 14;
constexpr std::int32_t mode_on = 3, mode_off = 4, mode_standby = 0xFC;
constexpr std::int32_t device_good = 0x100, device_hot = 0x101, device_warm = 0x102, device_failed = 0x103,
                       device_blocked = 0x104, device_empty = 0x105;
constexpr std::int32_t error_configuration = 119, error_internal = 8;

constexpr Format plain{};
constexpr Format product{Format::Style::hex};
/// Rounded to `decimals`, shown as Python would.
constexpr Format rounded(std::int8_t decimals) {
    return {Format::Style::plain, decimals};
}
/// Most BMS tell these as integers: shown without decimals unless there are some.
constexpr Format whole(std::int8_t decimals) {
    return {Format::Style::whole, decimals};
}
constexpr Format unit(std::int8_t decimals, std::int8_t shown, std::string_view name) {
    return {Format::Style::fixed, decimals, shown, name};
}

ValueView real(const Number& number) {
    return number ? ValueView{*number} : Invalid{};
}
ValueView count(const Number& number) {
    constexpr double largest = std::numeric_limits<std::int32_t>::max();
    if (!number || !(std::abs(*number) <= largest)) return Invalid{};
    return static_cast<std::int32_t>(std::lround(*number));
}
ValueView flag(const Flag& value) {
    return value ? ValueView{static_cast<std::int32_t>(*value)} : Invalid{};
}
ValueView words(const std::string& text) {
    return text.empty() ? ValueView{Invalid{}} : std::string_view{text};
}
ValueView level(std::optional<Level> value) {
    return value ? ValueView{static_cast<std::int32_t>(*value)} : Invalid{};
}

template <std::int32_t value>
ValueView constant(S, N) {
    return value;
}
ValueView nothing(S, N) {
    return Invalid{};
}
/// A text that may be empty.
template <auto member>
ValueView explanation(S s, N) {
    return std::string_view{s.*member};
}

/// A member of one part of the battery, e.g. of its limits.
template <auto part, auto member, auto show>
ValueView of(S s, N) {
    return show(s.battery.*part.*member);
}
template <auto member>
constexpr auto reading = of<&Battery::reading, member, real>;
template <auto member>
constexpr auto reading_flag = of<&Battery::reading, member, flag>;
template <auto member>
constexpr auto summary = of<&Battery::summary, member, real>;
template <auto member>
constexpr auto limit = of<&Battery::limits, member, real>;
template <auto member>
constexpr auto limit_flag = of<&Battery::limits, member, flag>;
template <auto member>
constexpr auto limit_words = of<&Battery::limits, member, words>;
template <auto member>
constexpr auto identity = of<&Battery::identity, member, words>;

/// Amounts that were drawn are negative on the bus.
template <auto member>
ValueView drawn(S s, N) {
    const Number& amount = s.battery.history.*member;
    return amount ? real(-*amount) : Invalid{};
}
template <auto member>
constexpr auto history = of<&Battery::history, member, real>;
template <auto member>
constexpr auto history_count = of<&Battery::history, member, count>;
/// Those of the BMS if it counts them.
ValueView charge_cycles(S s, N) {
    return s.battery.reading.cycles ? count(s.battery.reading.cycles) : real(s.battery.history.charge_cycles);
}

/// Values that lie when they are old.
template <auto part, auto member>
ValueView live(S s, N) {
    return s.battery.online ? real(s.battery.*part.*member) : Invalid{};
}

template <auto member>
ValueView prepared(S s, N) {
    return std::string_view{s.*member};
}
template <auto member>
ValueView cell_id(S s, N) {
    return words(s.*member);
}

bool blocked(S s) {
    return s.battery.limits.allow_charge == false && s.battery.limits.allow_discharge == false;
}

std::int32_t state_of(S s) {
    if (s.battery.config_error) return state_error;
    if (s.battery.link.state == LinkState::starting) return state_initialising;
    return s.battery.limits.activity == Activity::standby ? state_standby : state_running;
}
ValueView state(S s, N) {
    return state_of(s);
}
ValueView mode(S s, N) {
    if (state_of(s) == state_standby) return mode_off;
    return blocked(s) ? mode_standby : mode_on;
}
ValueView device_state(S s, N) {
    const Alarms& alarms = s.battery.alarms;
    const auto heat = std::max(alarms[Alarm::high_temperature], alarms[Alarm::high_charge_temperature]);
    if (alarms[Alarm::internal_failure] == Level::alarm) return device_failed;
    if (heat == Level::alarm) return device_hot;
    if (heat == Level::warning) return device_warm;
    if (alarms[Alarm::low_voltage] == Level::alarm) return device_empty;
    return blocked(s) ? device_blocked : device_good;
}
ValueView error_code(S s, N) {
    if (s.battery.internal_errors) return error_internal;
    return s.battery.config_error ? ValueView{error_configuration} : Invalid{};
}
ValueView device_instance(S s, N) {
    return s.device_instance;
}
ValueView device_name(S s, N) {
    const Text& name = s.battery.reading.custom_name;
    return name ? words(*name) : Invalid{};
}
ValueView json_data(S s, N) {
    return words(s.json);
}
ValueView program(S, N) {
    return std::string_view{"bmsd"};
}
ValueView version(S, N) {
    return std::string_view{BMSD_VERSION};
}

/// An active balancer that does not name cells moves charge from the highest to the lowest one.
bool balances(S s, N n) {
    const Reading& said = s.battery.reading;
    if (!said.cell_balancing.empty()) return n < said.cell_balancing.size() && said.cell_balancing[n];
    return said.balancing_active == true &&
           (n + 1 == s.battery.summary.min_cell || n + 1 == s.battery.summary.max_cell);
}
ValueView balance(S s, N n) {
    return static_cast<std::int32_t>(balances(s, n));
}
ValueView balancing(S s, N) {
    const CellFlags& cells = s.battery.reading.cell_balancing;
    const bool any = std::find(cells.begin(), cells.end(), true) != cells.end();
    return static_cast<std::int32_t>(any || s.battery.reading.balancing_active == true);
}

ValueView heating_current(S s, N) {
    const Reading& said = s.battery.reading;
    if (!said.heater_on) return Invalid{};
    return *said.heater_on ? real(said.heater_current_a) : 0.0;
}
ValueView heating_power(S s, N) {
    const Reading& said = s.battery.reading;
    if (!said.heater_on) return Invalid{};
    if (!*said.heater_on) return 0.0;
    return said.heater_current_a && said.voltage_v ? ValueView{*said.heater_current_a * *said.voltage_v} : Invalid{};
}

ValueView cell_voltage(S s, N n) {
    const Cells& cells = s.battery.reading.cell_voltages_v;
    const bool plausible = n < cells.size() && cells[n] && *cells[n] <= 2 * s.parameters.max_cell_v;
    return plausible ? real(cells[n]) : Invalid{};
}
ValueView temperature(S s, N n) {
    const Temperatures& sensors = s.battery.summary.temperatures_c;
    return n < sensors.size() ? real(sensors[n]) : Invalid{};
}
ValueView temperature_name(S s, N n) {
    return std::string_view{s.parameters.temperature_names[n]};
}
/// Name of the sensor a member of the summary points to.
template <auto member>
ValueView sensor_name(S s, N) {
    const std::size_t sensor = s.battery.summary.*member;
    const auto& names = s.parameters.temperature_names;
    return sensor >= 1 && sensor <= names.size() ? words(names[sensor - 1]) : Invalid{};
}

template <bool online>
ValueView modules(S s, N) {
    return static_cast<std::int32_t>(s.battery.online == online);
}
template <auto member>
ValueView blocking(S s, N) {
    return static_cast<std::int32_t>(s.battery.limits.*member == false);
}

ValueView alarm(S s, N n) {
    return level(s.battery.alarms[static_cast<Alarm>(n)]);
}
ValueView cable_alarm(S s, N) {
    return level(s.battery.cable_alarm);
}

// ---- the BMS's own state of charge, beside another one --------------------------------------------
ValueView bms_consumed(S s, N) {
    const Number& capacity = s.battery.summary.capacity_ah;
    const Number& left = s.battery.reading.capacity_remaining_ah;
    return capacity && left ? real(-std::abs(*capacity - *left)) : Invalid{};
}

ValueView time_to_soc(S s, N n) {
    return words(s.times[n].text);
}
/// In whole minutes: a value that changes every second would be a signal every second.
ValueView since_full(S s, N) {
    const Number& full_s = s.battery.history.last_full_charge_s;
    const auto now_s = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    return full_s && *full_s <= now_s ? count(std::floor((now_s - *full_s) / 60) * 60) : Invalid{};
}

/// `n` is an Order. Nothing where the BMS cannot be switched.
ValueView switched_off(S s, N n) {
    const auto order = static_cast<Order>(n);
    if (!s.battery.orders.takes(order)) return Invalid{};
    return static_cast<std::int32_t>(s.battery.orders.switched_off(order));
}
ValueView reset_soc_to(S s, N) {
    return s.reset_soc_to;
}

struct FixedRow {
    const char* path;
    Format format;
    ValueView (*value)(S, N);
    N n = 0;
};

constexpr FixedRow fixed_rows[] = {
    // identification
    {"/Mgmt/ProcessName", plain, program},
    {"/Mgmt/ProcessVersion", plain, version},
    {"/Mgmt/Connection", plain, prepared<&Source::connection>},
    {"/DeviceInstance", plain, device_instance},
    {"/ProductId", product, constant<product_id>},
    {"/ProductName", plain, prepared<&Source::product_name>},
    {"/FirmwareVersion", plain, version},
    {"/HardwareVersion", plain, identity<&Identity::hardware>},
    {"/Family", plain, identity<&Identity::hardware>},
    {"/Connected", plain, constant<1>},
    {"/CustomName", plain, prepared<&Source::custom_name>},
    {"/Serial", plain, prepared<&Source::serial>},
    {"/DeviceName", plain, device_name},
    {"/Manufacturer", plain, identity<&Identity::label>},
    {"/ConnectionInformation", plain, prepared<&Source::link>},
    // state
    {"/State", plain, state},
    {"/Mode", plain, mode},
    {"/DeviceState", plain, device_state},
    {"/ErrorCode", plain, error_code},
    // main values
    {"/Soc", whole(2), summary<&Summary::soc_percent>},
    {"/Soh", whole(2), reading<&Reading::soh_percent>},
    {"/Dc/0/Voltage", unit(2, 2, "V"), live<&Battery::summary, &Summary::voltage_v>},
    {"/Dc/0/Current", unit(2, 2, "A"), live<&Battery::summary, &Summary::current_a>},
    {"/Dc/0/Power", unit(2, 0, "W"), live<&Battery::summary, &Summary::power_w>},
    {"/Dc/0/Temperature", rounded(1), summary<&Summary::temperature_c>},
    {"/Dc/0/MidVoltage", unit(3, 2, "V"), summary<&Summary::mid_voltage_v>},
    {"/Dc/0/MidVoltageDeviation", unit(3, 1, "%"), summary<&Summary::mid_deviation_percent>},
    {"/Capacity", unit(3, 2, "Ah"), summary<&Summary::remaining_ah>},
    {"/InstalledCapacity", unit(3, 0, "Ah"), summary<&Summary::capacity_ah>},
    {"/ConsumedAmphours", unit(3, 0, "Ah"), summary<&Summary::consumed_ah>},
    {"/TimeToGo", plain, of<&Battery::summary, &Summary::time_to_go_s, count>},
    {"/CurrentAvg", unit(2, 2, "A"), summary<&Summary::current_average_a>},
    {"/Balancing", plain, balancing},
    {"/Heating", plain, reading_flag<&Reading::heater_on>},
    // limits
    {"/Info/MaxChargeVoltage", unit(2, 2, "V"), limit<&Limits::cvl_v>},
    {"/Info/MaxChargeCellVoltage", unit(3, 2, "V"), limit<&Limits::max_cell_v>},
    {"/Info/MaxChargeCurrent", unit(3, 2, "A"), limit<&Limits::ccl_a>},
    {"/Info/MaxDischargeCurrent", unit(3, 2, "A"), limit<&Limits::dcl_a>},
    {"/Info/BatteryLowVoltage", rounded(2), limit<&Limits::low_voltage_v>},
    {"/Info/ChargeMode", plain, limit_words<&Limits::charge_mode>},
    {"/Info/ChargeModeDebug", plain, explanation<&Source::reasons>},
    {"/Info/ChargeModeDebugBulk", plain, explanation<&Source::to_bulk>},
    {"/Info/ChargeModeDebugFloat", plain, explanation<&Source::to_float>},
    {"/Info/ChargeLimitation", plain, limit_words<&Limits::charge_limitation>},
    {"/Info/DischargeLimitation", plain, limit_words<&Limits::discharge_limitation>},
    {"/Info/HeatingCurrent", rounded(3), heating_current},
    {"/Info/HeatingPower", rounded(2), heating_power},
    {"/Info/HeatingTemperatureStart", whole(1), reading<&Reading::heating_start_c>},
    {"/Info/HeatingTemperatureStop", whole(1), reading<&Reading::heating_stop_c>},
    {"/Io/AllowToCharge", plain, limit_flag<&Limits::allow_charge>},
    {"/Io/AllowToDischarge", plain, limit_flag<&Limits::allow_discharge>},
    {"/Io/AllowToBalance", plain, limit_flag<&Limits::allow_balance>},
    {"/Io/AllowToHeat", plain, limit_flag<&Limits::allow_heat>},
    // system
    {"/System/NrOfCellsPerBattery", plain, of<&Battery::reading, &Reading::cell_count, count>},
    {"/System/NrOfModulesOnline", plain, modules<true>},
    {"/System/NrOfModulesOffline", plain, modules<false>},
    {"/System/NrOfModulesBlockingCharge", plain, blocking<&Limits::allow_charge>},
    {"/System/NrOfModulesBlockingDischarge", plain, blocking<&Limits::allow_discharge>},
    {"/System/MinCellVoltage", unit(3, 3, "V"), summary<&Summary::min_cell_v>},
    {"/System/MaxCellVoltage", unit(3, 3, "V"), summary<&Summary::max_cell_v>},
    {"/System/MinVoltageCellId", plain, cell_id<&Source::lowest_cell>},
    {"/System/MaxVoltageCellId", plain, cell_id<&Source::highest_cell>},
    {"/System/MinCellTemperature", rounded(3), summary<&Summary::min_temperature_c>},
    {"/System/MaxCellTemperature", rounded(3), summary<&Summary::max_temperature_c>},
    {"/System/MinTemperatureCellId", plain, sensor_name<&Summary::min_sensor>},
    {"/System/MaxTemperatureCellId", plain, sensor_name<&Summary::max_sensor>},
    {"/System/MOSTemperature", rounded(3), summary<&Summary::mosfet_temperature_c>},
    {"/System/Temperature1", rounded(3), temperature, 0},
    {"/System/Temperature2", rounded(3), temperature, 1},
    {"/System/Temperature3", rounded(3), temperature, 2},
    {"/System/Temperature4", rounded(3), temperature, 3},
    {"/System/Temperature1Name", plain, temperature_name, 0},
    {"/System/Temperature2Name", plain, temperature_name, 1},
    {"/System/Temperature3Name", plain, temperature_name, 2},
    {"/System/Temperature4Name", plain, temperature_name, 3},
    // alarms
    {"/Alarms/LowVoltage", plain, alarm, N(Alarm::low_voltage)},
    {"/Alarms/HighVoltage", plain, alarm, N(Alarm::high_voltage)},
    {"/Alarms/LowCellVoltage", plain, alarm, N(Alarm::low_cell_voltage)},
    {"/Alarms/HighCellVoltage", plain, alarm, N(Alarm::high_cell_voltage)},
    {"/Alarms/LowSoc", plain, alarm, N(Alarm::low_soc)},
    {"/Alarms/HighChargeCurrent", plain, alarm, N(Alarm::high_charge_current)},
    {"/Alarms/HighDischargeCurrent", plain, alarm, N(Alarm::high_discharge_current)},
    {"/Alarms/CellImbalance", plain, alarm, N(Alarm::cell_imbalance)},
    {"/Alarms/InternalFailure", plain, alarm, N(Alarm::internal_failure)},
    {"/Alarms/HighChargeTemperature", plain, alarm, N(Alarm::high_charge_temperature)},
    {"/Alarms/LowChargeTemperature", plain, alarm, N(Alarm::low_charge_temperature)},
    {"/Alarms/HighTemperature", plain, alarm, N(Alarm::high_temperature)},
    {"/Alarms/LowTemperature", plain, alarm, N(Alarm::low_temperature)},
    {"/Alarms/HighInternalTemperature", plain, alarm, N(Alarm::high_internal_temperature)},
    {"/Alarms/FuseBlown", plain, alarm, N(Alarm::fuse_blown)},
    {"/Alarms/StateOfHealth", plain, nothing},
    {"/Alarms/BmsCable", plain, cable_alarm},
    // history
    {"/History/ChargeCycles", rounded(3), charge_cycles},
    {"/History/DeepestDischarge", rounded(3), drawn<&History::deepest_discharge_ah>},
    {"/History/LastDischarge", rounded(3), drawn<&History::last_discharge_ah>},
    {"/History/AverageDischarge", rounded(3), drawn<&History::average_discharge_ah>},
    {"/History/TotalAhDrawn", rounded(3), drawn<&History::total_drawn_ah>},
    {"/History/FullDischarges", plain, history_count<&History::full_discharges>},
    {"/History/MinimumVoltage", rounded(3), history<&History::minimum_voltage_v>},
    {"/History/MaximumVoltage", rounded(3), history<&History::maximum_voltage_v>},
    {"/History/MinimumCellVoltage", rounded(3), history<&History::minimum_cell_v>},
    {"/History/MaximumCellVoltage", rounded(3), history<&History::maximum_cell_v>},
    {"/History/MinimumTemperature", rounded(3), history<&History::minimum_temperature_c>},
    {"/History/MaximumTemperature", rounded(3), history<&History::maximum_temperature_c>},
    {"/History/TimeSinceLastFullCharge", plain, since_full},
    {"/History/AutomaticSyncs", plain, history_count<&History::automatic_syncs>},
    {"/History/LowVoltageAlarms", plain, history_count<&History::low_voltage_alarms>},
    {"/History/HighVoltageAlarms", plain, history_count<&History::high_voltage_alarms>},
    {"/History/DischargedEnergy", rounded(3), history<&History::discharged_kwh>},
    {"/History/ChargedEnergy", rounded(3), history<&History::charged_kwh>},
    {"/History/Clear", plain, constant<0>},
    {"/History/CanBeCleared", plain, constant<1>},
    // settings and extras
    {"/Settings/HasTemperature", plain, constant<1>},
    {"/JsonData", plain, json_data},
};

constexpr auto cell_sum = summary<&Summary::cell_sum_v>;
constexpr auto cell_diff = summary<&Summary::cell_diff_v>;

void add_cells(std::vector<PathRow>& rows, std::size_t cells, CellFormat format) {
    if (format == CellFormat::none) return;
    const bool flat = format == CellFormat::voltages;
    const std::string group = flat ? "/Voltages" : "/Cell";
    rows.push_back({group + "/Sum", unit(2, 2, "V"), cell_sum});
    rows.push_back({group + "/Diff", unit(3, 3, "V"), cell_diff});
    for (N n = 0; n < cells; ++n) {
        const std::string number = std::to_string(n + 1);
        rows.push_back(
            {flat ? group + "/Cell" + number : group + "/" + number + "/Volts", unit(3, 3, "V"), cell_voltage, n});
        if (format != CellFormat::cells) rows.push_back({"/Balances/Cell" + number, plain, balance, n});
    }
}

/// With a state of charge of our own, or of another sensor.
void add_own_soc(std::vector<PathRow>& rows) {
    for (PathRow& row : rows)
        if (row.path == "/Soc") row.format = rounded(2);
    rows.push_back({"/SocBms", whole(2), reading<&Reading::soc_percent>});
    rows.push_back({"/CapacityBms", unit(3, 2, "Ah"), reading<&Reading::capacity_remaining_ah>});
    rows.push_back({"/ConsumedAmphoursBms", unit(3, 0, "Ah"), bms_consumed});
}

void add_orders(std::vector<PathRow>& rows, const Orders& orders) {
    const std::size_t before = rows.size();
    for (const OrderPath& row : switch_paths)
        if (orders.takes(row.order)) rows.push_back({row.path, plain, switched_off, N(row.order)});
    if (orders.takes(Order::soc)) {
        rows.push_back({"/Settings/ResetSocTo", plain, reset_soc_to});
        rows.push_back({"/Settings/ResetSocToApply", plain, constant<0>});
    }
    if (rows.size() > before) rows.push_back({"/Settings/HasSettings", plain, constant<1>});
}

void add_legacy_orders(std::vector<PathRow>& rows, const Orders& orders) {
    for (const OrderPath& row : switch_paths) rows.push_back({row.former, plain, switched_off, N(row.order)});
    if (orders.takes(Order::soc)) rows.push_back({legacy_reset_soc, plain, reset_soc_to});
}

}  // namespace

std::size_t cell_rows(const Reading& reading) noexcept {
    const auto known = static_cast<double>(reading.cell_voltages_v.size());
    return static_cast<std::size_t>(std::clamp(reading.cell_count.value_or(known), 0.0, known));
}

std::vector<PathRow> path_rows(const Battery& battery, const RowOptions& options) {
    std::vector<PathRow> rows;
    rows.reserve(std::size(fixed_rows) + 2 * max_cells + 16 + options.time_to_soc.size());
    for (const FixedRow& row : fixed_rows) rows.push_back({row.path, row.format, row.value, row.n});
    add_cells(rows, cell_rows(battery.reading), options.cells);
    if (options.own_soc) add_own_soc(rows);
    for (N n = 0; n < std::min(options.time_to_soc.size(), max_soc_points); ++n)
        rows.push_back({"/TimeToSoC/" + std::to_string(options.time_to_soc[n]), plain, time_to_soc, n});
    if (options.orders) add_orders(rows, battery.orders);
    if (options.legacy_orders) add_legacy_orders(rows, battery.orders);
    return rows;
}

}  // namespace bmsd::venus
