#include "app/run_command.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <span>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/config.hpp"
#include "app/live_table.hpp"
#include "app/log.hpp"
#include "app/replay.hpp"
#include "app/stats.hpp"
#include "bms/catalog.hpp"
#include "engine/engine.hpp"
#include "link/factory.hpp"
#include "venus/face.hpp"

namespace bmsd::app {
namespace {

constexpr int ended_well = 0;
constexpr int user_must_act = 2;

Severity severity_of(Problem::Kind kind) {
    switch (kind) {
        case Problem::Kind::note: return Severity::info;
        case Problem::Kind::warning: return Severity::warning;
        default: return Severity::error;
    }
}

/// What may be asked on a port: ports are wires, so families without a serial rate are not.
std::vector<const bms::Family*> candidates(const Config& config) {
    const auto all = config.families.empty() ? bms::catalog() : std::span(config.families);
    std::vector<const bms::Family*> on_wires;
    std::copy_if(all.begin(), all.end(), std::back_inserter(on_wires),
                 [](const bms::Family* family) { return !family->serial.rates.empty(); });
    return on_wires;
}

/// An address no candidate can have is a mistake that must be told before a byte is sent; empty if there is none.
std::string wrong_address(const Config& config, const std::vector<const bms::Family*>& families) {
    for (const engine::Address& address : config.addresses) {
        std::string why;
        for (const bms::Family* family : families) {
            const auto usable = bms::check_address(*family, address.value);
            if (usable) {
                why.clear();
                break;
            }
            if (why.empty() || family->addresses.used) why = usable.error().detail;
        }
        if (!why.empty()) return "BATTERY_ADDRESSES: " + why;
    }
    return {};
}

/// Two names of one device would make us fight with ourselves.
std::vector<std::string> without_duplicates(const std::vector<std::string>& ports, const Report& report) {
    namespace fs = std::filesystem;
    std::vector<std::string> kept;
    std::vector<fs::path> devices;
    for (const std::string& port : ports) {
        std::error_code error;
        fs::path device = fs::weakly_canonical(port, error);
        if (error) device = port;
        if (std::find(devices.begin(), devices.end(), device) != devices.end()) {
            report(Severity::warning, port + ": this device is already in use under another name; named twice");
            continue;
        }
        devices.push_back(std::move(device));
        kept.push_back(port);
    }
    return kept;
}

bool excluded(const Config& config, const std::string& port) {
    std::error_code error;
    return std::any_of(config.excluded_devices.begin(), config.excluded_devices.end(), [&](const std::string& device) {
        return device == port || std::filesystem::equivalent(device, port, error);
    });
}

/// The daemon while it runs.
class Daemon {
public:
    Daemon(const RunOptions& options, Parsed parsed)
        : options_(options),
          config_(std::move(parsed.config)),
          report_(make_log(config_.log_level)),
          signals_(io_, SIGINT, SIGTERM, SIGHUP),
          stats_signal_(io_, SIGUSR1),
          engine_(io_, config_.control, config_.port_as_id, parsed.has(Problem::Kind::error),
                  parsed.has(Problem::Kind::safety), report_) {
        for (const Problem& problem : parsed.problems)
            report_(severity_of(problem.kind), to_string(problem, options_.config));
    }

