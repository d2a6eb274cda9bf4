// `bmsd can-setup`: what it prints for an interface.
#include <gtest/gtest.h>

#include "app/can_scan.hpp"
#include "app/reading_json.hpp"

using namespace bmsd;

namespace {

link::CanInterface interface_of(const char* name) {
    link::CanInterface interface;
    interface.name = name;
    return interface;
}

}  // namespace

TEST(CanSetup, PrintsCommandsForBothUsualRatesOrTheOneThatIsAskedFor) {
    link::CanInterface can0 = interface_of("can0");
    can0.up = true;
    can0.bitrate = 125000;
    const std::string both = app::can_setup_text(can0, 0);
    EXPECT_NE(both.find("# Now: up, bitrate 125000."), std::string::npos) << both;
    EXPECT_NE(both.find("# for 500 kbit/s:\nip link set can0 down\n"
                        "ip link set can0 type can bitrate 500000 restart-ms 100\nip link set can0 txqueuelen 128\n"
                        "ip link set can0 up\n"),
              std::string::npos)
        << both;
    const std::string one = app::can_setup_text(can0, 250000);
    EXPECT_NE(one.find("bitrate 250000 restart-ms"), std::string::npos) << one;
    EXPECT_EQ(one.find("500000"), std::string::npos) << one;
}

TEST(CanSetup, SaysTheSameAsJson) {
    EXPECT_EQ(app::to_text(app::can_setup_json(interface_of("can0"), 500000)),
              R"({"interface":"can0","up":false,"virtual":false,"bitrate":null,"setups":[{"bitrate":500000,"commands":)"
              R"(["ip link set can0 down","ip link set can0 type can bitrate 500000 restart-ms 100",)"
              R"("ip link set can0 txqueuelen 128","ip link set can0 up"]}],"venus_os":)"
              R"("On Venus OS: choose the CAN-bus profile of the port in the settings instead, or it is set back."})");
    EXPECT_EQ(app::can_setup_json(interface_of("can0"), 0).at("setups").as_array().size(), 2u);
}

TEST(CanSetup, AVirtualInterfaceHasNoRate) {
    link::CanInterface vcan0 = interface_of("vcan0");
    vcan0.is_virtual = true;
    EXPECT_EQ(app::can_setup_text(vcan0, 0), "ip link set vcan0 up    # virtual: it has no bitrate\n");
    EXPECT_EQ(app::to_text(app::can_setup_json(vcan0, 0)),
              R"({"interface":"vcan0","up":false,"virtual":true,"bitrate":null,"setups":[{"bitrate":null,)"
              R"("commands":["ip link set vcan0 up"]}],"venus_os":null})");
}
