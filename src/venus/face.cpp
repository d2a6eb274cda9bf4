#include "venus/face.hpp"

#include <algorithm>
#include <ctime>

#include "model/words.hpp"
#include "venus/names.hpp"

namespace bmsd::venus {

Face::Face(Executor executor, FaceSettings settings)
    : executor_(executor), settings_(std::move(settings)), daily_(std::move(executor)) {
    if (!settings_.settings) return;
    note_seen_later();
    settings_.settings->on_return = [this] { enter_all(); };
    settings_.settings->on_changed = [this](const std::string& serial, const std::string& name) {
        setting_changed(serial, name);
    };
}

std::int32_t Face::instance_for(const Identity& identity) {
    if (const auto known = instances_.find(identity.id); known != instances_.end()) return known->second;
    const auto taken = [&](std::int32_t n) {
        return std::any_of(instances_.begin(), instances_.end(), [&](const auto& other) { return other.second == n; });
    };
    auto instance = settings_.instance ? settings_.instance(identity) : std::nullopt;
    if (!instance || taken(*instance)) {
        instance = 1;
        while (taken(*instance)) ++*instance;
    }
    instances_[identity.id] = *instance;
    if (settings_.keep_instance) settings_.keep_instance(identity, *instance);
    return *instance;
}

void Face::appeared(const Battery& battery) {
    removed(battery);
    if (!settings_.settings || !settings_.settings->available()) return show(battery, instance_for(battery.identity));
    entering_.push_back(&battery);
    enter(battery);
}

void Face::enter(const Battery& battery) {
    const std::string serial = serial_text(battery.identity);
    SettingValues defaults = settings_.stored ? settings_.stored(battery.identity) : SettingValues{};
    const SettingValues& known = settings_.settings->find(serial);
    const auto decided_before = known.find("ClassAndVrmInstance");
    defaults["ClassAndVrmInstance"] = decided_before != known.end()
                                          ? decided_before->second
                                          : Value{"battery:" + std::to_string(instance_for(battery.identity))};
    defaults["CustomName"] = settings_.custom_name ? settings_.custom_name(battery.identity) : std::string{};
    const std::int32_t now = note_seen(battery);
    defaults["LastSeen"] = now;
    defaults["UniqueIdentifier"] = serial;
    settings_.settings->add(serial, std::move(defaults), [this, &battery, serial, now](const SettingValues& stored) {
        settings_.settings->write(serial, {{"LastSeen", now}});
        entered(battery, serial, stored);
    });
}

/// It may be gone, another one in its place, or shown already: the answer came late, or the service went away and came
/// back.
void Face::entered(const Battery& battery, const std::string& serial, const SettingValues& stored) {
    if (std::erase(entering_, &battery) > 0) show(battery, instance_for(battery.identity));
    BatteryService* const shown = service_of(battery);
    if (shown && shown->serial() == serial) follow(*shown, stored);
}

/// Kept here first: if the power fails in between, what is in the settings must not look newer than what is here.
std::int32_t Face::note_seen(const Battery& battery) {
    const auto now = static_cast<std::int32_t>(std::clamp<std::int64_t>(std::time(nullptr), 0, INT32_MAX));
    if (settings_.keep_last_seen) settings_.keep_last_seen(battery.identity, now);
    settings_.settings->write(serial_text(battery.identity), {{"LastSeen", now}});
    return now;
}

void Face::note_seen_later() {
    daily_.expires_after(settings_.between_sightings);
    daily_.async_wait([this, alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (cancelled || alive.expired()) return;
        for (const auto& service : services_) note_seen(service->battery());
        note_seen_later();
    });
}

void Face::show(const Battery& battery, std::int32_t instance) {
    services_.push_back(std::make_unique<BatteryService>(executor_, settings_, battery, instance));
}

/// What the settings say holds: people change instance and name there.
void Face::follow(BatteryService& service, const SettingValues& stored) {
    const Identity& identity = service.battery().identity;
    if (const auto decided = stored.find("ClassAndVrmInstance"); decided != stored.end())
        if (const auto instance = instance_of(decided->second)) {
            instances_[identity.id] = *instance;
            if (settings_.keep_instance) settings_.keep_instance(identity, *instance);
            service.renumber(*instance);
        }
    if (const auto name = stored.find("CustomName"); name != stored.end())
        if (const auto* text = std::get_if<std::string>(&name->second)) {
            const std::string taken{cut_text(*text, longest_custom_name)};
            if (settings_.keep_custom_name) settings_.keep_custom_name(identity, taken);
            service.show_name(taken);
        }
}

void Face::enter_all() {
    for (const auto& service : services_) enter(service->battery());
    // Those that still waited for the answer of the service that went away.
    for (const Battery* battery : std::exchange(entering_, {})) appeared(*battery);
}

/// Only that one: of the others what we have may be newer, and on its way.
void Face::setting_changed(const std::string& serial, const std::string& name) {
    const SettingValues& stored = settings_.settings->find(serial);
    const auto changed = stored.find(name);
    if (changed == stored.end()) return;
    for (const auto& service : services_)
        if (same_word(service->serial(), serial)) follow(*service, SettingValues{*changed});
}

BatteryService* Face::service_of(const Battery& battery) {
    for (const auto& service : services_)
        if (&service->battery() == &battery) return service.get();
    return nullptr;
}

void Face::updated(const Battery& battery) {
    if (BatteryService* service = service_of(battery)) service->update();
}

void Face::set_config(const control::Parameters& parameters, std::vector<ConfigValue> shown) {
    settings_.parameters = parameters;
    settings_.config = std::move(shown);
    for (const auto& service : services_) {
        service->show_config();
        service->update();
    }
}

void Face::removed(const Battery& battery) {
    std::erase(entering_, &battery);
    std::erase_if(services_, [&](const auto& service) { return &service->battery() == &battery; });
}

}  // namespace bmsd::venus
