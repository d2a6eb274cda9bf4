// One row per configuration key: its name, place, range, old names and help. The rows also make config.default.ini and
// the reference in docs/configuration.md.
#pragma once

#include <array>
#include <span>
#include <string_view>
#include <variant>

#include "app/config_value.hpp"

namespace bmsd::app {

/// Where a key lives: the same for all ports, or for each port its own.
using Place = std::variant<Slot (*)(Config&), Slot (*)(PortConfig&)>;

/// A name that a key had in an older release of the Python driver, and what its value means today.
struct OldName {
    std::string_view name;
    /// The value for the new key; `config` holds the rows above. Null: the same text.
    std::string (*convert)(std::string_view value, Config& config) = nullptr;
};

enum class Effect : std::uint8_t {
    now,
    later,  ///< this version checks it, but has nothing that follows it
    never,  ///< a key of the Python driver that has no purpose here; the help says why
};

struct Key {
    std::string_view name;
    std::string_view unit;
    Place place;
    std::string_view help;
    Range range = {};
    bool safety = false;                    ///< decides how the battery is treated
    std::array<OldName, 2> old_names = {};  ///< the newest first
    Effect effect = Effect::now;
    bool secret = false;  ///< its value is never shown
};

/// Keys that belong together, with a heading.
struct Group {
    std::string_view title;
    std::string_view intro;
    std::span<const Key> keys;
};

/// A key of an older release that nothing replaces.
struct RetiredKey {
    std::string_view name;
    Problem::Kind kind;
    std::string_view why;
};

// The tables, in the order in which people read them.
[[nodiscard]] Group general_keys();
[[nodiscard]] Group port_keys();
[[nodiscard]] Group limit_keys();
[[nodiscard]] Group silence_keys();
[[nodiscard]] Group voltage_keys();
[[nodiscard]] Group curve_keys();
[[nodiscard]] Group sensor_keys();
[[nodiscard]] Group soc_keys();
[[nodiscard]] Group time_keys();
[[nodiscard]] Group service_keys();
[[nodiscard]] Group link_keys();
[[nodiscard]] Group special_keys();
[[nodiscard]] std::span<const RetiredKey> retired_keys();

/// All of them: the reading order, in which the keys also get their values.
[[nodiscard]] std::span<const Group> key_groups();

/// A key and the old name by which it was called; null if it was called by its own.
struct Found {
    const Key* key = nullptr;
    const OldName* old_name = nullptr;
};

/// The key with this name or old name (any case); its `key` is null if there is none.
[[nodiscard]] Found find_key(std::string_view name);

/// The key that is spelt most like `name`; empty if none is less than `limit` edits away.
[[nodiscard]] std::string_view nearest_key(std::string_view name, std::size_t limit = std::string_view::npos);

/// Whether a section of a port may hold the key.
[[nodiscard]] inline bool is_per_port(const Key& key) noexcept {
    return key.place.index() == 1;
}

/// The slot of a key for all ports.
[[nodiscard]] Slot slot_of(const Key& key, Config& config);

}  // namespace bmsd::app
