#include "app/scan_command.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <unistd.h>

#include "app/can_scan.hpp"
#include "app/complain.hpp"
#include "app/config_ports.hpp"
#include "app/exit_codes.hpp"
#include "app/reading_json.hpp"
#include "app/reading_text.hpp"
#include "bms/catalog.hpp"
#include "engine/registry.hpp"
#include "engine/scanner.hpp"
#include "engine/station.hpp"
#include "link/can.hpp"
#include "link/factory.hpp"
#include "link/ports.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using engine::FoundBattery;
using engine::Mistake;
using engine::ScanResult;

constexpr int something_missing = 1;

/// One line in place on a terminal, nothing elsewhere but the name of each port.
class Progress {
public:
    void port(const std::string& name, std::chrono::milliseconds longest) {
        name_ = name;
        std::fprintf(stderr, "%s: looking, at most %s\n", name.c_str(),
                     engine::duration_text(std::chrono::ceil<std::chrono::seconds>(longest)).c_str());
    }
    void step(const std::string& what) const {
        if (terminal_) std::fprintf(stderr, "\r\x1b[K%s: %s", name_.c_str(), what.c_str());
    }
    void done() const {
        if (terminal_) std::fprintf(stderr, "\r\x1b[K");
    }

private:
    bool terminal_ = ::isatty(STDERR_FILENO) != 0;
    std::string name_;
};

struct Looked {
    link::PortInfo info;
    std::string name;  ///< as the configuration should name it
    ScanResult result;
};

// ---- what was found, in words ----------------------------------------------------------------------

std::string place(const engine::Candidate& candidate, std::uint32_t address) {
    std::string out(candidate.family->type);
    if (candidate.family->key != candidate.family->type) out.append(" (").append(candidate.family->key).append(")");
    if (candidate.family->addresses.used) out += ", address " + address_text(address);
    return out + ", " + std::to_string(candidate.rate) + " baud";
}

std::string battery_text(const FoundBattery& found) {
    const bms::Family& family = *found.candidate.family;
    const Reading& reading = found.reading;
    std::string out = "  battery: " + place(found.candidate, found.address) + "\n    ";
    const std::string id = family.identity ? family.identity(reading) : "";
    const std::string hardware = family.hardware ? family.hardware(reading) : reading.hardware_version.value_or("");
    out += id.empty() ? "no serial number" : "id " + id;
    if (!hardware.empty()) out += ", " + hardware;
    out += gist(reading);
    if (!reading.cell_voltages_v.empty()) out += ", " + std::to_string(reading.cell_voltages_v.size()) + " cells";
    if (found.mistake != Mistake::none) out += "\n    but: " + engine::explain(found.mistake, found.evidence);
    return out + "\n";
}

std::string suspect_text(const engine::Suspect& suspect) {
    std::string out = "  " + place(suspect.candidate, suspect.address) + ": something answers, but not cleanly\n    ";
    const std::string& refusal = suspect.evidence.refusal;
    const std::string what = refusal.empty() ? "what it says contradicts itself" : "what it says cannot be: " + refusal;
    return out +
           (suspect.mistake == Mistake::none ? what + "; is it another type?"
                                             : engine::explain(suspect.mistake, suspect.evidence)) +
           "\n";
}

std::string looked_text(const Looked& looked) {
    const link::PortInfo& info = looked.info;
    std::string out = info.path;
    if (!info.product.empty()) out += "  " + info.product;
    if (!info.usb_id.empty()) out += " [" + info.usb_id + "]";
    if (!info.driver.empty()) out += " driver " + info.driver;
    if (!info.by_id.empty()) out += "\n  " + info.by_id;
    if (!info.holders.empty()) out += "\n  open in: " + info.holders;
    out += "\n";
    const ScanResult& result = looked.result;
    for (const FoundBattery& found : result.batteries) out += battery_text(found);
    for (const engine::Suspect& suspect : result.suspects) out += suspect_text(suspect);
    if (!result.foreign.empty()) out += "  overheard: " + result.foreign + "\n";
    if (!result.trouble.empty())
        out += "  " + result.trouble + "\n";
    else if (result.batteries.empty() && result.suspects.empty())
        out += "  no known BMS answers: " + engine::explain(result.mistake, result.evidence) + "\n";
    return out;
}

// ---- the configuration that fits ---------------------------------------------------------------------

