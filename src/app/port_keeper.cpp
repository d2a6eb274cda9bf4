#include "app/port_keeper.hpp"

#include <algorithm>

#include "app/config_ports.hpp"
#include "app/replay.hpp"
#include "link/can.hpp"
#include "link/factory.hpp"

namespace bmsd::app {

void PortKeeper::follow(const std::vector<engine::PortSettings>& wanted) {
    const auto before = std::move(wanted_);
    wanted_.clear();
    for (const engine::PortSettings& settings : wanted) wanted_[settings.name] = settings;
    for (const auto& [name, settings] : before)
        if (const auto now = wanted_.find(name); now == wanted_.end() || !(now->second == settings)) close(name);
    // In the order of the user: device instances follow it.
    for (const engine::PortSettings& settings : wanted)
        if (!before.contains(settings.name) && !closing_.contains(settings.name)) open(settings);
}

void PortKeeper::open(const engine::PortSettings& settings) {
    if (is_can_port(settings.name)) return engine_.add_port(settings, std::make_unique<link::CanSocket>(settings.name));
    auto link = is_replay(settings.name) ? make_replay_link(executor_, settings.name)
                                         : link::make_link(executor_, settings.name);
    if (!link) return report_(Severity::error, link.error().detail);
    engine_.add_port(settings, std::move(*link));
}

void PortKeeper::close(const std::string& name) {
    if (!closing_.insert(name).second) return;
    report_(Severity::info, name + (wanted_.contains(name) ? ": the configuration has changed; opening it again"
                                                           : ": no longer in the configuration; closing it"));
    // By value: the name may be that of a port which is gone by then.
    engine_.remove_port(name, [this, name] {
        closing_.erase(name);
        if (const auto still = wanted_.find(name); still != wanted_.end()) open(still->second);
    });
}

}  // namespace bmsd::app
