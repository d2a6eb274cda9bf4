#include "app/detections.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <boost/json.hpp>

#include "app/atomic_file.hpp"
#include "bms/catalog.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

/// The family with exactly this key; null if this version has none.
const bms::Family* family_with_key(std::string_view key) {
    for (const bms::Family* family : bms::catalog())
        if (family->key == key) return family;
    return nullptr;
}

/// What an entry means; absent if it is damaged or of a family that is no longer there.
std::optional<engine::Candidate> candidate(const json::value& entry) {
    const json::object* object = entry.if_object();
    const json::value* key = object ? object->if_contains("family") : nullptr;
    const json::value* rate = object ? object->if_contains("baud") : nullptr;
    if (!key || !key->is_string() || !rate || !rate->is_number()) return std::nullopt;
    boost::system::error_code error;
    const auto baud = rate->to_number<std::uint32_t>(error);
    const bms::Family* family = family_with_key(key->get_string());
    if (error || !family) return std::nullopt;
    return engine::Candidate{family, baud};
}

}  // namespace

Detections::Detections(const std::string& state_dir, Report report) : report_(std::move(report)) {
    if (state_dir.empty()) return;
    path_ = state_dir + "/detected.json";
    load();
}

void Detections::load() {
    std::ifstream file(path_, std::ios::binary);
    if (!file) return;  // the first start
    std::stringstream text;
    text << file.rdbuf();
    boost::system::error_code error;
    const json::value root = json::parse(text.str(), error);
    if (error || !root.is_object()) {
        std::error_code ignored;
        std::filesystem::rename(path_, path_ + ".bad", ignored);
        report_(Severity::warning, path_ + ": this is not what was written there; it is set aside as " + path_ +
                                       ".bad, and ports without BMS_TYPE are searched afresh");
        return;
    }
    for (const auto& [port, entry] : root.get_object())
        if (const auto known = candidate(entry)) found_[std::string(port)] = *known;
}

std::optional<engine::Candidate> Detections::recall(const std::string& port) {
    const auto known = found_.find(port);
    if (known == found_.end()) return std::nullopt;
    return known->second;
}

void Detections::remember(const std::string& port, const engine::Candidate& found) {
    const auto [entry, added] = found_.try_emplace(port, found);
    if (!added && entry->second == found) return;
    entry->second = found;
    save();
}

void Detections::save() const {
    if (path_.empty()) return;
    json::object root;
    for (const auto& [port, known] : found_)
        root[port] = json::object{{"family", known.family->key}, {"baud", known.rate}};
    if (const auto written = write_atomically(path_, json::serialize(root) + "\n"); !written)
        report_(Severity::warning, written.error().detail);
}

}  // namespace bmsd::app
