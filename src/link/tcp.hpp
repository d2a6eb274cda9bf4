// RS485 gateways on the network: a serial bus behind a TCP port.
#pragma once

#include "link/fd_link.hpp"

namespace bmsd::link {

/// A transparent serial server, `tcp://host:port`.
class TcpLink final : public FdLink {
public:
    TcpLink(Executor executor, std::string name, std::string host, std::string service)
        : FdLink(std::move(executor), std::move(name)), host_(std::move(host)), service_(std::move(service)) {}

    Task<Result<void>> open(std::uint32_t baud) override;
    std::chrono::nanoseconds byte_time() const noexcept override { return std::chrono::nanoseconds{0}; }
    /// Gateways collect bytes for up to some 50 ms, wireless networks add their own.
    std::chrono::milliseconds latency() const noexcept override { return std::chrono::milliseconds{250}; }

private:
    ssize_t put(std::span<const std::uint8_t> bytes) const noexcept override;

    std::string host_;
    std::string service_;
};

}  // namespace bmsd::link
