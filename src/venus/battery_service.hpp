// One battery as a service on the bus: its own connection, its objects, its name.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/parameters.hpp"
#include "loop/loop.hpp"
#include "model/battery.hpp"
#include "model/report.hpp"
#include "venus/bus.hpp"
#include "venus/paths.hpp"
#include "venus/settings.hpp"
#include "venus/source.hpp"
#include "venus/tree.hpp"

namespace bmsd::venus {

/// A configuration key that is shown below /Info/Config.
struct ConfigValue {
    std::string name;
    Value value;
};

/// What all battery services share; outlives them.
struct FaceSettings {
    std::string address;  ///< of the bus; empty: default_address()
    control::Parameters parameters = {};
    CellFormat cells = CellFormat::voltages;
    bool external_soc = false;             ///< the state of charge comes from another device
    bool json = false;                     ///< PUBLISH_BATTERY_DATA_AS_JSON
    bool explain = false;                  ///< GUI_PARAMETERS_SHOW_ADDITIONAL_INFO
    bool legacy_paths = false;             ///< LEGACY_PATHS
    bool legacy_names = false;             ///< LEGACY_SERVICE_NAMES
    std::vector<ConfigValue> config = {};  ///< PUBLISH_CONFIG_VALUES; empty: not shown
    Desk* desk = nullptr;                  ///< takes orders; null: nobody does
    Report report;                         ///< required
    /// Where instances are given out; null: nowhere but here.
    Settings* settings = nullptr;
    /// What the settings are to hold of a battery they do not know; null: nothing but its name.
    std::function<SettingValues(const Identity&)> stored = {};
    /// What Venus knew the battery by earlier; null: nothing is known.
    std::function<std::optional<std::int32_t>(const Identity&)> instance = {};
    /// Keeps it. Null: not kept. Must not throw.
    std::function<void(const Identity&, std::int32_t instance)> keep_instance = {};
    /// Name the user gave the battery earlier; null: none.
    std::function<std::string(const Identity&)> custom_name = {};
    /// Keeps a new name; false refuses it. Null: kept in memory only. Must not throw.
    std::function<bool(const Identity&, const std::string& name)> keep_custom_name = {};
    /// Told what is written as LastSeen into the settings, before it is. Null: nobody wants to know. Must not throw.
    std::function<void(const Identity&, std::int64_t unix_s)> keep_last_seen = {};
    /// LastSeen is renewed so often: other drivers remove what was not seen for 30 days.
    std::chrono::milliseconds between_sightings = std::chrono::hours{24};
};

/// Shows one battery. Connects and claims its name by itself and again whenever either is lost.
class BatteryService {
public:
    /// `battery` and `settings` outlive the service. `instance` is what Venus knows the battery by.
    BatteryService(Executor executor, const FaceSettings& settings, const Battery& battery, std::int32_t instance);
    /// Releases the name.
    ~BatteryService();
    BatteryService(const BatteryService&) = delete;
    BatteryService& operator=(const BatteryService&) = delete;

    /// Publishes what has changed, in one signal.
    void update();

    /// Venus knows the battery by another instance now: whoever reads us must do so anew.
    void renumber(std::int32_t instance);
    /// FaceSettings::config has new values; keys that were not there from the start are not shown, those that have no
    /// value any more are invalid.
    void show_config();
    /// The user gave the battery a name elsewhere.
    void show_name(const std::string& name);

    [[nodiscard]] const std::string& serial() const noexcept { return source_.serial; }
    [[nodiscard]] const Battery& battery() const noexcept { return source_.battery; }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// The name is ours and the objects can be asked.
    [[nodiscard]] bool published() const noexcept { return published_; }
    [[nodiscard]] const Tree& tree() const noexcept { return tree_; }

private:
    /// Where the value of an item comes from: what every poll needs of a PathRow, close together.
    struct Origin {
        ValueView (*value)(const Source& source, std::size_t n);
        std::uint32_t n;
        std::uint32_t place;  ///< in the tree
    };

    [[nodiscard]] std::vector<Item> make_items(std::span<const PathRow> rows);
    /// What clients may write into a path; absent: read only.
    [[nodiscard]] std::optional<Writing> writing_of(const std::string& path);
    [[nodiscard]] bool rename(const std::string& name);
    [[nodiscard]] bool give(Order order, double value);
    void refuse(std::string_view what, const std::string& why);
    void read_values();
    void make_tree();
    /// All paths are told anew under the same name.
    void announce();
    void connect();
    void claim();
    void claimed(int code);
    void lost(const std::string& why);
    void retry_later();
    /// Reports a trouble once, not at every attempt.
    void complain(const std::string& trouble);

    const FaceSettings& settings_;
    Source source_;
    std::string name_;
    Bus bus_;
    Tree tree_;
    std::vector<Origin> origins_;
    std::size_t cells_ = 0;  ///< as many have paths
    Timer timer_;
    std::chrono::seconds delay_;
    std::string trouble_;  ///< last reported; empty while all is well
    bool published_ = false;
    std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< a timer that already fired finds it expired
};

}  // namespace bmsd::venus
