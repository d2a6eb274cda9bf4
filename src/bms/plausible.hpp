// Whether what a battery says can be true.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include "model/reading.hpp"

namespace bmsd::bms {

/// What makes these values impossible for a battery; empty if nothing does. Static text.
[[nodiscard]] std::string_view implausible(const Reading& reading) noexcept;

/// The same, but for what was as impossible before: a sensor that is broken stays so.
[[nodiscard]] std::string_view newly_implausible(const Reading& before, const Reading& now) noexcept;

/// What makes it impossible that a battery says this, whatever sensors and wires of single cells it has lost: by such
/// a fault one that is searched for must not be hidden. Empty if nothing does. Static text.
[[nodiscard]] std::string_view no_battery(const Reading& reading) noexcept;

/// True if two readings, taken one right after the other, can come from one battery: same number of cells, pack voltage
/// within 5 %, state of charge within 2 %.
[[nodiscard]] bool consistent(const Reading& first, const Reading& second) noexcept;

/// What changed between two polls of one battery by more than it mostly does, so that another reading must confirm it;
/// empty if nothing did. What was not known before is not compared. Static text.
[[nodiscard]] std::string_view jump(const Reading& before, const Reading& now) noexcept;

/// True if two readings, taken one right after the other, differ by no more than a measurement that is repeated: a
/// digit or two.
[[nodiscard]] bool repeats(const Reading& first, const Reading& second) noexcept;

/// True if `reading` says all again, to a digit or two, that `part` of one says, taken right before.
[[nodiscard]] bool confirms(const Reading& reading, const Reading& part) noexcept;

/// True if two readings do not differ in anything that repeats() compares.
[[nodiscard]] bool same(const Reading& first, const Reading& second) noexcept;

/// True if all names, versions and dates in both are the same: it is who it was.
[[nodiscard]] bool same_texts(const Reading& first, const Reading& second) noexcept;

/// So many readings of one poll can be compared with each other.
inline constexpr std::size_t most_voters = 5;

/// Of an odd number of readings of one poll, at most `most_voters`, the middle of each number, and of all else what
/// most of them say: the few that are damaged are outvoted.
[[nodiscard]] Reading middle(std::span<const Reading> readings);

}  // namespace bmsd::bms
