#include "link/fd_link.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <termios.h>
#include <unistd.h>

#include "link/last_error.hpp"
#include "loop/loop.hpp"

namespace bmsd::link {
namespace {

/// A request that cannot be handed to the kernel within this time will never leave.
constexpr std::chrono::seconds write_timeout{2};

bool would_block() {
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace

FdLink::FdLink(Executor executor, std::string name)
    : executor_(executor), name_(std::move(name)), watch_(executor), timer_(executor) {}

FdLink::~FdLink() {
    close();
}

error_code FdLink::adopt(int fd) {
    fd_ = fd;
    const int watch = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLONESHOT;
    error_code error;
    if (watch < 0 || ::epoll_ctl(watch, EPOLL_CTL_ADD, fd_, &event) != 0)
        error = last_error();
    else
        watch_.assign(watch, error);
    if (!error) return error;
    if (watch >= 0) ::close(watch);
    close();
    return error;
}

void FdLink::close() noexcept {
    error_code ignored;
    if (watch_.is_open()) static_cast<void>(watch_.close(ignored));
    if (fd_ >= 0) {
        static_cast<void>(::tcflush(fd_, TCOFLUSH));  // a tty waits up to half a minute for what it cannot send
        ::close(fd_);
    }
    fd_ = -1;
}

void FdLink::arm(std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events | EPOLLONESHOT;
    static_cast<void>(::epoll_ctl(watch_.native_handle(), EPOLL_CTL_MOD, fd_, &event));
}

std::size_t FdLink::drain(std::span<std::uint8_t> sample) noexcept {
    std::array<std::uint8_t, 512> buffer;
    std::size_t total = 0;
    error_code error;
    // Bounded: whoever talks without pause must not hold up the loop.
    for (int round = 0; round < 16; ++round) {
        const std::size_t count = read_now(buffer, error);
        if (count == 0) break;
        const std::size_t kept = std::min(count, sample.size() - std::min(total, sample.size()));
        std::copy_n(buffer.begin(), kept, sample.begin() + static_cast<std::ptrdiff_t>(std::min(total, sample.size())));
        total += count;
        if (count < buffer.size()) break;
    }
    return total;
}

std::size_t FdLink::read_now(std::span<std::uint8_t> into, error_code& error) noexcept {
    error.clear();
    if (fd_ < 0) {
        error = asio::error::bad_descriptor;
        return 0;
    }
    if (into.empty()) return 0;
    ssize_t count;
    do {
        count = ::read(fd_, into.data(), into.size());
    } while (count < 0 && errno == EINTR);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0)
        error = asio::error::eof;  // hang-up: with VMIN = 1 a tty has no other reason to return nothing
    else if (!would_block())
        error = last_error();
    return 0;
}

Task<error_code> FdLink::ready(std::uint32_t events, Clock::time_point deadline) {
    const std::uint64_t wait = ++wait_;
    bool late = false;
    timer_.expires_at(deadline);
    timer_.async_wait([this, wait, &late](error_code cancelled) {
        if (cancelled || wait != wait_) return;  // `late` is gone once wait_ has moved on
        late = true;
        error_code ignored;
        watch_.cancel(ignored);
    });
    arm(events);
    error_code error;
    co_await watch_.async_wait(Descriptor::wait_read, asio::redirect_error(use_task, error));
    ++wait_;
    timer_.cancel();
    if (late) {
        arm(0);
        co_return asio::error::timed_out;
    }
    epoll_event happened;
    if (watch_.is_open()) static_cast<void>(::epoll_wait(watch_.native_handle(), &happened, 1, 0));
    co_return error;
}

std::size_t FdLink::write_now(std::span<const std::uint8_t> bytes, error_code& error) noexcept {
    error.clear();
    if (fd_ < 0) {
        error = asio::error::bad_descriptor;
        return 0;
    }
    ssize_t count;
    do {
        count = put(bytes);
    } while (count < 0 && errno == EINTR);
    if (count >= 0) return static_cast<std::size_t>(count);
    if (!would_block()) error = last_error();
    return 0;
}

ssize_t FdLink::put(std::span<const std::uint8_t> bytes) const noexcept {
    return ::write(fd_, bytes.data(), bytes.size());
}

Task<error_code> FdLink::write(std::span<const std::uint8_t> bytes) {
    const auto deadline = Clock::now() + write_timeout;
    for (;;) {
        error_code error;
        bytes = bytes.subspan(write_now(bytes, error));
        if (error || bytes.empty()) co_return error;
        if (error = co_await ready(EPOLLOUT, deadline); error) co_return error;
    }
}

Task<std::size_t> FdLink::read(std::span<std::uint8_t> into, Clock::time_point deadline, error_code& error) {
    for (;;) {
        const std::size_t count = read_now(into, error);
        if (count > 0 || error || into.empty()) co_return count;
        error = co_await ready(EPOLLIN, deadline);
        if (error) co_return 0;
    }
}

}  // namespace bmsd::link
