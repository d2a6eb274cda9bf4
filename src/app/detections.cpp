#include "app/detections.hpp"

#include <filesystem>

#include <boost/json.hpp>

#include "app/file_content.hpp"
#include "bms/catalog.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

/// Room for a few hundred ports.
constexpr std::size_t largest_file = 1 << 20;

/// The family with exactly this key; null if this version has none.
const bms::Family* family_with_key(std::string_view key) {
    for (const bms::Family* family : bms::catalog())
        if (family->key == key) return family;
    return nullptr;
}

/// A number below this name; absent if there is none, or none that fits.
std::optional<std::uint32_t> number(const json::object& entry, std::string_view name) {
    const json::value* value = entry.if_contains(name);
    if (!value || !value->is_number()) return std::nullopt;
    boost::system::error_code error;
    const auto number = value->to_number<std::uint32_t>(error);
    return error ? std::nullopt : std::optional(number);
}

/// What an entry means; absent if it is damaged or of a family that is no longer there.
std::optional<engine::Found> read_entry(const json::value& entry) {
    const json::object* object = entry.if_object();
    const json::value* key = object ? object->if_contains("family") : nullptr;
    const bms::Family* family = key && key->is_string() ? family_with_key(key->get_string()) : nullptr;
    const auto baud = object ? number(*object, "baud") : std::nullopt;
    if (!family || !baud) return std::nullopt;
    const bool old_form = !object->contains("address");
    const auto address = old_form ? family->addresses.standard : number(*object, "address");
    if (!address || !bms::check_address(*family, *address)) return std::nullopt;
    return engine::Found{{family, *baud}, *address};
}

}  // namespace

std::string to_json(const FoundByPort& found) {
    json::object root;
    for (const auto& [port, places] : found) {
        json::array entries;
        for (const engine::Found& one : places)
            entries.push_back(json::object{
                {"family", one.candidate.family->key}, {"baud", one.candidate.rate}, {"address", one.address}});
        root[port] = std::move(entries);
    }
    return json::serialize(root) + "\n";
}

std::optional<FoundByPort> detections(std::string_view text) {
    boost::system::error_code error;
    const json::value root = json::parse(text, error);
    if (error || !root.is_object()) return std::nullopt;
    FoundByPort all;
    for (const auto& [port, entries] : root.get_object()) {
        std::vector<engine::Found>& found = all[std::string(port)];
        const json::array one{entries};
        for (const json::value& entry : entries.is_array() ? entries.get_array() : one)
            if (const auto known = read_entry(entry)) found.push_back(*known);
    }
    return all;
}

Detections::Detections(const std::string& state_dir, ReplaceFile replace, Report report)
    : replace_(std::move(replace)), report_(std::move(report)) {
    if (state_dir.empty()) return;
    path_ = state_dir + "/detected.json";
    load();
}

void Detections::load() {
    const auto text = file_content(path_, largest_file);
    if (!text) {
        // It may be whole, and readable at the next start.
        report_(Severity::warning, path_ + ": it cannot be read (" + text.error().detail +
                                       "); it is left as it is, ports without BMS_TYPE are searched afresh, and what "
                                       "is found is forgotten when bmsd ends");
        path_.clear();
        return;
    }
    if (!*text) return;  // the first start
    if (auto found = detections(**text)) {
        found_ = std::move(*found);
    } else {
        std::error_code ignored;
        std::filesystem::rename(path_, path_ + ".bad", ignored);
        report_(Severity::warning, path_ + ": this is not what was written there; it is set aside as " + path_ +
                                       ".bad, and ports without BMS_TYPE are searched afresh");
    }
}

std::vector<engine::Found> Detections::recall(const std::string& port) {
    const auto known = found_.find(port);
    return known == found_.end() ? std::vector<engine::Found>{} : known->second;
}

void Detections::remember(const std::string& port, const std::vector<engine::Found>& found) {
    std::vector<engine::Found>& known = found_[port];
    if (known == found) return;
    known = found;
    save();
}

void Detections::save() const {
    if (!path_.empty()) replace_(path_, to_json(found_));
}

}  // namespace bmsd::app
