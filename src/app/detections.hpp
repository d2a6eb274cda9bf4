// Which BMS answered on which port, kept from one start to the next.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/file_writer.hpp"
#include "engine/memory.hpp"
#include "model/report.hpp"

namespace bmsd::app {

using FoundByPort = std::map<std::string, std::vector<engine::Found>>;

/// As it is written to the file.
[[nodiscard]] std::string to_json(const FoundByPort& found);

/// What is written there; entries that this version does not understand are left out. Absent if it is no JSON object.
[[nodiscard]] std::optional<FoundByPort> detections(std::string_view text);

/// Remembers in the file `detected.json` of the state directory, replaced whenever something new is found: per
/// port a list of `{"family": KEY, "baud": RATE, "address": ADDRESS}`, or a single such object without an address, as
/// the first versions wrote. A file that is not JSON is set aside as `detected.json.bad`, with a message; one that
/// cannot be read is left alone, with a message.
class Detections final : public engine::Memory {
public:
    /// An empty directory: nothing is kept.
    Detections(const std::string& state_dir, ReplaceFile replace, Report report);

    [[nodiscard]] std::vector<engine::Found> recall(const std::string& port) override;
    void remember(const std::string& port, const std::vector<engine::Found>& found) override;

private:
    void load();
    void save() const;

    std::string path_;  ///< empty: nothing is kept
    ReplaceFile replace_;
    Report report_;
    FoundByPort found_;
};

}  // namespace bmsd::app
