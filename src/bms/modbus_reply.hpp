// What the Modbus framing found, as a family reports it.
#pragma once

#include "bms/family.hpp"
#include "framing/modbus.hpp"

namespace bmsd::bms {

/// The reply that these findings are; its payload is what was read, or what was acknowledged.
[[nodiscard]] Reply to_reply(const framing::modbus::Found& found) noexcept;

}  // namespace bmsd::bms
