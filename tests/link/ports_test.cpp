// What the system says of serial ports, in a made-up /sys and /dev.
#include "link/ports.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

namespace fs = std::filesystem;
using namespace bmsd;

namespace {

class Ports : public testing::Test {
protected:
    Ports() { fs::create_directories(root_ / "sys/class/tty"); }
    ~Ports() override { fs::remove_all(root_); }

    void file(const std::string& path, const std::string& text) {
        fs::create_directories((root_ / path).parent_path());
        std::ofstream(root_ / path) << text << "\n";
    }
    /// A directory that stands for a driver, and the link to it.
    void driver(const std::string& device, const std::string& name) {
        fs::create_directories(root_ / "sys/bus/drivers" / name);
        fs::create_directory_symlink(root_ / "sys/bus/drivers" / name, root_ / device / "driver");
    }
    void add_usb_adapter() {
        const std::string usb = "sys/devices/usb1/1-1";
        file(usb + "/idVendor", "1a86");
        file(usb + "/idProduct", "7523");
        file(usb + "/manufacturer", "QinHeng");
        file(usb + "/product", "USB Serial");
        fs::create_directories(root_ / usb / "1-1:1.0/ttyUSB0");
        driver(usb + "/1-1:1.0/ttyUSB0", "ch341-uart");
        fs::create_directories(root_ / "sys/class/tty/ttyUSB0");
        fs::create_directory_symlink(root_ / usb / "1-1:1.0/ttyUSB0", root_ / "sys/class/tty/ttyUSB0/device");
        file("dev/ttyUSB0", "");
        fs::create_directories(root_ / "dev/serial/by-id");
        fs::create_symlink("../../ttyUSB0", root_ / "dev/serial/by-id/usb-1a86_USB_Serial-if00-port0");
    }
    void add_8250(const std::string& name, const std::string& type) {
        const std::string device = "sys/devices/platform/" + name;
        fs::create_directories(root_ / device);
        driver(device, "serial8250");
        file("sys/class/tty/" + name + "/type", type);
        fs::create_directory_symlink(root_ / device, root_ / "sys/class/tty" / name / "device");
        file("dev/" + name, "");
    }

    fs::path root_ = fs::temp_directory_path() / ("bmsd-ports-" + std::to_string(::getpid()));
};

}  // namespace

TEST_F(Ports, TellsWhatAUsbAdapterIs) {
    add_usb_adapter();
    const auto ports = link::list_ports(root_.string());
    ASSERT_EQ(ports.size(), 1u);
    EXPECT_EQ(ports[0].path, "/dev/ttyUSB0");
    EXPECT_EQ(ports[0].by_id, "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0");
    EXPECT_EQ(ports[0].usb_id, "1a86:7523");
    EXPECT_EQ(ports[0].product, "QinHeng USB Serial");
    EXPECT_EQ(ports[0].driver, "ch341-uart");
    EXPECT_EQ(ports[0].holders, "");
}

TEST_F(Ports, KnowsAPortByItsOtherNameToo) {
    add_usb_adapter();
    const auto info = link::port_info("/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", root_.string());
    EXPECT_EQ(info.usb_id, "1a86:7523");
    EXPECT_EQ(info.by_id, "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0");
}

TEST_F(Ports, LeavesOutSlotsWithoutHardware) {
    fs::create_directories(root_ / "sys/class/tty/tty0");  // a console has no device
    add_8250("ttyS0", "4");
    add_8250("ttyS1", "0");  // an 8250 slot nobody is behind
    const auto ports = link::list_ports(root_.string());
    ASSERT_EQ(ports.size(), 1u);
    EXPECT_EQ(ports[0].path, "/dev/ttyS0");
    EXPECT_EQ(ports[0].usb_id, "");
}

TEST_F(Ports, KnowsNothingOfAPortThatIsNotThere) {
    const auto info = link::port_info("/dev/ttyUSB7", root_.string());
    EXPECT_EQ(info.path, "/dev/ttyUSB7");
    EXPECT_EQ(info.by_id + info.usb_id + info.product + info.driver + info.holders, "");
}
