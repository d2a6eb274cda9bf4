// The last configuration without errors, kept for the day when somebody mistypes a limit.
#pragma once

#include <string>
#include <string_view>

#include "app/config.hpp"
#include "app/file_writer.hpp"

namespace bmsd::app {

class LastGood {
public:
    /// Kept below `state_dir` for the config file `config`; one of them empty: nothing is kept.
    LastGood(const std::string& state_dir, std::string config);

    /// The configuration to use for what the file says. If an error in it concerns the treatment of the batteries or
    /// whom to ask, and a good one is kept: the good one, with the problems of the file and one that names the good
    /// one. Else the same.
    [[nodiscard]] Parsed instead_of(Parsed wanted) const;

    /// Keeps a configuration that is in use, if it has no errors.
    void keep(const Parsed& used, const ReplaceFile& replace) const;

private:
    [[nodiscard]] std::string content(std::string_view text) const;

    std::string path_;
    std::string config_;
};

}  // namespace bmsd::app
