// All BMS families, in the order in which an unknown port is asked.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "bms/family.hpp"

namespace bmsd::bms {

/// Every family, most used and least harmful to ask first.
[[nodiscard]] std::span<const Family* const> catalog() noexcept;

/// The family with this BMS_TYPE, key or alias (any case); null if there is none.
[[nodiscard]] const Family* find_family(std::string_view name) noexcept;

/// All families that this name stands for: a BMS_TYPE or alias may have several dialects, a key has one.
[[nodiscard]] std::vector<const Family*> find_families(std::string_view name);

/// Those of them that are spoken on wires; all others are never asked on a port.
[[nodiscard]] std::vector<const Family*> on_wires(std::span<const Family* const> families);

/// Those of them that are spoken on CAN.
[[nodiscard]] std::vector<const Family*> on_can(std::span<const Family* const> families);

/// Those of them that are asked byte by byte: over wires or by Bluetooth.
[[nodiscard]] std::vector<const Family*> with_requests(std::span<const Family* const> families);

/// The known BMS_TYPE that is spelt most like `name`.
[[nodiscard]] std::string_view nearest_type(std::string_view name);
/// What to tell a person who named a BMS that is none: `"X" is no known BMS type; the nearest is Y, ...`.
[[nodiscard]] std::string unknown_type(std::string_view name);

}  // namespace bmsd::bms
