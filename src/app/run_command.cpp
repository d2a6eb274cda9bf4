#include "app/run_command.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "app/battery_states.hpp"
#include "app/complain.hpp"
#include "app/config.hpp"
#include "app/config_ports.hpp"
#include "app/config_reload.hpp"
#include "app/detections.hpp"
#include "app/exit_codes.hpp"
#include "app/file_writer.hpp"
#include "app/last_good.hpp"
#include "app/live_table.hpp"
#include "app/log.hpp"
#include "app/port_keeper.hpp"
#include "app/published_config.hpp"
#include "app/state_dir.hpp"
#include "app/stats.hpp"
#include "app/venus_state.hpp"
#include "engine/engine.hpp"
#include "loop/loop.hpp"
#include "venus/face.hpp"
#include "venus/names.hpp"
#include "venus/surroundings.hpp"

namespace bmsd::app {
namespace {

/// The state of batteries is written no more often than this, and at the end. What happened since is lost with the
/// power.
constexpr std::chrono::minutes between_saves{5};

/// So long the start waits for Venus OS' settings service: at boot it may come after us, elsewhere it is there or not,
/// and answers in this time.
constexpr std::chrono::milliseconds settings_come_on_venus{30000}, settings_come{300};

Severity severity_of(Problem::Kind kind) {
    switch (kind) {
        case Problem::Kind::note: return Severity::info;
        case Problem::Kind::warning: return Severity::warning;
        default: return Severity::error;
    }
}

/// The ports to open: those of the command line, else of the configuration; each device once, none that is excluded.
/// Says on `report` what is left out.
std::vector<std::string> chosen_ports(const RunOptions& options, const Config& config, const Report& report) {
    std::vector<std::string> chosen;
    for (const std::string& port : options.ports.empty() ? configured_ports(config) : options.ports) {
        const auto same = [&](const std::string& other) { return same_port(other, port); };
        // Two names of one device would make us fight with ourselves.
        if (std::any_of(chosen.begin(), chosen.end(), same))
            report(Severity::warning, port + ": this device is already in use under another name; named twice");
        else if (std::any_of(config.excluded_devices.begin(), config.excluded_devices.end(), same))
            report(Severity::info, port + ": left alone (EXCLUDED_DEVICES)");
        else
            chosen.push_back(port);
    }
    // Those of the configuration were judged with it.
    if (!options.ports.empty())
        for (const std::string& port : chosen)
            if (const std::string wrong = no_type_for(settings_for(config, port), port); !wrong.empty())
                report(Severity::warning, "BMS_TYPE: " + wrong);
    for (const PortSection& section : config.sections)
        if (!options.ports.empty() && std::none_of(chosen.begin(), chosen.end(), [&](const std::string& port) {
                return section_of(config, port) == &section;
            }))
            report(Severity::warning,
                   "the section [" + section.name + "] has no effect: the command line names other ports");
    return chosen;
}

/// The daemon while it runs.
class Daemon {
public:
    Daemon(const RunOptions& options, Parsed parsed, LastGood last_good)
        : options_(options),
          last_good_(std::move(last_good)),
          parsed_(std::move(parsed)),
          log_level_(std::make_shared<LogLevel>(config_.log_level)),
          log_(make_log(log_level_)),
          report_(log_.report),
          signals_(io_, SIGINT, SIGTERM),
          reload_signal_(io_, SIGHUP),
          stats_signal_(io_, SIGUSR1),
          engine_(io_, config_.control, config_.port_as_id, parsed_.has(Problem::Kind::error),
                  parsed_.has(Problem::Kind::safety), report_),
          ports_(io_.get_executor(), engine_, report_) {
        report_problems(parsed_);
        show_config_state();
        if (parsed_.has(Problem::Kind::safety))
            report_(Severity::error, options_.config +
                                         ": because of these errors charging and discharging stay at 0 A "
                                         "until the file is corrected");
    }