    int run() {
        const auto families = candidates(config_);
        if (families.empty()) {
            report_(Severity::error, "BMS_TYPE: none of the types is spoken on wires, and Bluetooth is not there yet");
            return user_must_act;
        }
        if (const std::string why = wrong_address(config_, families); !why.empty()) {
            report_(Severity::error, why);
            return user_must_act;
        }
        if (const auto code = add_ports(families)) return *code;
        if (!make_state_dir()) return user_must_act;
        if (options_.bus != "none") {
            face_ = std::make_unique<venus::Face>(io_.get_executor(), face_settings());
            engine_.add_sink(*face_);
        }
        if (options_.live) engine_.add_sink(table_.emplace(io_));

        watch_signals();
        engine_.start([this] {
            report_(Severity::error, "no port can be used: ending");
            finish(user_must_act);
        });
        io_.run();
        return exit_code_;
    }

private:
    /// Exit code if there is nothing to run.
    std::optional<int> add_ports(const std::vector<const bms::Family*>& families) {
        const auto& named = options_.ports.empty() ? config_.ports : options_.ports;
        if (named.empty()) {
            report_(Severity::error,
                    "no port is named; write for example `bmsd run /dev/ttyUSB0` or PORTS = /dev/ttyUSB0 in the "
                    "configuration");
            return user_must_act;
        }
        bool some_excluded = false;
        for (const std::string& port : without_duplicates(named, report_)) {
            if (excluded(config_, port)) {
                report_(Severity::info, port + ": left alone (EXCLUDED_DEVICES)");
                some_excluded = true;
                continue;
            }
            auto link = is_replay(port) ? make_replay_link(io_.get_executor(), port)
                                        : link::make_link(io_.get_executor(), port);
            if (!link) {
                report_(Severity::error, link.error().detail);
                continue;
            }
            engine::PortSettings settings{.name = port, .families = families, .addresses = config_.addresses};
            if (config_.poll_interval_s)
                settings.poll = std::chrono::milliseconds(std::lround(*config_.poll_interval_s * 1000));
            engine_.add_port(std::move(settings), std::move(*link));
        }
        if (engine_.ports().empty()) return some_excluded ? ended_well : user_must_act;
        return std::nullopt;
    }

    venus::FaceSettings face_settings() const {
        venus::FaceSettings settings;
        settings.address = options_.bus;
        settings.parameters = config_.control;
        settings.cells = static_cast<venus::CellFormat>(config_.cell_data_format);
        settings.report = report_;
        return settings;
    }

    bool make_state_dir() {
        if (options_.state_dir.empty()) return true;
        std::error_code error;
        std::filesystem::create_directories(options_.state_dir, error);
        if (!error) return true;
        report_(Severity::error, options_.state_dir + ": the state directory cannot be made (" + error.message() +
                                     "); name another with --state-dir");
        return false;
    }

    void watch_signals() {
        signals_.async_wait([this](boost::system::error_code cancelled, int signal) {
            if (cancelled) return;
            report_(Severity::info, signal == SIGINT ? "interrupted: ending" : "asked to end");
            finish(ended_well);
        });
        watch_stats_signal();
    }

    void watch_stats_signal() {
        stats_signal_.async_wait([this](boost::system::error_code cancelled, int) {
            if (cancelled) return;
            save_stats();
            watch_stats_signal();
        });
    }

    void save_stats() {
        if (options_.stats.empty()) return;
        if (const std::string wrong = write_stats(engine_, options_.stats); !wrong.empty())
            report_(Severity::warning, wrong);
    }

    void finish(int code) {
        exit_code_ = code;
        save_stats();
        engine_.stop();
        io_.stop();
    }

    RunOptions options_;
    Config config_;
    Report report_;
    boost::asio::io_context io_{1};  // one thread: the engine, every port and every face
    boost::asio::signal_set signals_;
    boost::asio::signal_set stats_signal_;
    // The engine's coroutines hold on to the faces: it must go first, so it is declared last.
    std::unique_ptr<venus::Face> face_;
    std::optional<LiveTable> table_;
    engine::Engine engine_;
    int exit_code_ = ended_well;
};

}  // namespace

int run(const RunOptions& options) {
    Parsed parsed = options.config.empty() ? Parsed{} : read_config(options.config);
    if (parsed.has(Problem::Kind::fatal)) {
        for (const Problem& problem : parsed.problems)
            if (problem.kind != Problem::Kind::note)
                std::fprintf(stderr, "bmsd: %s\n", to_string(problem, options.config).c_str());
        return user_must_act;
    }
    return Daemon(options, std::move(parsed)).run();
}

}  // namespace bmsd::app
