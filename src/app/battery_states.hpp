// The states of all batteries, one file each below the state directory.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "app/battery_state.hpp"
#include "app/file_writer.hpp"
#include "engine/memory.hpp"

namespace bmsd::app {

class BatteryStates : public engine::BatteryMemory {
public:
    /// `state_dir` empty: kept while the program runs only. A file that cannot be used is set aside and named on
    /// `report`; one that cannot be read is named and left alone.
    BatteryStates(const std::string& state_dir, ReplaceFile replace, Report report);

    void meet(const Identity& battery) override {
        if (on_met) on_met(battery);
    }
    std::optional<control::Persistent> recall(const std::string& id) override;
    /// Written if it differs from what is written.
    void keep(const std::string& id, const control::Persistent& state) override;
    [[nodiscard]] std::string place(const std::string& id) override { return state(id).place; }
    void keep_place(const std::string& id, const std::string& place) override;

    /// The name the user gave the battery; empty: none.
    [[nodiscard]] std::string name(const std::string& id) { return state(id).name; }
    /// Venus OS' settings do not hold a name that is new until name_written().
    void set_name(const std::string& id, const std::string& name);
    void name_written(const std::string& id, const std::string& name);
    [[nodiscard]] bool name_unwritten(const std::string& id) { return state(id).name_unwritten; }
    [[nodiscard]] std::optional<std::int32_t> device_instance(const std::string& id) {
        return state(id).device_instance;
    }
    void set_device_instance(const std::string& id, std::int32_t instance);

    /// Unix time, s, that is written as LastSeen into Venus OS' settings.
    void set_last_seen(const std::string& id, std::int64_t unix_s);

    /// Told of every battery before it is recalled; may be null.
    std::function<void(const Identity& battery)> on_met;
    /// The state of a battery as another driver left it: counts if there is no file, or if that driver has seen the
    /// battery since it was last seen here. Null: there is none.
    std::function<BatteryState(const std::string& id)> elsewhere;
    /// Told of every change of what is decided about a battery.
    std::function<void(const std::string& id, const control::Persistent& state)> on_kept;

private:
    BatteryState& state(const std::string& id);
    [[nodiscard]] BatteryState load(const std::string& id);
    [[nodiscard]] BatteryState newer_of(const std::string& id, BatteryState ours, BatteryState theirs) const;
    [[nodiscard]] std::string path_of(const std::string& id) const;
    void write(const std::string& id);

    std::string folder_;  ///< empty: nothing is written
    Report report_;
    std::map<std::string, BatteryState> states_;
    std::set<std::string> untouched_;  ///< batteries whose file could not be read: it is not replaced
    ReplaceFile replace_;
};

/// `id` as a file name: what is no ASCII letter, digit, '-' or '_' becomes %XX.
[[nodiscard]] std::string file_name(const std::string& id);

}  // namespace bmsd::app
