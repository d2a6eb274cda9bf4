// Readings as JSON, under the canonical names of the quantity tables.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "model/error.hpp"
#include "model/reading.hpp"

namespace bmsd::app {

/// Everything the reading knows and nothing else; numbers rounded to the useful digits of their quantity, an
/// absent sensor is null. `power_w` is voltage times current where the BMS tells none.
[[nodiscard]] boost::json::object reading_json(const Reading& reading);

/// `{"error": "<class>", "detail": "<what, where>"}`.
[[nodiscard]] boost::json::object error_json(const Error& error);

/// Compact JSON with numbers as people write them (3.293, not 3.293E0).
[[nodiscard]] std::string to_text(const boost::json::value& value);

}  // namespace bmsd::app
