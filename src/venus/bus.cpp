#include "venus/bus.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>

#include <sys/socket.h>

namespace bmsd::venus {
namespace {

constexpr const char* system_bus = "unix:path=/var/run/dbus/system_bus_socket";
constexpr const char* bus_daemon = "org.freedesktop.DBus";
constexpr std::uint32_t do_not_queue = 4;
/// Messages handled in a row before the loop may do something else.
constexpr int burst = 32;

int deliver(sd_bus_message* answer, void* callback, sd_bus_error*) {
    (*static_cast<Bus::Answer*>(callback))(answer);
    return 0;
}

void forget(void* callback) {
    delete static_cast<Bus::Answer*>(callback);
}

std::string describe_process(std::uint32_t pid) {
    std::string name;
    std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/comm"}, name);
    return "process " + std::to_string(pid) + (name.empty() ? "" : " (" + name + ")");
}

}  // namespace

Refusal refusal_of(const sd_bus_error& error) {
    const auto is = [&](const char* name) { return sd_bus_error_has_name(&error, name) != 0; };
    if (is(SD_BUS_ERROR_SERVICE_UNKNOWN) || is(SD_BUS_ERROR_NAME_HAS_NO_OWNER)) return Refusal::absent;
    return is(SD_BUS_ERROR_UNKNOWN_OBJECT) || is(SD_BUS_ERROR_UNKNOWN_METHOD) ? Refusal::unknown : Refusal::other;
}

std::string error_text(int result) {
    return std::strerror(std::abs(result));
}

std::string error_text(const sd_bus_error& error) {
    return error.message ? error.message : error.name;
}

std::string default_address() {
    for (const char* variable : {"DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"})
        if (const char* address = std::getenv(variable)) return address;
    return system_bus;
}

Bus::Bus(Executor executor, Lost on_lost)
    : executor_(std::move(executor)), on_lost_(std::move(on_lost)), stream_(executor_), timer_(executor_) {}

Bus::~Bus() {
    close();
}

tl::expected<void, std::string> Bus::open(const std::string& address) {
    close();
    address_ = address.empty() ? default_address() : address;
    sd_bus* bus = nullptr;
    int result = sd_bus_new(&bus);
    bus_.reset(bus);
    if (result >= 0) result = sd_bus_set_address(bus, address_.c_str());
    if (result >= 0) result = sd_bus_set_bus_client(bus, 1);
    if (result >= 0) result = sd_bus_start(bus);
    if (result >= 0) result = sd_bus_get_fd(bus);
    boost::system::error_code error;
    if (result >= 0) stream_.assign(result, error);
    if (error) result = -error.value();
    if (result < 0) {
        bus_.reset();
        return tl::unexpected("cannot connect to D-Bus at " + address_ + ": " + error_text(result) +
                              "; is dbus-daemon running there? (--bus ADDRESS names another one, --bus none does "
                              "without)");
    }
    session_ = std::make_shared<char>();
    woken();
    return {};
}

void Bus::close() noexcept {
    session_.reset();
    reading_ = writing_ = false;
    deadline_ = UINT64_MAX;
    timer_.cancel();
    if (stream_.is_open()) static_cast<void>(stream_.release());
    if (bus_) sd_bus_close(bus_.get());
    bus_.reset();
}

bool Bus::congested() const noexcept {
    std::uint64_t queued = 0;
    return bus_ && sd_bus_get_n_queued_write(bus_.get(), &queued) >= 0 && queued > 0;
}

int Bus::send(const Message& message) {
    if (!bus_) return -ENOTCONN;
    const int result = sd_bus_send(bus_.get(), message.get(), nullptr);
    woken();
    return result;
}

int Bus::send(std::span<const char> message) {
    if (!bus_) return -ENOTCONN;
    // What sd-bus still has to write may be half a message.
    if (congested()) return -EAGAIN;
    const ssize_t sent = ::send(stream_.native_handle(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno != EPIPE && errno != ECONNRESET) return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    if (sent >= 0 && static_cast<std::size_t>(sent) == message.size()) return 0;
    // A local socket takes all or nothing of what is smaller than half its buffer. After a part of a message, as with
    // nobody at the other end, nothing else can be said on this connection: it ends, as if the daemon had ended it.
    ::shutdown(stream_.native_handle(), SHUT_RDWR);
    return -EPIPE;
}

/// sd-bus ends a connection that breaks while it writes, but says so only when it is asked.
int Bus::broken(int result) {
    woken();
    return result;
}

int Bus::call(const Message& message, Answer answer) {
    if (!bus_) return -ENOTCONN;
    // A breaking connection answers everything with an error; on_lost_ says that better.
    auto callback = std::make_unique<Answer>([bus = bus_.get(), answer = std::move(answer)](sd_bus_message* reply) {
        if (sd_bus_is_open(bus) > 0) answer(reply);
    });
    sd_bus_slot* slot = nullptr;
    const int result = sd_bus_call_async(bus_.get(), &slot, message.get(), deliver, callback.get(), 0);
    if (result < 0) return broken(result);
    sd_bus_slot_set_destroy_callback(slot, forget);
    callback.release();
    sd_bus_slot_set_floating(slot, 1);  // from here on the connection owns it
    sd_bus_slot_unref(slot);
    woken();
    return result;
}

int Bus::listen(const std::string& rule, Answer heard) {
    if (!bus_) return -ENOTCONN;
    auto callback = std::make_unique<Answer>(std::move(heard));
    sd_bus_slot* slot = nullptr;
    const int result = sd_bus_add_match_async(bus_.get(), &slot, rule.c_str(), deliver, nullptr, callback.get());
    if (result < 0) return broken(result);
    sd_bus_slot_set_destroy_callback(slot, forget);
    callback.release();
    sd_bus_slot_set_floating(slot, 1);
    sd_bus_slot_unref(slot);
    woken();
    return result;
}

Message Bus::daemon_call(const char* method, const std::string& name) const {
    sd_bus_message* message = nullptr;
    if (!bus_ || sd_bus_message_new_method_call(bus_.get(), &message, bus_daemon, "/org/freedesktop/DBus", bus_daemon,
                                                method) < 0)
        return {};
    Message owned{message};
    return sd_bus_message_append(message, "s", name.c_str()) < 0 ? Message{} : std::move(owned);
}

int Bus::request_name(const std::string& name, std::function<void(int code)> done) {
    const Message message = daemon_call("RequestName", name);
    if (!message || sd_bus_message_append(message.get(), "u", do_not_queue) < 0) return -EINVAL;
    return call(message, [done = std::move(done)](sd_bus_message* answer) {
        std::uint32_t code = 0;
        if (sd_bus_message_is_method_error(answer, nullptr))
            done(-sd_bus_message_get_errno(answer));
        else
            done(sd_bus_message_read(answer, "u", &code) > 0 ? static_cast<int>(code) : -EBADMSG);
    });
}

int Bus::release_name(const std::string& name) {
    const Message message = daemon_call("ReleaseName", name);
    if (!message || sd_bus_message_set_expect_reply(message.get(), 0) < 0) return -EINVAL;
    return send(message);
}

int Bus::find_owner(const std::string& name, std::function<void(const std::string& who)> found) {
    const Message message = daemon_call("GetConnectionUnixProcessID", name);
    if (!message) return -EINVAL;
    return call(message, [found = std::move(found)](sd_bus_message* answer) {
        std::uint32_t pid = 0;
        const bool known =
            !sd_bus_message_is_method_error(answer, nullptr) && sd_bus_message_read(answer, "u", &pid) > 0;
        found(known ? describe_process(pid) : "another program");
    });
}

void Bus::process() {
    const std::weak_ptr<char> session = session_;
    int result = 1;
    for (int i = 0; i < burst && result > 0; ++i) {
        result = sd_bus_process(bus_.get(), nullptr);
        if (session.expired()) return;  // a callback closed us
    }
    if (result >= 0) return woken();
    close();
    const Lost lost = on_lost_;  // may destroy this object
    lost("the connection to D-Bus at " + std::string{address_} + " broke: " + error_text(result));
}

void Bus::woken() {
    if (!bus_) return;
    const int events = sd_bus_get_events(bus_.get());
    if (events >= 0 && (events & POLLIN)) wait(Descriptor::wait_read, &Bus::reading_);
    if (events >= 0 && (events & POLLOUT)) wait(Descriptor::wait_write, &Bus::writing_);
    wait_for_deadline();
}

void Bus::wait(Descriptor::wait_type what, bool Bus::*waiting) {
    if (this->*waiting) return;
    this->*waiting = true;
    stream_.async_wait(what, [this, waiting, session = std::weak_ptr<char>{session_}](boost::system::error_code) {
        if (session.expired()) return;
        this->*waiting = false;
        process();
    });
}

void Bus::wait_for_deadline() {
    std::uint64_t deadline = UINT64_MAX;
    // Negative (the connection is closing) means: process at once.
    if (sd_bus_get_timeout(bus_.get(), &deadline) < 0) deadline = 0;
    if (deadline == deadline_) return;
    deadline_ = deadline;
    timer_.cancel();
    if (deadline == UINT64_MAX) return;
    using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as sd-bus counts
    const auto capped = std::min<std::uint64_t>(deadline, INT64_MAX / 1000);
    timer_.expires_at(Clock::time_point{std::chrono::microseconds{static_cast<std::int64_t>(capped)}});
    timer_.async_wait([this, session = std::weak_ptr<char>{session_}](boost::system::error_code cancelled) {
        if (cancelled || session.expired()) return;
        deadline_ = UINT64_MAX;
        process();
    });
}

}  // namespace bmsd::venus
