// A settings service as Venus OS has one, as far as batteries use it (dossier "D-Bus", 1.6): on a private bus, with
// its own thread.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include <systemd/sd-bus.h>

namespace bmsd::test {

class SettingsService {
public:
    using Value = std::variant<std::int32_t, double, std::string>;

    /// Connects and takes the name; another name makes it any other device with values.
    /// `values` are stored before anybody can ask.
    explicit SettingsService(const std::string& address, const std::string& name = "com.victronenergy.settings",
                             std::map<std::string, Value> values = {});
    /// Leaves the bus; what is stored is lost.
    ~SettingsService();
    SettingsService(const SettingsService&) = delete;
    SettingsService& operator=(const SettingsService&) = delete;

    /// Stores a value without telling anybody, as if it had been there all along. `path` begins with "/Settings/".
    void store(const std::string& path, Value value);
    /// What is stored as text; "absent" if nothing is.
    [[nodiscard]] std::string text(const std::string& path) const;
    /// Changes a value as the GUI does: with a signal.
    void change(const std::string& path, Value value);
    /// Answers the next call of this method of an object with an error, as if it had no time.
    void refuse(const std::string& path, const std::string& method);
    /// Answers calls of this method of an object only after release(), as if it were busy elsewhere.
    void hold(const std::string& path, const std::string& method);
    void release();
    /// SetValue of this path answers -1 and stores nothing, until `path` is empty.
    void refuse_writes(const std::string& path);
    /// SetValue calls so far.
    [[nodiscard]] int writes() const noexcept { return writes_; }

private:
    static int receive(sd_bus_message* call, void* self, sd_bus_error*);
    int dispatch(sd_bus_message* call);
    void answer_held();
    int add_settings(sd_bus_message* call);
    int get(sd_bus_message* call, const std::string& path);
    int set(sd_bus_message* call, const std::string& path);
    [[nodiscard]] Value unique(const std::string& path, const Value& wanted) const;
    void signal(const std::string& path, const Value& value);

    mutable std::mutex mutex_;
    std::map<std::string, Value> values_;         ///< guarded by mutex_
    std::map<std::string, Value> to_be_changed_;  ///< guarded by mutex_
    std::string to_be_refused_;                   ///< guarded by mutex_
    std::string to_be_held_;                      ///< guarded by mutex_
    std::string read_only_;                       ///< guarded by mutex_
    std::vector<sd_bus_message*> held_;           ///< by its thread only
    std::atomic<int> writes_ = 0;
    std::atomic<bool> ends_ = false;
    sd_bus* bus_ = nullptr;
    std::thread thread_;
};

}  // namespace bmsd::test
