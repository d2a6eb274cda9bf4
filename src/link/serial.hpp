// Serial ports: USB adapters, UARTs, ptys.
#pragma once

#include "link/fd_link.hpp"

namespace bmsd::link {

/// A tty at any rate its driver takes, 8N1, raw, no flow control, locked against others.
class SerialLink final : public FdLink {
public:
    /// `path` is kept as given, so that a /dev/serial/by-id name follows its adapter.
    SerialLink(Executor executor, std::string path) : FdLink(std::move(executor), std::move(path)) {}

    Task<Result<void>> open(std::uint32_t baud) override;
    std::chrono::nanoseconds byte_time() const noexcept override { return byte_time_; }
    std::uint32_t framing_errors() const noexcept override;

private:
    Result<void> open_now(std::uint32_t baud);

    std::chrono::nanoseconds byte_time_{0};
};

}  // namespace bmsd::link
