#include "control/summary.hpp"

#include <algorithm>
#include <cmath>

#include "control/numbers.hpp"

namespace bmsd::control {
namespace {

/// Number, from 1, of a cell as the BMS says; 0 if it does not, or there is no such cell.
std::size_t number_of(const Number& said) {
    return said && *said >= 1 && *said <= static_cast<double>(max_cells) ? static_cast<std::size_t>(*said) : 0;
}

/// Both halves of the pack; the middle cell of an odd number belongs to neither.
void summarise_middle(const Cells& cells, std::size_t count, Summary& summary) {
    double first = 0, last = 0;
    for (std::size_t i = 0; i < count / 2; ++i) {
        first += *cells[i];
        last += *cells[count - 1 - i];
    }
    const double middle = count % 2 != 0 ? *cells[count / 2] / 2 : 0.0;
    summary.mid_voltage_v = thousandths(first + middle);
    if (first + last > 0) summary.mid_deviation_percent = thousandths(std::abs(last - first) / (first + last) * 100);
}

/// As delivered: a broken sensor shows as the end of this range, which ends charging (battery-logic §3).
Number measured(const Number& sensor_c) {
    const Number value = finite(sensor_c);
    if (!value) return std::nullopt;
    return std::round(std::clamp(*value, -20.0, 100.0) * 10) / 10;
}

Number adjusted(const Number& sensor_c, const Adjust& adjust) {
    const Number value = measured(sensor_c);
    if (!value || adjust.size() != 2) return value;
    return *value * adjust[1] + adjust[0];
}

}  // namespace

bool plausible_cell(const Number& cell_v, const Parameters& parameters) {
    return cell_v && *cell_v >= 0 && *cell_v <= 2 * parameters.max_cell_v;
}

std::size_t cells_in_series(const Reading& reading) {
    const Number count = finite(reading.cell_count);
    if (count && *count >= 1 && *count <= static_cast<double>(max_cells)) return static_cast<std::size_t>(*count);
    return reading.cell_voltages_v.size();
}

void summarise_cells(const Reading& reading, const Parameters& parameters, Summary& summary) {
    const Cells& cells = reading.cell_voltages_v;
    const std::size_t count = cells_in_series(reading);
    std::size_t known = 0;
    double sum = 0;
    for (std::size_t i = 0; i < std::min(count, cells.size()); ++i) {
        const Number& cell = cells[i];
        if (!plausible_cell(cell, parameters)) continue;
        ++known;
        sum += *cell;
        if (!summary.min_cell_v || *cell < *summary.min_cell_v) summary.min_cell_v = cell, summary.min_cell = i + 1;
        if (!summary.max_cell_v || *cell > *summary.max_cell_v) summary.max_cell_v = cell, summary.max_cell = i + 1;
    }
    if (known > 0) summary.cell_sum_v = sum;
    if (parameters.midpoint && count >= 4 && known == count) summarise_middle(cells, count, summary);
    // Measured at another moment than the list: what the BMS says itself may be no cell's voltage in it.
    if (plausible_cell(reading.min_cell_voltage_v, parameters)) {
        summary.min_cell_v = reading.min_cell_voltage_v;
        if (known == 0) summary.min_cell = number_of(reading.min_cell_number);
    }
    if (plausible_cell(reading.max_cell_voltage_v, parameters)) {
        summary.max_cell_v = reading.max_cell_voltage_v;
        if (known == 0) summary.max_cell = number_of(reading.max_cell_number);
    }
    if (summary.min_cell_v && summary.max_cell_v) summary.cell_diff_v = *summary.max_cell_v - *summary.min_cell_v;
}

void summarise_temperatures(const Reading& reading, const Parameters& parameters, Summary& summary) {
    const auto& sources = parameters.temperature_sources;
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < reading.temperatures_c.size(); ++i) {
        const bool corrected = i < parameters.temperature_adjust.size();
        const Number sensor = corrected ? adjusted(reading.temperatures_c[i], parameters.temperature_adjust[i])
                                        : measured(reading.temperatures_c[i]);
        summary.temperatures_c.push_back(sensor);
        if (!sensor || std::find(sources.begin(), sources.end(), static_cast<int>(i + 1)) == sources.end()) continue;
        sum += *sensor;
        ++count;
        // Of equal sensors the lowest number is the coldest, the highest number the warmest.
        if (!summary.min_temperature_c || *sensor < *summary.min_temperature_c)
            summary.min_temperature_c = sensor, summary.min_sensor = i + 1;
        if (!summary.max_temperature_c || *sensor >= *summary.max_temperature_c)
            summary.max_temperature_c = sensor, summary.max_sensor = i + 1;
    }
    if (count > 0) summary.temperature_c = sum / count;
    summary.mosfet_temperature_c = adjusted(reading.mosfet_temperature_c, parameters.mosfet_adjust);
}

}  // namespace bmsd::control
