// What follows from one reading alone: cells, temperatures, the middle of the pack.
#pragma once

#include "control/parameters.hpp"
#include "model/battery.hpp"

namespace bmsd::control {

/// Whether a cell can be real: known, and not above twice the maximum cell voltage (battery-logic §1).
[[nodiscard]] bool plausible_cell(const Number& cell_v, const Parameters& parameters);

/// Cells in series: as the BMS says, else as many as it lists; 0 = unknown.
[[nodiscard]] std::size_t cells_in_series(const Reading& reading);

/// Fills in cells, midpoint and temperatures (battery-logic §1, 3). An implausible cell counts as missing; cells
/// beyond the count of the BMS do not exist.
void summarise_cells(const Reading& reading, const Parameters& parameters, Summary& summary);
void summarise_temperatures(const Reading& reading, const Parameters& parameters, Summary& summary);

}  // namespace bmsd::control
