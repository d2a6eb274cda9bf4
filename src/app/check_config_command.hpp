// `bmsd check-config`: what is wrong with a configuration, before the daemon meets it.
#pragma once

#include <string>

namespace bmsd::app {

/// Prints every problem of a config file on standard output. Returns the exit code: 0 no error (there may be warnings),
/// 1 there are errors, 2 the file cannot be read.
[[nodiscard]] int check_config(const std::string& path, bool as_json);

}  // namespace bmsd::app
