// Numbers as Python writes them: users of the Python driver know them so, and names that it made up hold them.
#pragma once

#include <string>

namespace bmsd {

/// The shortest text that reads back as the same double: "57.0", "52.81", "1e-05".
[[nodiscard]] std::string python_text(double number);

}  // namespace bmsd
