// The user's configuration: the dialect of the Python driver's config.ini.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/parameters.hpp"
#include "engine/settings.hpp"

namespace bmsd::app {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// All values, with their defaults. What is written here is what an empty file means.
struct Config {
    LogLevel log_level = LogLevel::info;        ///< LOGGING
    std::vector<const bms::Family*> families;   ///< BMS_TYPE; empty: all
    std::vector<std::string> excluded_devices;  ///< EXCLUDED_DEVICES
    std::vector<std::string> ports;             ///< PORTS, used when the command line names none
    std::optional<double> poll_interval_s;      ///< POLL_INTERVAL; empty: the family's
    std::vector<engine::Address> addresses;     ///< BATTERY_ADDRESSES
    bool port_as_id = false;                    ///< USE_PORT_AS_UNIQUE_ID
    int cell_data_format = 1;                   ///< BATTERY_CELL_DATA_FORMAT, 0..3
    control::Parameters control;
};

/// One thing that is wrong with a configuration.
struct Problem {
    enum class Kind : std::uint8_t {
        note,     ///< worth knowing (old name, key without effect yet)
        warning,  ///< works, but hardly as meant
        error,    ///< the line has no effect; the default is used
        safety,   ///< an error in a key that decides how the battery is treated
        fatal,    ///< the program cannot start with it
    };
    Kind kind = Kind::error;
    int line = 0;      ///< from 1; 0 = the file as a whole
    std::string key;   ///< as written; may be empty
    std::string text;  ///< what is wrong and what to write instead
};

/// "config.ini line 7: MAX_CELL_VOLTAGE: ..."
[[nodiscard]] std::string to_string(const Problem& problem, const std::string& file);

struct Parsed {
    Config config;
    std::vector<Problem> problems;

    [[nodiscard]] bool has(Problem::Kind at_least) const noexcept;
};

/// Reads the text of a config file. Total: any text gives a Config and the list of what is wrong.
[[nodiscard]] Parsed parse_config(std::string_view text);

/// Reads a file; the error says why it cannot be read and is a Problem of kind fatal.
[[nodiscard]] Parsed read_config(const std::string& path);

}  // namespace bmsd::app
