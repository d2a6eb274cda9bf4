// A D-Bus client as Venus OS has many: calls, listens, and lets the event loop of the test run meanwhile.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <systemd/sd-bus.h>

namespace bmsd::test {

namespace json = boost::json;

inline constexpr const char* bus_item = "com.victronenergy.BusItem";

/// A value as the answers of a client show it.
inline json::value variant(const char* type, const json::value& value) {
    return {{"type", type}, {"value", value}};
}

class Client {
public:
    /// Connects; `io` runs whatever is tested.
    Client(boost::asio::io_context& io, const std::string& address);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    using Arguments = std::function<void(sd_bus_message*)>;
    /// The content of the answer as JSON: a variant is {"type": signature, "value": content}, an empty `ai`
    /// in it has the value null. An error is {"error": name}.
    json::value call(const std::string& service, const std::string& path, const char* interface, const char* method,
                     const Arguments& arguments = {});
    /// A call of com.victronenergy.BusItem.
    json::value item(const std::string& service, const std::string& path, const char* method,
                     const Arguments& arguments = {});
    /// Writes a variant; the answer of SetValue or an error.
    template <class T>
    json::value set(const std::string& service, const std::string& path, const char* type, T value) {
        return item(service, path, "SetValue", [=](sd_bus_message* m) { sd_bus_message_append(m, "v", type, value); });
    }

    /// The unique name behind `name`; empty if nobody owns it.
    std::string owner(const std::string& name);
    /// Lets everything run until the condition holds; false if it does not for 20 s.
    bool wait(const std::function<bool()>& condition);
    /// Lets everything run until all that was sent so far has surely arrived here.
    void settle(const std::string& service);

    /// Content of every ItemsChanged seen so far.
    std::vector<json::object> changes;
    /// Called for every NameOwnerChanged with the name and the new owner.
    std::function<void(const std::string& name, const std::string& owner)> on_owner;

private:
    struct Closer {
        void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
    };
    void turn();

    boost::asio::io_context& io_;
    std::unique_ptr<sd_bus, Closer> bus_;
};

}  // namespace bmsd::test
