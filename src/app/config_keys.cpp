#include "app/config_keys.hpp"

#include <array>

#include "model/words.hpp"

namespace bmsd::app {

std::span<const Group> key_groups() {
    static const std::array groups = {general_keys(), port_keys(),    limit_keys(),  silence_keys(),
                                      voltage_keys(), curve_keys(),   sensor_keys(), soc_keys(),
                                      time_keys(),    service_keys(), link_keys(),   special_keys()};
    return groups;
}

Found find_key(std::string_view name) {
    for (const Group& group : key_groups())
        for (const Key& key : group.keys) {
            if (same_word(key.name, name)) return {&key, nullptr};
            for (const OldName& old_name : key.old_names)
                if (!old_name.name.empty() && same_word(old_name.name, name)) return {&key, &old_name};
        }
    return {};
}

std::string_view nearest_key(std::string_view name, std::size_t limit) {
    NearestWord nearest(name, limit);
    for (const Group& group : key_groups())
        for (const Key& key : group.keys) nearest.consider(key.name);
    return nearest.best();
}

Slot slot_of(const Key& key, Config& config) {
    if (const auto* place = std::get_if<0>(&key.place)) return (*place)(config);
    return std::get<1>(key.place)(config.defaults);
}

}  // namespace bmsd::app
