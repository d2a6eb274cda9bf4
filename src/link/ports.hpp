// Which serial ports this computer has.
#pragma once

#include <string>
#include <vector>

namespace bmsd::link {

/// A serial port and what the system knows of it; unknown texts are empty.
struct PortInfo {
    std::string path;     ///< "/dev/ttyUSB0"
    std::string by_id;    ///< "/dev/serial/by-id/...": stays with the adapter
    std::string usb_id;   ///< "1a86:7523"
    std::string product;  ///< "QinHeng Electronics USB Serial", as the device names itself
    std::string driver;   ///< "ch341-uart"
    std::string holders;  ///< who has it open, see holders_of()
};

/// All serial ports with hardware behind them, sorted by path. `root`: where /sys and /dev are looked for (tests).
[[nodiscard]] std::vector<PortInfo> list_ports(const std::string& root = "");

/// The same for one path (also a by-id name); what the system does not know stays empty.
[[nodiscard]] PortInfo port_info(const std::string& path, const std::string& root = "");

}  // namespace bmsd::link
