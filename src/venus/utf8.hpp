// D-Bus carries valid UTF-8 only; names and port texts come from people and devices.
#pragma once

#include <string>
#include <string_view>

namespace bmsd::venus {

/// `text` with every byte that is not part of a character D-Bus accepts replaced by '?'.
[[nodiscard]] std::string valid_utf8(std::string_view text);

}  // namespace bmsd::venus
