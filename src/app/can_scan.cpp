#include "app/can_scan.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>

#include "app/complain.hpp"
#include "app/exit_codes.hpp"
#include "app/reading_json.hpp"
#include "app/reading_text.hpp"
#include "engine/can_scan.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using engine::CanScanResult;

/// The slowest messages come every 5 s.
constexpr auto listening = 6s;
constexpr auto step = 50ms;

std::string id_text(const CanScanResult::Id& id) {
    char text[16];
    std::snprintf(text, sizeof text, id.extended ? "0x%08X" : "0x%03X", id.id);
    return text;
}

std::string interface_text(const std::string& name, const std::vector<link::CanInterface>& all) {
    std::string out = name;
    for (const link::CanInterface& one : all) {
        if (one.name != name) continue;
        if (one.is_virtual) out += "  virtual";
        if (one.bitrate) out += "  " + std::to_string(*one.bitrate / 1000) + " kbit/s";
        if (one.state) out.append("  ").append(to_string(*one.state));
        if (!one.up) out += "  down";
        if (one.restart_ms == 0U && !one.is_virtual) out += "  (a controller that goes off stays off: restart-ms is 0)";
    }
    return out + "\n";
}

std::string battery_text(const CanScanResult::Found& found) {
    std::string out = "  battery: " + std::string(found.family->type);
    if (found.family->addresses.used) out += ", address " + address_text(found.address);
    if (found.certainty == bms::Certainty::none)
        out += " (other makes send the same frames: name it in BMS_TYPE if it is one)";
    std::string values = gist(found.reading);
    if (const Cells& cells = found.reading.cell_voltages_v; !cells.empty())
        values += ", " + std::to_string(cells.size()) + " cells";
    return out + "\n    " + values.substr(std::min<std::size_t>(values.size(), 2)) + "\n";
}

std::string result_text(const CanScanResult& result) {
    std::string out;
    for (const auto& found : result.batteries) out += battery_text(found);
    for (const auto& part : result.partial)
        if (result.batteries.empty())
            out += "  incomplete: " + std::string(part.family->type) + ", address " + address_text(part.address) +
                   ": " + part.why + "\n";
    if (!result.trouble.empty()) out += "  no battery: " + result.trouble + "\n";
    if (result.from_here)
        out += "  another program on this computer sends on this interface, too (Venus OS: can-bus-bms?)\n";
    for (const auto& id : result.ids) {
        char line[64];
        std::snprintf(line, sizeof line, "    %-10s %7.1f/s  ", id_text(id).c_str(), id.per_second);
        out += line + (id.known_as.empty() ? std::string("unknown") : id.known_as) + "\n";
    }
    return out;
}

std::string config_lines(const CanScanResult& result) {
    if (result.batteries.empty()) return {};
    std::string types, addresses;
    for (const auto& found : result.batteries) {
        if (found.certainty == bms::Certainty::none && result.batteries.size() > 1) continue;
        if (types.find(found.family->type) == std::string::npos)
            types.append(types.empty() ? "" : ", ").append(found.family->type);
        if (found.family->addresses.used && addresses.find(address_text(found.address)) == std::string::npos)
            addresses += (addresses.empty() ? "" : ", ") + address_text(found.address);
    }
    return "BMS_TYPE = " + types + "\n" + (addresses.empty() ? "" : "BATTERY_ADDRESSES = " + addresses + "\n");
}

json::object result_json(const std::string& name, const CanScanResult& result, const link::CanErrors& errors) {
    json::array batteries, ids;
    for (const auto& found : result.batteries) {
        json::object one{{"type", found.family->type},
                         {"key", found.family->key},
                         {"certain", found.certainty != bms::Certainty::none},
                         {"values", reading_json(found.reading)}};
        if (found.family->addresses.used) one["address"] = found.address;
        batteries.push_back(std::move(one));
    }
    for (const auto& id : result.ids)
        ids.push_back(json::object{
            {"id", id_text(id)}, {"extended", id.extended}, {"per_second", id.per_second}, {"known_as", id.known_as}});
    return {{"port", name},
            {"batteries", std::move(batteries)},
            {"frames", result.frames},
            {"ids", std::move(ids)},
            {"trouble", result.trouble},
            {"state", to_string(errors.state)},
            {"error_frames", errors.frames},
            {"no_acknowledge", errors.no_ack},
            {"bus_off", errors.bus_off}};
}

