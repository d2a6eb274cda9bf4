#include "link/serial.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "link/holders.hpp"
#include "link/tty.hpp"

namespace bmsd::link {
namespace {

/// Device numbers of pty slaves (Documentation/admin-guide/devices.txt).
constexpr unsigned first_pty_major = 136;
constexpr unsigned last_pty_major = 143;

tl::unexpected<Error> fail(ErrorClass cls, std::string detail) {
    return tl::unexpected(Error{cls, std::move(detail)});
}

/// What a person can do about a port that does not open.
Error explain_open(const std::string& path, int code) {
    switch (code) {
        case ENOENT:
            return {ErrorClass::truncated, path +
                                               ": there is no such port; is the adapter plugged in? "
                                               "(`ls -l /dev/serial/by-id` lists the adapters)"};
        case EACCES:
        case EPERM:
            return {ErrorClass::config, path + ": no permission; run as root or add the user to the group dialout"};
        case EBUSY:
            return {ErrorClass::refused, path + ": the port is in use by " +
                                             (holders_of(path).empty() ? "another program" : holders_of(path)) +
                                             "; stop it or take another port"};
        case ENOTTY: return {ErrorClass::config, path + ": this is not a serial port"};
        default: return {ErrorClass::truncated, path + ": cannot be opened: " + std::strerror(code)};
    }
}

bool is_pty(const struct stat& device) {
    const unsigned number = static_cast<unsigned>((device.st_rdev >> 8) & 0xFFF);
    return number >= first_pty_major && number <= last_pty_major;
}

}  // namespace

Task<Result<void>> SerialLink::open(std::uint32_t baud) {
    close();
    co_return open_now(baud);
}

std::uint32_t SerialLink::framing_errors() const noexcept {
    return is_open() ? count_line_errors(descriptor()) : 0;
}

Result<void> SerialLink::open_now(std::uint32_t baud) {
    const std::string& path = name();
    struct stat device {};
    if (::stat(path.c_str(), &device) != 0) return tl::unexpected(explain_open(path, errno));
    if (S_ISDIR(device.st_mode)) return fail(ErrorClass::config, path + ": this is a directory, not a serial port");
    if (!S_ISCHR(device.st_mode)) return fail(ErrorClass::config, path + ": this is a file, not a serial port");
    const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return tl::unexpected(explain_open(path, errno));
    if (::isatty(fd) == 0) {
        const int code = errno;
        ::close(fd);
        return tl::unexpected(explain_open(path, code));
    }
    // A pty's other end may hold the device open by design; on real hardware a second user garbles the bus.
    const bool in_use = ::flock(fd, LOCK_EX | LOCK_NB) != 0 || (!is_pty(device) && !holders_of(path).empty());
    if (in_use) {
        ::close(fd);
        return tl::unexpected(explain_open(path, EBUSY));
    }
    const std::uint32_t set = make_raw(fd, baud);
    if (set == 0) {
        const int code = errno;
        ::close(fd);
        // Anything but EINVAL says nothing about the rate: an adapter that goes away answers EIO.
        return fail(code == EINVAL ? ErrorClass::config : ErrorClass::truncated,
                    path + ": the rate cannot be set (" + std::strerror(code) + ")");
    }
    if (const double ratio = static_cast<double>(set) / baud; ratio < 0.97 || ratio > 1.03) {
        ::close(fd);
        return fail(ErrorClass::config, path + ": the adapter cannot do " + std::to_string(baud) + " baud (it offers " +
                                            std::to_string(set) + "); use another adapter");
    }
    // The simulator keeps its end of a pty open, so that the flag would outlive us there.
    if (!is_pty(device)) static_cast<void>(::ioctl(fd, TIOCEXCL));
    ask_low_latency(fd);
    if (const error_code error = adopt(fd)) return tl::unexpected(explain_open(path, error.value()));
    byte_time_ = std::chrono::nanoseconds{10'000'000'000ULL / baud};  // start bit, 8 data bits, stop bit
    return {};
}

}  // namespace bmsd::link
