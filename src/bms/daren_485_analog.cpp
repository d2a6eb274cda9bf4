#include "bms/daren_485_analog.hpp"

#include <algorithm>
#include <cmath>

namespace bmsd::bms::daren {
namespace {

/// Finds the fields of an answer. Firmware that leaves out the last ones is taken as it is (§5.1).
Records walk(std::span<const std::uint8_t> payload) {
    Records found;
    std::size_t at = 1;  // behind the flag
    const auto take = [&](std::uint8_t field, std::size_t size) {
        if (at + size <= payload.size()) found[field] = payload.subspan(at, size);
        at += size;
    };
    const auto counted = [&](std::uint8_t field) {
        const std::size_t count = at < payload.size() ? payload[at] : 0;
        ++at;
        take(field, 2 * count);
    };
    for (const std::uint8_t field : {soc, voltage}) take(field, width_of(field));
    counted(cells);
    for (const std::uint8_t field : {environment, pack_temperature, mosfet}) take(field, width_of(field));
    counted(sensors);
    for (std::uint8_t field = current; field <= io_status; ++field) take(field, width_of(field));
    return found;
}

/// §6: nothing but a battery's own cells add up to its voltage like that. What a cell with a broken wire says breaks
/// the sum, not the battery; so each cell for itself may say anything.
bool adds_up(const Reading& reading) {
    double sum = 0;
    for (const Number& cell : reading.cell_voltages_v) {
        if (cell == 0.0) return true;
        sum += *cell;
    }
    return std::abs(sum - reading.voltage_v.value_or(0)) <= 0.05 * sum;
}

void raise_failures(const Records& found, Alarms& alarms) {
    const auto check = [&](Field field, Wire type, std::int64_t mask) {
        if (!found[field].empty() && (get(found[field], 0, type) & mask) != 0)
            alarms.raise(Alarm::internal_failure, Level::alarm);
    };
    check(fet_status, u16be, fet_failures);
    check(machine_status, u8, machine_failure);
    check(io_status, u16be, io_failures);
}

void read_balancing(const Records& found, Reading& reading) {
    reading.cell_balancing.clear();
    reading.balancing_active.reset();
    if (found[balance_low].empty() || found[balance_high].empty()) return;
    const auto bits =
        static_cast<std::uint32_t>(get(found[balance_high], 0, u16be) << 16 | get(found[balance_low], 0, u16be));
    for (std::size_t i = 0; i < reading.cell_voltages_v.size(); ++i)
        reading.cell_balancing.push_back((bits >> i & 1) != 0);
    reading.balancing_active = bits != 0;
}

}  // namespace

std::string_view finish_analog(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                               Reading& reading) {
    // A recording names its family. What is known may be what is written here: look before.
    const bool met_before = asking.recorded || (asking.known && asking.known->cell_count);
    const Records found = walk(payload);
    const auto volts = found[cells];
    if (volts.empty() || volts.size() > 2 * most_cells) return "the number of cells is impossible";
    decode(request.layout, found, reading);
    reading.cell_count = static_cast<double>(volts.size() / 2);
    reading.cell_voltages_v.clear();
    for (std::size_t at = 0; at < volts.size(); at += 2)
        reading.cell_voltages_v.push_back(static_cast<double>(get(volts, at, u16be)) / 1000);
    reading.temperatures_c.clear();
    const auto celsius = found[sensors].first(std::min(found[sensors].size(), 2 * most_sensors));
    for (std::size_t at = 0; at < celsius.size(); at += 2)
        reading.temperatures_c.push_back(static_cast<double>(get(celsius, at, i16be)) / 10);
    if (reading.soc_percent > most_soc_percent) reading.soc_percent.reset();

    if (!met_before && !adds_up(reading)) return "the cells do not add up to the pack voltage";
    raise_failures(found, reading.alarms);
    read_balancing(found, reading);
    return {};
}

namespace {
constexpr std::size_t at_count = 5;
}

std::string_view analog_flaw(std::span<const std::uint8_t> payload) noexcept {
    const bool all = payload.size() > at_count && payload.size() > at_count + 2U * payload[at_count];
    return all ? std::string_view{} : "the cells reach beyond the end of the answer";
}

std::size_t whole_analog_size(std::span<const std::uint8_t> payload) noexcept {
    constexpr std::size_t behind_cells = 6;  // as many bytes of temperatures as stand in front of the cells
    constexpr std::size_t rest = 59;         // everything but cells and sensors
    const std::size_t cells_bytes = payload.size() > at_count ? 2U * payload[at_count] : 0U;
    if (cells_bytes == 0 || payload.size() < at_count + 1 + cells_bytes) return 0;
    const std::size_t at_sensors = at_count + 1 + cells_bytes + behind_cells;
    return rest + cells_bytes + (at_sensors < payload.size() ? 2U * payload[at_sensors] : 0U);
}

void encode_analog(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    // A board without cells does not exist.
    const std::size_t cell_number = std::clamp<std::size_t>(state.cell_voltages_v.size(), 1, most_cells);
    const std::size_t sensor_number = std::min(state.temperatures_c.size(), most_sensors);
    payload.clear();
    MutableRecords found;
    std::array<std::size_t, 256> place{};
    const auto add = [&](std::uint8_t field, std::size_t size) {
        place[field] = payload.size();
        payload.resize(payload.size() + size, std::uint8_t{0});
    };
    payload.push_back(0);  // flag
    for (const std::uint8_t field : {soc, voltage}) add(field, width_of(field));
    payload.push_back(static_cast<std::uint8_t>(cell_number));
    add(cells, 2 * cell_number);
    for (const std::uint8_t field : {environment, pack_temperature, mosfet}) add(field, width_of(field));
    payload.push_back(static_cast<std::uint8_t>(sensor_number));
    add(sensors, 2 * sensor_number);
    for (std::uint8_t field = current; field <= io_status; ++field) add(field, width_of(field));

    const std::span<std::uint8_t> all(payload);
    for (const Record& record : records) found[record.tag] = all.subspan(place[record.tag], record.width);
    encode(request.layout, state, found);
    const auto volts = [&](std::size_t i) {
        return i < state.cell_voltages_v.size() ? state.cell_voltages_v[i].value_or(0) : 0.0;
    };
    for (std::size_t i = 0; i < cell_number; ++i)
        put(all, place[cells] + 2 * i, u16be, std::lround(1000 * std::clamp(volts(i), 0.0, 65.0)));
    for (std::size_t i = 0; i < sensor_number; ++i)
        put(all, place[sensors] + 2 * i, i16be,
            std::lround(10 * std::clamp(state.temperatures_c[i].value_or(0), -3000.0, 3000.0)));
    std::uint32_t balancing = 0;
    for (std::size_t i = 0; i < std::min(state.cell_balancing.size(), cell_number); ++i)
        if (state.cell_balancing[i]) balancing |= 1U << i;
    put(all, place[balance_low], u16be, balancing & 0xFFFF);
    put(all, place[balance_high], u16be, balancing >> 16);
}

}  // namespace bmsd::bms::daren
