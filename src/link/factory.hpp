// From the name of a port to the link behind it.
#pragma once

#include <memory>

#include "link/link.hpp"

namespace bmsd::link {

/// Whether make_link() would make one; ErrorClass::config says why not.
[[nodiscard]] Result<void> check_name(const std::string& port);

/// `tcp://host:port` or the path of a serial port; ErrorClass::config for a name that is neither.
[[nodiscard]] Result<std::unique_ptr<ByteLink>> make_link(Executor executor, const std::string& port);

}  // namespace bmsd::link
