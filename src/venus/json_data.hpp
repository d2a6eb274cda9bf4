// All values of a battery as one text.
#pragma once

#include <span>
#include <string>

#include "venus/tree.hpp"

namespace bmsd::venus {

/// A JSON object whose keys are the parts of the paths; invalid and empty values are null. Without /Settings/... and
/// without itself (dossier "D-Bus", /JsonData).
[[nodiscard]] std::string json_data(std::span<const Item> items);

}  // namespace bmsd::venus
