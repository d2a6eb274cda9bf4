// One simulated battery: which bytes it answers to a request, with everything it does wrong. No I/O, no clock.
#pragma once

#include <optional>
#include <span>

#include "bms/family.hpp"
#include "model/battery.hpp"
#include "sim/faults.hpp"
#include "sim/pack.hpp"

namespace bmsd::sim {

/// A battery of a family at an address.
class Responder {
public:
    /// `speed` is how many seconds pass in the pack per second of the clock; 0 stops it.
    /// Of `faults` those of this address and those of every battery count. The family must outlive it.
    Responder(const bms::Family& family, std::uint32_t address, const PackOptions& pack, std::span<const Fault> faults,
              double speed);

    [[nodiscard]] const bms::Family& family() const noexcept { return family_; }
    [[nodiscard]] std::uint32_t address() const noexcept { return address_; }
    [[nodiscard]] Pack& pack() noexcept { return pack_; }

    /// Lets the pack live until `now` and makes its answer. Returns how much later than usual it comes
    /// (0: as usual), or nothing if the battery stays silent; then `out` has no meaning.
    [[nodiscard]] std::optional<std::chrono::milliseconds> answer(const bms::Request& request, Clock::time_point now,
                                                                  Bytes& out);

    /// Does what a step of a control says, and makes its acknowledge; nothing if the battery stays silent.
    [[nodiscard]] bool obey(const bms::Control& control, const bms::Request& step, const bms::Asking& asking,
                            Clock::time_point now, Bytes& out);

    /// A frame with this battery's state as a bus master shows it: of address 0.
    void broadcast(Clock::time_point now, Bytes& out);

    /// Switches all faults off, or on again from their beginning.
    void enable_faults(bool on) noexcept { faults_.enable(on); }

private:
    void advance(Clock::time_point now);
    [[nodiscard]] std::uint32_t another_address() const noexcept;

    const bms::Family& family_;
    std::uint32_t address_;
    Pack pack_;
    std::optional<Pack> twin_{};  ///< the second battery of FaultKind::duplicate
    FaultPlan faults_;
    double speed_;
    unsigned collisions_ = 0;
    std::optional<Clock::time_point> lived_until_{};
};

}  // namespace bmsd::sim
