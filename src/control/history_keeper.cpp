#include "control/history_keeper.hpp"

#include <algorithm>

#include "control/summary.hpp"

namespace bmsd::control {
namespace {

using namespace std::chrono_literals;

constexpr auto between_sums = 60s;
constexpr double empty_percent = 0.5;
constexpr double recharged_percent = 15;
/// A discharge that drew less is none: the current swings around 0.
constexpr double discharge_worth_counting = 0.01;  // of the capacity

void lower_to(Number& extreme, const Number& value) {
    if (value && (!extreme || *value < *extreme)) extreme = value;
}
void raise_to(Number& extreme, const Number& value) {
    if (value && (!extreme || *value > *extreme)) extreme = value;
}
void begin_at_zero(Number& value) {
    if (!value) value = 0;
}

bool raised(const Alarms& alarms, Alarm battery, Alarm cell) {
    return alarms[battery].value_or(Level::ok) != Level::ok || alarms[cell].value_or(Level::ok) != Level::ok;
}

}  // namespace

void HistoryKeeper::step(const Input& input, Counters& counters) {
    see_discharge(input, counters);
    see_extremes(input);
    count_alarms(input.reading.alarms);
    if (summed_at_ && input.now - *summed_at_ < between_sums) return;
    summed_at_ = input.now;
    sum_up(input, counters);
}

void HistoryKeeper::see_discharge(const Input& input, Counters& counters) {
    const Summary& summary = input.summary;
    if (summary.consumed_ah) raise_to(values_.deepest_discharge_ah, std::abs(*summary.consumed_ah));
    begin_at_zero(values_.last_discharge_ah);
    const Number& average = summary.current_average_a;
    if (average && *average < 0 && average_before_a_ && *average_before_a_ >= 0) {
        const double worth = discharge_worth_counting * summary.capacity_ah.value_or(0);
        if (*values_.last_discharge_ah > 0 && *values_.last_discharge_ah >= worth)
            finished_discharges_ = finished_discharges_.value_or(0) + 1;
        counters.this_discharge_ah = 0;
    }
    // Not at 0: what flows while the mean turns belongs to the discharge that begins.
    if (average && *average < 0) values_.last_discharge_ah = counters.this_discharge_ah;
    if (average) average_before_a_ = average;

    begin_at_zero(values_.full_discharges);
    const Number& soc = summary.soc_percent;
    if (soc && *soc <= empty_percent && full_discharge_armed_) {
        *values_.full_discharges += 1;
        full_discharge_armed_ = false;
    }
    if (soc && *soc > recharged_percent) full_discharge_armed_ = true;
}

void HistoryKeeper::see_extremes(const Input& input) {
    const Summary& summary = input.summary;
    lower_to(values_.minimum_voltage_v, summary.voltage_v);
    raise_to(values_.maximum_voltage_v, summary.voltage_v);
    lower_to(values_.minimum_cell_v, summary.min_cell_v);
    raise_to(values_.maximum_cell_v, summary.max_cell_v);
    lower_to(values_.minimum_temperature_c, summary.min_temperature_c);
    raise_to(values_.maximum_temperature_c, summary.max_temperature_c);
}

void HistoryKeeper::count_alarms(const Alarms& alarms) {
    const bool low = raised(alarms, Alarm::low_voltage, Alarm::low_cell_voltage);
    const bool high = raised(alarms, Alarm::high_voltage, Alarm::high_cell_voltage);
    begin_at_zero(values_.low_voltage_alarms);
    begin_at_zero(values_.high_voltage_alarms);
    if (low && !low_alarm_) *values_.low_voltage_alarms += 1;
    if (high && !high_alarm_) *values_.high_voltage_alarms += 1;
    low_alarm_ = low;
    high_alarm_ = high;
}

void HistoryKeeper::sum_up(const Input& input, Counters& counters) {
    const Number& capacity = input.summary.capacity_ah;
    const Number cycles = finite(input.reading.cycles);
    const bool from_cycles = cycles && *cycles > 0 && capacity;
    if (!values_.total_drawn_ah) {
        values_.total_drawn_ah = from_cycles ? *cycles * *capacity : 0.0;
        finished_discharges_ = from_cycles ? *cycles : finished_discharges_.value_or(0);
    } else {
        *values_.total_drawn_ah += counters.discharged_ah;
        counters.discharged_ah = 0;
    }
    const double total = *values_.total_drawn_ah;
    if (cycles)
        values_.charge_cycles.reset();
    else if (total > 0 && capacity && *capacity > 0)
        values_.charge_cycles = total / *capacity;
    if (total > 0) values_.average_discharge_ah = total / std::max(1.0, finished_discharges_.value_or(0));

    const double cells = static_cast<double>(cells_in_series(input.reading));
    const double before_kwh = from_cycles ? input.parameters.float_cell_v * cells * *capacity * *cycles / 1000 : 0.0;
    const auto add = [&](Number& sum_kwh, double& counter_wh) {
        if (!sum_kwh) {
            sum_kwh = before_kwh;
            return;
        }
        *sum_kwh += counter_wh / 1000;
        counter_wh = 0;
    };
    add(values_.discharged_kwh, counters.discharged_wh);
    add(values_.charged_kwh, counters.charged_wh);
}

void HistoryKeeper::full(std::chrono::system_clock::time_point wall) {
    values_.last_full_charge_s = unix_seconds(wall);
    values_.automatic_syncs = values_.automatic_syncs.value_or(0) + 1;
}

void HistoryKeeper::clear(int what) {
    History& v = values_;
    const auto wanted = [&](int group) { return what == 1 || what == group; };
    const auto gone = [](auto&... values) { (values.reset(), ...); };
    if (wanted(2)) {
        gone(v.deepest_discharge_ah, v.last_discharge_ah, v.charge_cycles, v.full_discharges, v.total_drawn_ah);
        finished_discharges_.reset();
    }
    if (what == 1) gone(v.average_discharge_ah);
    if (wanted(3)) gone(v.minimum_voltage_v, v.maximum_voltage_v, v.minimum_cell_v, v.maximum_cell_v);
    if (wanted(4)) gone(v.last_full_charge_s, v.automatic_syncs);
    if (wanted(5)) gone(v.low_voltage_alarms, v.high_voltage_alarms);
    if (wanted(6)) gone(v.minimum_temperature_c, v.maximum_temperature_c);
    if (wanted(7)) gone(v.discharged_kwh, v.charged_kwh);
    summed_at_.reset();  // evaluated again at once
}

void HistoryKeeper::restore(const Stored& stored, Counters& counters) {
    values_ = stored.values;
    full_discharge_armed_ = stored.full_discharge_armed;
    counters.this_discharge_ah = values_.last_discharge_ah.value_or(0);
    finished_discharges_ = stored.finished_discharges;
    const Number& average = values_.average_discharge_ah;
    if (!finished_discharges_ && values_.total_drawn_ah && average && *average > 0)
        finished_discharges_ = std::round(*values_.total_drawn_ah / *average);
}

}  // namespace bmsd::control
