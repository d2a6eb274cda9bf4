// The settings service of Venus OS: where the Python driver keeps what must survive, and where device instances are
// given out (dossier "D-Bus", 1.6 and 3).
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "model/report.hpp"
#include "venus/bus.hpp"
#include "venus/value.hpp"

namespace bmsd::venus {

/// Settings of one battery by their names, e.g. "CustomName"; those of the Python driver (dossier "D-Bus", 3.3).
using SettingValues = std::map<std::string, Value, std::less<>>;

/// Speaks with com.victronenergy.settings. Never blocks; a service that comes, goes or comes back is followed.
class Settings {
public:
    /// `address`: see Bus::open.
    Settings(Executor executor, std::string address, Report report);
    Settings(const Settings&) = delete;
    Settings& operator=(const Settings&) = delete;

    /// Reads what is stored. `ready` is called once: when that is done, or after `patience`; if the service is not
    /// `expected` to come, already when the bus says that it is not there.
    void load(std::chrono::milliseconds patience, bool expected, std::function<void()> ready);
    /// The service is there and was read.
    [[nodiscard]] bool available() const noexcept { return available_; }

    /// The Python driver called the battery `former`: what is stored under that name is its own, unless another battery
    /// was here first. Empty: it had no other name.
    void known_as(const std::string& serial, const std::string& former);

    /// What is stored for a battery, of several groups the one seen last; empty if nothing is. `serial`: what /Serial
    /// shows.
    [[nodiscard]] const SettingValues& find(const std::string& serial) const;

    /// Makes sure that the settings of a battery exist, with `defaults` for those that do not. `added` gets what is
    /// stored then; the device instance in it is unique. If there is no answer for as long as load() was to wait,
    /// `added` gets what was stored before, and is called again when the answer comes.
    void add(const std::string& serial, SettingValues defaults, std::function<void(const SettingValues&)> added);
    /// Writes those values that differ from what is stored; nothing while the service is away or before add().
    void write(const std::string& serial, const SettingValues& values);

    /// The same for one text that must not be lost: it is tried again, with add() and write(), until the service holds
    /// it; then `written` is called, maybe at once. Until then it counts as what is stored.
    void keep(const std::string& serial, const std::string& name, const std::string& text,
              std::function<void()> written);

    /// Somebody else changed a setting of a battery.
    std::function<void(const std::string& serial, const std::string& name)> on_changed;
    /// The service came after load() had given up, or came back: what was added is to be added again.
    std::function<void()> on_return;

private:
    using Groups = std::map<std::string, SettingValues, std::less<>>;
    /// See keep().
    struct Unwritten {
        std::string serial, name;
        Value value;
        std::function<void()> written;
        bool sent = false;  ///< not answered yet
    };

    void connect();
    void retry_later(void (Settings::*step)());
    void ask();
    void loaded(sd_bus_message* answer);
    void refused(const sd_bus_error& error, const char* what);
    void owner_changed(sd_bus_message* signal);
    void changed(sd_bus_message* signal);
    void give_up();
    void become_ready();
    [[nodiscard]] Groups::const_iterator group_of(const std::string& serial) const;
    [[nodiscard]] Groups::const_iterator newest_group(const std::string& identifier) const;
    [[nodiscard]] Message call_to(const std::string& path, const char* interface, const char* method) const;
    /// `done` is called with true if the service holds the value now.
    void write_one(const std::string& group, const std::string& name, const Value& value,
                   std::function<void(bool)> done);
    [[nodiscard]] std::vector<Unwritten>::iterator unwritten(const std::string& serial, const std::string& name);
    void write_kept(const std::string& serial);
    std::shared_ptr<Timer> wait_for_added(const std::string& serial, std::function<void(const SettingValues&)> added);
    void kept(const std::string& serial, const std::string& name, const Value& value, bool stored);
    /// What is kept over it.
    [[nodiscard]] SettingValues with_kept(const std::string& serial, SettingValues stored) const;

    std::string address_;
    Report report_;
    Bus bus_;
    Executor executor_;
    Timer retry_, patience_;
    std::chrono::milliseconds wait_{};  ///< for one answer, at most
    bool expected_ = false;
    std::function<void()> ready_;
    Groups groups_;                               ///< below /Settings/Devices, ours or the Python driver's
    std::map<std::string, std::string> formers_;  ///< by serial, see known_as()
    std::vector<Unwritten> unwritten_;
    bool available_ = false;
    std::string silence_;  ///< why it was not read yet
    std::string told_;     ///< what it refused, as it was reported
    bool told_slow_ = false;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

/// The number of "battery:3"; absent if it is no such text.
[[nodiscard]] std::optional<std::int32_t> instance_of(const Value& class_and_instance);

}  // namespace bmsd::venus
