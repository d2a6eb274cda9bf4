// Readings in a few words, for a person.
#pragma once

#include <string>

#include "model/reading.hpp"

namespace bmsd::app {

/// Voltage, current and state of charge, each after a comma, as far as they are known: ", 53.20 V, 40.8 A, 60 %".
[[nodiscard]] std::string gist(const Reading& reading);

}  // namespace bmsd::app
