// One connection to a D-Bus daemon, driven by the event loop. sd-bus behind RAII; its man pages apply.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <systemd/sd-bus.h>
#include <tl/expected.hpp>

#include "loop/loop.hpp"

namespace bmsd::venus {

struct MessageDeleter {
    void operator()(sd_bus_message* message) const noexcept { sd_bus_message_unref(message); }
};
struct SlotDeleter {
    void operator()(sd_bus_slot* slot) const noexcept { sd_bus_slot_unref(slot); }
};
using Message = std::unique_ptr<sd_bus_message, MessageDeleter>;
using Slot = std::unique_ptr<sd_bus_slot, SlotDeleter>;

/// Those who only listen or call try again after this when the bus is gone.
inline constexpr std::chrono::seconds between_attempts{5};

/// Why a call was not answered.
enum class Refusal : std::uint8_t {
    absent,   ///< nobody has the name; whoever takes it is announced
    unknown,  ///< there is no such object
    other,    ///< asking again may help
};
[[nodiscard]] Refusal refusal_of(const sd_bus_error& error);

/// Text of a negative errno as sd-bus returns it.
[[nodiscard]] std::string error_text(int result);
/// What an error says for people; its name if it says nothing.
[[nodiscard]] std::string error_text(const sd_bus_error& error);

/// Where Victron's programs look: DBUS_SESSION_BUS_ADDRESS if it is set, else the system bus.
[[nodiscard]] std::string default_address();

/// A connection. It never blocks, wakes only for traffic, and may be closed inside any of its callbacks.
class Bus {
public:
    /// Receives the answer, which may be an error (sd_bus_message_is_method_error). Must not throw.
    using Answer = std::function<void(sd_bus_message* answer)>;
    /// The connection broke; it is closed when this is called.
    using Lost = std::function<void(const std::string& why)>;

    Bus(Executor executor, Lost on_lost);
    ~Bus();
    Bus(const Bus&) = delete;
    Bus& operator=(const Bus&) = delete;

    /// Begins to connect; messages may be sent at once and wait until the daemon has accepted us.
    /// `address` empty: default_address(). The error says what to do.
    [[nodiscard]] tl::expected<void, std::string> open(const std::string& address);
    /// What the kernel does not take at once is dropped; the daemon itself releases our names.
    void close() noexcept;
    [[nodiscard]] bool is_open() const noexcept { return bus_ != nullptr; }

    /// For building messages and exporting objects; messages leave through send() and call() only.
    [[nodiscard]] sd_bus* raw() const noexcept { return bus_.get(); }
    /// Messages still wait for the daemon to read: better say nothing new now.
    [[nodiscard]] bool congested() const noexcept;
    /// Sends, or queues if the socket is full. Negative errno on failure.
    int send(const Message& message);
    /// Sends a whole message that somebody wrote himself, at once or not at all (-EAGAIN: say it later). Negative errno
    /// on failure.
    int send(std::span<const char> message);

    /// Calls a method; `answer` comes later or, if the connection ends before, never.
    int call(const Message& message, Answer answer);
    /// Hands every message that matches `rule` (see sd_bus_add_match) to `heard`, until the connection ends.
    int listen(const std::string& rule, Answer heard);
    /// Asks the daemon for `name` without queueing. `done` gets the daemon's code (1 = ours, 3 = taken)
    /// or a negative errno.
    int request_name(const std::string& name, std::function<void(int code)> done);
    int release_name(const std::string& name);
    /// Finds out who owns `name`: "process 123 (python3)", or "another program".
    int find_owner(const std::string& name, std::function<void(const std::string& who)> found);

private:
    struct BusDeleter {
        void operator()(sd_bus* bus) const noexcept { sd_bus_unref(bus); }
    };

    [[nodiscard]] Message daemon_call(const char* method, const std::string& name) const;
    void process();
    /// Waits for whatever sd-bus wants now; after everything that may have changed that.
    void woken();
    [[nodiscard]] int broken(int result);
    void wait(Descriptor::wait_type what, bool Bus::*waiting);
    void wait_for_deadline();

    Executor executor_;
    Lost on_lost_;
    std::string address_;
    std::unique_ptr<sd_bus, BusDeleter> bus_;
    Descriptor stream_;  ///< watches the descriptor of bus_, does not own it
    Timer timer_;
    std::shared_ptr<char> session_;  ///< handlers of an earlier session or a destroyed object find it expired
    bool reading_ = false, writing_ = false;
    std::uint64_t deadline_ = UINT64_MAX;  ///< what timer_ is set to, microseconds; UINT64_MAX: not set
};

}  // namespace bmsd::venus
