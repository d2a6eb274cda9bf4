#include "venus/json_data.hpp"

#include <boost/json.hpp>

namespace bmsd::venus {
namespace {

namespace json = boost::json;

json::value to_json(const Value& value) {
    if (const auto* on = std::get_if<bool>(&value)) return *on;
    if (const auto* list = std::get_if<List>(&value)) {
        json::array items;
        for (const auto& item : *list) std::visit([&](const auto& one) { items.emplace_back(one); }, item);
        return items;
    }
    if (const auto* integer = std::get_if<std::int32_t>(&value)) return *integer;
    if (const auto* real = std::get_if<double>(&value)) return *real;
    if (const auto* text = std::get_if<std::string>(&value); text && !text->empty()) return json::string(*text);
    return nullptr;
}

void put(json::object& root, std::string_view path, const Value& value) {
    json::object* at = &root;
    path.remove_prefix(1);
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/')) {
        json::value& inner = (*at)[path.substr(0, slash)];
        if (!inner.is_object()) inner.emplace_object();
        at = &inner.get_object();
        path.remove_prefix(slash + 1);
    }
    (*at)[path] = to_json(value);
}

}  // namespace

std::string json_data(std::span<const Item> items) {
    json::object root;
    for (const Item& item : items)
        if (item.path != "/JsonData" && !item.path.starts_with("/Settings/")) put(root, item.path, item.value);
    return json::serialize(root);
}

}  // namespace bmsd::venus
