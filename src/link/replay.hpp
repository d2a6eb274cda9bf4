// A recorded dialogue in place of a battery.
#pragma once

#include <vector>

#include "link/link.hpp"
#include "loop/loop.hpp"

namespace bmsd::link {

/// A request and the pieces in which its answer came.
struct Recorded {
    std::vector<std::uint8_t> request;
    std::vector<std::vector<std::uint8_t>> answer;
};

/// Answers each request with what was recorded for it, in order, starting over at the end;
/// a request that was not recorded gets silence.
class ReplayLink final : public ByteLink {
public:
    ReplayLink(Executor executor, std::string name, std::vector<Recorded> recorded);

    const std::string& name() const noexcept override { return name_; }
    Task<Result<void>> open(std::uint32_t baud) override;
    void close() noexcept override { open_ = false; }
    bool is_open() const noexcept override { return open_; }
    std::size_t drain(std::span<std::uint8_t> sample) noexcept override;
    Task<error_code> write(std::span<const std::uint8_t> bytes) override;
    Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point deadline, error_code& error) override;
    std::size_t read_now(std::span<std::uint8_t> into, error_code& error) noexcept override;
    std::chrono::nanoseconds byte_time() const noexcept override { return std::chrono::nanoseconds{0}; }

private:
    std::string name_;
    std::vector<Recorded> recorded_;
    std::size_t next_ = 0;                            ///< where the search for a request begins
    std::vector<std::vector<std::uint8_t>> pending_;  ///< pieces not yet read
    Timer timer_;
    bool open_ = false;
};

}  // namespace bmsd::link