    /// `no_state`: why nothing can be kept at the moment; empty: nothing is wrong.
    int run(const std::string& no_state) {
        if (!no_state.empty()) report_(Severity::error, no_state);
        if (const auto code = add_ports()) return *code;
        keep_as_good();
        engine_.set_memory(detections_.emplace(options_.state_dir, replace_file_, report_));
        engine_.set_memory(states_.emplace(options_.state_dir, replace_file_, report_));
        if (options_.bus != "none") {
            use_venus_settings();
            face_ = std::make_unique<venus::Face>(io_.get_executor(), face_settings());
            engine_.add_sink(*face_);
        }
        if (options_.live) engine_.add_sink(table_.emplace(io_, [this] { end_with_terminal(); }));

        watch_signals();
        save_states_later();
        report_(Severity::info, "bmsd " BMSD_VERSION " starts, ports: " + std::to_string(engine_.ports().size()));
        const auto start = [this] {
            engine_.start([this] {
                report_(Severity::error, "no port can be used: ending");
                finish(user_must_act);
            });
        };
        // A battery that is new here may have been left by another driver there.
        if (settings_)
            settings_->load(on_venus() ? settings_come_on_venus : settings_come, on_venus(), start);
        else
            start();
        io_.run();
        return exit_code_;
    }

private:
    /// Exit code if there is nothing to run.
    std::optional<int> add_ports() {
        if (options_.ports.empty() && configured_ports(config_).empty()) {
            report_(Severity::error,
                    "no port is named; write for example `bmsd run /dev/ttyUSB0`, or PORTS = /dev/ttyUSB0 or a section "
                    "[/dev/ttyUSB0] in the configuration");
            return user_must_act;
        }
        const auto wanted = port_settings(config_);
        ports_.follow(wanted);
        if (engine_.ports().empty()) return wanted.empty() ? ended_well : user_must_act;
        return std::nullopt;
    }

    std::vector<engine::PortSettings> port_settings(const Config& config) const {
        std::vector<engine::PortSettings> settings;
        for (const std::string& port : chosen_ports(options_, config, report_))
            settings.push_back(engine_settings(config, port));
        return settings;
    }

    void report_problems(const Parsed& parsed) const {
        for (const Problem& problem : parsed.problems)
            report_(severity_of(problem.kind), to_string(problem, options_.config));
    }

    /// On every battery, where people look who do not see the log.
    void show_config_state() {
        engine_.set_config_state(parsed_.has(Problem::Kind::error), parsed_.has(Problem::Kind::safety),
                                 worst_error(parsed_, std::filesystem::path(options_.config).filename().string()));
    }

    /// Takes over a configuration that has changed; one with errors is refused as a whole.
    void reload() {
        if (options_.config.empty())
            return report_(Severity::warning, "asked to read the configuration again, but there is no --config file");
        Parsed fresh = read_config(options_.config);
        report_problems(fresh);
        if (fresh.has(Problem::Kind::error))
            return report_(Severity::error, options_.config +
                                                ": is not taken over because of these errors; everything "
                                                "stays as it was");
        const auto wanted = port_settings(fresh.config);
        if (wanted.empty())
            return report_(Severity::error, options_.config +
                                                ": is not taken over because it names no port; everything "
                                                "stays as it was");
        for (const std::string& what : keep_until_restart(config_, fresh.config)) report_(Severity::warning, what);
        parsed_ = std::move(fresh);  // what refers to config_ sees the new values
        *log_level_ = config_.log_level;
        show_config_state();  // before the face shows it
        if (face_) face_->set_config(config_.control, shown_config());
        ports_.follow(wanted);
        keep_as_good();
        report_(Severity::info, options_.config + ": read again");
    }

    void keep_as_good() const { last_good_.keep(parsed_, replace_file_); }

    std::vector<venus::ConfigValue> shown_config() {
        if (!config_.publish_config) return {};
        return published_config(config_, parsed_.has(Problem::Kind::error));
    }

    venus::FaceSettings face_settings() {
        venus::FaceSettings settings;
        settings.address = options_.bus;
        settings.parameters = config_.control;
        settings.cells = static_cast<venus::CellFormat>(config_.cell_data_format);
        settings.json = config_.publish_json;
        settings.explain = config_.show_additional_info;
        settings.legacy_paths = config_.legacy_paths;
        settings.legacy_names = config_.legacy_service_names;
        settings.config = shown_config();
        settings.external_soc = config_.external_sensor.gives_soc();
        settings.desk = &engine_;
        settings.report = report_;
        settings.settings = &*settings_;
        settings.stored = [this](const Identity& battery) {
            return to_settings(states_->recall(battery.id).value_or(control::Persistent{}));
        };
        settings.instance = [this](const Identity& battery) { return states_->device_instance(battery.id); };
        settings.keep_instance = [this](const Identity& battery, std::int32_t instance) {
            states_->set_device_instance(battery.id, instance);
        };
        settings.custom_name = [this](const Identity& battery) { return states_->name(battery.id); };
        settings.keep_custom_name = [this](const Identity& battery, const std::string& name) {
            states_->set_name(battery.id, name);
            keep_name_in_settings(battery.id);
            return true;
        };
        settings.keep_last_seen = [this](const Identity& battery, std::int64_t unix_s) {
            states_->set_last_seen(battery.id, unix_s);
        };
        return settings;
    }

