#include "rig.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <sstream>

namespace bmsd::test {

std::string Rig::simulate(const std::string& name, std::vector<std::string> arguments) {
    const bool tcp = std::find(arguments.begin(), arguments.end(), "tcp") != arguments.end();
    std::string port = folder.file(name);
    arguments.insert(arguments.begin(), {BMSD_BINARY, "simulate"});
    arguments.push_back("--json");
    if (!tcp) arguments.insert(arguments.end(), {"--path", port});
    auto process = std::make_unique<Process>(std::move(arguments));
    if (!eventually([&] { return process->out().find('\n') != std::string::npos; }))
        throw std::runtime_error("the simulator does not start: '" + process->out() + "' " + process->err());
    if (tcp) {
        const auto line = boost::json::parse(process->out().substr(0, process->out().find('\n'))).as_object();
        port = boost::json::value_to<std::string>(line.at("port"));
    }
    simulators_[port] = std::move(process);
    return port;
}

void Rig::run(const std::string& config, std::vector<std::string> ports) {
    std::vector<std::string> arguments;
    if (!environment.empty()) {
        arguments = {"/usr/bin/env"};
        arguments.insert(arguments.end(), environment.begin(), environment.end());
    }
    arguments.insert(arguments.end(),
                     {BMSD_BINARY, "run", "--config", folder.write("config.ini", "[DEFAULT]\n" + config), "--bus",
                      bus.address(), "--state-dir", folder.file("state"), "--stats", folder.file("stats.json")});
    arguments.insert(arguments.end(), ports.begin(), ports.end());
    daemon_ = std::make_unique<Process>(std::move(arguments));
}

bool Rig::logged(const std::string& text) const {
    return daemon_->err().find(text) != std::string::npos;
}

sd_bus* Rig::connection() {
    if (connection_ && sd_bus_is_open(connection_.get()) > 0) return connection_.get();
    sd_bus* opened = nullptr;
    sd_bus_new(&opened);
    sd_bus_set_address(opened, bus.address().c_str());
    sd_bus_set_bus_client(opened, 1);
    connection_.reset(opened);
    if (sd_bus_start(opened) < 0) throw std::runtime_error("no connection to the bus");
    return opened;
}

std::optional<double> Rig::number(const std::string& service, const std::string& path) {
    sd_bus_message* reply = nullptr;
    std::optional<double> out;
    if (sd_bus_call_method(connection(), service.c_str(), path.c_str(), "com.victronenergy.BusItem", "GetValue",
                           nullptr, &reply, "") >= 0) {
        double real = 0;
        std::int32_t whole = 0;
        if (sd_bus_message_read(reply, "v", "d", &real) > 0)
            out = real;
        else if (sd_bus_message_rewind(reply, 1) >= 0 && sd_bus_message_read(reply, "v", "i", &whole) > 0)
            out = whole;
    }
    sd_bus_message_unref(reply);
    return out;
}

std::optional<std::string> Rig::text(const std::string& service, const std::string& path) {
    sd_bus_message* reply = nullptr;
    std::optional<std::string> out;
    const char* value = nullptr;
    if (sd_bus_call_method(connection(), service.c_str(), path.c_str(), "com.victronenergy.BusItem", "GetText", nullptr,
                           &reply, "") >= 0 &&
        sd_bus_message_read(reply, "s", &value) > 0)
        out = value;
    sd_bus_message_unref(reply);
    return out;
}

template <class Content>
std::optional<int> Rig::write(const std::string& service, const std::string& path, const char* type, Content content) {
    sd_bus_message* reply = nullptr;
    std::optional<int> out;
    std::int32_t code = 0;
    if (sd_bus_call_method(connection(), service.c_str(), path.c_str(), "com.victronenergy.BusItem", "SetValue",
                           nullptr, &reply, "v", type, content) >= 0 &&
        sd_bus_message_read(reply, "i", &code) > 0)
        out = code;
    sd_bus_message_unref(reply);
    return out;
}

std::optional<int> Rig::set(const std::string& service, const std::string& path, const std::string& text) {
    return write(service, path, "s", text.c_str());
}

std::optional<int> Rig::set(const std::string& service, const std::string& path, int number) {
    return write(service, path, "i", number);
}

namespace {

/// The variant the message stands at; null for the invalid value.
boost::json::value read_variant(sd_bus_message* message) {
    char kind = 0;
    const char* content = nullptr;
    boost::json::value out;
    if (sd_bus_message_peek_type(message, &kind, &content) <= 0) return out;
    const std::string type = content;
    if (type == "i") {
        std::int32_t value = 0;
        sd_bus_message_read(message, "v", "i", &value);
        out = value;
    } else if (type == "d") {
        double value = 0;
        sd_bus_message_read(message, "v", "d", &value);
        out = value;
    } else if (type == "s") {
        const char* value = nullptr;
        sd_bus_message_read(message, "v", "s", &value);
        out = value;
    } else {
        sd_bus_message_skip(message, "v");
    }
    return out;
}

}  // namespace

boost::json::object Rig::items(const std::string& service) {
    sd_bus_message* reply = nullptr;
    boost::json::object out;
    if (sd_bus_call_method(connection(), service.c_str(), "/", "com.victronenergy.BusItem", "GetItems", nullptr, &reply,
                           "") < 0)
        return out;
    sd_bus_message_enter_container(reply, 'a', "{sa{sv}}");
    while (sd_bus_message_enter_container(reply, 'e', "sa{sv}") > 0) {
        const char* path = nullptr;
        sd_bus_message_read(reply, "s", &path);
        boost::json::object item;
        sd_bus_message_enter_container(reply, 'a', "{sv}");
        while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
            const char* key = nullptr;
            sd_bus_message_read(reply, "s", &key);
            item[std::string_view(key) == "Value" ? "value" : "text"] = read_variant(reply);
            sd_bus_message_exit_container(reply);
        }
        sd_bus_message_exit_container(reply);
        sd_bus_message_exit_container(reply);
        out[path] = std::move(item);
    }
    sd_bus_message_unref(reply);
    return out;
}

bool Rig::present(const std::string& service) {
    return text(service, "/Dc/0/Voltage").has_value();
}

boost::json::object Rig::stats() {
    const std::string path = folder.file("stats.json");
    std::filesystem::remove(path);
    daemon_->signal(SIGUSR1);
    if (!eventually([&] { return std::filesystem::exists(path); })) throw std::runtime_error("no statistics");
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return boost::json::parse(text.str()).as_object();
}

std::string service_of(const std::string& port, const std::string& address) {
    return "com.victronenergy.battery." + port.substr(port.rfind('/') + 1) + (address.empty() ? "" : "__" + address);
}

}  // namespace bmsd::test
