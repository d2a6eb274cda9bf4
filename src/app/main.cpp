// The command line.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "app/can_scan.hpp"
#include "app/check_config_command.hpp"
#include "app/complain.hpp"
#include "app/config_text.hpp"
#include "app/control_bms_command.hpp"
#include "app/control_command.hpp"
#include "app/decode_command.hpp"
#include "app/exit_codes.hpp"
#include "app/list_command.hpp"
#include "app/run_command.hpp"
#include "app/scan_command.hpp"
#include "model/words.hpp"
#include "sim/command.hpp"

namespace {

using namespace bmsd;
using app::user_must_act;

constexpr const char* about =
    "bmsd reads battery management systems and serves them to Victron's Venus OS.\n\n"
    "Examples:\n"
    "  bmsd list                                      the BMS families it knows\n"
    "  bmsd guide jkbms_pb                            how to wire and prepare one\n"
    "  bmsd check-config config.ini                   what is wrong with a configuration\n"
    "  bmsd scan                                      which batteries answer, and what is wrong if none does\n"
    "  bmsd run --config config.ini /dev/ttyUSB0      the daemon on one adapter\n"
    "  bmsd run --bus none --live tcp://10.0.0.5:502  a gateway, shown in the terminal\n"
    "  bmsd simulate jkbms_pb --addresses 1,2 --path /tmp/bus   two batteries to try it with\n";

void add_run(CLI::App& app, app::RunOptions& options) {
    auto* command = app.add_subcommand("run", "Run the daemon");
    command->add_option("--config", options.config, "configuration file (dialect of the Python driver's config.ini)");
    command->add_option("--bus", options.bus, "D-Bus address; default: the system bus; none: without D-Bus");
    command->add_option("--state-dir", options.state_dir,
                        "the only directory that is written to, made if missing [/var/lib/bmsd; Venus OS: "
                        "/data/apps/bmsd/state]");
    command->add_option("--stats", options.stats, "write counters as JSON to this file at SIGUSR1 and at the end");
    command->add_flag("--live", options.live, "show all batteries in the terminal, and end with it");
    command->add_option("PORT", options.ports,
                        "/dev/ttyUSB0, /dev/serial/by-id/..., tcp://host:port, can0, replay:FILE");
}

struct CheckOptions {
    std::string file;
    bool print_default = false;
    bool print_reference = false;
};

CLI::App* add_check_config(CLI::App& app, CheckOptions& options, bool& json) {
    auto* command = app.add_subcommand("check-config", "Say what is wrong with a configuration file");
    command->add_option("FILE", options.file, "configuration file");
    command->add_flag("--print-default", options.print_default, "print a file with every key and its default instead");
    command->add_flag("--print-reference", options.print_reference, "print the table of all keys as Markdown instead");
    command->add_flag("--json", json, "as JSON");
    return command;
}

int check_config(const CheckOptions& options, bool json) {
    if (options.print_default || options.print_reference) {
        std::fputs((options.print_default ? app::default_file() : app::reference_text()).c_str(), stdout);
        return 0;
    }
    if (!options.file.empty()) return app::check_config(options.file, json);
    return app::complain("bmsd check-config", "name the file, for example `bmsd check-config config.ini`", json);
}

CLI::App* add_control(CLI::App& app, app::ControlOptions& options) {
    auto* command = app.add_subcommand("control", "Try the charge control on a recorded time series");
    command->add_option("SCENARIO", options.scenario, "time series (JSON); see docs/charge-control.md")->required();
    command->add_option("--config", options.config, "configuration to try, instead of that in the scenario");
    command->add_flag("--every-cycle", options.every_cycle, "a line per cycle instead of one per change");
    command->add_option("--plot", options.plot, "draw the run into this SVG file");
    command->add_flag("--json", options.json, "the output is JSON in any case; also what is wrong");
    return command;
}

/// An option with a list. The words behind it, which may be ports, are not its own.
CLI::Option* add_list(CLI::App& command, const std::string& name, std::vector<std::string>& list,
                      const std::string& meaning) {
    return command.add_option(name, list, meaning)->delimiter(',')->allow_extra_args(false);
}

/// "1,2", "0x01,0x02". Decimal without 0x, other than in the configuration: where that makes a difference it is said.
std::vector<std::uint32_t> addresses(const std::string& option, const std::vector<std::string>& texts) {
    std::vector<std::uint32_t> out;
    for (const std::string& text : texts) {
        const bool decimal = text.find_first_not_of("0123456789") == std::string::npos;
        std::size_t used = 0;
        unsigned long value = 0;
        try {
            value = std::stoul(text, &used, decimal ? 10 : 16);
        } catch (const std::exception&) {
            used = 0;
        }
        if (used == 0 || used != text.size() || value > 0xFF)
            throw CLI::ValidationError(option, "'" + text + "' is no address; write for example 1,2 or 0x01,0x02");
        if (decimal && value > 9)
            std::fprintf(stderr, "%s: %s is read as decimal, which is %s; write 0x for hexadecimal\n", option.c_str(),
                         text.c_str(), address_text(static_cast<std::uint32_t>(value)).c_str());
        out.push_back(static_cast<std::uint32_t>(value));
    }
    return out;
}

struct ScanText {
    std::vector<std::string> addresses;
    std::uint32_t baud = 0;
};

CLI::App* add_scan(CLI::App& app, app::ScanOptions& options, ScanText& text) {
    auto* command = app.add_subcommand(
        "scan", "Find what answers on serial ports and CAN interfaces, and what is wrong where nothing does");
    command->add_option("PORT", options.ports,
                        "/dev/ttyUSB0, tcp://host:port, can0 ...; default: every serial port and CAN interface");
    command->add_option("--type", options.type, "look for this BMS_TYPE only");
    add_list(*command, "--addresses", text.addresses, "ask these bus addresses only, e.g. 1,2 or 0x01,0x02");
    command->add_option("--baud", text.baud, "ask at this rate only (serial ports)")->check(CLI::Range(300, 4000000));
    command->add_flag("--json", options.json, "as JSON");
    command->footer(
        "Nothing is changed in a BMS. A port that is in use is left alone. Exit code 0: a battery was found on every "
        "port, 1: on some port none was found, 2: the command line is wrong or there is nothing to look at.");
    return command;
}

int scan(app::ScanOptions options, const ScanText& text) {
    options.addresses = addresses("--addresses", text.addresses);
    if (text.baud != 0) options.baud = text.baud;
    return app::scan(options);
}

struct CanSetupOptions {
    std::string interface;
    unsigned bitrate = 0;
};

CLI::App* add_can_setup(CLI::App& app, CanSetupOptions& options, bool& json) {
    auto* command = app.add_subcommand("can-setup", "Print the commands that prepare a CAN interface");
    command->add_option("INTERFACE", options.interface, "for example can0")->required();
    command->add_option("--bitrate", options.bitrate, "bit/s; default: 250000 and 500000")
        ->check(CLI::Range(10000, 1000000));
    command->add_flag("--json", json, "as JSON");
    command->footer("Nothing is changed: the program never sets the bitrate of an interface by itself.");
    return command;
}

struct ControlText {
    std::string address;
    std::uint32_t baud = 0;
};

CLI::App* add_control_bms(CLI::App& app, app::ControlBmsOptions& options, ControlText& text) {
    auto* command = app.add_subcommand("control-bms", "Change something in a BMS, after asking");
    command->add_option("PORT", options.port, "/dev/ttyUSB0, tcp://host:port")->required();
    command->add_option("CONTROL", options.control, "charge, discharge, balance, soc ...; default: list what there is");
    command->add_option("VALUE", options.value, "on, off, or a number");
    command->add_option("--type", options.type, "BMS_TYPE; default: whichever answers");
    command->add_option("--address", text.address, "bus address, e.g. 0x01");
    command->add_option("--baud", text.baud, "rate")->check(CLI::Range(300, 4000000));
    command->add_option("--state-dir", options.state_dir, "where the last use of a control is kept");
    command->add_flag("--yes", options.yes, "do not ask");
    command->add_flag("--untested", options.untested, "also what nobody has seen succeed on hardware");
    command->add_flag("--json", options.json, "as JSON (needs --yes)");
    command->footer(
        "The battery is read, checked and shown before anything is sent, and read again afterwards. Stop the daemon on "
        "this "
        "port first. Exit code 0: done, 1: refused or failed, 2: not confirmed, or the command line is wrong.");
    return command;
}

int control_bms(app::ControlBmsOptions options, const ControlText& text) {
    if (!text.address.empty()) options.address = addresses("--address", {text.address}).front();
    if (text.baud != 0) options.baud = text.baud;
    return app::control_bms(options);
}

struct SimulateText {
    std::vector<std::string> addresses;
    std::string link = "pty";
    long turnaround_ms = 10;
    double current_a = 0;
};

CLI::App* add_simulate(CLI::App& app, sim::SimulateOptions& options, SimulateText& text) {
    auto* command = app.add_subcommand("simulate", "Simulate batteries on a pty, TCP port or CAN interface");
    command->add_option("FAMILY", options.families, "families on this bus, e.g. jkbms_pb")->required()->delimiter(',');
    add_list(*command, "--addresses", text.addresses, "bus addresses, e.g. 1,2 or 0x01,0x02");
    command->add_option("--link", text.link, "pty, tcp, or can for batteries on CAN")
        ->check(CLI::IsMember({"pty", "tcp", "can"}));
    command->add_option("--path", options.path, "pty: symbolic link to make; CAN: the interface, e.g. can0");
    command->add_option("--host", options.host, "tcp: address to listen on");
    command->add_option("--tcp-port", options.tcp_port, "tcp: port to listen on; 0: any");
    command->add_option("--ports", options.ports, "so many equal buses; --path and --tcp-port count up");
    command->add_flag("--baud-pacing", options.baud_pacing, "bytes take their time on the wire");
    command->add_option("--baud", options.baud, "rate of the wire; default: the family's");
    command->add_option("--turnaround", text.turnaround_ms, "milliseconds from request to answer")
        ->check(CLI::Range(0, 60000));
    add_list(*command, "--fault", options.faults, "what goes wrong; may be given several times, see below");
    add_list(*command, "--alarm", options.alarms, "raise NAME[:warning|alarm] in every battery");
    command->add_option("--cells", options.cells, "cells in series");
    command->add_option("--capacity", options.capacity_ah, "Ah");
    command->add_option("--soc", options.soc_percent, "state of charge at the start, %");
    command->add_option("--current", text.current_a, "constant current, A, positive = charging; default: in turn");
    command->add_option("--speed", options.speed, "simulated seconds per second");
    command->add_flag("--jitter", options.jitter, "what is measured differs by a digit or two from poll to poll");
    command->add_flag("--json", options.json, "print the ports as JSON");
    command->footer(sim::simulate_help());
    return command;
}

int simulate(const CLI::App& command, sim::SimulateOptions options, const SimulateText& text) {
    options.addresses = addresses("--addresses", text.addresses);
    options.kind = text.link == "tcp"   ? sim::PortKind::tcp
                   : text.link == "can" ? sim::PortKind::can
                                        : sim::PortKind::pty;
    options.turnaround = std::chrono::milliseconds(text.turnaround_ms);
    if (command.count("--current") > 0) options.current_a = text.current_a;
    const auto result = sim::simulate(options);
    return result ? app::ended_well : app::complain("bmsd simulate", result.error().detail, options.json);
}

/// What is wrong with the first word if it is no command; empty if it is one, or an option.
std::string unknown_command(const CLI::App& app, const std::string& word) {
    if (word.starts_with("-")) return {};
    NearestWord nearest(word);
    for (const CLI::App* command : app.get_subcommands({})) {
        if (command->get_name() == word) return {};
        nearest.consider(command->get_name());
    }
    return "there is no command '" + word + "'; did you mean " + std::string(nearest.best()) +
           "? (`bmsd --help` shows all)";
}

int run_command(int argc, char** argv) {
    CLI::App app{about, "bmsd"};
    app.set_version_flag("--version", "bmsd " BMSD_VERSION);
    app.require_subcommand(1);

    app::RunOptions run_options;
    add_run(app, run_options);

    bool json = false;
    std::string family;
    std::vector<std::string> files;
    auto* list = app.add_subcommand("list", "List the BMS families");
    list->add_flag("--json", json, "as JSON");
    auto* describe = app.add_subcommand("describe", "Print the datasheet of a family as Markdown");
    describe->add_option("FAMILY", family, "BMS_TYPE, e.g. Jkbms_pb")->required();
    describe->add_flag("--json", json, "as JSON");
    auto* guide = app.add_subcommand("guide", "How to wire and prepare a battery");
    guide->add_option("FAMILY", family, "BMS_TYPE; default: all");
    guide->add_flag("--json", json, "as JSON");
    auto* decode = app.add_subcommand("decode", "Decode recorded dialogues (vector files)");
    decode->add_option("FILE", files, "vector files")->required();
    decode->add_flag("--json", json, "the output is JSON in any case");
    CheckOptions check_options;
    auto* check = add_check_config(app, check_options, json);
    app::ScanOptions scan_options;
    ScanText scan_text;
    auto* scan_command = add_scan(app, scan_options, scan_text);
    CanSetupOptions can_setup_options;
    auto* can_setup_command = add_can_setup(app, can_setup_options, json);
    app::ControlBmsOptions control_options;
    ControlText control_text;
    auto* control_command = add_control_bms(app, control_options, control_text);
    app::ControlOptions scenario_options;
    auto* scenario_command = add_control(app, scenario_options);
    sim::SimulateOptions simulate_options;
    SimulateText simulate_text;
    auto* simulate_command = add_simulate(app, simulate_options, simulate_text);

    if (argc < 2) {
        std::fputs(app.help().c_str(), stderr);
        return user_must_act;
    }
    const bool as_json = std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    if (const std::string wrong = unknown_command(app, argv[1]); !wrong.empty())
        return app::complain("bmsd", wrong, as_json);
    try {
        app.parse(argc, argv);
        if (*list) return app::list(json);
        if (*describe) return app::describe(family, json);
        if (*guide) return app::guide(family, json);
        if (*decode) return app::decode(files);
        if (*scenario_command) return app::control_scenario(scenario_options);
        if (*check) return check_config(check_options, json);
        if (*control_command) return control_bms(control_options, control_text);
        if (*can_setup_command) return app::can_setup(can_setup_options.interface, can_setup_options.bitrate, json);
        if (*scan_command) return scan(scan_options, scan_text);
        if (*simulate_command) return simulate(*simulate_command, simulate_options, simulate_text);
        return app::run(run_options);
    } catch (const CLI::ParseError& error) {
        if (app.exit(error) == 0) return app::ended_well;  // it was --help
        if (as_json) app::print_error_json(error.what());
        return user_must_act;
    }
}

/// Files and ports that are opened must not become the output that whoever started us has closed. Writing to what
/// stands in for it fails.
void fill_standard_descriptors() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
}

/// A full disk must not look like a success.
int with_output(int code) {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
    std::fputs("bmsd: the output could not be written, or not all of it\n", stderr);
    return code == app::ended_well ? app::output_lost : code;
}

}  // namespace

int main(int argc, char** argv) {
    fill_standard_descriptors();
    try {
        return with_output(run_command(argc, argv));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bmsd: %s\n", error.what());
        return 1;
    }
}
