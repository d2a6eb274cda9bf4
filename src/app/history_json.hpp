// History values under the names users of the reference know them by.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <boost/json.hpp>

#include "model/battery.hpp"

namespace bmsd::app {

/// Beyond this is nothing that was measured or counted, not even watt-hours of a century or seconds since 1970.
inline constexpr double largest_stored = 1e15;

struct HistoryQuantity {
    std::string_view stored;     ///< key of the stored object, e.g. "deepest_discharge"
    std::string_view published;  ///< last part of its D-Bus path, e.g. "DeepestDischarge"
    Number History::*member;
    bool negative = false;  ///< published with a minus: discharge
};
[[nodiscard]] std::span<const HistoryQuantity> history_quantities() noexcept;

/// Takes over stored values, except those that are unknown or no number; what is wrong with the first of these, empty
/// if nothing.
[[nodiscard]] std::string read_history(const boost::json::object& stored, History& history);

}  // namespace bmsd::app
