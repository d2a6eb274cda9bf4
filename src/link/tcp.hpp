// RS485 gateways on the network: a serial bus behind a TCP port.
#pragma once

#include "link/fd_link.hpp"
#include "link/host_lookup.hpp"

namespace bmsd::link {

/// A transparent serial server, `tcp://host:port`.
class TcpLink final : public FdLink {
public:
    /// `host`: a number (IPv6 without brackets) or a name, which `lookups` finds; they outlive the link.
    TcpLink(Executor executor, std::string name, std::string host, std::uint16_t port,
            HostLookups& lookups = host_lookups())
        : FdLink(std::move(executor), std::move(name)), host_(std::move(host)), port_(port), lookups_(lookups) {}

    Task<Result<void>> open(std::uint32_t baud) override;
    std::chrono::nanoseconds byte_time() const noexcept override { return std::chrono::nanoseconds{0}; }
    /// Gateways collect bytes for up to some 50 ms, wireless networks add their own.
    std::chrono::milliseconds latency() const noexcept override { return std::chrono::milliseconds{250}; }

private:
    struct Attempt;
    ssize_t put(std::span<const std::uint8_t> bytes) const noexcept override;
    Task<Endpoints> find_host(Attempt& attempt, error_code& error);

    std::string host_;
    std::uint16_t port_;
    HostLookups& lookups_;
};

}  // namespace bmsd::link
