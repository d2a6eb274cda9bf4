// <asm/termbits.h> knows arbitrary rates (BOTHER) but clashes with <termios.h>: hence a file of its own.
#include "sim/tty_rate.hpp"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <sys/ioctl.h>

namespace bmsd::sim {

std::uint32_t tty_rate(int fd) noexcept {
    termios2 settings{};
    return ioctl(fd, TCGETS2, &settings) == 0 ? settings.c_ospeed : 0;
}

}  // namespace bmsd::sim
