// Renogy batteries that refuse to answer more than a few registers at once: the same registers in small blocks, as the
// Python driver reads them. Facts: dossier renogy (sections are quoted as "§").
#include <algorithm>
#include <array>

#include "bms/renogy.hpp"
#include "bms/soundness.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms {
namespace {

using namespace renogy_modbus;

constexpr std::array count_rows = {cell_count_row};
constexpr std::array sensors_rows = {sensor_count_row};
constexpr std::array capacity_rows = {capacity_row};
constexpr std::array few_pack_rows = {current_row, voltage_row, remaining_row};
constexpr std::array serial_texts = {serial_text};
constexpr std::array model_texts = {model_text};
constexpr std::array firmware_texts = {firmware_text};

constexpr Layout rows_of(std::span<const Row> rows) {
    return {.size = 16, .rows = rows, .records = records};
}
constexpr Layout text_of(std::span<const TextRow> texts) {
    return {.size = 16, .texts = texts, .records = records};
}

/// What may stay unanswered: those that refuse large blocks may not know these registers either.
constexpr Request spare(Request request) {
    request.mandatory = false;
    return request;
}

// Many answers have the same size, and none tells its registers. So what may stay unanswered is followed by a request
// of another size: a late answer is no answer to that one.
constexpr std::array requests = {
    block("serial", "serial number", When::identify, serial_number, 8, text_of(serial_texts)),
    block("firmware", "firmware version", When::identify, firmware, 2, text_of(firmware_texts)),
    block("model", "model", When::identify, model, 8, text_of(model_texts)),
    block("cell count", "number of cells", When::every_poll, cell_count, 1, rows_of(count_rows)),
    block("pack", "current, voltage, charge", When::every_poll, current, 4, rows_of(few_pack_rows)),
    block("capacity", "nominal capacity", When::every_poll, capacity, 2, rows_of(capacity_rows)),
    block("cells", "cell voltages", When::every_poll, first_cell, each_cell, rows_of({})),
    block("temperatures", "cell temperatures", When::every_poll, first_sensor, each_cell, rows_of({})),
    spare(block("status", "alarms and switches", When::every_poll, cell_alarms, 8, status_layout)),
    block("limits", "limits set in the BMS", When::sometimes, charge_voltage_limit, 4, limits_layout, seconds{60}),
    block("sensors", "number of temperature sensors", When::sometimes, sensor_count, 1, rows_of(sensors_rows),
          seconds{60}),
    block("manufacturer", "manufacturer", When::identify, manufacturer, 8, manufacturer_layout),
};
constexpr std::size_t pack_request = 4;

bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const auto other = framing::modbus::parse_request(asked);
    return other && other->unit == asking.address && other->function == framing::modbus::Function::read_holding &&
           other->first == request.selector >> 16;
}

constexpr Family small_blocks() {
    Family family = dialect("renogy_few", requests, pack_request, matches);
    family.answers_alike = true;
    return family;
}

}  // namespace

extern const Family renogy_few;
constexpr Family renogy_few = small_blocks();
static_assert(sound(renogy_few));

}  // namespace bmsd::bms
