// What a simulated battery, adapter or bus does wrong on request. Text form: `name[:number[:ms]][@address]`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/bounded.hpp"
#include "model/error.hpp"

namespace bmsd::sim {

enum class FaultKind : std::uint8_t {
    silence,    ///< every n-th answer does not come
    checksum,   ///< every n-th answer has a wrong checksum
    truncate,   ///< every n-th answer is cut in the middle
    garbage,    ///< every n-th answer has garbage before it
    late,       ///< every n-th answer comes `time` after the request
    foreign,    ///< every n-th answer carries the address of another battery
    duplicate,  ///< a second battery has the same address and answers at the same time
    sleep,      ///< the first n requests only wake the battery
    swapped,    ///< whole bus: A and B are swapped, every byte sent brings blank bytes and nothing else
    rate,       ///< whole bus: a client at another rate than the bus's gets nothing but garbage
    echo,       ///< whole bus: the adapter returns what is sent to it
    master,     ///< whole bus: another master's traffic appears every `time`
    missing,    ///< CAN: no frame with the id `number` is sent
};

/// What the simulated batteries are connected to.
enum class Medium : std::uint8_t { serial, can };

/// One fault.
struct Fault {
    FaultKind kind = FaultKind::silence;
    unsigned number = 1;                        ///< n, from 1; of missing: the id
    std::chrono::milliseconds time{0};          ///< of late and master
    std::optional<std::uint32_t> address = {};  ///< only this battery; absent: every battery
    bool operator==(const Fault&) const = default;
};

/// Reads e.g. "silence", "checksum:5", "late:4:900", "master:500", "silence@0x02".
/// ErrorClass::config, also for what cannot happen on this medium; the message names what can.
[[nodiscard]] Result<Fault> parse_fault(std::string_view text, Medium medium = Medium::serial);

/// Every fault with its parameters and meaning, one per line.
[[nodiscard]] std::string fault_help();

/// The faults of one battery, or of the bus, and whose turn it is.
class FaultPlan {
public:
    /// Keeps of `faults` those of every battery and those of `address`.
    FaultPlan(std::span<const Fault> faults, std::uint32_t address);

    /// Counts one more occasion for `kind`; the fault if it strikes this time, else null.
    [[nodiscard]] const Fault* strikes(FaultKind kind) noexcept;
    /// The fault if it is planned, without counting; null while switched off.
    [[nodiscard]] const Fault* planned(FaultKind kind) const noexcept;
    /// Whether frames with this id are missing.
    [[nodiscard]] bool lacks(std::uint32_t id) const noexcept;
    /// Switches all faults off, or on again with their counts starting afresh.
    void enable(bool on) noexcept;

private:
    struct Entry {
        Fault fault;
        unsigned occasions = 0;
    };
    std::vector<Entry> entries_;
    bool enabled_ = true;
};

/// Damages one byte in the middle, as noise does.
void spoil(Bytes& answer) noexcept;
/// Cuts the second half.
void cut(Bytes& answer) noexcept;
/// What a receiver with swapped wires sees instead of these bytes: 0x00 and 0xFF.
void blank(Bytes& bytes) noexcept;
/// What a receiver at another rate sees instead of these bytes: others, few of them blank.
void garble(Bytes& bytes) noexcept;
/// Puts noise before the answer, among it bytes with which frames begin.
void prepend_garbage(Bytes& answer);
/// What a receiver sees when another battery answers too: by `round`, bytes that overwrite each other, the
/// same a few bytes later, or one answer behind the other.
void collide(Bytes& answer, std::span<const std::uint8_t> other, unsigned round);

}  // namespace bmsd::sim
