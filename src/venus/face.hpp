// The face for Venus OS: every battery as a com.victronenergy.battery service.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "model/battery.hpp"
#include "venus/battery_service.hpp"

namespace bmsd::venus {

/// Shows batteries on D-Bus. Never blocks; a bus that is not there is tried again.
class Face : public Sink {
public:
    Face(Executor executor, FaceSettings settings);

    void appeared(const Battery& battery) override;
    void updated(const Battery& battery) override;
    void removed(const Battery& battery) override;

    /// Shows these from now on; the engine follows them by itself.
    void set_config(const control::Parameters& parameters, std::vector<ConfigValue> shown);

    /// The services, in order of appearance.
    [[nodiscard]] const std::vector<std::unique_ptr<BatteryService>>& services() const noexcept { return services_; }

private:
    /// As Venus knew it before, else the next free one.
    [[nodiscard]] std::int32_t instance_for(const Identity& identity);
    /// Has the settings service decide on the instance.
    void enter(const Battery& battery);
    /// Shows the battery if it is not, with what is stored of it.
    void entered(const Battery& battery, const std::string& serial, const SettingValues& stored);
    /// Writes LastSeen; returns it.
    std::int32_t note_seen(const Battery& battery);
    void note_seen_later();
    void show(const Battery& battery, std::int32_t instance);
    void follow(BatteryService& service, const SettingValues& stored);
    [[nodiscard]] BatteryService* service_of(const Battery& battery);
    void enter_all();
    void setting_changed(const std::string& serial, const std::string& name);

    Executor executor_;
    FaceSettings settings_;
    std::map<std::string, std::int32_t> instances_;  ///< by battery id
    std::vector<std::unique_ptr<BatteryService>> services_;
    std::vector<const Battery*> entering_;  ///< shown as soon as the settings service has answered, or was waited for
    Timer daily_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();  ///< a timer that already fired finds it expired
};

}  // namespace bmsd::venus
