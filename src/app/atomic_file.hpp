// A file that is either the old one or the new one, whatever happens in between.
#pragma once

#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bmsd::app {

/// Replaces the file `path` by one with this content: written beside it, forced to the disk, then put in its place.
/// After a power cut there is the old file or the new one, never half of one. The folder must exist. Blocks for as long
/// as the disk takes. The error (ErrorClass::config) names the file and the reason; the old file is untouched then.
/// A new file can be read and written by its owner only.
[[nodiscard]] Result<void> write_atomically(const std::string& path, std::string_view content);

}  // namespace bmsd::app
