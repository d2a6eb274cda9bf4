#include "app/stats.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <boost/json.hpp>
#include <malloc.h>

namespace bmsd::app {
namespace {

namespace json = boost::json;

json::object counters(const Counters& counters) {
    return {{"requests", counters.requests},
            {"good", counters.good},
            {"timeouts", counters.timeouts},
            {"short", counters.short_answers},
            {"checksum_errors", counters.checksum_errors},
            {"foreign_address", counters.foreign_address},
            {"refused", counters.refused},
            {"bytes", counters.bytes},
            {"unsolicited_bytes", counters.unsolicited_bytes},
            {"reopens", counters.reopens}};
}

json::object battery(const Battery& battery) {
    json::object out = counters(battery.link.counters);
    out["id"] = battery.identity.id;
    out["port"] = battery.identity.port;
    if (battery.identity.address) out["address"] = *battery.identity.address;
    out["polls"] = battery.link.polls;
    out["poll_time_ms"] = battery.link.poll_time.count();
    out["link"] = std::string(to_string(battery.link.state));
    out["trouble"] = battery.link.trouble;
    return out;
}

}  // namespace

std::string why_no_stats(const std::string& path) {
    std::error_code error;
    const auto there = std::filesystem::symlink_status(path, error).type();
    using Type = std::filesystem::file_type;
    const bool replaceable = there == Type::regular || there == Type::not_found || there == Type::none;
    return replaceable ? "" : path + ": the statistics go to a file, and this is none";
}

std::string write_stats(const engine::Engine& engine, const std::string& path) {
    if (std::string wrong = why_no_stats(path); !wrong.empty()) return wrong;
    const std::size_t heap = ::mallinfo2().uordblks;  // before this report adds its own
    json::array batteries;
    json::array ports;
    for (const auto& port : engine.ports()) {
        for (const auto& station : port->stations()) batteries.push_back(battery(*station.battery));
        ports.push_back(
            {{"port", port->name()}, {"reopens", port->reopens()}, {"unsolicited_bytes", port->unsolicited_bytes()}});
    }
    const std::string text =
        json::serialize(json::object{{"batteries", batteries}, {"ports", ports}, {"heap_in_use_bytes", heap}}) + "\n";
    const std::string temporary = path + ".new";
    std::ofstream file(temporary, std::ios::trunc);
    file << text;
    file.close();
    if (!file || std::rename(temporary.c_str(), path.c_str()) != 0)
        return path + ": the statistics cannot be written: " + std::strerror(errno);
    return {};
}

}  // namespace bmsd::app