std::string lines_of(const ScanResult& result) {
    if (result.batteries.empty()) return {};
    const FoundBattery& first = result.batteries.front();
    const bms::Family& family = *first.candidate.family;
    std::string out = "BMS_TYPE = " + std::string(family.type) + "\n";
    const std::uint32_t rate = first.candidate.rate;  // 0 where there are none
    if (rate != 0 && rate != family.serial.rates.front()) out += "BAUD_RATE = " + std::to_string(rate) + "\n";
    if (!family.addresses.used) return out;
    out += "BATTERY_ADDRESSES = ";
    for (const FoundBattery& found : result.batteries)
        if (found.candidate.family == &family) out += (&found == &first ? "" : ", ") + address_text(found.address);
    return out + "\n";
}

/// Ports and what to write about each; one: flat keys, several: a section each.
class Proposal {
public:
    /// `lines` empty: nothing was found there.
    void add(const std::string& port, std::string lines) {
        if (!lines.empty()) found_.emplace_back(port, std::move(lines));
    }
    [[nodiscard]] std::string text() const {
        if (found_.size() == 1)
            return "[DEFAULT]\n" + std::string(is_can_port(found_.front().first) ? "CAN_PORT = " : "PORTS = ") +
                   found_.front().first + "\n" + found_.front().second;
        std::string out;
        for (const auto& [port, lines] : found_) out += (out.empty() ? "[" : "\n[") + port + "]\n" + lines;
        return out;
    }

private:
    std::vector<std::pair<std::string, std::string>> found_;
};

// ---- as JSON -------------------------------------------------------------------------------------------

json::object evidence_json(const engine::Evidence& e) {
    return {{"requests", e.requests},
            {"good", e.good},
            {"silent", e.silent},
            {"checksum_errors", e.checksum},
            {"cut", e.cut},
            {"unreadable", e.garbled},
            {"foreign", e.foreign},
            {"refused", e.refused},
            {"refusal", e.refusal},
            {"echoes", e.echoes},
            {"too_long", e.surplus},
            {"unasked", e.unasked},
            {"bytes", e.bytes},
            {"unreadable_bytes", e.garbled_bytes},
            {"blank_bytes", e.blank_bytes},
            {"framing_errors", e.framing_errors}};
}

json::object findings_json(Mistake mistake, const engine::Evidence& evidence) {
    return {{"mistake", engine::to_string(mistake)},
            {"text", engine::explain(mistake, evidence)},
            {"evidence", evidence_json(evidence)}};
}

json::object place_json(const engine::Candidate& candidate, std::uint32_t address) {
    json::object out{{"type", candidate.family->type}, {"key", candidate.family->key}, {"baud", candidate.rate}};
    if (candidate.family->addresses.used) out["address"] = address;
    return out;
}

json::object looked_json(const Looked& looked) {
    const ScanResult& result = looked.result;
    json::array batteries, suspects;
    for (const FoundBattery& found : result.batteries) {
        json::object& out = batteries.emplace_back(place_json(found.candidate, found.address)).get_object();
        const bms::Family& family = *found.candidate.family;
        if (const std::string id = family.identity ? family.identity(found.reading) : ""; !id.empty()) out["id"] = id;
        out["values"] = reading_json(found.reading);
        out["link"] = findings_json(found.mistake, found.evidence);
    }
    for (const engine::Suspect& suspect : result.suspects) {
        json::object& out = suspects.emplace_back(place_json(suspect.candidate, suspect.address)).get_object();
        out["link"] = findings_json(suspect.mistake, suspect.evidence);
    }
    const auto text = [](const std::string& value) -> json::value {
        return value.empty() ? json::value(nullptr) : json::value(value);
    };
    return {{"port", looked.info.path},
            {"by_id", text(looked.info.by_id)},
            {"usb_id", text(looked.info.usb_id)},
            {"product", text(looked.info.product)},
            {"driver", text(looked.info.driver)},
            {"held_by", text(looked.info.holders)},
            {"batteries", std::move(batteries)},
            {"suspects", std::move(suspects)},
            {"trouble", text(result.trouble)},
            {"overheard", text(result.foreign)},
            {"link", findings_json(result.mistake, result.evidence)}};
}

// ---- looking ---------------------------------------------------------------------------------------------

ScanResult look(const std::string& port, const engine::ScanPlan& plan, Progress& progress) {
    boost::asio::io_context io{1};
    ScanResult result;
    auto link = link::make_link(io.get_executor(), port);
    if (!link) {
        result.trouble = link.error().detail;
        return result;
    }
    const bool has_rates = !port.starts_with("tcp://");
    progress.port(port, engine::longest_scan(plan, has_rates));
    engine::Dialogue dialogue(io.get_executor(), std::move(*link));
    boost::asio::co_spawn(io, engine::scan(dialogue, plan, [&](const std::string& what) { progress.step(what); }),
                          [&](std::exception_ptr error, ScanResult found) {
                              if (error) std::rethrow_exception(error);
                              result = std::move(found);
                          });
    io.run();
    progress.done();
    return result;
}

