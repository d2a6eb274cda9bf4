// Files read whole. What cannot be read is neither empty nor absent.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "model/error.hpp"

namespace bmsd::app {

/// What is in a file, its first `most` bytes if it is larger; absent only if there is no such file. The error
/// (ErrorClass::config) says why it cannot be read: "Input/output error". Half a file is never returned for a whole
/// one.
[[nodiscard]] Result<std::optional<std::string>> file_content(const std::string& path, std::size_t most);

}  // namespace bmsd::app
