// <asm/termbits.h> knows arbitrary rates (BOTHER) but clashes with <termios.h>: hence a file of its own.
#include "link/tty.hpp"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <linux/serial.h>
#include <sys/ioctl.h>

namespace bmsd::link {

std::uint32_t make_raw(int fd, std::uint32_t baud) noexcept {
    termios2 settings{};
    if (ioctl(fd, TCGETS2, &settings) != 0) return 0;
    settings.c_iflag = 0;
    settings.c_oflag = 0;
    settings.c_lflag = 0;
    // No HUPCL: closing the port must not drop DTR and reset the adapter.
    settings.c_cflag = CS8 | CREAD | CLOCAL | BOTHER | (BOTHER << IBSHIFT);
    settings.c_ispeed = baud;
    settings.c_ospeed = baud;
    settings.c_cc[VMIN] = 1;
    settings.c_cc[VTIME] = 0;
    if (ioctl(fd, TCSETS2, &settings) != 0) return 0;
    if (ioctl(fd, TCGETS2, &settings) != 0) return 0;
    return settings.c_ospeed;
}

std::uint32_t count_line_errors(int fd) noexcept {
    serial_icounter_struct counts{};
    if (ioctl(fd, TIOCGICOUNT, &counts) != 0) return 0;
    return static_cast<std::uint32_t>(counts.frame + counts.parity + counts.overrun + counts.brk);
}

void ask_low_latency(int fd) noexcept {
    serial_struct serial{};
    if (ioctl(fd, TIOCGSERIAL, &serial) != 0) return;
    serial.flags |= ASYNC_LOW_LATENCY;
    static_cast<void>(ioctl(fd, TIOCSSERIAL, &serial));
}

}  // namespace bmsd::link
