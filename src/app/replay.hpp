// Ports of the form replay:FILE: a recorded dialogue instead of a battery.
#pragma once

#include <memory>
#include <string>

#include "link/link.hpp"

namespace bmsd::app {

[[nodiscard]] bool is_replay(const std::string& port);

/// Opens a vector file as a link; the error names what is wrong with the file.
[[nodiscard]] Result<std::unique_ptr<link::ByteLink>> make_replay_link(Executor executor, const std::string& port);

}  // namespace bmsd::app
