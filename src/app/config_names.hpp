// Configuration values that are names: log levels, types of BMS, bus addresses.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "app/config_value.hpp"

namespace bmsd::app {

/// The items of a list: separated by commas or line ends, trimmed, empty ones dropped. Views into `text`.
[[nodiscard]] std::vector<std::string_view> list_items(std::string_view text);

/// What somebody takes for the separator in this item of a list: "a semicolon"; empty if there is none.
[[nodiscard]] std::string_view wrong_separator(std::string_view item);

// As read_value() for these types.
[[nodiscard]] std::optional<Remark> read_log_level(std::string_view text, LogLevel& out);
[[nodiscard]] std::optional<Remark> read_types(std::string_view text, std::vector<const bms::Family*>& out);
[[nodiscard]] std::optional<Remark> read_addresses(std::string_view text, std::vector<engine::Address>& out);

/// "INFO"
[[nodiscard]] std::string_view log_level_text(LogLevel level) noexcept;

}  // namespace bmsd::app
