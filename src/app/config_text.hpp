// The keys of the configuration as files for people: made from the tables, so that they are always true.
#pragma once

#include <string>

namespace bmsd::app {

/// config.default.ini: every key with its default and what it means.
[[nodiscard]] std::string default_file();

/// The reference in docs/configuration.md: a table of keys for each group, with headings of level 3.
[[nodiscard]] std::string reference_text();

}  // namespace bmsd::app
