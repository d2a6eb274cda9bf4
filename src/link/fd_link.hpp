// What serial ports and sockets share: a non-blocking descriptor in the event loop.
#pragma once

#include <sys/types.h>

#include "link/link.hpp"
#include "loop/loop.hpp"

namespace bmsd::link {

/// Reads and writes a descriptor; how it is opened is the derived class's affair.
class FdLink : public ByteLink {
public:
    FdLink(Executor executor, std::string name);
    ~FdLink() override;

    const std::string& name() const noexcept override { return name_; }
    void close() noexcept override;
    bool is_open() const noexcept override { return fd_ >= 0; }
    std::size_t drain(std::span<std::uint8_t> sample) noexcept override;
    std::size_t write_now(std::span<const std::uint8_t> bytes, error_code& error) noexcept override;
    Task<error_code> write(std::span<const std::uint8_t> bytes) override;
    Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point deadline, error_code& error) override;
    std::size_t read_now(std::span<std::uint8_t> into, error_code& error) noexcept override;

protected:
    /// Takes ownership of an open non-blocking descriptor.
    [[nodiscard]] error_code adopt(int fd);
    const Executor& executor() const noexcept { return executor_; }
    int descriptor() const noexcept { return fd_; }
    /// Hands over what fits at once; result and errno are those of write(2).
    virtual ssize_t put(std::span<const std::uint8_t> bytes) const noexcept;

private:
    /// Waits until the descriptor is ready for `events` (EPOLLIN, EPOLLOUT) or the deadline has passed
    /// (error: timed_out).
    Task<error_code> ready(std::uint32_t events, Clock::time_point deadline);
    void arm(std::uint32_t events) noexcept;

    Executor executor_;
    std::string name_;
    int fd_ = -1;
    /// Goes up when a wait begins and when it ends: tells a late timer that its wait, and the frame with it, is over.
    std::uint64_t wait_ = 0;
    /// Asio watches this epoll instance, which in turn watches fd_ only while somebody waits. Watched directly, each
    /// few bytes that a UART hands over would wake the loop although we sleep until the answer can be complete.
    Descriptor watch_;
    Timer timer_;
};

}  // namespace bmsd::link
