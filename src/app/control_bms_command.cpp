#include "app/control_bms_command.hpp"

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <unistd.h>

#include "app/atomic_file.hpp"
#include "app/complain.hpp"
#include "app/config_ports.hpp"
#include "app/exit_codes.hpp"
#include "app/reading_json.hpp"
#include "app/reading_text.hpp"
#include "bms/catalog.hpp"
#include "engine/detector.hpp"
#include "engine/order.hpp"
#include "engine/registry.hpp"
#include "link/factory.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using bms::Control;
using bms::Family;

constexpr int failed = 1;

/// Says why it ends, and with which exit code.
struct Stop {
    int code;
    std::string text;
};

/// Runs a coroutine to its end in a loop of its own.
template <class T>
T finish(asio::io_context& io, Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(io, std::move(task), [&](std::exception_ptr error, T value) {
        if (error) std::rethrow_exception(error);
        result.emplace(std::move(value));
    });
    io.restart();
    io.run();
    return std::move(*result);
}

struct Found {
    const Family* family = nullptr;
    std::uint32_t address = 0;
    Reading reading;
};

/// Who is looked for.
std::vector<const Family*> families_of(const ControlBmsOptions& options) {
    if (options.type.empty()) return bms::on_wires(bms::catalog());
    return bms::on_wires(bms::find_families(options.type));
}

Task<std::optional<Found>> find(engine::Dialogue& dialogue, const ControlBmsOptions& options,
                                const bms::Options& no_options) {
    const auto families = families_of(options);
    engine::Detector detector(dialogue, no_options);
    const bool has_rates = !options.port.starts_with("tcp://");
    for (const engine::Candidate& candidate : engine::candidates(families, options.baud, has_rates)) {
        const Family& family = *candidate.family;
        const std::uint32_t address = family.addresses.used ? options.address.value_or(family.addresses.standard) : 0;
        if (!bms::check_address(family, address)) continue;
        if (!co_await detector.tune(candidate)) co_return std::nullopt;
        // The state of a switch may be among what is asked only sometimes.
        if (auto reading = co_await detector.ask(family, address, engine::Extent::everything))
            co_return Found{&family, address, std::move(*reading)};
    }
    co_return std::nullopt;
}

std::string on_off(const char* name, const Flag& flag) {
    return flag ? std::string(", ") + name + (*flag ? " on" : " off") : std::string();
}

std::string battery_text(const ControlBmsOptions& options, const Found& found) {
    const auto address = found.family->addresses.used ? std::optional(found.address) : std::nullopt;
    const std::string id = found.family->identity ? found.family->identity(found.reading) : "";
    const Reading& r = found.reading;
    return engine::place_of(options.port, address) + ": " + std::string(found.family->label) +
           (id.empty() ? "" : " " + id) + gist(r) + on_off("charge", r.charge_fet) +
           on_off("discharge", r.discharge_fet) + on_off("balance", r.balance_fet);
}

std::string takes(const Control& control) {
    switch (control.setting) {
        case bms::Setting::on_off: return "on|off";
        case bms::Setting::percent: return "0..100";
        case bms::Setting::action: break;
    }
    return {};
}

void list(const Found& found, bool as_json) {
    json::array all;
    for (const Control& control : found.family->controls) {
        const std::string value = takes(control);
        if (as_json)
            all.push_back({{"control", control.name},
                           {"takes", value},
                           {"meaning", control.meaning},
                           {"untested", control.untested},
                           {"warning", control.warning}});
        else
            std::printf("  %s%s%s: %s%s\n", std::string(control.name).c_str(), value.empty() ? "" : " ", value.c_str(),
                        std::string(control.meaning).c_str(), control.untested ? " (untested, needs --untested)" : "");
    }
    if (as_json) std::printf("%s\n", to_text(all).c_str());
    if (!as_json && found.family->controls.empty()) std::printf("  nothing can be changed in this BMS\n");
}

/// When each control of each battery was last used, so that nobody uses it over and over.
class LastUse {
public:
    LastUse(const std::string& state_dir, std::string what)
        : state_dir_(state_dir), path_(state_dir + "/controls.json"), what_(std::move(what)) {
        std::ifstream file(path_);
        std::stringstream text;
        text << file.rdbuf();
        boost::system::error_code error;
        const json::value root = json::parse(text.str(), error);
        if (!error && root.is_object()) all_ = root.get_object();
    }

    /// Seconds that must still pass; 0: none. A clock that went back does not lock anybody out.
    [[nodiscard]] long still(std::chrono::seconds pause, std::time_t now) const {
        const json::value* last = all_.if_contains(what_);
        if (!last || !last->is_int64() || last->get_int64() > now) return 0;
        return std::max<long>(0, static_cast<long>(last->get_int64() + pause.count() - now));
    }
    /// Before anything is sent; the error says why it cannot be kept.
    [[nodiscard]] Result<void> note(std::time_t now) {
        all_[what_] = static_cast<std::int64_t>(now);
        std::error_code error;
        std::filesystem::create_directories(state_dir_, error);
        return write_atomically(path_, json::serialize(all_) + "\n");
    }

private:
    std::string state_dir_;
    std::string path_;
    std::string what_;
    json::object all_;
};

