// `bmsd decode`: what recorded dialogues say, read by the daemon's own decoders.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

namespace bmsd::app {

/// What one vector file says: the canonical fields, `{"batteries": [...]}` if it lists addresses, or
/// `{"error": ..., "detail": ...}` if no battery could be read.
[[nodiscard]] boost::json::object decode_vector_file(const std::string& path);

/// Prints one JSON object per file, one a line. Returns the exit code: 1 if any of them is an error.
int decode(const std::vector<std::string>& files);

}  // namespace bmsd::app
