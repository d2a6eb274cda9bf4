// From the lines of a config file to values and problems.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/config_checks.hpp"
#include "app/config_keys.hpp"
#include "app/ini.hpp"

namespace bmsd::app {

/// Reads one text into a Parsed. Total.
class ConfigReader {
public:
    explicit ConfigReader(Parsed& parsed) : parsed_(parsed) {}
    void read(std::string_view text);

private:
    using Kind = Problem::Kind;

    struct Section {
        enum class Kind : unsigned char { defaults, port, unknown };
        Kind kind;
        std::string name;
        int line;
        std::vector<IniLine> entries;
    };
    /// Where a key is written, and under which name.
    struct Written {
        const IniLine* line;
        const OldName* old_name;
    };
    using Entries = std::map<const Key*, Written>;

    [[nodiscard]] std::vector<Section> split(const std::vector<IniLine>& lines);
    void check_encoding(const std::vector<IniLine>& lines);
    Section& open_section(std::vector<Section>& sections, const IniLine& line);
    void check_header(const Section& section, const IniLine& line);
    void refuse(const Section& section);
    void miss_equals(const Section& section, const IniLine& line);
    [[nodiscard]] Entries resolve(const Section& section);
    [[nodiscard]] const Key* known(const Section& section, const IniLine& line, Found found);
    void choose(Entries& entries, const Section& section, const IniLine& line, Found found);
    void apply(const Section& section, PortConfig* port);
    void take(const Section& section, const Key& key, const Written& written, const Slot& slot);
    void note_effect(const Section& section, const Key& key, const IniLine& line, const Slot& slot);
    void add(Kind kind, const std::string& section, const IniLine& line, std::string text);

    Parsed& parsed_;
    Lines lines_;
};

}  // namespace bmsd::app
