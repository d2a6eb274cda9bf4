#include "link/ports.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "link/holders.hpp"

namespace bmsd::link {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
    std::string line;
    std::getline(std::ifstream(file), line);
    return line;
}

/// The directory of the USB device above a tty's device, empty if it is no USB device.
fs::path usb_device(const fs::path& device) {
    std::error_code error;
    for (fs::path at = fs::canonical(device, error); !error && at.has_relative_path(); at = at.parent_path())
        if (fs::exists(at / "idVendor", error)) return at;
    return {};
}

std::string by_id(const std::string& root, const std::string& path) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root + "/dev/serial/by-id", error))
        if (fs::weakly_canonical(entry.path(), error) == fs::weakly_canonical(root + path, error))
            return entry.path().string().substr(root.size());
    return {};
}

/// True if hardware answers behind this tty: not a console, pty or an unused slot of the 8250 driver.
bool has_hardware(const fs::path& tty) {
    std::error_code error;
    if (!fs::exists(tty / "device", error)) return false;
    const fs::path driver = fs::weakly_canonical(tty / "device" / "driver", error).filename();
    if (driver != "serial8250" && driver != "port") return true;
    return first_line(tty / "type") != "0";
}

}  // namespace

PortInfo port_info(const std::string& path, const std::string& root) {
    PortInfo info;
    info.path = path;
    info.by_id = by_id(root, path);
    info.holders = holders_of(root + path);
    std::error_code error;
    const fs::path device =
        fs::path(root + "/sys/class/tty") / fs::weakly_canonical(root + path, error).filename() / "device";
    info.driver =
        fs::exists(device / "driver", error) ? fs::canonical(device / "driver", error).filename().string() : "";
    if (const fs::path usb = usb_device(device); !usb.empty()) {
        info.usb_id = first_line(usb / "idVendor") + ":" + first_line(usb / "idProduct");
        info.product = first_line(usb / "manufacturer");
        if (const std::string product = first_line(usb / "product"); !product.empty())
            info.product += (info.product.empty() ? "" : " ") + product;
    }
    return info;
}

std::vector<PortInfo> list_ports(const std::string& root) {
    std::vector<PortInfo> ports;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root + "/sys/class/tty", error))
        if (has_hardware(entry.path())) ports.push_back(port_info("/dev/" + entry.path().filename().string(), root));
    std::sort(ports.begin(), ports.end(), [](const PortInfo& a, const PortInfo& b) { return a.path < b.path; });
    return ports;
}

}  // namespace bmsd::link
