// Preloaded into the daemon: makes chosen calls of the C library fail. What fails is said in the environment:
//   BMSD_FAULT        CALL@KIND:ERROR, e.g. read@tty:EIO; KIND is tty, state, config, bus, tcp, can or host; ERROR may
//                     be "short": half the bytes, "closed": none, as at the end, or "hangs": for a minute
//   BMSD_FAULT_FIRST  the first call that fails, counted from 1
//   BMSD_FAULT_EVERY  and each so many calls later; 0: only the first
//   BMSD_FAULT_TIMES  so often in all
// Each failure is told on standard error as "fault: CALL@KIND #N".
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

long number(const char* name) {
    const char* text = std::getenv(name);
    return text ? std::atol(text) : 0;
}

int error_number(std::string_view name) {
    struct Named {
        const char* name;
        int number;
    };
    constexpr Named all[] = {{"EIO", EIO},       {"ENXIO", ENXIO},         {"EAGAIN", EAGAIN},
                             {"EINTR", EINTR},   {"ENOSPC", ENOSPC},       {"ECONNREFUSED", ECONNREFUSED},
                             {"EMFILE", EMFILE}, {"EPIPE", EPIPE},         {"ECONNRESET", ECONNRESET},
                             {"ENOMEM", ENOMEM}, {"ETIMEDOUT", ETIMEDOUT}, {"ENETDOWN", ENETDOWN},
                             {"ENODEV", ENODEV}, {"ENOBUFS", ENOBUFS},     {"EROFS", EROFS},
                             {"EDQUOT", EDQUOT}, {"EACCES", EACCES}};
    for (const Named& one : all)
        if (one.name == name) return one.number;
    return 0;
}

struct Plan {
    std::string what;  ///< "read@tty"
    int error = 0;     ///< 0: fewer bytes
    bool closed = false;
    long first = number("BMSD_FAULT_FIRST"), every = number("BMSD_FAULT_EVERY"), times = number("BMSD_FAULT_TIMES");

    Plan() {
        const std::string_view text = std::getenv("BMSD_FAULT") ? std::getenv("BMSD_FAULT") : "";
        what = text.substr(0, text.find(':'));
        const std::string_view how = text.substr(std::min(text.find(':'), text.size() - 1) + 1);
        error = error_number(how);
        closed = how == "closed";
    }
};

const Plan& plan() {
    static const Plan made;
    return made;
}

/// Whether this call fails.
bool strikes(const char* call, const char* kind) {
    static std::atomic<long> calls = 0, struck = 0;
    const auto& [what, error, closed, first, every, times] = plan();
    if (!kind || what != std::string(call) + "@" + kind) return false;
    const long nth = ++calls;
    const bool due = nth == first || (every > 0 && nth > first && (nth - first) % every == 0);
    if (!due || struck >= times) return false;
    ++struck;
    ::dprintf(STDERR_FILENO, "fault: %s@%s #%ld\n", call, kind, nth);
    errno = error;
    return true;
}

const char* kind_of_path(const char* path) {
    const std::string_view whole = path;
    if (std::strstr(path, "/state/") || whole.ends_with("/state")) return "state";
    if (std::strstr(path, "/config.ini")) return "config";
    if (std::strstr(path, "/ttyTest") || std::strncmp(path, "/dev/pts/", 9) == 0) return "tty";
    return nullptr;
}

const char* kind_of_domain(int domain) {
    if (domain == AF_UNIX) return "bus";
    if (domain == AF_CAN) return "can";
    return domain == AF_INET || domain == AF_INET6 ? "tcp" : nullptr;
}

/// Numbers wait for no name server.
const char* kind_of_host(const char* host) {
    return host && host[std::strspn(host, "0123456789.")] != '\0' && !std::strchr(host, ':') ? "host" : nullptr;
}

int domain_of(int fd) {
    int domain = AF_UNSPEC;
    socklen_t size = sizeof domain;
    return ::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 ? domain : AF_UNSPEC;
}

const char* kind_of(int fd) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return nullptr;
    if (S_ISSOCK(status.st_mode)) return kind_of_domain(domain_of(fd));
    if (S_ISCHR(status.st_mode)) return "tty";
    if (!S_ISREG(status.st_mode)) return nullptr;
    char path[4096] = {};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    return ::readlink(link.c_str(), path, sizeof path - 1) > 0 ? kind_of_path(path) : nullptr;
}

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

/// How many of `size` bytes a call that is cut short moves.
std::size_t part(std::size_t size) {
    if (plan().closed) return 0;
    return size > 1 ? size / 2 : size;
}

}  // namespace