bool confirmed() {
    std::printf("Type yes to send it: ");
    std::fflush(stdout);
    std::string answer;
    return std::getline(std::cin, answer) && answer == "yes";
}

/// What there is to know before a byte is sent; the order, or why not.
Result<double> prepare(const ControlBmsOptions& options, const Found& found, const Control*& control) {
    control = engine::find_control(*found.family, options.control);
    if (!control) {
        std::string known;
        for (const Control& one : found.family->controls) known += (known.empty() ? "" : ", ") + std::string(one.name);
        return tl::unexpected(Error{ErrorClass::config, "this BMS has no control \"" + options.control + "\"; it has " +
                                                            (known.empty() ? "none" : known)});
    }
    if (control->untested && !options.untested)
        return tl::unexpected(
            Error{ErrorClass::config, std::string(control->name) +
                                          ": nobody has reported that this works on real hardware; with "
                                          "--untested it is sent all the same"});
    return engine::parse_value(*control, options.value);
}

Stop run(const ControlBmsOptions& options) {
    if (options.address)
        if (const std::string why = why_no_address(families_of(options), *options.address); !why.empty())
            return {user_must_act, "--address: " + why};
    asio::io_context io{1};
    auto link = link::make_link(io.get_executor(), options.port);
    if (!link) return {user_must_act, link.error().detail};
    engine::Dialogue dialogue(io.get_executor(), std::move(*link));
    if (const auto opened = finish(io, dialogue.open(options.baud.value_or(9600))); !opened)
        return {user_must_act, opened.error().detail};

    const bms::Options no_options;
    const auto found = finish(io, find(dialogue, options, no_options));
    if (!found)
        return {failed, options.port + ": no battery answers cleanly; `bmsd scan " + options.port + "` says why"};
    if (!options.json || options.control.empty()) {
        if (!options.json) std::printf("%s\n", battery_text(options, *found).c_str());
        if (options.control.empty()) return list(*found, options.json), Stop{ended_well, {}};
    }

    const Control* control = nullptr;
    const auto value = prepare(options, *found, control);
    if (!value) return {user_must_act, value.error().detail};
    const std::string id = found->family->identity ? found->family->identity(found->reading) : "";
    LastUse last(options.state_dir,
                 options.port + " " + std::to_string(found->address) + " " + id + " " + std::string(control->name));
    const std::time_t now = std::time(nullptr);
    if (const long wait = last.still(control->pause, now); wait > 0)
        return {failed, std::string(control->name) + " was used a moment ago; wait " + std::to_string(wait) + " s"};

    if (!options.json) {
        std::printf("To be sent: %s %s (%s)\n", std::string(control->name).c_str(), options.value.c_str(),
                    std::string(control->meaning).c_str());
        if (!control->warning.empty()) std::printf("Mind: %s\n", std::string(control->warning).c_str());
    }
    if (!options.yes && (options.json || ::isatty(STDIN_FILENO) == 0))
        return {user_must_act, "nothing was sent: confirm with --yes, or run it in a terminal"};
    if (!options.yes && !confirmed()) return {user_must_act, "nothing was sent"};
    if (const auto noted = last.note(now); !noted)
        return {user_must_act, noted.error().detail + "; nothing was sent (--state-dir names another place)"};

    const auto result = finish(io, engine::carry_out(dialogue, {*found->family, found->address, no_options}, *control,
                                                     *value, engine::local_time_s()));
    if (!result) return {failed, result.error().detail};
    if (options.json)
        std::printf("%s\n", to_text(json::object{{"control", control->name},
                                                 {"value", *value},
                                                 {"seen", result->seen},
                                                 {"after", reading_json(result->after)}})
                                .c_str());
    else
        std::printf("%s\n",
                    result->seen ? "done; the BMS shows it" : "the BMS acknowledged, but does not show the effect yet");
    return {ended_well, {}};
}

}  // namespace

int control_bms(const ControlBmsOptions& options) {
    if (!options.type.empty() && bms::find_families(options.type).empty())
        return complain("bmsd control-bms", bms::unknown_type(options.type), options.json);
    const Stop stop = is_can_port(options.port)
                          ? Stop{user_must_act, options.port +
                                                    ": this command does not work on CAN; use the "
                                                    "manufacturer's app"}
                          : run(options);
    if (options.json && stop.code != ended_well)
        std::printf("%s\n", to_text(json::object{{"error", stop.text}}).c_str());
    else if (!stop.text.empty())
        std::fprintf(stderr, "bmsd control-bms: %s\n", stop.text.c_str());
    return stop.code;
}

}  // namespace bmsd::app
