#include "app/ini.hpp"

#include <algorithm>

#include "app/config_checks.hpp"
#include "app/config_keys.hpp"
#include "app/config_ports.hpp"
#include "model/words.hpp"
#include "venus/utf8.hpp"

namespace bmsd::app {
namespace {

/// Where the '[' at the start is closed. A name may have brackets of its own: [tcp://[fd00::5]:502].
std::size_t closing_bracket(std::string_view line) {
    int open = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '[') ++open;
        if (line[i] == ']' && --open == 0) return i;
    }
    return line.rfind(']');
}

/// A line that begins with '['.
IniLine read_section(std::string_view line, int number, bool indented) {
    const auto end = closing_bracket(line);
    const bool closed = end != std::string_view::npos;
    return {IniLine::Kind::section,
            number,
            std::string(trim(line.substr(1, closed ? end - 1 : end))),
            std::string(closed ? trim(line.substr(end + 1)) : ""),
            indented,
            closed};
}

/// What may be the rest of a value is a section only if it is named as one that is read, and nothing but a comment
/// stands behind its name.
bool is_section(std::string_view line, bool may_continue) {
    if (line.front() != '[') return false;
    if (!may_continue) return true;
    const IniLine section = read_section(line, 0, true);
    const bool known = section.name == default_section || is_port_name(section.name);
    return known && section.closed &&
           (section.value.empty() || section.value.front() == ';' || section.value.front() == '#');
}

/// Whether an indented line is the rest of the value above, not a key of its own. A value may have colons, as addresses
/// of batteries have: what is in front of one must be a known key.
bool continues(std::string_view line) {
    const auto separator = line.find_first_of("=:");
    if (separator == std::string_view::npos) return true;
    return line.find('=') == std::string_view::npos && !find_key(trim(line.substr(0, separator))).key;
}

/// Takes the first line off the text. Editors end lines with LF, CR LF or CR.
std::string_view take_line(std::string_view& text) {
    const auto end = text.find_first_of("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(line.size());
    text.remove_prefix(text.starts_with("\r\n") ? 2 : std::min<std::size_t>(text.size(), 1));
    return line;
}

}  // namespace

std::vector<IniLine> read_ini(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

    std::vector<IniLine> lines;
    for (int number = 1; !text.empty(); ++number) {
        const std::string_view raw = take_line(text);
        const std::string readable = venus::valid_utf8(trim(raw));
        const std::string_view line = readable;
        if (line.empty() || line.front() == ';' || line.front() == '#') continue;
        const bool indented = raw.front() == ' ' || raw.front() == '\t';
        const auto separator = line.find_first_of("=:");
        const bool after_entry = !lines.empty() && lines.back().kind == IniLine::Kind::entry;

        if (is_section(line, indented && after_entry))
            lines.push_back(read_section(line, number, indented));
        else if (indented && after_entry && continues(line))
            lines.back().value += (lines.back().value.empty() ? "" : "\n") + std::string(line);
        else if (separator == std::string_view::npos || separator == 0)
            lines.push_back({IniLine::Kind::junk, number, std::string(line), {}, indented});
        else
            lines.push_back({IniLine::Kind::entry, number, std::string(trim(line.substr(0, separator))),
                             std::string(trim(line.substr(separator + 1))), indented});
        if (readable != trim(raw) && lines.back().not_utf8 == 0) lines.back().not_utf8 = number;
    }
    return lines;
}

}  // namespace bmsd::app
