// Who else uses a device.
#pragma once

#include <string>

namespace bmsd::link {

/// Other processes that have the device `path` open, e.g. "python3 (process 812)"; empty if none is known.
/// Only processes we may look into are seen.
[[nodiscard]] std::string holders_of(const std::string& path);

}  // namespace bmsd::link
