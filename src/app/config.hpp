// The user's configuration: the dialect of the Python driver's config.ini, with a section per port beside it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "control/parameters.hpp"
#include "engine/settings.hpp"

namespace bmsd::app {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// What may differ from port to port.
struct PortConfig {
    std::vector<const bms::Family*> families;  ///< BMS_TYPE; empty: all
    std::vector<engine::Address> addresses;    ///< BATTERY_ADDRESSES; empty: the family's standard address
    std::optional<int> baud;                   ///< BAUD_RATE; empty: the family's rates
    std::optional<double> poll_interval_s;     ///< POLL_INTERVAL; empty: the family's
    bms::Options options;                      ///< INVERT_CURRENT_MEASUREMENT, BATTERY_CAPACITY
};

/// A section such as [/dev/ttyUSB0]: everything that holds for this port, what it inherits included.
struct PortSection {
    std::string name;  ///< as written
    int line = 0;
    PortConfig settings;
};

/// BLUETOOTH_...
struct BluetoothConfig {
    std::vector<std::string> batteries;  ///< "type MAC"
    bool use_polling = true;
    bool reset_stack = false;
    bool use_usb = false;
};

/// MQTT_...
struct MqttConfig {
    std::vector<std::string> topics;
    std::string broker = "127.0.0.1";
    int port = 1883;
    bool tls = false;
    std::string tls_ca;        ///< file
    bool tls_insecure = true;  ///< the name of the host is not checked
    std::string username;
    std::string password;
};

/// EXTERNAL_SENSOR_DBUS_...
struct ExternalSensorConfig {
    std::string service;
    std::string current_path;
    std::string soc_path;

    [[nodiscard]] bool gives_soc() const noexcept { return !service.empty() && !soc_path.empty(); }
};

/// What only some types of BMS look at.
struct SpecialConfig {
    bool up16s_direct_only = false;  ///< UP16S_REQUIRE_DIRECT_CONNECTION
    int greenmeter_address = 1;
    int lipro_first_address = 2;
    int lipro_last_address = 4;
    int lipro_cells = 15;
    int ubms_series = 4;
    int ubms_parallel = 2;
};

/// BMS_CAPTURE_RAW_DATA...
struct CaptureConfig {
    bool enabled = false;
    int max_size_mb = 5;
    int backups = 3;
};

/// All values, with their defaults. What is written here is what an empty file means.
struct Config {
    LogLevel log_level = LogLevel::info;        ///< LOGGING
    std::vector<std::string> excluded_devices;  ///< EXCLUDED_DEVICES
    std::vector<std::string> ports;             ///< PORTS, used when the command line names none
    PortConfig defaults;                        ///< of all ports
    std::vector<PortSection> sections;          ///< in the order of the file
    bool port_as_id = false;                    ///< USE_PORT_AS_UNIQUE_ID
    int cell_data_format = 1;                   ///< BATTERY_CELL_DATA_FORMAT, 0..3
    bool publish_config = false;                ///< PUBLISH_CONFIG_VALUES
    bool publish_json = false;                  ///< PUBLISH_BATTERY_DATA_AS_JSON
    bool show_additional_info = false;          ///< GUI_PARAMETERS_SHOW_ADDITIONAL_INFO
    bool legacy_paths = false;                  ///< LEGACY_PATHS
    bool legacy_service_names = false;          ///< LEGACY_SERVICE_NAMES
    bool gui_customizations = true;             ///< GUI_INSTALL_CUSTOMIZATIONS
    bool serial_starter = true;                 ///< SERIAL_STARTER_ENABLED
    bool telemetry = true;                      ///< TELEMETRY: read over, nothing is ever sent
    std::vector<std::string> can_ports;         ///< CAN_PORT
    bool can_listen_only = false;               ///< CAN_LISTEN_ONLY
    control::Parameters control;
    BluetoothConfig bluetooth;
    MqttConfig mqtt;
    ExternalSensorConfig external_sensor;
    SpecialConfig special;
    CaptureConfig capture;
};

/// One thing that is wrong with a configuration.
struct Problem {
    enum class Kind : std::uint8_t {
        note,     ///< worth knowing (old name, key without effect yet)
        warning,  ///< works, but hardly as meant
        error,    ///< the line has no effect, or not the one it says
        safety,   ///< an error in a key that decides how the battery is treated
        fatal,    ///< nothing sensible can be asked, or the file cannot be read
    };
    Kind kind = Kind::error;
    int line = 0;              ///< from 1; 0 = the file as a whole
    std::string key = {};      ///< as written; may be empty
    std::string text = {};     ///< what is wrong and what to write instead
    std::string value = {};    ///< as written; empty for secrets
    std::string allowed = {};  ///< what the key takes; may be empty
    std::string nearest = {};  ///< a misspelt key: the known one that is spelt most like it
    std::string section = {};  ///< "DEFAULT" or a port; empty for the file as a whole
};

/// "config.ini line 7: MAX_CELL_VOLTAGE: ..."
[[nodiscard]] std::string to_string(const Problem& problem, const std::string& file);

struct Parsed {
    Config config;
    std::vector<Problem> problems;  ///< in the order of their lines
    std::string text;               ///< what was read
    bool readable = true;           ///< false: there is no such file, or it is no text
    bool replaced = false;          ///< true: the last good configuration is used instead of what the file says

    [[nodiscard]] bool has(Problem::Kind at_least) const noexcept;
};

/// The first of the worst errors, what is used instead of the file, and how many other errors there are; empty if
/// there is no error.
[[nodiscard]] std::string worst_error(const Parsed& parsed, const std::string& file);

/// Reads the text of a config file. Total: any text gives a Config and the list of what is wrong.
[[nodiscard]] Parsed parse_config(std::string_view text);

/// Reads a file; the error says why it cannot be read and is a Problem of kind fatal.
[[nodiscard]] Parsed read_config(const std::string& path);

}  // namespace bmsd::app
