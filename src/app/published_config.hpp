// The configuration as other programs see it on D-Bus, below /Info/Config (PUBLISH_CONFIG_VALUES).
#pragma once

#include <vector>

#include "app/config.hpp"
#include "venus/battery_service.hpp"

namespace bmsd::app {

/// Every key with its value, as the Python driver shows them: fractions of a current already in A, under the name
/// without _FRACTION; POLL_INTERVAL in ms; keys without a value are left out, and so is whatever is secret. With
/// DRIVER_VERSION and `errors_in_config`. Source: dossier "D-Bus" 2.2, dossier "Configuration" 2.
[[nodiscard]] std::vector<venus::ConfigValue> published_config(Config config, bool errors_in_config);

}  // namespace bmsd::app
