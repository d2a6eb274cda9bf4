#include "link/can.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/raw.h>
#include <linux/filter.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/last_error.hpp"

namespace bmsd::link {
namespace {

/// Frames are fetched in batches: a system call per frame would cost more than all decoding.
constexpr std::size_t batch = 32;
/// Room for a busy bus between two looks; the kernel may grant less.
constexpr int receive_buffer = 1 << 20;
/// So many steps a filter program can skip at once.
constexpr std::ptrdiff_t farthest_jump = 255;
/// A stamp farther away than this is of a clock that was set meanwhile.
constexpr std::chrono::seconds trusted_age{5};

canid_t kernel_id(std::uint32_t id, bool extended) noexcept {
    return extended ? (id & CAN_EFF_MASK) | CAN_EFF_FLAG : id & CAN_SFF_MASK;
}

/// Steady time of a frame whose wall-clock time the kernel noted.
Clock::time_point steady(const timespec& stamp, Clock::time_point now, std::chrono::system_clock::time_point wall) {
    const auto since_epoch = std::chrono::seconds(stamp.tv_sec) + std::chrono::nanoseconds(stamp.tv_nsec);
    const auto age = wall.time_since_epoch() - since_epoch;
    if (age < age.zero() || age > trusted_age) return now;
    return now - std::chrono::duration_cast<Clock::duration>(age);
}

}  // namespace

std::string_view to_string(CanBusState state) noexcept {
    switch (state) {
        case CanBusState::active: return "error-active";
        case CanBusState::warning: return "error-warning";
        case CanBusState::passive: return "error-passive";
        case CanBusState::off: return "bus-off";
    }
    return "unknown";
}

void note_error(CanErrors& errors, std::uint32_t id, std::span<const std::uint8_t, 8> data) noexcept {
    ++errors.frames;
    if (id & CAN_ERR_ACK) ++errors.no_ack;
    if (id & CAN_ERR_PROT) ++errors.protocol;
    if (id & CAN_ERR_CRTL) {
        if (data[1] & (CAN_ERR_CRTL_RX_OVERFLOW | CAN_ERR_CRTL_TX_OVERFLOW)) ++errors.overruns;
        if (data[1] & (CAN_ERR_CRTL_RX_PASSIVE | CAN_ERR_CRTL_TX_PASSIVE))
            errors.state = CanBusState::passive;
        else if (data[1] & (CAN_ERR_CRTL_RX_WARNING | CAN_ERR_CRTL_TX_WARNING))
            errors.state = CanBusState::warning;
        else if (data[1] & CAN_ERR_CRTL_ACTIVE)
            errors.state = CanBusState::active;
    }
    if (id & CAN_ERR_RESTARTED) errors.state = CanBusState::active;
    if (id & CAN_ERR_BUSOFF) {
        errors.state = CanBusState::off;
        ++errors.bus_off;
    }
}

CanSocket::~CanSocket() {
    close();
    if (given_ >= 0) ::close(given_);
}

void CanSocket::close() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
}

Result<void> CanSocket::open(std::span<const CanFilter> filters) {
    close();
    errors_ = {};
    if (given_ < 0) return open_interface(filters);
    fd_ = std::exchange(given_, -1);
    error_code error = listen(filters);
    if (!error && ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK) != 0) error = last_error();
    if (!error) return {};
    close();
    return tl::unexpected(Error{ErrorClass::config, name_ + ": " + error.message()});
}

Result<void> CanSocket::open_interface(std::span<const CanFilter> filters) {
    const auto fail = [&](ErrorClass cls, const std::string& why) {
        close();
        return tl::unexpected(Error{cls, name_ + ": " + why});
    };
    fd_ = ::socket(PF_CAN, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, CAN_RAW);
    if (fd_ < 0 && (errno == EAFNOSUPPORT || errno == EPROTONOSUPPORT))
        return fail(ErrorClass::config, "this kernel does not speak CAN; as root: modprobe can_raw");
    if (fd_ < 0 && (errno == EPERM || errno == EACCES))
        return fail(ErrorClass::config,
                    "no permission to open CAN sockets; run bmsd as root or give it the capability CAP_NET_RAW");
    if (fd_ < 0) return fail(ErrorClass::truncated, last_error().message());
    const unsigned index = ::if_nametoindex(name_.c_str());
    if (const std::string why = trouble_with(name_, can_interfaces()); index == 0 || !why.empty())
        return fail(ErrorClass::truncated, why.empty() ? "there is no such interface" : why);

    const auto option = [&](int level, int name, const auto& value) {
        return ::setsockopt(fd_, level, name, &value, sizeof value) == 0;
    };
    // Before frames come: those of others never do.
    if (const error_code error = listen(filters))
        return fail(ErrorClass::config, "the filter of the interface cannot be set: " + error.message());
    // What is missing of these costs comfort, not function.
    static_cast<void>(option(SOL_CAN_RAW, CAN_RAW_ERR_FILTER, can_err_mask_t{CAN_ERR_MASK}));
    static_cast<void>(option(SOL_SOCKET, SO_TIMESTAMPNS, int{1}));
    if (!option(SOL_SOCKET, SO_RCVBUFFORCE, receive_buffer))
        static_cast<void>(option(SOL_SOCKET, SO_RCVBUF, receive_buffer));

    sockaddr_can address{};
    address.can_family = AF_CAN;
    address.can_ifindex = static_cast<int>(index);
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return fail(ErrorClass::truncated, "cannot be used: " + last_error().message());
    return {};
}

