#include "venus/client.hpp"

#include <chrono>
#include <stdexcept>

#include <poll.h>

namespace bmsd::test {
namespace {

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string{what} + " failed: " + std::to_string(result));
}

json::value content(sd_bus_message* message);

json::value array(sd_bus_message* message, const std::string& element) {
    check(sd_bus_message_enter_container(message, 'a', element.c_str()), "array");
    json::value result;
    if (element[0] == '{') {
        json::object& object = result.emplace_object();
        const std::string inside = element.substr(1, element.size() - 2);
        while (sd_bus_message_enter_container(message, 'e', inside.c_str()) > 0) {
            const json::value key = content(message);
            object[key.as_string()] = content(message);
            sd_bus_message_exit_container(message);
        }
    } else {
        json::array& list = result.emplace_array();
        while (sd_bus_message_at_end(message, 0) == 0) list.push_back(content(message));
    }
    sd_bus_message_exit_container(message);
    return result;
}

json::value variant(sd_bus_message* message, const std::string& type) {
    check(sd_bus_message_enter_container(message, 'v', type.c_str()), "variant");
    json::value value = content(message);
    sd_bus_message_exit_container(message);
    if (type == "ai" && value.as_array().empty()) value = nullptr;
    return {{"type", type}, {"value", value}};
}

json::value content(sd_bus_message* message) {
    char type = 0;
    const char* contents = nullptr;
    check(sd_bus_message_peek_type(message, &type, &contents), "peek");
    switch (type) {
        case 'v': return variant(message, contents);
        case 'a': return array(message, contents);
        case 's': {
            const char* text = nullptr;
            check(sd_bus_message_read_basic(message, type, &text), "text");
            return json::value(text);
        }
        case 'd': {
            double number = 0;
            check(sd_bus_message_read_basic(message, type, &number), "double");
            return number;
        }
        case 'i': {
            std::int32_t number = 0;
            check(sd_bus_message_read_basic(message, type, &number), "integer");
            return number;
        }
        case 'b': {
            int on = 0;
            check(sd_bus_message_read_basic(message, type, &on), "boolean");
            return on != 0;
        }
        default: throw std::runtime_error(std::string{"unexpected type "} + type);
    }
}

int on_change(sd_bus_message* signal, void* client, sd_bus_error*) {
    static_cast<Client*>(client)->changes.push_back(content(signal).as_object());
    return 0;
}

int on_owner_change(sd_bus_message* signal, void* client, sd_bus_error*) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    check(sd_bus_message_read(signal, "sss", &name, &before, &after), "NameOwnerChanged");
    if (const auto& tell = static_cast<Client*>(client)->on_owner) tell(name, after);
    return 0;
}

int on_answer(sd_bus_message* answer, void* result, sd_bus_error*) {
    auto& json = *static_cast<json::value*>(result);
    if (const sd_bus_error* error = sd_bus_message_get_error(answer))
        json = {{"error", error->name}};
    else
        json = sd_bus_message_is_empty(answer) > 0 ? json::value("done") : content(answer);
    return 0;
}

}  // namespace

Client::Client(boost::asio::io_context& io, const std::string& address) : io_(io) {
    sd_bus* bus = nullptr;
    check(sd_bus_new(&bus), "sd_bus_new");
    bus_.reset(bus);
    check(sd_bus_set_address(bus, address.c_str()), "address");
    check(sd_bus_set_bus_client(bus, 1), "client");
    check(sd_bus_start(bus), "start");
    check(sd_bus_match_signal(bus, nullptr, nullptr, "/", bus_item, "ItemsChanged", on_change, this), "match");
    check(sd_bus_match_signal(bus, nullptr, "org.freedesktop.DBus", nullptr, nullptr, "NameOwnerChanged",
                              on_owner_change, this),
          "match");
}

json::value Client::call(const std::string& service, const std::string& path, const char* interface, const char* method,
                         const Arguments& arguments) {
    sd_bus_message* message = nullptr;
    check(sd_bus_message_new_method_call(bus_.get(), &message, service.c_str(), path.c_str(), interface, method),
          "method call");
    const std::unique_ptr<sd_bus_message, decltype(&sd_bus_message_unref)> owned{message, sd_bus_message_unref};
    if (arguments) arguments(message);
    json::value answer;
    sd_bus_slot* slot = nullptr;
    check(sd_bus_call_async(bus_.get(), &slot, message, on_answer, &answer, 0), "call");
    const std::unique_ptr<sd_bus_slot, decltype(&sd_bus_slot_unref)> owned_slot{slot, sd_bus_slot_unref};
    if (!wait([&] { return !answer.is_null(); })) throw std::runtime_error("no answer");
    return answer;
}

json::value Client::item(const std::string& service, const std::string& path, const char* method,
                         const Arguments& arguments) {
    return call(service, path, bus_item, method, arguments);
}

std::string Client::owner(const std::string& name) {
    const json::value answer =
        call("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetNameOwner",
             [&](sd_bus_message* m) { sd_bus_message_append(m, "s", name.c_str()); });
    return answer.is_string() ? std::string{answer.as_string()} : std::string{};
}

void Client::settle(const std::string& service) {
    // Messages between two connections keep their order: signals sent before the answer arrive before it.
    call(service, "/", "org.freedesktop.DBus.Peer", "Ping");
}

bool Client::wait(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        turn();
    }
    return true;
}

void Client::turn() {
    io_.restart();
    const bool worked = io_.poll() > 0;
    if (sd_bus_process(bus_.get(), nullptr) > 0 || worked) return;
    pollfd ready{sd_bus_get_fd(bus_.get()), POLLIN, 0};
    ::poll(&ready, 1, 1);
}

}  // namespace bmsd::test
