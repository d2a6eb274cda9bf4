// What must hold between several keys.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/config.hpp"

namespace bmsd::app {

/// Where each key stands in the file, so that the right line is blamed.
class Lines {
public:
    void set(const std::string& section, std::string_view key, int line) { lines_[{section, std::string(key)}] = line; }
    /// 0 if the file does not have it.
    [[nodiscard]] int of(const std::string& section, std::string_view key) const {
        const auto found = lines_.find({section, std::string(key)});
        return found == lines_.end() ? 0 : found->second;
    }

private:
    std::map<std::pair<std::string, std::string>, int> lines_;
};

/// Name of the section for everything.
inline const std::string default_section = "DEFAULT";

/// Relations between the keys of the control logic (dossier config §5). What contradicts itself is corrected to the
/// safe side, or falls back to the defaults.
void check_control(Config& config, const Lines& lines, std::vector<Problem>& problems);

/// Addresses and rates that no BMS of the port can have.
void check_ports(const Config& config, const Lines& lines, std::vector<Problem>& problems);

}  // namespace bmsd::app
