// Values of configuration keys: from text, to text, and what is allowed.
#pragma once

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config.hpp"

namespace bmsd::app {

/// A number of 1 or -1 in the file.
struct Sign {
    bool* inverted;
};

/// Where the value of a key lives. Its type follows from this, and with it how its text is understood.
using Slot =
    std::variant<bool*, int*, double*, std::optional<int>*, std::optional<double>*, std::string*, Sign,
                 std::chrono::seconds*, std::chrono::minutes*, std::vector<std::string>*, std::vector<int>*,
                 std::vector<double>*, LogLevel*, std::vector<const bms::Family*>*, std::vector<engine::Address>*>;

/// Allowed numbers; of lists, for each item.
struct Range {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
    bool low_excluded = false;
};

/// What there is to say about a text: a note or warning if it was understood all the same.
struct Remark {
    Problem::Kind kind = Problem::Kind::error;
    std::string text;
};

/// Reads `text` into the slot. Total. With an error the slot keeps what it had.
[[nodiscard]] std::optional<Remark> read_value(const Slot& slot, std::string_view text, const Range& range);

/// The value as the file says it.
[[nodiscard]] std::string value_text(const Slot& slot);

/// "switch", "whole number", "list of numbers", ...
[[nodiscard]] std::string_view type_text(const Slot& slot);

/// What may be written: "True or False", "above 0 up to 4.5 V". Empty if there is no limit.
[[nodiscard]] std::string allowed_text(const Slot& slot, const Range& range, std::string_view unit);

}  // namespace bmsd::app
