#include "app/battery_states.hpp"

#include <cstdio>
#include <filesystem>
#include <utility>

#include "app/file_content.hpp"

namespace bmsd::app {
namespace {

namespace fs = std::filesystem;

/// Most file systems end names here.
constexpr std::size_t longest_file_name = 200;
/// A state is a page of text; anything bigger is not one.
constexpr std::size_t largest_state = 64 * 1024;

}  // namespace

std::string file_name(const std::string& id) {
    std::string out;
    for (const char c : id) {
        const bool plain =
            (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
        char escaped[4];
        if (!plain) std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
        out += plain ? std::string(1, c) : escaped;
    }
    return out.substr(0, longest_file_name);
}

BatteryStates::BatteryStates(const std::string& state_dir, ReplaceFile replace, Report report)
    : report_(std::move(report)), replace_(std::move(replace)) {
    if (!state_dir.empty()) folder_ = state_dir + "/batteries";
}

std::string BatteryStates::path_of(const std::string& id) const {
    return folder_ + "/" + file_name(id) + ".json";
}

BatteryState BatteryStates::load(const std::string& id) {
    BatteryState theirs = elsewhere ? elsewhere(id) : BatteryState{};
    if (folder_.empty()) return theirs;
    const std::string path = path_of(id);
    const std::string begins =
        "battery " + id + " begins " + (theirs.control ? "with what Venus OS' settings hold of it" : "like a new one");
    const auto text = file_content(path, largest_state);
    if (!text) {
        // It may be whole, and readable at the next start.
        untouched_.insert(id);
        report_(Severity::warning, path + ": it cannot be read (" + text.error().detail + "); it is left as it is, " +
                                       begins + ", and what is new of it is lost when bmsd ends");
        return theirs;
    }
    if (!*text) return theirs;
    auto state = battery_state(**text, id);
    if (state) return newer_of(id, *std::move(state), std::move(theirs));
    std::error_code ignored;
    fs::rename(path, path + ".bad", ignored);
    report_(Severity::warning,
            path + ": " + state.error().detail + "; it is set aside as " + path + ".bad, and " + begins);
    return theirs;
}

/// Somebody who went back to the other driver for a while keeps what that one has counted.
BatteryState BatteryStates::newer_of(const std::string& id, BatteryState ours, BatteryState theirs) const {
    if (!theirs.control || !ours.last_seen || !theirs.last_seen || *theirs.last_seen <= *ours.last_seen) return ours;
    report_(Severity::info, "battery " + id +
                                ": another driver has seen it since; its charge mode, state of charge and history are "
                                "taken from Venus OS' settings");
    if (ours.control) {
        // What the other driver does not keep there.
        theirs.control->inputs = ours.control->inputs;
        if (!theirs.control->soc_percent) theirs.control->soc_percent = ours.control->soc_percent;
        if (theirs.control->history.values == History{}) theirs.control->history = ours.control->history;
    }
    if (ours.name_unwritten) {  // the other driver never saw it
        theirs.name = ours.name;
        theirs.name_unwritten = true;
    }
    if (!theirs.device_instance) theirs.device_instance = ours.device_instance;
    theirs.place = ours.place;
    return theirs;
}

BatteryState& BatteryStates::state(const std::string& id) {
    const auto known = states_.find(id);
    return known != states_.end() ? known->second : states_.emplace(id, load(id)).first->second;
}

void BatteryStates::write(const std::string& id) {
    if (!folder_.empty() && !untouched_.contains(id)) replace_(path_of(id), to_json(state(id), id));
}

std::optional<control::Persistent> BatteryStates::recall(const std::string& id) {
    return state(id).control;
}

void BatteryStates::keep(const std::string& id, const control::Persistent& control) {
    if (state(id).control == control) return;
    state(id).control = control;
    write(id);
    if (on_kept) on_kept(id, control);
}

void BatteryStates::keep_place(const std::string& id, const std::string& place) {
    if (state(id).place == place) return;
    state(id).place = place;
    write(id);
}

void BatteryStates::set_name(const std::string& id, const std::string& name) {
    BatteryState& kept = state(id);
    if (kept.name == name) return;
    kept.name = name;
    kept.name_unwritten = true;
    write(id);
}

void BatteryStates::name_written(const std::string& id, const std::string& name) {
    BatteryState& kept = state(id);
    if (kept.name == name && std::exchange(kept.name_unwritten, false)) write(id);
}

void BatteryStates::set_last_seen(const std::string& id, std::int64_t unix_s) {
    if (state(id).last_seen == unix_s) return;
    state(id).last_seen = unix_s;
    write(id);
}

void BatteryStates::set_device_instance(const std::string& id, std::int32_t instance) {
    if (state(id).device_instance == instance) return;
    state(id).device_instance = instance;
    write(id);
}

}  // namespace bmsd::app
