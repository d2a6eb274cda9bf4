// Where a client finds a simulated bus: a pseudo terminal or a TCP port, which can be unplugged.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "loop/loop.hpp"
#include "model/error.hpp"

namespace bmsd::sim {

/// One place to connect to. Used by one coroutine; close() may be called at any time between its steps.
class Port {
public:
    using Stream = Descriptor;

    virtual ~Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    /// Plugs in. ErrorClass::config if the place cannot be had.
    virtual Result<void> open() = 0;
    /// Unplugs: the client meets an error, and a link disappears.
    virtual void close() noexcept = 0;
    /// Waits for the next client, then stream() leads to it; false once the port is closed.
    virtual Task<bool> client() = 0;
    /// To the client.
    [[nodiscard]] Stream& stream() noexcept { return stream_; }

    /// What the client opens, e.g. "/dev/pts/7" or "tcp://127.0.0.1:4001". Known after open().
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// Path of the symbolic link to name(); empty if there is none.
    [[nodiscard]] virtual const std::string& link() const noexcept = 0;
    /// Baud the client has set; 0 where there is none.
    [[nodiscard]] virtual std::uint32_t client_rate() const noexcept { return 0; }

protected:
    explicit Port(const Executor& executor) : stream_(executor) {}

    Stream stream_;
    std::string name_;
};

/// A pseudo terminal. `link`: path at which a symbolic link to it appears; empty: none. A link that is there is
/// replaced, anything else is not.
[[nodiscard]] std::unique_ptr<Port> make_pty_port(const Executor& executor, const std::string& link);

/// A TCP port that serves one client at a time. `host`: numeric address; `port` 0: any free one.
[[nodiscard]] std::unique_ptr<Port> make_tcp_port(const Executor& executor, const std::string& host,
                                                  std::uint16_t port);

}  // namespace bmsd::sim
