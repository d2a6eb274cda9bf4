#include "app/published_config.hpp"

#include <utility>

#include "app/config_keys.hpp"

namespace bmsd::app {
namespace {

using venus::List;
using venus::Value;

constexpr std::string_view fraction = "_FRACTION";

/// A slot as a value for the bus.
struct ToValue {
    Value operator()(const bool* on) const { return *on; }
    Value operator()(const int* number) const { return std::int32_t{*number}; }
    Value operator()(const double* number) const { return *number; }
    Value operator()(const std::string* text) const { return *text; }
    Value operator()(const Sign& sign) const { return std::int32_t{*sign.inverted ? -1 : 1}; }
    Value operator()(LogLevel* level) const { return value_text(level); }
    template <class Number>
    Value operator()(const std::optional<Number>* number) const {
        return *number ? (*this)(&**number) : Value{};
    }
    template <class Rep, class Period>
    Value operator()(const std::chrono::duration<Rep, Period>* time) const {
        return static_cast<std::int32_t>(time->count());
    }
    template <class Item>
    Value operator()(const std::vector<Item>* items) const {
        List list;
        for (const Item& item : *items) list.emplace_back(item);
        return list;
    }
    Value operator()(const std::vector<const bms::Family*>* families) const {
        List list;
        for (const bms::Family* family : *families)  // dialects of one type stand together
            if (List::value_type type = std::string(family->type); list.empty() || list.back() != type)
                list.push_back(std::move(type));
        return list;
    }
    Value operator()(const std::vector<engine::Address>* addresses) const {
        List list;
        for (const engine::Address& address : *addresses) list.emplace_back(address.text);
        return list;
    }
};

/// Parts of the largest current as currents.
void multiply(Value& value, double largest) {
    if (auto* list = std::get_if<List>(&value))
        for (auto& item : *list)
            if (auto* part = std::get_if<double>(&item)) *part *= largest;
}

}  // namespace

std::vector<venus::ConfigValue> published_config(Config config, bool errors_in_config) {
    std::vector<venus::ConfigValue> shown = {{"DRIVER_VERSION", std::string(BMSD_VERSION)},
                                             {"errors_in_config", errors_in_config}};
    for (const Group& group : key_groups())
        for (const Key& key : group.keys) {
            if (key.secret) continue;
            Value value = std::visit(ToValue{}, slot_of(key, config));
            if (value == Value{}) continue;
            std::string name{key.name};
            if (name.ends_with(fraction)) {
                name.resize(name.size() - fraction.size());
                multiply(value, name.find("DISCHARGE") == std::string::npos ? config.control.charge.max_a
                                                                            : config.control.discharge.max_a);
            }
            if (auto* seconds = std::get_if<double>(&value); seconds && name == "POLL_INTERVAL") *seconds *= 1000;
            shown.push_back({std::move(name), std::move(value)});
        }
    return shown;
}

}  // namespace bmsd::app
