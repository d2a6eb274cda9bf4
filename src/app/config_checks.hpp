// What must hold between several keys.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.hpp"

namespace bmsd::app {

/// What the file says of each key, and where, so that the right line is blamed.
class Lines {
public:
    void set(const std::string& section, std::string_view key, int line, std::string value) {
        lines_[{section, std::string(key)}] = {line, std::move(value)};
    }
    /// 0 if the file does not have it.
    [[nodiscard]] int of(const std::string& section, std::string_view key) const { return find(section, key).line; }
    /// As written; empty if the file does not have it.
    [[nodiscard]] const std::string& value_of(const std::string& section, std::string_view key) const {
        return find(section, key).value;
    }

private:
    struct Written {
        int line = 0;
        std::string value;
    };
    [[nodiscard]] const Written& find(const std::string& section, std::string_view key) const {
        static const Written nowhere;
        const auto found = lines_.find({section, std::string(key)});
        return found == lines_.end() ? nowhere : found->second;
    }

    std::map<std::pair<std::string, std::string>, Written> lines_;
};

/// Name of the section for everything.
inline const std::string default_section = "DEFAULT";

/// Relations between the keys of the control logic (dossier config §5). What contradicts itself is corrected to the
/// safe side, or falls back to the defaults.
void check_control(Config& config, const Lines& lines, std::vector<Problem>& problems);

/// Names that are no ports; types, addresses and rates that no BMS of a port can have. What must be left alone is
/// corrected to the safe side.
void check_ports(Config& config, const Lines& lines, std::vector<Problem>& problems);

}  // namespace bmsd::app