error_code CanSocket::listen(std::span<const CanFilter> filters) {
    std::vector<can_filter> kernel;
    for (const CanFilter& filter : filters)
        // The flags in the mask: frames of the other format and remote requests do not pass.
        kernel.push_back(
            {kernel_id(filter.id, filter.extended),
             (filter.mask & (filter.extended ? CAN_EFF_MASK : CAN_SFF_MASK)) | CAN_EFF_FLAG | CAN_RTR_FLAG});
    if (kernel.empty() || kernel.size() > CAN_RAW_FILTER_MAX) kernel = {{0, 0}};
    if (real_) {
        if (::setsockopt(fd_, SOL_CAN_RAW, CAN_RAW_FILTER, kernel.data(),
                         static_cast<socklen_t>(kernel.size() * sizeof kernel.front())) == 0)
            return {};
        return last_error();
    }
    // The same for a socket that is no interface. A filter program sees the words of a packet in network order.
    std::sort(kernel.begin(), kernel.end(), [](const auto& a, const auto& b) { return a.can_mask < b.can_mask; });
    std::vector<sock_filter> program;
    for (auto filter = kernel.begin(); filter != kernel.end();) {
        const canid_t mask = filter->can_mask;
        const auto others = std::find_if(filter, kernel.end(), [&](const can_filter& f) { return f.can_mask != mask; });
        const auto end = filter + std::min<std::ptrdiff_t>(others - filter, farthest_jump);
        program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0));
        program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, htonl(mask)));
        for (; filter != end; ++filter) {
            const auto to_pass = static_cast<std::uint8_t>(end - filter - 1);
            const std::uint8_t behind_pass = to_pass == 0 ? 1 : 0;
            program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(filter->can_id & mask), to_pass, behind_pass));
        }
        program.push_back(BPF_STMT(BPF_RET | BPF_K, CAN_MTU));
    }
    program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, htonl(CAN_ERR_FLAG), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, CAN_MTU));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
    const sock_fprog attached{static_cast<unsigned short>(program.size()), program.data()};
    if (::setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &attached, sizeof attached) == 0) return {};
    return last_error();
}

std::size_t CanSocket::read(std::span<CanReceived> into, error_code& error) noexcept {
    error.clear();
    std::array<can_frame, batch> frames;
    std::array<iovec, batch> parts;
    std::array<mmsghdr, batch> messages{};
    struct Control {
        alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(timespec))];
    };
    std::array<Control, batch> controls;
    const std::size_t room = std::min(into.size(), batch);
    for (std::size_t i = 0; i < room; ++i) {
        parts[i] = {&frames[i], sizeof frames[i]};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
        messages[i].msg_hdr.msg_control = controls[i].bytes;
        messages[i].msg_hdr.msg_controllen = sizeof controls[i].bytes;
    }
    int count;
    do {
        count = ::recvmmsg(fd_, messages.data(), static_cast<unsigned>(room), MSG_DONTWAIT, nullptr);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK) error = last_error();
        return 0;
    }
    const auto now = Clock::now();
    const auto wall = std::chrono::system_clock::now();
    std::size_t kept = 0;
    for (int i = 0; i < count; ++i) {
        const can_frame& raw = frames[static_cast<std::size_t>(i)];
        const msghdr& header = messages[static_cast<std::size_t>(i)].msg_hdr;
        if (messages[static_cast<std::size_t>(i)].msg_len == 0) {  // the other end of a socket pair is gone
            error = {ENETDOWN, boost::system::system_category()};
            break;
        }
        if (messages[static_cast<std::size_t>(i)].msg_len != sizeof raw || raw.can_dlc > CAN_MAX_DLEN) continue;
        if (raw.can_id & CAN_ERR_FLAG) {
            note_error(errors_, raw.can_id, std::span<const std::uint8_t, 8>(raw.data));
            continue;
        }
        if (raw.can_id & CAN_RTR_FLAG) continue;
        CanReceived& out = into[kept++];
        out.frame.extended = (raw.can_id & CAN_EFF_FLAG) != 0;
        out.frame.id = raw.can_id & (out.frame.extended ? CAN_EFF_MASK : CAN_SFF_MASK);
        out.frame.size = raw.can_dlc;
        out.frame.data = {};
        std::copy_n(raw.data, raw.can_dlc, out.frame.data.begin());
        out.from_here = (header.msg_flags & MSG_DONTROUTE) != 0;
        out.when = now;
        for (const cmsghdr* part = CMSG_FIRSTHDR(&header); part;
             part = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(part)))
            if (part->cmsg_level == SOL_SOCKET && part->cmsg_type == SCM_TIMESTAMPNS) {
                timespec stamp;
                std::memcpy(&stamp, CMSG_DATA(part), sizeof stamp);
                out.when = steady(stamp, now, wall);
            }
    }
    return kept;
}

error_code CanSocket::write(const CanFrame& frame) noexcept {
    can_frame raw{};
    raw.can_id = kernel_id(frame.id, frame.extended);
    raw.can_dlc = frame.size;
    std::copy_n(frame.data.begin(), frame.size, raw.data);
    ssize_t count;
    do {
        count = ::send(fd_, &raw, sizeof raw, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) return {};
    if (errno == EAGAIN || errno == EWOULDBLOCK) errno = ENOBUFS;
    return last_error();
}

}  // namespace bmsd::link
