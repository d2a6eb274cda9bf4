// Simulated batteries on a CAN bus: they send as often as real ones, and answer what they are asked.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "bms/can.hpp"
#include "link/can.hpp"
#include "loop/loop.hpp"
#include "sim/faults.hpp"
#include "sim/pack.hpp"

namespace bmsd::sim {

/// One battery: which frames it sends when. No I/O, no clock.
class CanBattery {
public:
    /// `speed` is how many seconds pass in the pack per second of the clock. Of `faults` those of this address and
    /// those of every battery count. The family must outlive it.
    CanBattery(const bms::Family& family, std::uint32_t address, const PackOptions& pack, std::span<const Fault> faults,
               double speed);

    [[nodiscard]] Pack& pack() noexcept { return pack_; }

    /// What it sends by itself at `now`.
    void tell(Clock::time_point now, std::vector<CanFrame>& out);
    /// What it answers to a frame.
    void answer(const CanFrame& frame, Clock::time_point now, std::vector<CanFrame>& out);

    /// Switches all faults off, or on again from their beginning.
    void enable_faults(bool on) noexcept { faults_.enable(on); }

private:
    void advance(Clock::time_point now);
    void send(std::size_t message, std::vector<CanFrame>& out);

    const bms::Family& family_;
    bms::Asking asking_;
    Pack pack_;
    FaultPlan faults_;
    double speed_;
    std::optional<Clock::time_point> lived_until_;
    std::vector<Clock::time_point> due_;  ///< per message
};

/// All batteries of one interface.
class CanBus {
public:
    CanBus(const Executor& executor, std::unique_ptr<link::CanSocket> socket);

    CanBattery& add(const bms::Family& family, std::uint32_t address, const PackOptions& pack,
                    std::span<const Fault> faults, double speed);
    [[nodiscard]] Result<void> open() { return socket_->open({}); }
    [[nodiscard]] const std::string& name() const noexcept { return socket_->name(); }

    /// Sends and answers until the executor stops. An interface that goes down is opened again when it is back.
    Task<void> run();

    /// Unplugs all batteries, or plugs them in again.
    void toggle_plug() noexcept { plugged_ = !plugged_; }
    /// See CanBattery.
    void enable_faults(bool on) noexcept;

private:
    void exchange(Clock::time_point now);

    std::unique_ptr<link::CanSocket> socket_;
    Timer timer_;
    std::deque<CanBattery> batteries_;  ///< stay where they are
    std::vector<CanFrame> outbox_;
    bool plugged_ = true;
};

}  // namespace bmsd::sim
