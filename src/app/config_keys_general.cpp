// The program itself and the ports.
#include "app/config_keys.hpp"
#include "app/config_names.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

constexpr std::array general = std::to_array<Key>({
    {"LOGGING", "", [](Config& c) -> Slot { return &c.log_level; },
     "How much is logged. DEBUG tells of every recovery on a port."},
    {"PORTS", "", [](Config& c) -> Slot { return &c.ports; },
     "Ports to use when the command line names none, separated by commas: /dev/serial/by-id/..., /dev/ttyUSB0, "
     "tcp://host:port. Ports that have a section of their own need not be listed."},
    {"EXCLUDED_DEVICES", "", [](Config& c) -> Slot { return &c.excluded_devices; },
     "Ports that are never opened, for example /dev/ttyUSB2."},
    {"USE_PORT_AS_UNIQUE_ID", "", [](Config& c) -> Slot { return &c.port_as_id; },
     "A battery is known by its port and address instead of its serial number. For batteries that all report the same "
     "one."},
    {"TELEMETRY",
     "",
     [](Config& c) -> Slot { return &c.telemetry; },
     "Nothing is ever sent to anybody, whatever it says.",
     {},
     false,
     {},
     Effect::never},
    {"GUI_INSTALL_CUSTOMIZATIONS",
     "",
     [](Config& c) -> Slot { return &c.gui_customizations; },
     "Was for the installer of the Python driver.",
     {},
     false,
     {},
     Effect::never},
    {"SERIAL_STARTER_ENABLED",
     "",
     [](Config& c) -> Slot { return &c.serial_starter; },
     "Was for the installer of the Python driver.",
     {},
     false,
     {},
     Effect::never},
});

/// The key of releases up to 1.3 was decimal.
std::string decimal_addresses(std::string_view value, Config&) {
    std::string out;
    for (const std::string_view item : list_items(value)) {
        int number = 0;
        const Slot slot = &number;
        // What is no such number stays as it is: it will be complained about as it is written.
        const bool understood = !read_value(slot, item, Range{0, 255}) && number > 0;
        out += (out.empty() ? "" : ", ") + (understood ? address_id(static_cast<unsigned>(number)) : std::string(item));
    }
    return out;
}

constexpr std::array ports = std::to_array<Key>({
    {"BMS_TYPE", "", [](PortConfig& p) -> Slot { return &p.families; },
     "Types to look for, separated by commas; empty: all that `bmsd list` shows. A single type is not searched for but "
     "taken for granted, so that a battery that is switched off is shown as silent from the start."},
    {"BATTERY_ADDRESSES",
     "",
     [](PortConfig& p) -> Slot { return &p.addresses; },
     "Addresses on the bus, one for each battery, hexadecimal with or without 0x: 0x01, 0x02. Empty: the usual address "
     "of the type.",
     {},
     false,
     {{{"MODBUS_ADDRESSES"}, {"HELTEC_MODBUS_ADDR", decimal_addresses}}}},
    {"BAUD_RATE",
     "baud",
     [](PortConfig& p) -> Slot { return &p.baud; },
     "Rate of the serial port. Empty: the rates of the type, one after the other.",
     {300, 4'000'000}},
    {"POLL_INTERVAL",
     "s",
     [](PortConfig& p) -> Slot { return &p.poll_interval_s; },
     "Time between two readings of a battery; 0: as fast as the bus allows. Empty: what suits the type.",
     {0, 60}},
    {"INVERT_CURRENT_MEASUREMENT",
     "",
     [](PortConfig& p) -> Slot { return Sign{&p.options.invert_current}; },
     "-1 for a BMS that reports a charge current as negative: some Daly do. Wrong, it turns charging into discharging "
     "everywhere.",
     {},
     true},
    {"BATTERY_CAPACITY",
     "Ah",
     [](PortConfig& p) -> Slot { return &p.options.capacity_ah; },
     "Capacity of the battery, for types that do not tell it. Empty: unknown.",
     {0, 100'000, true}},
});

constexpr std::array service = std::to_array<Key>({
    {"BATTERY_CELL_DATA_FORMAT",
     "",
     [](Config& c) -> Slot { return &c.cell_data_format; },
     "Cells on D-Bus: 0 none, 1 /Voltages/CellN and /Balances/CellN, 2 /Cell/N/Volts, 3 /Cell/N/Volts and "
     "/Balances/CellN.",
     {0, 3}},
    {"PUBLISH_CONFIG_VALUES",
     "",
     [](Config& c) -> Slot { return &c.publish_config; },
     "Show the values of this file on D-Bus, below /Info/Config. Passwords and user names never.",
     {}},
    {"PUBLISH_BATTERY_DATA_AS_JSON",
     "",
     [](Config& c) -> Slot { return &c.publish_json; },
     "Show all values as one JSON text on the path /JsonData. It changes, and is sent, with every poll.",
     {}},
    {"GUI_PARAMETERS_SHOW_ADDITIONAL_INFO",
     "",
     [](Config& c) -> Slot { return &c.show_additional_info; },
     "Fill the texts that explain the charge control: what limits CVL, CCL and DCL in /Info/ChargeModeDebug, what "
     "leads to the next mode in /Info/ChargeModeDebugFloat and /Info/ChargeModeDebugBulk.",
     {}},
    {"LEGACY_SERVICE_NAMES",
     "",
     [](Config& c) -> Slot { return &c.legacy_service_names; },
     "End the names on D-Bus with __0 where a battery has no address, as version 1.4 of the Python driver: for flows "
     "that hold the whole name.",
     {}},
    {"LEGACY_PATHS",
     "",
     [](Config& c) -> Slot { return &c.legacy_paths; },
     "Have the switches by their names of version 1.4 as well: /Io/ForceChargingOff, /Io/ForceDischargingOff, "
     "/Io/TurnBalancingOff, /Settings/ResetSoc.",
     {}},
});

}  // namespace

Group general_keys() {
    return {"General", "", general};
}

Group port_keys() {
    return {"Ports and batteries", "Each of these may also stand in the section of a port, for this port only.", ports};
}

Group service_keys() {
    return {"Values on D-Bus", "", service};
}

}  // namespace bmsd::app
