// The rate a client has set on its end of a pseudo terminal.
#pragma once

#include <cstdint>

namespace bmsd::sim {

/// Output rate in baud of the terminal `fd`, whatever number that is; 0 if it has none.
[[nodiscard]] std::uint32_t tty_rate(int fd) noexcept;

}  // namespace bmsd::sim
