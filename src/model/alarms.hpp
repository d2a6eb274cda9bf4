// Alarms every BMS is mapped to, in Victron's terms.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace bmsd {

/// Canonical alarms; one /Alarms/* path each on D-Bus.
enum class Alarm : std::uint8_t {
    low_voltage,
    high_voltage,
    low_cell_voltage,
    high_cell_voltage,
    low_soc,
    high_charge_current,
    high_discharge_current,
    cell_imbalance,
    internal_failure,
    high_charge_temperature,
    low_charge_temperature,
    high_temperature,
    low_temperature,
    high_internal_temperature,
    fuse_blown,
};
inline constexpr std::size_t alarm_count = static_cast<std::size_t>(Alarm::fuse_blown) + 1;

/// How bad an alarm is; the numbers are Victron's.
enum class Level : std::uint8_t { ok = 0, warning = 1, alarm = 2 };

/// Canonical name, e.g. "low_cell_voltage".
[[nodiscard]] std::string_view to_string(Alarm alarm) noexcept;

/// The level of every alarm; absent where the BMS cannot tell.
class Alarms {
public:
    [[nodiscard]] std::optional<Level> operator[](Alarm alarm) const noexcept {
        return levels_[static_cast<std::size_t>(alarm)];
    }
    /// The BMS can tell this alarm and does not raise it (unless already raised by the same frame).
    void known(Alarm alarm) noexcept {
        if (auto& level = levels_[static_cast<std::size_t>(alarm)]; !level) level = Level::ok;
    }
    /// Raises to at least `level`; never lowers.
    void raise(Alarm alarm, Level level) noexcept {
        auto& now = levels_[static_cast<std::size_t>(alarm)];
        if (!now || *now < level) now = level;
    }
    void set(Alarm alarm, std::optional<Level> level) noexcept { levels_[static_cast<std::size_t>(alarm)] = level; }
    /// True if any alarm stands at warning or above.
    [[nodiscard]] bool any() const noexcept {
        for (const auto& level : levels_)
            if (level && *level != Level::ok) return true;
        return false;
    }
    bool operator==(const Alarms&) const = default;

private:
    std::array<std::optional<Level>, alarm_count> levels_{};
};

}  // namespace bmsd
