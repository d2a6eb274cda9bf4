// Simulated batteries, a private bus and the daemon between them.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include <boost/json.hpp>
#include <systemd/sd-bus.h>

#include "process.hpp"
#include "support/private_bus.hpp"

namespace bmsd::test {

class Rig {
public:
    /// Starts a simulator; returns the name of the port it listens on (a symbolic link, or tcp://...).
    std::string simulate(const std::string& name, std::vector<std::string> arguments);
    [[nodiscard]] Process& simulator(const std::string& port) { return *simulators_.at(port); }

    /// Starts the daemon with these lines below [DEFAULT].
    void run(const std::string& config, std::vector<std::string> ports);
    [[nodiscard]] Process& daemon() { return *daemon_; }
    [[nodiscard]] bool logged(const std::string& text) const;

    /// A number or text from D-Bus; absent if the service or path is not there or the value is invalid.
    [[nodiscard]] std::optional<double> number(const std::string& service, const std::string& path);
    [[nodiscard]] std::optional<std::string> text(const std::string& service, const std::string& path);
    [[nodiscard]] bool present(const std::string& service);
    /// Answer of GetItems: path -> {"value": number, text or null, "text": text}.
    [[nodiscard]] boost::json::object items(const std::string& service);
    /// What SetValue answers: 0 accepted; absent if there is no such path.
    std::optional<int> set(const std::string& service, const std::string& path, const std::string& text);
    std::optional<int> set(const std::string& service, const std::string& path, int number);

    /// The counters of `bmsd run --stats`, as they are now.
    [[nodiscard]] boost::json::object stats();

    std::vector<std::string> environment;  ///< what run() adds to the daemon's: "NAME=value"
    PrivateBus bus;
    Folder folder;

private:
    struct Closer {
        void operator()(sd_bus* connection) const { sd_bus_flush_close_unref(connection); }
    };
    sd_bus* connection();
    template <class Content>
    std::optional<int> write(const std::string& service, const std::string& path, const char* type, Content content);

    std::map<std::string, std::unique_ptr<Process>> simulators_;
    std::unique_ptr<Process> daemon_;
    std::unique_ptr<sd_bus, Closer> connection_;
};

/// Name of the service of a port given as a path.
[[nodiscard]] std::string service_of(const std::string& port, const std::string& address = "");

}  // namespace bmsd::test
