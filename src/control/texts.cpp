#include "control/texts.hpp"

#include <algorithm>
#include <cstdio>

namespace bmsd::control {
namespace {

/// A sentence while it is written: in place, so that writing it again does not allocate.
class Writer {
public:
    template <class... Values>
    void add(const char* format, Values... values) {
        const int written = std::snprintf(text_.data() + used_, text_.size() - used_, format, values...);
        if (written > 0) used_ = std::min(used_ + static_cast<std::size_t>(written), text_.size() - 1);
    }
    void add(const char* text) { add("%s", text); }
    void into(std::string& out) const {
        out.reserve(text_.size());  // once: a longer sentence later needs no more memory
        out.assign(text_.data(), used_);
    }

private:
    std::array<char, 256> text_{};
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
        writer.add("cell %zu", number);
    else
        writer.add("a cell");
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
    writer.add(bases[static_cast<std::size_t>(mode.base)]);
    if (mode.over_voltage == Phase::reduced) writer.add(" (Cell OVP)");
    if (mode.over_voltage == Phase::recovering) writer.add(" (Cell OVP*)");
    if (mode.soc_reset) writer.add(" & SoC Reset");
    if (mode.balancing) writer.add(" + Balancing");
    if (mode.heating) writer.add(" + Heating");
    if (mode.base > Base::blind) writer.add(mode.step ? " │ Step Mode" : " │ Linear Mode");
    writer.into(limits.charge_mode);
}

void Texts::write_voltage_reason(const Input& input, Limits& limits) {
    const ChargeVoltage& voltage = input.voltage;
    const VoltageRules& rules = input.parameters.voltage;
    Writer writer;
    if (!voltage.voltages()) {
        if (!voltage_reason_.changed(0, {})) return;
        writer.add("the number of cells is unknown");
        return writer.into(limits.cvl_reason);
    }
    const PackVoltages& pack = *voltage.voltages();
    const auto count = static_cast<double>(input.cells.count);
    const auto phase = voltage.over_voltage().phase();
    if (!rules.managed) {
        if (!voltage_reason_.changed(1, {pack.highest_v})) return;
        writer.add("always %.2f V (CVCM_ENABLE = False)", pack.highest_v);
    } else if (!input.cells.usable) {
        if (!voltage_reason_.changed(voltage.blind() ? 2 : 3, {pack.float_v, static_cast<double>(pack.by_bms)})) return;
        writer.add("cell voltages are missing: ");
        if (voltage.blind())
            writer.add(pack.by_bms ? "the BMS says %.2f V" : "float voltage %.2f V", pack.float_v);
        else
            writer.add("as before");
    } else if (voltage.state() == ChargeState::floating) {
        if (!voltage_reason_.changed(4, {input.parameters.float_cell_v, count})) return;
        writer.add("full: float at %.3f V x %.0f cells", input.parameters.float_cell_v, count);
    } else if (voltage.state() == ChargeState::float_transition) {
        if (!voltage_reason_.changed(5, {pack.float_v})) return;
        writer.add("full: falling slowly to %.2f V", pack.float_v);
    } else if (phase == OverVoltage::Phase::reduced) {
        const double left = std::ceil(voltage.over_voltage().hold_left(rules, input.now).count());
        const double highest = *input.cells.highest_v;
        const auto number = input.summary.max_cell;
        if (!voltage_reason_.changed(6, {highest, static_cast<double>(number), pack.cell_limit_v, left})) return;
        add_cell(writer, number);
        writer.add(" is at %.3f V, the limit is %.3f V: lowered, rises in %.0f s at the earliest", highest,
                   pack.cell_limit_v, left);
    } else if (phase == OverVoltage::Phase::recovering) {
        if (!voltage_reason_.changed(7, {pack.highest_v, rules.recovery_v_per_s, *input.cells.highest_v})) return;
        writer.add("was lowered for a cell above %.3f V (now %.3f V): rises to %.2f V by %.3f V/s", pack.cell_limit_v,
                   *input.cells.highest_v, pack.highest_v, rules.recovery_v_per_s);
    } else {
        if (!voltage_reason_.changed(8, {pack.cell_limit_v, count, pack.highest_v, static_cast<double>(pack.by_bms)}))
            return;
        if (voltage.soc_reset_requested()) writer.add("raised until full (SOC_RESET_AFTER_DAYS): ");
        writer.add(pack.by_bms ? "%.2f V for %.0f cells, as the BMS says" : "%.2f V for %.0f cells", pack.highest_v,
                   count);
    }
    writer.into(limits.cvl_reason);
}

void Texts::write_next_mode(const Input& input, Limits& limits) {
    const ChargeVoltage& voltage = input.voltage;
    const VoltageRules& rules = input.parameters.voltage;
    Writer writer;
    if (!rules.managed || !input.cells.usable) {
        if (!next_mode_.changed(rules.managed ? 1 : 0, {})) return;
        writer.add(rules.managed ? "none while cell voltages are missing" : "none (CVCM_ENABLE = False)");
        return writer.into(limits.next_mode);
    }
    const double difference = input.cells.difference_v();
    if (voltage.state() == ChargeState::bulk) {
        if (const auto left = voltage.absorption_left(input.parameters)) {
            const double seconds = std::ceil(left->count());
            const double most = rules.float_diff_v.value_or(0) + rules.float_deviation_v;
            if (!next_mode_.changed(2, {seconds, most, difference})) return;
            writer.add("float in %.0f s", seconds);
            if (rules.float_diff_v)
                writer.add(" if the cell difference stays up to %.3f V; now %.3f V", most, difference);
        } else if (voltage.full()) {
            if (!next_mode_.changed(3, {rules.float_diff_v.value_or(0), difference})) return;
            writer.add("absorption when the cells differ by no more than %.3f V; now %.3f V",
                       rules.float_diff_v.value_or(0), difference);
        } else {
            const double highest = voltage.voltages()->highest_v;
            if (!next_mode_.changed(4, {highest, *input.cells.sum_v})) return;
            writer.add("absorption when the cells sum up to %.2f V; now %.2f V", highest, *input.cells.sum_v);
        }
        return writer.into(limits.next_mode);
    }
    const double threshold = rules.bulk_soc_percent.value_or(0);
    const double soc = input.summary.soc_percent.value_or(-1);
    const double most = rules.bulk_diff_v.value_or(0);
    const bool armed = voltage.soc_rule_armed();
    if (!next_mode_.changed(armed ? 5 : 6, {threshold, soc, most, difference})) return;
    if (threshold > 0) {
        writer.add("bulk below %.0f %% state of charge", threshold);
        if (soc >= 0) writer.add("; now %.1f %%", soc);
        if (!armed) writer.add(" (not before it was above it, or 1 h has passed)");
    }
    if (rules.bulk_diff_v)
        writer.add("%s%.3f V cell difference; now %.3f V", threshold > 0 ? ", or from " : "bulk from ", most,
                   difference);
    if (threshold <= 0 && !rules.bulk_diff_v)
        writer.add("none: neither SWITCH_TO_BULK_SOC_THRESHOLD nor SWITCH_TO_BULK_CELL_VOLTAGE_DIFF is set");
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
        writer.add("%s%s", separator, (charging ? charge_rules : discharge_rules)[i]);
        separator = ", ";
    }
    if (now.waiting) writer.add(" *");
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
        case Rule::maximum: writer.add("the configured maximum"); break;
        case Rule::bms_setting: writer.add("set in the BMS"); break;
        case Rule::cell_voltage:
            add_cell(writer, cell);
            writer.add(" at %.3f V", value);
            break;
        case Rule::temperature:
            writer.add("%.60s at %.1f °C", input.parameters.temperature_names[limit.deciding_sensor() - 1].c_str(),
                       value);
            break;
        case Rule::mosfet: writer.add("MOSFET at %.1f °C", value); break;
        case Rule::soc: writer.add("state of charge %.1f %%", value); break;
        case Rule::bms_switch: writer.add("switched off by the BMS"); break;
    }
    if (limit.deciding_value_lost()) writer.add(" (silent since, a quarter counts)");
    writer.add(": %.5g A", limit.target_a());
    switch (limit.phase()) {
        case CurrentLimit::Phase::settled: break;
        case CurrentLimit::Phase::below_threshold:
            writer.add("; 0 A until %.5g A are allowed", rules.max_a * rules.recovery_threshold);
            break;
        case CurrentLimit::Phase::holding: writer.add("; rises from %.5g A in %.0f s", *limit.limit_a(), left); break;
        case CurrentLimit::Phase::rising: writer.add("; rises by %.5g A/s", rules.recovery_a_per_s); break;
    }
    writer.into(charging ? limits.ccl_reason : limits.dcl_reason);
}

}  // namespace bmsd::control
