// Counters of all batteries and ports for benchmarks and support.
#pragma once

#include <string>

#include "engine/engine.hpp"

namespace bmsd::app {

/// Why the counters are not written to `path`: something else than a file is there, which must not be replaced. Empty
/// if they are.
[[nodiscard]] std::string why_no_stats(const std::string& path);

/// Writes the counters, and how much of the heap is in use, as JSON to `path`, replacing it at once. Failure is
/// reported in the text returned, which is empty on success.
std::string write_stats(const engine::Engine& engine, const std::string& path);

}  // namespace bmsd::app
