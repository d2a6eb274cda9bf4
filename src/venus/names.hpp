// Names and texts a battery has on the bus.
#pragma once

#include <string>
#include <string_view>

#include "model/battery.hpp"
#include "model/words.hpp"

namespace bmsd::venus {

/// Last part of a port: "ttyUSB0" of "/dev/ttyUSB0", "host:502" of "tcp://host:502".
[[nodiscard]] std::string_view port_name(std::string_view port) noexcept;

/// "com.victronenergy.battery.ttyUSB0", with "__0x01" if the user named an address other than 0.
/// `legacy`: with "__0" where there is no address, or it is 0, as version 1.4 of the Python driver
/// (LEGACY_SERVICE_NAMES). Always a valid bus name.
[[nodiscard]] std::string service_name(const Identity& identity, bool legacy = false);

/// "Serial /dev/ttyUSB0__0x01", "TCP host:502__0x01", "CAN socketcan:can0", "CAN socketcan:can0__2".
[[nodiscard]] std::string connection_text(const Identity& identity);

/// The id with '_' for everything but ASCII letters, digits and '_'.
[[nodiscard]] std::string serial_text(std::string_view id);
[[nodiscard]] inline std::string serial_text(const Identity& identity) {
    return serial_text(identity.id);
}

/// "SerialBattery <serial> @ ttyUSB0 (<type for people>)".
[[nodiscard]] std::string product_name(const Identity& identity);

/// Whether D-Bus can know a service by this name: "com.victronenergy.battery.ttyUSB0" (D-Bus specification, "Valid
/// Names"; names of connections, which begin with ':', do not last and are none).
[[nodiscard]] bool is_service_name(std::string_view name) noexcept;
/// Whether a service can have an object at this path: "/Dc/0/Current" (the same).
[[nodiscard]] bool is_object_path(std::string_view path) noexcept;

using bmsd::duration_text;

}  // namespace bmsd::venus
