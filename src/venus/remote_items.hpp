// Values of other services on the bus, followed as they change.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "loop/loop.hpp"
#include "model/reading.hpp"
#include "model/report.hpp"
#include "venus/bus.hpp"
#include "venus/value.hpp"

namespace bmsd::venus {

/// One value to follow.
struct RemoteItem {
    std::string service;  ///< "com.victronenergy.battery.ttyO1"
    std::string path;     ///< "/Dc/0/Current"
};

/// Reads items once and then follows their signals. Never blocks; a service may come, go and come back.
class RemoteItems {
public:
    /// `address`: see Bus::open. `report`, if there is one, is told when a service does not tell its item, and when it
    /// does.
    RemoteItems(Executor executor, std::string address, std::vector<RemoteItem> items, Report report);
    RemoteItems(const RemoteItems&) = delete;
    RemoteItems& operator=(const RemoteItems&) = delete;

    /// What the item says now; absent while its service is not there, or if it is no number.
    [[nodiscard]] Number number(std::size_t item) const;

private:
    struct Followed {
        RemoteItem item;
        Value value = {};
        bool to_be_asked = false;  ///< again, as it could not answer
        bool told_silent = false;
    };

    void connect();
    void retry_later();
    void retry();
    void follow(std::size_t index);
    void ask(std::size_t index);
    void answered(std::size_t index, sd_bus_message* answer);
    void take(Followed& followed, const Value& value);
    void tell_silent(Followed& followed, const std::string& why);
    void owner_changed(std::size_t index, sd_bus_message* signal);
    void property_changed(std::size_t index, sd_bus_message* signal);
    void items_changed(std::size_t index, sd_bus_message* signal);

    std::string address_;
    std::vector<Followed> items_;
    Report report_;
    Bus bus_;
    Timer retry_;
    std::shared_ptr<char> alive_ = std::make_shared<char>();
};

}  // namespace bmsd::venus
