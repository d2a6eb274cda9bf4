// What a running daemon cannot take over from a configuration that is read again.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace bmsd::app {

/// Keys that are looked at only at the start.
[[nodiscard]] std::span<const std::string_view> start_keys() noexcept;

/// Says which of them differ between the configuration in use and a fresh one. What others rely on keeps in `fresh` the
/// value in use.
[[nodiscard]] std::vector<std::string> keep_until_restart(Config& used, Config& fresh);

}  // namespace bmsd::app
