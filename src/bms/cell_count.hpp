// How many cells a battery has whose BMS tells the extreme ones only, or none.
#pragma once

#include "model/battery.hpp"

namespace bmsd::bms {

/// Cells in series, from the pack voltage, the extreme cells and the highest voltage the BMS allows; absent where
/// these say nothing. An estimate must not move with the balance of the cells, as the charge voltage follows it: what
/// is `known` (the reading before; null: none) stays for as long as it is possible, and where several numbers are, the
/// one that fits to the allowed voltage counts, else the lowest.
[[nodiscard]] Number estimated_cells(const Reading& reading, const Reading* known);

}  // namespace bmsd::bms
