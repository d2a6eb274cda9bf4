// Renogy Smart Lithium batteries: Modbus RTU, blocks of holding registers from 5000 on. Cells in steps of 0.1 V only.
// Facts: dossier renogy (sections are quoted as "§").
#include "bms/renogy.hpp"

#include <algorithm>
#include <array>

#include "bms/soundness.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms {
namespace {

using namespace renogy_modbus;

/// No answer of this poll has told of cells that cannot be measured: there was no long status.
bool cell_errors_unknown(const Reading& known) {
    return !known.alarms[Alarm::internal_failure];
}

constexpr Request optional(Request request) {
    request.mandatory = false;
    return request;
}
constexpr Request wanted_if(Request request, bool (*wanted)(const Reading&)) {
    request.wanted = wanted;
    return request;
}

// An answer does not tell its registers: no two blocks have the same size, so that a late one cannot pass for another.
constexpr std::array requests = {
    block("about", "serial number, model, firmware", When::identify, other_alarms, 28, about_layout),
    block("limits", "limits set in the BMS", When::sometimes, charge_voltage_limit, 4, limits_layout, seconds{60}),
    block("environment", "temperatures of the board and around it", When::sometimes, board_temperature, 6,
          environment_layout, seconds{30}),
    block("pack", "current, voltage, charge, cycles", When::every_poll, current, 7, pack_layout),
    block("cells", "cell voltages and temperatures", When::every_poll, cell_count, 34, cells_layout),
    optional(block("long status", "alarms, switches, cells that cannot be measured", When::every_poll, cell_alarms, 9,
                   long_status_layout)),
    wanted_if(block("status", "alarms and switches", When::every_poll, cell_alarms, 8, status_layout),
              cell_errors_unknown),
};
constexpr std::size_t pack_request = 3;

/// The registers that belong to each request: from where its block begins to where the next one does.
constexpr std::array<unsigned, 7> borders = {cell_count,  board_temperature, current, charge_voltage_limit,
                                             cell_alarms, other_alarms,      5142};

/// Other hosts read blocks of other sizes: their first register says which request they come nearest.
bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const auto other = framing::modbus::parse_request(asked);
    if (!other || other->unit != asking.address || other->function != framing::modbus::Function::read_holding)
        return false;
    const auto begin = std::find(borders.begin(), borders.end(), request.selector >> 16);
    if (begin == borders.end() || begin + 1 == borders.end()) return false;
    if (other->first < *begin || other->first >= *(begin + 1)) return false;
    const bool is_long = request.layout.size == long_status_size;
    return *begin != cell_alarms || is_long == (2U * other->count >= long_status_size);
}

}  // namespace

extern const Family renogy;
constexpr Family renogy = dialect("renogy", requests, pack_request, matches);
static_assert(sound(renogy));

}  // namespace bmsd::bms
