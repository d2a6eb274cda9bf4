#include "control/texts.hpp"

#include <algorithm>
#include <cmath>

#include "model/decimals.hpp"

namespace bmsd::control {
namespace {

constexpr std::size_t longest_name = 60;  // of a sensor

/// A number with so many decimals.
struct Fixed {
    double number;
    int decimals;
};
Fixed whole(double number) {
    return {number, 0};
}
Fixed volts(double number) {
    return {number, 2};
}
Fixed cell_volts(double number) {
    return {number, 3};
}
Fixed tenths(double number) {
    return {number, 1};
}
/// A current with five digits at most, four of them behind the point.
struct Amperes {
    double number;
};

/// A sentence while it is written: in place, so that writing it again does not allocate. What does not fit is left out.
class Writer {
public:
    Writer& operator<<(std::string_view text) {
        const std::size_t fits = std::min(text.size(), text_.size() - used_);
        std::copy_n(text.data(), fits, text_.data() + used_);
        used_ += fits;
        return *this;
    }
    Writer& operator<<(Fixed value) {
        std::array<char, fixed_room> digits;
        return *this << std::string_view(digits.data(), write_fixed(digits.data(), value.number, value.decimals));
    }
    Writer& operator<<(Amperes value) {
        const double size = std::abs(value.number);
        const int decimals = size < 10 ? 4 : size < 100 ? 3 : size < 1000 ? 2 : size < 10000 ? 1 : 0;
        std::array<char, fixed_room> digits;
        std::string_view text(digits.data(), write_fixed(digits.data(), value.number, decimals));
        if (decimals > 0) text = text.substr(0, text.find_last_not_of('0') + 1);
        return *this << (text.ends_with('.') ? text.substr(0, text.size() - 1) : text);
    }
    void into(std::string& out) const {
        out.reserve(text_.size());  // once: a longer sentence later needs no more memory
        out.assign(text_.data(), used_);
    }

private:
    std::array<char, 256> text_;
    std::size_t used_ = 0;
};

constexpr std::array<const char*, rule_count> charge_rules = {
    "Max Battery Charge Current", "BMS Settings", "Cell Voltage", "Temp", "MOSFET", "SoC", "BMS"};
constexpr std::array<const char*, rule_count> discharge_rules = {
    "Max Battery Discharge Current", "BMS Settings", "Cell Voltage", "Temp", "MOSFET", "SoC", "BMS"};

bool balances(const Reading& reading) {
    const CellFlags& cells = reading.cell_balancing;
    return reading.balancing_active == true || std::find(cells.begin(), cells.end(), true) != cells.end();
}

/// "cell 5", or "a cell" where the BMS does not say which.
void add_cell(Writer& writer, std::size_t number) {
    if (number > 0)
        writer << "cell " << whole(static_cast<double>(number));
    else
        writer << "a cell";
}

}  // namespace

bool Sentence::changed(int kind, std::initializer_list<double> values) {
    if (kind == kind_ && std::equal(values.begin(), values.end(), values_.begin())) return false;
    kind_ = kind;
    std::copy(values.begin(), values.end(), values_.begin());
    return true;
}

void Texts::forget() {
    all_again_ = true;
    charge_.reason.forget();
    discharge_.reason.forget();
    voltage_reason_.forget();
    next_mode_.forget();
}

void Texts::write(const Input& input, Limits& limits) {
    write_mode(input, limits);
    write_voltage_reason(input, limits);
    write_next_mode(input, limits);
    write_limitation(input.charge, Direction::charge, limits);
    write_limitation(input.discharge, Direction::discharge, limits);
    write_current_reason(input, Direction::charge, limits);
    write_current_reason(input, Direction::discharge, limits);
    all_again_ = false;
}

// ---- charge mode (charge-control §3, 4.4 to 4.6) -------------------------------------------------

Texts::Mode Texts::mode_of(const Input& input) {
    using Base = Mode::Base;
    const ChargeVoltage& voltage = input.voltage;
    Mode mode;
    if (!input.parameters.voltage.managed) {
        mode.base = Base::fixed;
        return mode;
    }
    if (voltage.blind()) {
        mode.base = Base::blind;
        return mode;
    }
    mode.step = static_cast<CurveShape>(input.parameters.curve_shape) == CurveShape::step;
    switch (voltage.state()) {
        case ChargeState::none: break;
        case ChargeState::float_transition: mode.base = Base::float_transition; break;
        case ChargeState::floating: mode.base = Base::floating; break;
        case ChargeState::bulk:
            mode.base = voltage.in_absorption() ? Base::absorption : Base::bulk;
            mode.over_voltage = voltage.over_voltage().phase();
            mode.soc_reset = input.parameters.voltage.soc_reset_after_days &&
                             voltage.voltages()->highest_v == voltage.voltages()->soc_reset_v;
            mode.balancing = balances(input.reading);
            mode.heating = input.reading.heater_on == true;
    }
    return mode;
}

void Texts::write_mode(const Input& input, Limits& limits) {
    // While cells are missing for a moment, the text stays as it was.
    if (!input.cells.usable && !input.voltage.blind() && input.parameters.voltage.managed && mode_) return;
    const Mode mode = mode_of(input);
    if (mode_ == mode && !all_again_) return;
    if (mode_ && mode_->base != mode.base) ++limits.mode_changes;
    mode_ = mode;

    using Base = Mode::Base;
    using Phase = OverVoltage::Phase;
    constexpr std::array<const char*, 7> bases = {
        "",     "Keep always max voltage", "Error, please check the logs!", "Bulk", "Absorption", "Float Transition",
        "Float"};
    Writer writer;
    writer << bases[static_cast<std::size_t>(mode.base)];
    if (mode.over_voltage == Phase::reduced) writer << " (Cell OVP)";
    if (mode.over_voltage == Phase::recovering) writer << " (Cell OVP*)";
    if (mode.soc_reset) writer << " & SoC Reset";
    if (mode.balancing) writer << " + Balancing";
    if (mode.heating) writer << " + Heating";
    if (mode.base > Base::blind) writer << (mode.step ? " │ Step Mode" : " │ Linear Mode");
    writer.into(limits.charge_mode);
}

void Texts::write_voltage_reason(const Input& input, Limits& limits) {
    const ChargeVoltage& voltage = input.voltage;
    const VoltageRules& rules = input.parameters.voltage;
    Writer writer;
    if (!voltage.voltages()) {
        if (!voltage_reason_.changed(0, {})) return;
        writer << "the number of cells is unknown";
        return writer.into(limits.cvl_reason);
    }
    const PackVoltages& pack = *voltage.voltages();
    const auto count = static_cast<double>(input.cells.count);
    const auto phase = voltage.over_voltage().phase();
    if (!rules.managed) {
        if (!voltage_reason_.changed(1, {pack.highest_v})) return;
        writer << "always " << volts(pack.highest_v) << " V (CVCM_ENABLE = False)";
    } else if (!input.cells.usable) {
        if (!voltage_reason_.changed(voltage.blind() ? 2 : 3, {pack.float_v, static_cast<double>(pack.held_low)}))
            return;
        writer << "cell voltages are missing: ";
        if (voltage.blind())
            writer << (pack.held_low ? "the BMS says " : "float voltage ") << volts(pack.float_v) << " V";
        else
            writer << "as before";
    } else if (voltage.state() == ChargeState::floating && pack.held_low) {
        if (!voltage_reason_.changed(9, {pack.float_v})) return;
        writer << "full: " << volts(pack.float_v) << " V, as the BMS says";
    } else if (voltage.state() == ChargeState::floating) {
        if (!voltage_reason_.changed(4, {input.parameters.float_cell_v, count})) return;
        writer << "full: float at " << cell_volts(input.parameters.float_cell_v) << " V x " << whole(count) << " cells";
    } else if (voltage.state() == ChargeState::float_transition) {
        if (!voltage_reason_.changed(5, {pack.float_v})) return;
        writer << "full: falling slowly to " << volts(pack.float_v) << " V";
    } else if (phase == OverVoltage::Phase::reduced && *voltage.control_v() < pack.highest_v) {
        const double left = std::ceil(voltage.over_voltage().hold_left(rules, input.now).count());
        const double highest = *input.cells.highest_v;
        const auto number = input.summary.max_cell;
        if (!voltage_reason_.changed(6, {highest, static_cast<double>(number), pack.cell_limit_v, left})) return;
        add_cell(writer, number);
        writer << " is at " << cell_volts(highest) << " V, the limit is " << cell_volts(pack.cell_limit_v)
               << " V: lowered, rises in " << whole(left) << " s at the earliest";
    } else if (phase == OverVoltage::Phase::recovering) {
        if (!voltage_reason_.changed(7, {pack.highest_v, rules.recovery_v_per_s, *input.cells.highest_v})) return;
        writer << "was lowered for a cell above " << cell_volts(pack.cell_limit_v) << " V (now "
               << cell_volts(*input.cells.highest_v) << " V): rises to " << volts(pack.highest_v) << " V by "
               << cell_volts(rules.recovery_v_per_s) << " V/s";
    } else {
        if (!voltage_reason_.changed(8, {pack.cell_limit_v, count, pack.highest_v, static_cast<double>(pack.by_bms)}))
            return;
        if (voltage.soc_reset_requested()) writer << "raised until full (SOC_RESET_AFTER_DAYS): ";
        writer << volts(pack.highest_v) << " V for " << whole(count) << " cells";
        if (pack.by_bms) writer << ", as the BMS says";
    }
    writer.into(limits.cvl_reason);
}

void Texts::write_next_mode(const Input& input, Limits& limits) {
    const ChargeVoltage& voltage = input.voltage;
    const VoltageRules& rules = input.parameters.voltage;
    Writer writer;
    if (!rules.managed || !input.cells.usable) {
        if (!next_mode_.changed(rules.managed ? 1 : 0, {})) return;
        writer << (rules.managed ? "none while cell voltages are missing" : "none (CVCM_ENABLE = False)");
        return writer.into(limits.next_mode);
    }
    const double difference = input.cells.difference_v();
    if (voltage.state() == ChargeState::bulk) {
        if (const auto left = voltage.absorption_left(input.parameters)) {
            const double seconds = std::ceil(left->count());
            const double most = rules.float_diff_v.value_or(0) + rules.float_deviation_v;
            if (!next_mode_.changed(2, {seconds, most, difference})) return;
            writer << "float in " << whole(seconds) << " s";
            if (rules.float_diff_v)
                writer << " if the cell difference stays up to " << cell_volts(most) << " V; now "
                       << cell_volts(difference) << " V";
        } else if (voltage.full()) {
            if (!next_mode_.changed(3, {rules.float_diff_v.value_or(0), difference})) return;
            writer << "absorption when the cells differ by no more than " << cell_volts(rules.float_diff_v.value_or(0))
                   << " V; now " << cell_volts(difference) << " V";
        } else {
            const double full = voltage.full_from_v();
            if (!next_mode_.changed(4, {full, *input.cells.sum_v})) return;
            writer << "absorption when the cells sum up to " << volts(full) << " V; now " << volts(*input.cells.sum_v)
                   << " V";
        }
        return writer.into(limits.next_mode);
    }
    const double threshold = rules.bulk_soc_percent.value_or(0);
    const double soc = input.summary.soc_percent.value_or(-1);
    const double most = rules.bulk_diff_v.value_or(0);
    const bool armed = voltage.soc_rule_armed();
    if (!next_mode_.changed(armed ? 5 : 6, {threshold, soc, most, difference})) return;
    if (threshold > 0) {
        writer << "bulk below " << whole(threshold) << " % state of charge";
        if (soc >= 0) writer << "; now " << tenths(soc) << " %";
        if (!armed) writer << " (not before it was above it, or 1 h has passed)";
    }
    if (rules.bulk_diff_v)
        writer << (threshold > 0 ? ", or from " : "bulk from ") << cell_volts(most) << " V cell difference; now "
               << cell_volts(difference) << " V";
    if (threshold <= 0 && !rules.bulk_diff_v)
        writer << "none: neither SWITCH_TO_BULK_SOC_THRESHOLD nor SWITCH_TO_BULK_CELL_VOLTAGE_DIFF is set";
    writer.into(limits.next_mode);
}

// ---- current limits (charge-control §5, 6) -------------------------------------------------------

void Texts::write_limitation(const CurrentLimit& limit, Direction direction, Limits& limits) {
    const bool charging = direction == Direction::charge;
    Limitation now;
    for (std::size_t i = 0; i < rule_count; ++i) now.rules[i] = limit.decides(static_cast<Rule>(i));
    now.waiting =
        limit.phase() == CurrentLimit::Phase::holding || limit.phase() == CurrentLimit::Phase::below_threshold;
    auto& before = (charging ? charge_ : discharge_).limitation;
    if (before == now && !all_again_) return;
    if (before && before->rules != now.rules) ++limits.limitation_changes;
    before = now;

    Writer writer;
    const char* separator = "";
    for (std::size_t i = 0; i < rule_count; ++i) {
        if (!now.rules[i]) continue;
        writer << separator << (charging ? charge_rules : discharge_rules)[i];
        separator = ", ";
    }
    if (now.waiting) writer << " *";
    writer.into(charging ? limits.charge_limitation : limits.discharge_limitation);
}

void Texts::write_current_reason(const Input& input, Direction direction, Limits& limits) {
    const bool charging = direction == Direction::charge;
    const CurrentLimit& limit = charging ? input.charge : input.discharge;
    const CurrentRules& rules = charging ? input.parameters.charge : input.parameters.discharge;
    const Rule rule = limit.rule();
    const double value = limit.deciding_value().value_or(0);
    const bool holding = limit.phase() == CurrentLimit::Phase::holding;
    const double left = holding ? std::ceil(limit.hold_left(rules, input.now).count()) : 0;
    const std::size_t cell = charging ? input.summary.max_cell : input.summary.min_cell;
    const double place = static_cast<double>(rule == Rule::temperature ? limit.deciding_sensor() : cell);
    const int kind = static_cast<int>(rule) * 10 + static_cast<int>(limit.phase()) * 2 + limit.deciding_value_lost();
    if (!(charging ? charge_ : discharge_)
             .reason.changed(kind, {limit.target_a(), value, left, place, rules.max_a, *limit.limit_a()}))
        return;

    Writer writer;
    switch (rule) {
        case Rule::maximum: writer << "the configured maximum"; break;
        case Rule::bms_setting: writer << "set in the BMS"; break;
        case Rule::cell_voltage:
            add_cell(writer, cell);
            writer << " at " << cell_volts(value) << " V";
            break;
        case Rule::temperature: {
            const std::string_view name = input.parameters.temperature_names[limit.deciding_sensor() - 1];
            writer << name.substr(0, longest_name) << " at " << tenths(value) << " °C";
            break;
        }
        case Rule::mosfet: writer << "MOSFET at " << tenths(value) << " °C"; break;
        case Rule::soc: writer << "state of charge " << tenths(value) << " %"; break;
        case Rule::bms_switch: writer << "switched off by the BMS"; break;
    }
    if (limit.deciding_value_lost()) writer << " (silent since, a quarter counts)";
    writer << ": " << Amperes{limit.target_a()} << " A";
    switch (limit.phase()) {
        case CurrentLimit::Phase::settled: break;
        case CurrentLimit::Phase::below_threshold:
            writer << "; 0 A until " << Amperes{rules.max_a * rules.recovery_threshold} << " A are allowed";
            break;
        case CurrentLimit::Phase::holding:
            writer << "; rises from " << Amperes{*limit.limit_a()} << " A in " << whole(left) << " s";
            break;
        case CurrentLimit::Phase::rising: writer << "; rises by " << Amperes{rules.recovery_a_per_s} << " A/s"; break;
    }
    writer.into(charging ? limits.ccl_reason : limits.dcl_reason);
}

}  // namespace bmsd::control
