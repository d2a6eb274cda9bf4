// A simulated battery behind a wire that damages what passes.
#pragma once

#include <deque>
#include <random>

#include "link/link.hpp"
#include "loop/loop.hpp"
#include "sim/responder.hpp"

namespace bmsd::test {

/// A ByteLink with one battery, the timing of its line, and noise in both directions. Everything random follows from
/// the seed.
class NoisyWire final : public link::ByteLink {
public:
    NoisyWire(Executor executor, const bms::Family& family, std::uint32_t seed);

    /// Probability of each bit to be flipped; the same of each byte to be lost, and of one more to come before it. A
    /// quarter of it: an answer pauses between two portions for longer than the family waits.
    double noise = 0;
    /// Probability that the adapter is gone when something is written or read, or still gone when it is opened.
    double gone = 0;

    [[nodiscard]] const bms::Family& family() const noexcept { return family_; }
    [[nodiscard]] sim::Pack& pack() noexcept { return battery_.pack(); }
    /// What undamaged answers say of the pack as it is now.
    [[nodiscard]] Reading truth();
    /// Answers sent, and how many of them arrived otherwise than sent.
    [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }
    [[nodiscard]] std::uint64_t damaged() const noexcept { return damaged_; }
    /// How often the adapter was gone.
    [[nodiscard]] std::uint64_t faults() const noexcept { return faults_; }

    const std::string& name() const noexcept override { return name_; }
    Task<Result<void>> open(std::uint32_t baud) override;
    void close() noexcept override { open_ = false; }
    bool is_open() const noexcept override { return open_; }
    std::size_t drain(std::span<std::uint8_t> sample) noexcept override;
    Task<link::error_code> write(std::span<const std::uint8_t> bytes) override;
    Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point deadline, link::error_code& error) override;
    std::size_t read_now(std::span<std::uint8_t> into, link::error_code& error) noexcept override;
    std::chrono::nanoseconds byte_time() const noexcept override { return byte_time_; }

private:
    struct Arrival {
        Clock::time_point when;
        std::uint8_t byte;
    };

    [[nodiscard]] bool happens(double probability);
    [[nodiscard]] link::error_code adapter();
    [[nodiscard]] const bms::Request* asked(std::span<const std::uint8_t> bytes);
    [[nodiscard]] std::uint8_t flips();
    void damage(Bytes& bytes);
    void deliver(std::span<const std::uint8_t> bytes, Clock::time_point begin);

    Timer timer_;
    const bms::Family& family_;
    sim::Responder battery_;
    std::mt19937 random_;
    std::chrono::nanoseconds byte_time_{0};
    std::deque<Arrival> arriving_;  ///< in the order of their times
    std::uint64_t answers_ = 0, damaged_ = 0, faults_ = 0;
    std::string name_ = "/dev/noisy";
    bool open_ = false;
};

}  // namespace bmsd::test
