#include "fleet/bus.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <utility>

#include <systemd/sd-bus.h>

namespace bmsd::bench {
namespace {

using namespace std::chrono_literals;

void check(int result, const char* what) {
    if (result < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(-result));
}

using Connection = std::unique_ptr<sd_bus, decltype(&sd_bus_flush_close_unref)>;

Connection connect(const std::string& address) {
    sd_bus* raw = nullptr;
    check(sd_bus_new(&raw), "no D-Bus connection");
    Connection bus(raw, &sd_bus_flush_close_unref);
    check(sd_bus_set_address(raw, address.c_str()), "bad D-Bus address");
    check(sd_bus_set_bus_client(raw, 1), "no D-Bus client");
    check(sd_bus_start(raw), "cannot connect to the private D-Bus");
    return bus;
}

std::uint32_t u32(const char* at) {
    std::uint32_t value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

std::uint64_t occurrences(std::string_view in, std::string_view word) {
    std::uint64_t found = 0;
    for (auto at = in.find(word); at != std::string_view::npos; at = in.find(word, at + word.size())) ++found;
    return found;
}

/// Counts the signals in a raw stream of D-Bus messages (byte order of this machine, as all senders are on it).
Bus::Traffic count(std::string_view stream) {
    constexpr std::size_t fixed = 16;
    Bus::Traffic traffic;
    while (stream.size() >= fixed) {
        const std::size_t fields = (u32(stream.data() + 12) + 7) / 8 * 8;
        const std::size_t size = fixed + fields + u32(stream.data() + 4);
        if (size > stream.size()) break;
        if (stream.substr(fixed, fields).find("ItemsChanged") != std::string_view::npos) {
            ++traffic.signals;
            traffic.bytes += size;
            traffic.paths += occurrences(stream.substr(fixed + fields, size - fixed - fields), "Value");
        }
        stream.remove_prefix(size);
    }
    return traffic;
}

}  // namespace

Bus::Bus(fs::path dir)
    : dir_(std::move(dir)),
      address_("unix:path=" + (dir_ / "bus").string()),
      daemon_({"dbus-daemon", "--session", "--nofork", "--print-address", "--address=" + address_}, dir_ / "dbus") {
    for (int tries = 0; fs::file_size(daemon_.output()) == 0; ++tries) {
        daemon_.must_run();
        if (tries == 200) throw std::runtime_error("dbus-daemon does not come up");
        pause_for(50ms);
    }
}

std::size_t Bus::batteries() const {
    return services().size();
}

std::vector<std::string> Bus::services() const {
    const Connection bus = connect(address_);
    char** names = nullptr;
    check(sd_bus_list_names(bus.get(), &names, nullptr), "cannot list the D-Bus names");
    std::vector<std::string> found;
    for (char** name = names; *name; std::free(*name++))
        if (std::string_view(*name).starts_with("com.victronenergy.battery.")) found.emplace_back(*name);
    std::free(names);
    return found;
}

bool Bus::any_voltage() const {
    const Connection bus = connect(address_);
    for (const std::string& service : services()) {
        sd_bus_message* answer = nullptr;
        double voltage = 0;
        const bool told = sd_bus_call_method(bus.get(), service.c_str(), "/Dc/0/Voltage", "com.victronenergy.BusItem",
                                             "GetValue", nullptr, &answer, "") >= 0 &&
                          sd_bus_message_read(answer, "v", "d", &voltage) > 0;
        sd_bus_message_unref(answer);
        if (told) return true;
    }
    return false;
}

std::size_t Bus::paths() const {
    const Connection bus = connect(address_);
    std::size_t count = 0;
    for (const std::string& service : services()) {
        sd_bus_message* answer = nullptr;
        check(sd_bus_call_method(bus.get(), service.c_str(), "/", "com.victronenergy.BusItem", "GetItems", nullptr,
                                 &answer, ""),
              "GetItems");
        check(sd_bus_message_enter_container(answer, 'a', "{sa{sv}}"), "GetItems");
        while (sd_bus_message_at_end(answer, 0) == 0) {
            check(sd_bus_message_skip(answer, "{sa{sv}}"), "GetItems");
            ++count;
        }
        sd_bus_message_unref(answer);
    }
    return count;
}

Bus::Latency Bus::ask(std::size_t calls, std::chrono::nanoseconds pause) const {
    const std::vector<std::string> batteries = services();
    if (batteries.empty()) throw std::runtime_error("no battery is on D-Bus");
    const Connection bus = connect(address_);
    std::vector<std::chrono::nanoseconds> took;
    took.reserve(calls);
    for (std::size_t i = 0; i < calls; ++i) {
        const auto start = std::chrono::steady_clock::now();
        sd_bus_message* answer = nullptr;
        check(sd_bus_call_method(bus.get(), batteries[i % batteries.size()].c_str(), "/Dc/0/Voltage",
                                 "com.victronenergy.BusItem", "GetValue", nullptr, &answer, ""),
              "GetValue");
        took.push_back(std::chrono::steady_clock::now() - start);
        sd_bus_message_unref(answer);
        pause_for(pause);
    }
    std::sort(took.begin(), took.end());
    return {took[took.size() / 2], took.back()};
}

Bus::Traffic Bus::listen(std::chrono::nanoseconds duration) const {
    Process monitor({"dbus-monitor", "--address", address_, "--binary",
                     "type='signal',interface='com.victronenergy.BusItem',member='ItemsChanged'"},
                    dir_ / "signals");
    pause_for(duration);
    monitor.must_run();
    monitor.stop();
    std::ifstream in(monitor.output(), std::ios::binary);
    const std::string stream{std::istreambuf_iterator<char>(in), {}};
    return count(stream);
}

}  // namespace bmsd::bench
