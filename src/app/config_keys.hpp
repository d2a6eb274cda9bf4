// One row per configuration key: its name, place, range, old names and help.
#pragma once

#include <limits>
#include <span>
#include <string_view>
#include <variant>

#include "app/config.hpp"

namespace bmsd::app {

/// Where a value of type T lives in a Config.
template <class T>
using Place = T& (*)(Config&);

/// A key whose text needs more than its type to be understood; returns what is wrong, empty if nothing.
using Understand = std::string (*)(Config&, const std::string& value);

/// The type of a key follows from its place.
using Target = std::variant<Place<bool>, Place<int>, Place<double>, Place<std::optional<double>>, Place<std::string>,
                            Place<std::vector<std::string>>, Place<std::chrono::minutes>, Understand>;

struct Range {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_excluded = false;
};

struct Key {
    std::string_view name;
    std::string_view unit;
    Target target;
    std::string_view help;
    Range range = {};
    bool safety = false;                               ///< decides how the battery is treated
    std::span<const std::string_view> old_names = {};  ///< accepted with a hint
};

/// All keys that have an effect.
[[nodiscard]] std::span<const Key> keys();

/// Keys of the reference that this version reads over: they are no mistake of the user.
[[nodiscard]] std::span<const std::string_view> keys_without_effect();

/// The key with this name or old name (any case); null if there is none.
[[nodiscard]] const Key* find_key(std::string_view name);

/// The known key that is spelt most like `name`.
[[nodiscard]] std::string_view nearest_key(std::string_view name);

}  // namespace bmsd::app
