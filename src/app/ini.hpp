// The lines of an INI file with their numbers. (Ready-made parsers neither tell line numbers of sound lines
// nor follow the reference in treating ';' inside a value as part of it.)
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bmsd::app {

struct IniLine {
    enum class Kind : unsigned char { section, entry, junk };
    Kind kind = Kind::junk;
    int number = 0;          ///< from 1
    std::string name = {};   ///< of the section, or key as written
    std::string value = {};  ///< trimmed; continuation lines are joined by '\n'. Of a section: what stands behind it
    bool indented = false;   ///< begins with blanks: the reference takes it for a continuation
    bool closed = true;      ///< a section: its ']' is there
    int not_utf8 = 0;        ///< line of it that is not UTF-8, '?' standing for the bytes in question; 0: none
};

/// Splits a text into its meaningful lines. LF, CR LF and CR end a line; a byte-order mark is tolerated; comment lines
/// begin with ';' or '#'; `KEY = value` and `KEY: value` are entries; an indented line without '=' continues the entry
/// above. What begins with '[' is a section whatever is wrong with it: else the lines of one port would hold for all.
[[nodiscard]] std::vector<IniLine> read_ini(std::string_view text);

}  // namespace bmsd::app
