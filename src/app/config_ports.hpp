// Ports of a configuration: what holds for each, and which there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/config.hpp"

namespace bmsd::app {

/// Whether a section of this name is meant for a port: "/dev/ttyUSB0", "tcp://host:port", "can0".
[[nodiscard]] bool is_port_name(std::string_view name);

/// Whether a port of this name is a CAN interface: "can0", "vecan1".
[[nodiscard]] bool is_can_port(std::string_view name);

/// Whether this version has a link for such a port.
[[nodiscard]] bool can_be_opened(std::string_view port);

/// Whether two names mean the same device: equal, or one is a link to the other (/dev/serial/by-id/...).
[[nodiscard]] bool same_port(const std::string& a, const std::string& b);

/// The section of a port under any of its names; null if it has none.
[[nodiscard]] const PortSection* section_of(const Config& config, const std::string& port);

/// What holds for a port: its section if it has one, else what holds for all.
[[nodiscard]] const PortConfig& settings_for(const Config& config, const std::string& port);

/// The ports to use when the command line names none: PORTS, then those with a section.
[[nodiscard]] std::vector<std::string> configured_ports(const Config& config);

/// What to say if none of the types in BMS_TYPE is spoken on this port; empty if one is, or none is named.
[[nodiscard]] std::string no_type_for(const PortConfig& settings, const std::string& port);

/// Why none of these BMS can have the address; empty if one can, or if there are none. Of the dialects of a type the
/// first, which is the most used, tells its reason.
[[nodiscard]] std::string why_no_address(const std::vector<const bms::Family*>& families, std::uint32_t address);

/// The settings of a port as the engine takes them.
[[nodiscard]] engine::PortSettings engine_settings(const Config& config, const std::string& port);

}  // namespace bmsd::app
