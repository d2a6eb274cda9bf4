// The table of paths a battery has on the bus: format and origin of every value.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/battery.hpp"
#include "venus/source.hpp"
#include "venus/value.hpp"

namespace bmsd::venus {

/// BATTERY_CELL_DATA_FORMAT: which paths show single cells.
enum class CellFormat : std::uint8_t {
    none = 0,
    voltages = 1,            ///< /Voltages/Cell<n> and /Balances/Cell<n>
    cells = 2,               ///< /Cell/<n>/Volts
    cells_and_balances = 3,  ///< /Cell/<n>/Volts and /Balances/Cell<n>
};

/// One path: where its value comes from.
struct PathRow {
    std::string path;
    Format format;
    ValueView (*value)(const Source& source, std::size_t n);
    std::size_t n = 0;  ///< cell or sensor (from 0) or alarm the value belongs to
};

/// Which paths there are beside those every battery has.
struct RowOptions {
    CellFormat cells = CellFormat::voltages;
    bool own_soc = false;               ///< the state of charge is not the BMS's: that one is shown beside it
    std::vector<int> time_to_soc = {};  ///< %, at most max_soc_points
    bool orders = false;                ///< somebody takes orders: those the battery takes can be given
    bool legacy_orders = false;         ///< also by the names of the Python driver 1.4 (LEGACY_PATHS)
};

/// A switch that people may turn off, and what its path was called in the Python driver 1.4.
struct OrderPath {
    Order order;
    const char* path;
    const char* former;
};
inline constexpr OrderPath switch_paths[] = {
    {Order::charging, "/Settings/ForceChargingOff", "/Io/ForceChargingOff"},
    {Order::discharging, "/Settings/ForceDischargingOff", "/Io/ForceDischargingOff"},
    {Order::balancer, "/Settings/TurnBalancingOff", "/Io/TurnBalancingOff"},
};
/// Of the Python driver 1.4: a state of charge that is set as soon as it is written.
inline constexpr const char* legacy_reset_soc = "/Settings/ResetSoc";

/// Cells that have a path of their own: those beyond the cell count of the BMS do not exist.
[[nodiscard]] std::size_t cell_rows(const Reading& reading) noexcept;

/// All rows of a battery; single cells as many as its reading has.
[[nodiscard]] std::vector<PathRow> path_rows(const Battery& battery, const RowOptions& options);

}  // namespace bmsd::venus
