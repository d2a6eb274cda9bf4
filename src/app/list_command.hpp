// `bmsd list`, `bmsd describe` and `bmsd guide`: what is known of the BMS families.
#pragma once

#include <string>

#include "bms/family.hpp"

namespace bmsd::app {

/// Prints a table of all families, or a JSON list. Returns the exit code 0.
int list(bool json);

/// Prints the datasheet of a family (BMS_TYPE, key or alias) as Markdown or JSON. Exit code 2 if it is unknown.
int describe(const std::string& family, bool json);

/// How to wire and prepare a family, as Markdown: what `bmsd guide` prints and docs/guides holds.
[[nodiscard]] std::string guide_page(const bms::Family& family);

/// Prints how to wire and prepare a family, as Markdown or JSON; all of them if `family` is empty. Exit code 2 if it is
/// unknown.
int guide(const std::string& family, bool json);

}  // namespace bmsd::app
