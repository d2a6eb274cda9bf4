#include "app/ini.hpp"

#include "model/words.hpp"

namespace bmsd::app {

std::vector<IniLine> read_ini(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());

    std::vector<IniLine> lines;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const std::string_view raw = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);

        const std::string_view line = trim(raw);
        if (line.empty() || line.front() == ';' || line.front() == '#') continue;
        const bool indented = raw.front() == ' ' || raw.front() == '\t';
        const auto separator = line.find_first_of("=:");
        const bool after_entry = !lines.empty() && lines.back().kind == IniLine::Kind::entry;

        if (line.front() == '[' && line.back() == ']' && !indented)
            lines.push_back(
                {IniLine::Kind::section, number, std::string(trim(line.substr(1, line.size() - 2))), {}, false});
        else if (indented && after_entry && line.find('=') == std::string_view::npos)
            lines.back().value += "\n" + std::string(line);
        else if (separator == std::string_view::npos || separator == 0)
            lines.push_back({IniLine::Kind::junk, number, std::string(line), {}, indented});
        else
            lines.push_back({IniLine::Kind::entry, number, std::string(trim(line.substr(0, separator))),
                             std::string(trim(line.substr(separator + 1))), indented});
    }
    return lines;
}

}  // namespace bmsd::app
