// Numbers as Python writes them: users of the Python driver know them so, and names that it made up hold them.
#pragma once

#include <string>

namespace bmsd {

/// The shortest text that reads back as the same double: "57.0", "52.81", "1e-05".
[[nodiscard]] std::string python_text(double number);
/// Writes the same text, found faster for a number that was rounded to so many decimals, 0..15; returns the end. There
/// must be fixed_room.
[[nodiscard]] char* write_python_text(char* to, double number, int decimals);

}  // namespace bmsd
