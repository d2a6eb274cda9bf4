// A D-Bus daemon of our own for one test, with a policy that allows everything.
#pragma once

#include <filesystem>
#include <string>

#include <sys/types.h>

namespace bmsd::test {

/// Runs dbus-daemon on a socket in a temporary folder; both are gone at the end.
class PrivateBus {
public:
    /// Starts the daemon; throws std::runtime_error if that is not possible.
    PrivateBus();
    ~PrivateBus();
    PrivateBus(const PrivateBus&) = delete;
    PrivateBus& operator=(const PrivateBus&) = delete;

    /// Starts the daemon again after stop() or die(), at the same address. Returns when it accepts clients.
    void start();
    /// Ends it in good order.
    void stop();
    /// Kills it: what a crash of the bus looks like.
    void die();
    /// Suspends it: it accepts nothing any more but does not hang up either.
    void freeze();
    /// Lets it go on after freeze().
    void thaw();
    /// For sd_bus_set_address() and DBUS_SESSION_BUS_ADDRESS; the same for the life of this object.
    [[nodiscard]] const std::string& address() const noexcept { return address_; }

private:
    void end(int signal);

    std::filesystem::path folder_;
    std::string address_;
    pid_t pid_ = -1;
};

}  // namespace bmsd::test