extern "C" {

ssize_t read(int fd, void* into, std::size_t size) {
    static const auto real = next<ssize_t(int, void*, std::size_t)>("read");
    if (!strikes("read", kind_of(fd))) return real(fd, into, size);
    return errno ? -1 : real(fd, into, part(size));
}

ssize_t write(int fd, const void* from, std::size_t size) {
    static const auto real = next<ssize_t(int, const void*, std::size_t)>("write");
    if (!strikes("write", kind_of(fd))) return real(fd, from, size);
    return errno ? -1 : real(fd, from, part(size));
}

int open(const char* path, int flags, ...) {
    static const auto real = next<int(const char*, int, mode_t)>("open");
    std::va_list more;
    va_start(more, flags);
    const auto mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : mode_t{0};
    va_end(more);
    return strikes("open", kind_of_path(path)) ? -1 : real(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) noexcept {
    static const auto real = next<int(int, unsigned long, void*)>("ioctl");
    std::va_list more;
    va_start(more, request);
    void* const argument = va_arg(more, void*);
    va_end(more);
    return strikes("ioctl", kind_of(fd)) ? -1 : real(fd, request, argument);
}

int fsync(int fd) {
    static const auto real = next<int(int)>("fsync");
    return strikes("fsync", kind_of(fd)) ? -1 : real(fd);
}

int rename(const char* from, const char* to) noexcept {
    static const auto real = next<int(const char*, const char*)>("rename");
    return strikes("rename", kind_of_path(to)) ? -1 : real(from, to);
}

int access(const char* path, int mode) noexcept {
    static const auto real = next<int(const char*, int)>("access");
    return strikes("access", kind_of_path(path)) ? -1 : real(path, mode);
}

int mkdir(const char* path, mode_t mode) noexcept {
    static const auto real = next<int(const char*, mode_t)>("mkdir");
    return strikes("mkdir", kind_of_path(path)) ? -1 : real(path, mode);
}

int socket(int domain, int type, int protocol) noexcept {
    static const auto real = next<int(int, int, int)>("socket");
    return strikes("socket", kind_of_domain(domain)) ? -1 : real(domain, type, protocol);
}

int connect(int fd, const sockaddr* to, socklen_t size) {
    static const auto real = next<int(int, const sockaddr*, socklen_t)>("connect");
    return strikes("connect", kind_of(fd)) ? -1 : real(fd, to, size);
}

ssize_t send(int fd, const void* from, std::size_t size, int flags) {
    static const auto real = next<ssize_t(int, const void*, std::size_t, int)>("send");
    if (!strikes("send", kind_of(fd))) return real(fd, from, size, flags);
    return errno ? -1 : real(fd, from, part(size), flags);
}

ssize_t sendmsg(int fd, const msghdr* message, int flags) {
    static const auto real = next<ssize_t(int, const msghdr*, int)>("sendmsg");
    return strikes("sendmsg", kind_of(fd)) ? -1 : real(fd, message, flags);
}

ssize_t recvmsg(int fd, msghdr* message, int flags) {
    static const auto real = next<ssize_t(int, msghdr*, int)>("recvmsg");
    if (!strikes("recvmsg", kind_of(fd))) return real(fd, message, flags);
    return errno ? -1 : 0;
}

int recvmmsg(int fd, mmsghdr* messages, unsigned count, int flags, timespec* timeout) {
    static const auto real = next<int(int, mmsghdr*, unsigned, int, timespec*)>("recvmmsg");
    return strikes("recvmmsg", kind_of(fd)) ? -1 : real(fd, messages, count, flags, timeout);
}

int getaddrinfo(const char* host, const char* service, const addrinfo* hints, addrinfo** result) {
    static const auto real = next<int(const char*, const char*, const addrinfo*, addrinfo**)>("getaddrinfo");
    const bool asks = !hints || (hints->ai_flags & AI_NUMERICHOST) == 0;
    if (!asks || !strikes("getaddrinfo", kind_of_host(host))) return real(host, service, hints, result);
    std::this_thread::sleep_for(std::chrono::minutes{1});
    return EAI_AGAIN;
}

int bind(int fd, const sockaddr* to, socklen_t size) noexcept {
    static const auto real = next<int(int, const sockaddr*, socklen_t)>("bind");
    return strikes("bind", kind_of(fd)) ? -1 : real(fd, to, size);
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t size) noexcept {
    static const auto real = next<int(int, int, int, const void*, socklen_t)>("setsockopt");
    return strikes("setsockopt", kind_of(fd)) ? -1 : real(fd, level, name, value, size);
}

int epoll_ctl(int poll, int operation, int fd, epoll_event* event) noexcept {
    static const auto real = next<int(int, int, int, epoll_event*)>("epoll_ctl");
    return strikes("epoll_ctl", kind_of(fd)) ? -1 : real(poll, operation, fd, event);
}

}  // extern "C"