    void use_venus_settings() {
        settings_.emplace(io_.get_executor(), options_.bus, report_);
        const ExternalSensorConfig& sensor = config_.external_sensor;
        surroundings_.emplace(io_.get_executor(), options_.bus,
                              venus::ExternalSensor{sensor.service, sensor.current_path, sensor.soc_path}, report_);
        engine_.set_surroundings([this] { return surroundings_->now(); });
        states_->on_met = [this](const Identity& battery) {
            settings_->known_as(venus::serial_text(battery.id), venus::serial_text(battery.former_id));
            if (states_->name_unwritten(battery.id)) keep_name_in_settings(battery.id);
        };
        states_->elsewhere = [this](const std::string& id) {
            return from_settings(settings_->find(venus::serial_text(id)));
        };
        states_->on_kept = [this](const std::string& id, const control::Persistent& state) {
            settings_->write(venus::serial_text(id), to_settings(state));
        };
    }

    void keep_name_in_settings(const std::string& id) {
        const std::string name = states_->name(id);
        settings_->keep(venus::serial_text(id), "CustomName", name,
                        [this, id, name] { states_->name_written(id, name); });
    }

    void save_states_later() {
        save_timer_.expires_after(between_saves);
        save_timer_.async_wait([this](boost::system::error_code cancelled) {
            if (cancelled) return;
            engine_.keep_states();
            save_states_later();
        });
    }

    void watch_signals() {
        signals_.async_wait([this](boost::system::error_code cancelled, int signal) {
            if (cancelled) return;
            report_(Severity::info, signal == SIGINT ? "interrupted: ending" : "asked to end");
            finish(ended_well);
        });
        watch_reload_signal();
        watch_stats_signal();
    }

    void watch_reload_signal() {
        reload_signal_.async_wait([this](boost::system::error_code cancelled, int) {
            if (cancelled) return;
            // What a terminal sends when it is closed means what it always does.
            if (table_ && table_->is_hung_up()) return end_with_terminal();
            log_.forget();  // whoever asks again wants to see what comes of it
            reload();
            watch_reload_signal();
        });
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

    void end_with_terminal() {
        report_(Severity::info, "nobody can see the table of --live any more: ending");
        finish(ended_well);
    }

    void finish(int code) {
        exit_code_ = code;
        save_stats();
        engine_.stop();
        io_.stop();
    }

    RunOptions options_;
    LastGood last_good_;
    Parsed parsed_;
    Config& config_ = parsed_.config;
    std::shared_ptr<LogLevel> log_level_;
    Log log_;
    Report report_;
    boost::asio::io_context io_{1};                  // one thread: the engine, every port and every face
    FileWriter files_{io_.get_executor(), report_};  // ends behind everything that is kept
    ReplaceFile replace_file_ = [this](std::string path, std::string content) {
        files_.write(std::move(path), std::move(content));
    };
    boost::asio::signal_set signals_;
    boost::asio::signal_set reload_signal_;
    boost::asio::signal_set stats_signal_;
    Timer save_timer_{io_};
    // The engine's coroutines hold on to the faces: it must go before them, so it is declared behind.
    std::optional<BatteryStates> states_;
    std::optional<venus::Settings> settings_;
    std::optional<venus::Surroundings> surroundings_;
    std::unique_ptr<venus::Face> face_;
    std::optional<LiveTable> table_;
    std::optional<Detections> detections_;
    engine::Engine engine_;
    PortKeeper ports_;
    int exit_code_ = ended_well;
};

}  // namespace

int run(const RunOptions& wanted) {
    RunOptions options = wanted;
    if (const std::string wrong = why_no_stats(options.stats); !wrong.empty()) return complain("bmsd", wrong, false);
    const bool named = !options.state_dir.empty();
    if (!named) options.state_dir = usual_state_dir();
    std::string no_state;
    if (const auto made = make_state_dir(options.state_dir); !made && made.error().may_pass) {
        // Batteries are served without it as well, and what is there can perhaps still be read.
        no_state = made.error().detail +
                   "; until then what is new of charge mode, names, history and what was found is lost when bmsd ends";
    } else if (!made) {
        std::fprintf(
            stderr, "bmsd: %s%s\n", made.error().detail.c_str(),
            named ? "" : " (without one, charge mode, names, history and what was found are lost when bmsd ends)");
        if (named) return user_must_act;
        options.state_dir.clear();
    }
    LastGood last_good(options.state_dir, options.config);
    Parsed parsed = options.config.empty() ? Parsed{} : last_good.instead_of(read_config(options.config));
    if (parsed.has(Problem::Kind::fatal)) {
        for (const Problem& problem : parsed.problems)
            if (problem.kind != Problem::Kind::note)
                std::fprintf(stderr, "bmsd: %s\n", to_string(problem, options.config).c_str());
        return user_must_act;
    }
    return Daemon(options, std::move(parsed), std::move(last_good)).run(no_state);
}

}  // namespace bmsd::app
