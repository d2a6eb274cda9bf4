// The dictionary of a Reading: canonical name, unit and useful digits of every member.
// Faces, `describe` and `decode` walk these tables instead of naming members by hand.
#pragma once

#include <span>
#include <string_view>

#include "model/reading.hpp"

namespace bmsd {

struct NumberQuantity {
    std::string_view name;
    std::string_view unit;
    int decimals;
    NumberMember member;
};
struct FlagQuantity {
    std::string_view name;
    FlagMember member;
};
struct TextQuantity {
    std::string_view name;
    TextMember member;
};

[[nodiscard]] std::span<const NumberQuantity> number_quantities() noexcept;
[[nodiscard]] std::span<const FlagQuantity> flag_quantities() noexcept;
[[nodiscard]] std::span<const TextQuantity> text_quantities() noexcept;

/// Canonical name of a member; every member has one (tested).
[[nodiscard]] std::string_view name_of(NumberMember member) noexcept;
[[nodiscard]] std::string_view name_of(FlagMember member) noexcept;
[[nodiscard]] std::string_view name_of(TextMember member) noexcept;
[[nodiscard]] std::string_view name_of(CellsMember member) noexcept;
[[nodiscard]] std::string_view unit_of(NumberMember member) noexcept;

}  // namespace bmsd
