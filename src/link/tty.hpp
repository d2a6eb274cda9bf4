// The ioctls of a tty that the C library does not offer.
#pragma once

#include <cstdint>

namespace bmsd::link {

/// Raw 8N1 at `baud`, whatever number that is; modem lines are left alone when the port is closed.
/// Returns the rate the driver really set, or 0 with errno set.
std::uint32_t make_raw(int fd, std::uint32_t baud) noexcept;

/// Framing, parity and overrun errors and breaks since the driver was loaded; 0 where it does not count.
[[nodiscard]] std::uint32_t count_line_errors(int fd) noexcept;

/// Asks the driver to hand over bytes at once instead of collecting them; drivers that cannot do not mind.
void ask_low_latency(int fd) noexcept;

}  // namespace bmsd::link