/// Listens and asks until the time is over.
void listen(link::CanSocket& socket, engine::CanScan& scan) {
    std::array<link::CanReceived, 32> inbox;
    link::error_code error;
    std::vector<CanFrame> outbox;
    const auto end = Clock::now() + listening;
    while (Clock::now() < end && !error) {
        for (std::size_t count = 1; count > 0 && !error;) {
            count = socket.read(inbox, error);
            for (std::size_t i = 0; i < count; ++i) scan.hear(inbox[i]);
        }
        if (outbox.empty()) outbox = scan.next_questions(Clock::now());
        while (!outbox.empty() && !socket.write(outbox.front())) outbox.erase(outbox.begin());
        std::this_thread::sleep_for(step);
    }
}

/// Those to show commands for; none if it is virtual.
std::vector<unsigned> rates_of(const link::CanInterface& interface, unsigned bitrate) {
    if (interface.is_virtual) return {};
    if (bitrate != 0) return {bitrate};
    return {250000, 500000};
}

std::vector<std::string> setup_commands(const std::string& name, unsigned rate) {
    const std::string set = "ip link set " + name + " ";
    return {set + "down", set + "type can bitrate " + std::to_string(rate) + " restart-ms 100", set + "txqueuelen 128",
            set + "up"};
}

constexpr const char* on_venus_os =
    "On Venus OS: choose the CAN-bus profile of the port in the settings instead, or it is set back.";

}  // namespace

CanLooked look_at_can(const std::string& name, const std::vector<const bms::Family*>& families,
                      const std::vector<std::uint32_t>& addresses) {
    CanLooked out;
    const auto all = link::can_interfaces();
    link::CanSocket socket(name);
    if (const auto opened = socket.open({}); !opened) {
        out.text = interface_text(name, all) + "  " + opened.error().detail + "\n";
        out.json = {{"port", name}, {"batteries", json::array{}}, {"trouble", opened.error().detail}};
        return out;
    }
    std::fprintf(stderr, "%s: listening for %lld s\n", name.c_str(), static_cast<long long>(listening.count()));
    engine::CanScan scan(families, addresses, {});
    const auto began = Clock::now();
    listen(socket, scan);
    const auto now = Clock::now();
    const CanScanResult result = scan.result(now, now - began, socket.errors());
    out.text = interface_text(name, all) + result_text(result);
    out.config = config_lines(result);
    out.json = result_json(name, result, socket.errors());
    out.found = !result.batteries.empty();
    return out;
}

std::string can_setup_text(const link::CanInterface& interface, unsigned bitrate) {
    if (interface.is_virtual) return "ip link set " + interface.name + " up    # virtual: it has no bitrate\n";
    std::string text = std::string("# Now: ") + (interface.up ? "up" : "down") + ", bitrate " +
                       (interface.bitrate ? std::to_string(*interface.bitrate) : "not set") +
                       ". These commands, as root, set it; nothing was changed.\n"
                       "# restart-ms brings a controller back that has switched itself off.\n";
    for (const unsigned rate : rates_of(interface, bitrate)) {
        if (bitrate == 0) text += "# for " + std::to_string(rate / 1000) + " kbit/s:\n";
        for (const std::string& command : setup_commands(interface.name, rate)) text += command + "\n";
    }
    return text + "# " + on_venus_os + "\n";
}

json::object can_setup_json(const link::CanInterface& interface, unsigned bitrate) {
    json::array setups;
    const auto add = [&](json::value rate, const std::vector<std::string>& commands) {
        setups.push_back(json::object{{"bitrate", std::move(rate)}, {"commands", json::value_from(commands)}});
    };
    for (const unsigned rate : rates_of(interface, bitrate)) add(rate, setup_commands(interface.name, rate));
    if (interface.is_virtual) add(nullptr, {"ip link set " + interface.name + " up"});
    return {{"interface", interface.name},
            {"up", interface.up},
            {"virtual", interface.is_virtual},
            {"bitrate", interface.bitrate ? json::value(*interface.bitrate) : json::value(nullptr)},
            {"setups", std::move(setups)},
            {"venus_os", interface.is_virtual ? json::value(nullptr) : json::value(on_venus_os)}};
}

int can_setup(const std::string& name, unsigned bitrate, bool as_json) {
    const auto all = link::can_interfaces();
    const auto at = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == name; });
    if (at == all.end()) return complain("bmsd can-setup", name + ": " + link::trouble_with(name, all), as_json);
    std::printf("%s", (as_json ? to_text(can_setup_json(*at, bitrate)) + "\n" : can_setup_text(*at, bitrate)).c_str());
    return ended_well;
}

}  // namespace bmsd::app
