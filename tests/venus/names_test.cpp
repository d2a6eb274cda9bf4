#include "venus/names.hpp"

#include <gtest/gtest.h>

namespace bmsd::venus {
namespace {

using namespace std::chrono_literals;

Identity battery_at(std::string port, std::optional<std::uint32_t> address = {}, std::string address_text = {}) {
    Identity identity;
    identity.port = std::move(port);
    identity.address = address;
    identity.address_text = std::move(address_text);
    return identity;
}

TEST(ServiceName, IsThePortAndTheAddressAsWritten) {
    EXPECT_EQ(service_name(battery_at("/dev/ttyUSB0", 1)), "com.victronenergy.battery.ttyUSB0");
    EXPECT_EQ(service_name(battery_at("/dev/ttyUSB0", 1, "0x01")), "com.victronenergy.battery.ttyUSB0__0x01");
    EXPECT_EQ(service_name(battery_at("/dev/ttyUSB0", 1, "1")), "com.victronenergy.battery.ttyUSB0__1");
    EXPECT_EQ(service_name(battery_at("/dev/ttyUSB0", 0, "0x00")), "com.victronenergy.battery.ttyUSB0");
    EXPECT_EQ(service_name(battery_at("can0", 0, "jkbms_can")), "com.victronenergy.battery.can0__jkbms_can");
}

TEST(ServiceName, IsAlwaysValid) {
    EXPECT_EQ(service_name(battery_at("tcp://192.168.1.5:502", 1, "0x01")),
              "com.victronenergy.battery.tcp_192_168_1_5_502__0x01");
    EXPECT_EQ(service_name(battery_at("/dev/serial/by-id/usb-FTDI_FT232R-if00.1")),
              "com.victronenergy.battery.usb-FTDI_FT232R-if00_1");
    EXPECT_EQ(service_name(battery_at("/dev/pts/3")), "com.victronenergy.battery._3");
    EXPECT_EQ(service_name(battery_at("")), "com.victronenergy.battery._");
    EXPECT_EQ(service_name(battery_at("/dev/" + std::string(300, 'x'))).size(), 255u);
}

TEST(BusNames, AreCheckedAsTheSpecificationSays) {
    for (const char* name : {"com.victronenergy.battery.ttyS1", "a.b", "com.example.with-dash_and_line.x9"})
        EXPECT_TRUE(is_service_name(name)) << name;
    for (const char* name : {"", "com", ".a.b", "a.b.", "a..b", "a.9b", "a.b ; shunt", "'a.b'", ":1.5", "a.b\n"})
        EXPECT_FALSE(is_service_name(name)) << name;
    EXPECT_FALSE(is_service_name("a." + std::string(254, 'b')));
    for (const char* path : {"/", "/Soc", "/Dc/0/Current", "/a_b/C"}) EXPECT_TRUE(is_object_path(path)) << path;
    for (const char* path : {"", "Soc", "/Soc/", "//Soc", "/Dc//Current", "/Soc ; %", "/a-b", "/a\n"})
        EXPECT_FALSE(is_object_path(path)) << path;
}

TEST(Connection, NamesPortAndAddress) {
    EXPECT_EQ(connection_text(battery_at("/dev/ttyUSB71", 1)), "Serial /dev/ttyUSB71__0x01");
    EXPECT_EQ(connection_text(battery_at("/dev/ttyUSB71")), "Serial /dev/ttyUSB71");
    EXPECT_EQ(connection_text(battery_at("tcp://host:502", 0x30)), "TCP host:502__0x30");
    EXPECT_EQ(connection_text(battery_at("can0")), "CAN socketcan:can0");
    EXPECT_EQ(connection_text(battery_at("vecan1", 0)), "CAN socketcan:vecan1");
    EXPECT_EQ(connection_text(battery_at("can0", 12, "12")), "CAN socketcan:can0__12");
}

TEST(Product, NamesBatteryPortAndType) {
    Identity identity = battery_at("/dev/ttyUSB73");
    identity.id = "PACK 01";
    identity.label = "Daly";
    EXPECT_EQ(serial_text(identity), "PACK_01");
    EXPECT_EQ(product_name(identity), "SerialBattery PACK_01 @ ttyUSB73 (Daly)");
}

TEST(Duration, ShowsTwoUnitsAtMost) {
    EXPECT_EQ(duration_text(0s), "0s");
    EXPECT_EQ(duration_text(21s), "21s");
    EXPECT_EQ(duration_text(1779s), "29m 39s");
    EXPECT_EQ(duration_text(1800s), "30m");
    EXPECT_EQ(duration_text(7200s), "2h");
    EXPECT_EQ(duration_text(7201s), "2h") << "hours go with minutes only";
    EXPECT_EQ(duration_text(93784s), "1d 2h");
}

}  // namespace
}  // namespace bmsd::venus