using Families = std::vector<const bms::Family*>;

/// What is looked at, and for whom.
struct Targets {
    std::vector<link::PortInfo> serial;
    std::vector<std::string> can;
    Families on_wires, on_can;
};

/// Without ports all that the type can be on are taken. The error is a sentence for the user.
tl::expected<Targets, std::string> targets_of(const ScanOptions& options) {
    const Families families = options.type.empty() ? Families(bms::catalog().begin(), bms::catalog().end())
                                                   : bms::find_families(options.type);
    if (families.empty()) return tl::unexpected(bms::unknown_type(options.type));
    Targets targets{.serial = {}, .can = {}, .on_wires = bms::on_wires(families), .on_can = bms::on_can(families)};
    if (targets.on_wires.empty() && targets.on_can.empty())
        return tl::unexpected(options.type + " is reached by Bluetooth only; a scan looks at serial ports and CAN");
    for (const std::string& port : options.ports) {
        const bool can = is_can_port(port);
        if ((can ? targets.on_can : targets.on_wires).empty())
            return tl::unexpected(options.type + " is not spoken on " + (can ? "CAN" : "serial ports") + ", but " +
                                  port + " is " + (can ? "a CAN interface" : "a serial port") +
                                  "; `bmsd list` shows all types");
        if (can)
            targets.can.push_back(port);
        else
            targets.serial.push_back(link::port_info(port));
    }
    if (options.ports.empty()) {
        if (!targets.on_wires.empty()) targets.serial = link::list_ports();
        if (!targets.on_can.empty() && !options.baud)
            for (const link::CanInterface& interface : link::can_interfaces()) targets.can.push_back(interface.name);
    }
    if (targets.serial.empty() && targets.can.empty())
        return tl::unexpected(std::string(
            "this computer has no serial port and no CAN interface; plug in the adapter, or name a port: `bmsd scan "
            "/dev/ttyUSB0`, `bmsd scan tcp://10.0.0.5:502`, `bmsd scan can0`"));
    Families asked;
    if (!targets.serial.empty()) asked = targets.on_wires;
    if (!targets.can.empty()) asked.insert(asked.end(), targets.on_can.begin(), targets.on_can.end());
    for (const std::uint32_t address : options.addresses)
        if (const std::string why = why_no_address(asked, address); !why.empty())
            return tl::unexpected("--addresses: " + why);
    if (targets.serial.empty() && options.baud)
        return tl::unexpected(std::string(
            "--baud is the rate of serial ports; a CAN interface has the bitrate that the system gave it: `bmsd "
            "can-setup` shows how"));
    return targets;
}

}  // namespace

int scan(const ScanOptions& options) {
    const auto targets = targets_of(options);
    if (!targets) return complain("bmsd scan", targets.error(), options.json);

    json::array list;
    Proposal proposal;
    bool complete = true;
    const auto tell = [&](const std::string& text, json::object as_json, bool found) {
        if (!options.json) std::fputs(text.c_str(), stdout), std::fflush(stdout);
        list.push_back(std::move(as_json));
        complete = complete && found;
    };
    Progress progress;
    const engine::ScanPlan plan{
        .families = targets->on_wires, .addresses = options.addresses, .baud = options.baud, .options = {}};
    for (const link::PortInfo& info : targets->serial) {
        const Looked looked{info, info.by_id.empty() ? info.path : info.by_id, look(info.path, plan, progress)};
        proposal.add(looked.name, lines_of(looked.result));
        tell(looked_text(looked), looked_json(looked), !looked.result.batteries.empty());
    }
    for (const std::string& interface : targets->can) {
        CanLooked looked = look_at_can(interface, targets->on_can, options.addresses);
        proposal.add(interface, looked.config);
        tell(looked.text, std::move(looked.json), looked.found);
    }
    const std::string config = proposal.text();
    if (options.json)
        std::printf("%s\n", to_text(json::object{{"ports", std::move(list)}, {"config", config}}).c_str());
    else if (!config.empty())
        std::printf("\nFor the configuration:\n\n%s", config.c_str());
    return complete ? ended_well : something_missing;
}

}  // namespace bmsd::app
