// Sections of ports, addresses, types and rates.
#include "app/config_ports.hpp"

#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "folder.hpp"
#include "problems.hpp"

using namespace bmsd;
using namespace bmsd::test;
using Kind = app::Problem::Kind;

namespace {

/// The first port's settings after `[DEFAULT]` and these lines.
}  // namespace

TEST(ConfigPorts, ASectionInheritsAndOverrides) {
    const auto parsed = parse(
        "BMS_TYPE = Jkbms_pb\n"
        "BATTERY_ADDRESSES = 0x01, 0x02\n"
        "POLL_INTERVAL = 2\n"
        "[/dev/ttyUSB0]\n"
        "BATTERY_ADDRESSES = 0x03\n"
        "BAUD_RATE = 115200\n"
        "INVERT_CURRENT_MEASUREMENT = -1\n"
        "BATTERY_CAPACITY = 280.5\n"
        "[tcp://10.0.0.5:502]\n"
        "BMS_TYPE = Jkbms\n"
        "MODBUS_ADDRESSES =\n"
        "POLL_INTERVAL =\n");
    EXPECT_FALSE(parsed.has(Kind::warning)) << all(parsed);
    ASSERT_EQ(parsed.config.sections.size(), 2u);

    const auto usb = app::engine_settings(parsed.config, "/dev/ttyUSB0");
    EXPECT_EQ(usb.name, "/dev/ttyUSB0");
    ASSERT_EQ(usb.families.size(), 1u);
    EXPECT_EQ(usb.families[0]->type, "Jkbms_pb");
    ASSERT_EQ(usb.addresses.size(), 1u);
    EXPECT_EQ(usb.addresses[0].value, 3u);
    EXPECT_EQ(usb.poll, std::chrono::milliseconds(2000));
    EXPECT_EQ(usb.baud, 115200u);
    EXPECT_TRUE(usb.options.invert_current);
    EXPECT_EQ(usb.options.capacity_ah, 280.5);

    const auto tcp = app::engine_settings(parsed.config, "tcp://10.0.0.5:502");
    EXPECT_EQ(tcp.families[0]->type, "Jkbms");
    EXPECT_TRUE(tcp.addresses.empty());
    EXPECT_FALSE(tcp.poll) << "empty: the family's own";
    EXPECT_FALSE(tcp.baud);
    EXPECT_FALSE(tcp.options.invert_current);

    const auto other = app::engine_settings(parsed.config, "/dev/ttyUSB7");
    EXPECT_EQ(other.addresses.size(), 2u);
    EXPECT_EQ(other.poll, std::chrono::milliseconds(2000));
}

TEST(ConfigPorts, SectionsInheritFromAllOfDefaultWhereverItStands) {
    const auto parsed = app::parse_config(
        "[/dev/ttyUSB0]\nBATTERY_ADDRESSES = 0x02\n[DEFAULT]\nBMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 3\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_EQ(app::settings_for(parsed.config, "/dev/ttyUSB0").poll_interval_s, 3);
    EXPECT_TRUE(parsed.config.defaults.addresses.empty());
}

TEST(ConfigPorts, ADeviceIsFoundUnderItsOtherName) {
    TemporaryFolder folder;
    folder.write("ttyUSB0", "");
    folder.write("ttyUSB1", "");
    std::filesystem::create_symlink(folder.file("ttyUSB0"), folder.file("by-id"));
    const auto parsed = parse("[" + folder.file("by-id") + "]\nPOLL_INTERVAL = 7\n");
    EXPECT_EQ(app::settings_for(parsed.config, folder.file("ttyUSB0")).poll_interval_s, 7);
    EXPECT_EQ(app::settings_for(parsed.config, folder.file("by-id")).poll_interval_s, 7);
    EXPECT_FALSE(app::settings_for(parsed.config, folder.file("ttyUSB1")).poll_interval_s);
    EXPECT_FALSE(app::settings_for(parsed.config, folder.file("ttyUSB9")).poll_interval_s) << "not there";

    const auto both = parse("PORTS = " + folder.file("ttyUSB0") + "\n[" + folder.file("by-id") + "]\n[" +
                            folder.file("ttyUSB1") + "]\n");
    EXPECT_EQ(app::configured_ports(both.config),
              (std::vector<std::string>{folder.file("ttyUSB0"), folder.file("ttyUSB1")}))
        << "one device is one port";
}

TEST(ConfigPorts, ATtyIsFoundUnderItsOtherName) {
    const int tty = ::posix_openpt(O_RDWR | O_NOCTTY), other = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_TRUE(tty >= 0 && other >= 0 && ::unlockpt(tty) == 0 && ::unlockpt(other) == 0);
    const std::string name = ::ptsname(tty), stranger = ::ptsname(other);
    TemporaryFolder folder;
    std::filesystem::create_symlink(name, folder.file("by-id"));
    EXPECT_TRUE(app::same_port(name, folder.file("by-id")));
    EXPECT_FALSE(app::same_port(stranger, folder.file("by-id")));
    ::close(tty);
    ::close(other);
}

TEST(ConfigPorts, TheNameThatIsWrittenWinsOverALink) {
    TemporaryFolder folder;
    folder.write("ttyUSB0", "");
    std::filesystem::create_symlink(folder.file("ttyUSB0"), folder.file("by-id"));
    const auto parsed = parse("[" + folder.file("by-id") + "]\nPOLL_INTERVAL = 7\n[" + folder.file("ttyUSB0") +
                              "]\nPOLL_INTERVAL = 8\n");
    EXPECT_EQ(app::settings_for(parsed.config, folder.file("ttyUSB0")).poll_interval_s, 8);
}

TEST(ConfigPorts, WhatIsNoPortIsNoSection) {
    for (const char* name : {"/dev/ttyUSB0", "/dev/serial/by-id/usb-FTDI_x-if00-port0", "tcp://10.0.0.5:502", "can0",
                             "vecan1", "vcan12", "ble://C8:47:8C:00:00:00", "replay:file.json"})
        EXPECT_TRUE(app::is_port_name(name)) << name;
    for (const char* name :
         {"/dev/ttyUSB0 ; garage", "/dev/ttyUSB0 garage", "\"/dev/ttyUSB0\"", "can0 can1", "my can0"})
        EXPECT_FALSE(app::is_port_name(name)) << name;
    for (const char* name : {"", "DEFAULT", "ttyUSB0", "can", "canopen", "candy1x", "other"})
        EXPECT_FALSE(app::is_port_name(name)) << name;
}

TEST(ConfigPorts, AGatewayThatCannotBeConnectedToIsAnError) {
    const char* advice = "write tcp://host:port, for example tcp://192.168.1.20:502";
    for (const char* name : {"tcp://10.0.0.5", "tcp://10.0.0.5:", "tcp://10.0.0.5:99999", "tcp://:502"}) {
        EXPECT_TRUE(complains(parse("PORTS = can0, " + std::string(name) + "\n"), Kind::error, 2, advice)) << name;
        EXPECT_TRUE(complains(parse("[" + std::string(name) + "]\n"), Kind::error, 2, advice)) << name;
    }
    EXPECT_TRUE(parse("PORTS = tcp://[fd00::5]:502\n[tcp://gateway.local:502]\n").problems.empty());
}

TEST(ConfigPorts, KeysThatHoldForAllAreRefusedWithTheirLine) {
    const auto parsed = parse("[/dev/ttyUSB0]\nLOGGING = DEBUG\nMAX_BATTERY_CHARGE_CURRENT = 20\nPOLL_INTERVL = 2\n");
    EXPECT_TRUE(complains(parsed, Kind::error, 3, "move it below [DEFAULT]")) << all(parsed);
    EXPECT_TRUE(complains(parsed, Kind::safety, 4, "move it below [DEFAULT]")) << "a limit that does not hold";
    EXPECT_TRUE(complains(parsed, Kind::error, 5, "did you mean POLL_INTERVAL?"));
    EXPECT_EQ(parsed.config.log_level, app::LogLevel::info);
    EXPECT_EQ(parsed.config.control.charge.max_a, 50);
    EXPECT_EQ(parsed.problems[0].section, "/dev/ttyUSB0");
}

TEST(ConfigPorts, ABadValueOfAPortKeepsWhatHoldsForAll) {
    const auto parsed = parse("POLL_INTERVAL = 4\n[/dev/ttyUSB0]\nPOLL_INTERVAL = fast\nBAUD_RATE = 9\n");
    EXPECT_TRUE(complains(parsed, Kind::error, 4, "'fast' is not a number (allowed: 0 to 60 s); 4 is used instead"));
    EXPECT_TRUE(complains(parsed, Kind::error, 5, "(allowed: 300 to 4000000 baud)")) << all(parsed);
    EXPECT_EQ(parsed.config.sections[0].settings.poll_interval_s, 4);
}

TEST(ConfigPorts, ASectionWrittenTwiceCountsOnce) {
    const auto parsed =
        parse("[/dev/ttyUSB0]\nPOLL_INTERVAL = 2\n[/dev/ttyUSB1]\n[/dev/ttyUSB0]\nBAUD_RATE = 115200\n");
    EXPECT_TRUE(complains(parsed, Kind::warning, 5, "there twice, first in line 2"));
    ASSERT_EQ(parsed.config.sections.size(), 2u);
    EXPECT_EQ(parsed.config.sections[0].settings.poll_interval_s, 2);
    EXPECT_EQ(parsed.config.sections[0].settings.baud, 115200);
}

TEST(ConfigPorts, WhatIsWrongWithAHeaderNeverLetsItsLinesHoldForAll) {
    for (const char* header : {"[/dev/ttyUSB1] ; garage", "  [/dev/ttyUSB1]", "  [/dev/ttyUSB1] # garage",
                               "[/dev/ttyUSB1", "[/dev/ttyUSB1]garage"}) {
        const auto parsed = parse("POLL_INTERVAL = 2\n" + std::string(header) + "\nINVERT_CURRENT_MEASUREMENT = -1\n");
        EXPECT_FALSE(parsed.config.defaults.options.invert_current) << header;
        EXPECT_EQ(parsed.config.defaults.poll_interval_s, 2) << header;
        ASSERT_EQ(parsed.config.sections.size(), 1u) << header;
        EXPECT_EQ(parsed.config.sections[0].name, "/dev/ttyUSB1");
        EXPECT_TRUE(parsed.config.sections[0].settings.options.invert_current) << header;
        EXPECT_FALSE(parsed.has(Kind::safety)) << all(parsed);
    }
    EXPECT_TRUE(complains(parse("[/dev/ttyUSB1] ; garage\n"), Kind::warning, 2,
                          "what stands behind [/dev/ttyUSB1] is ignored; a key and a comment need lines of their own"));
    for (const auto& [behind, kind] :
         std::initializer_list<std::pair<const char*, Kind>>{{"MAX_BATTERY_CHARGE_CURRENT = 10", Kind::safety},
                                                             {"MAX_CHARGE_CURRENT: 10", Kind::safety},
                                                             {"BMS_TYPE = Daly", Kind::fatal},
                                                             {"LOGGING = DEBUG", Kind::error},
                                                             {"; MAX_CELL_VOLTAGE = 3.4", Kind::warning}})
        EXPECT_TRUE(complains(app::parse_config("[DEFAULT] " + std::string(behind) + "\n"), kind, 1,
                              "what stands behind [DEFAULT] is ignored"))
            << behind;
    EXPECT_TRUE(complains(parse("  [/dev/ttyUSB1]\n"), Kind::warning, 2, "the line is indented"));
    EXPECT_TRUE(complains(parse("[/dev/ttyUSB1\n"), Kind::error, 2, "the ']' is missing"));
}

TEST(ConfigPorts, SectionsMakePorts) {
    const auto parsed =
        parse("PORTS = /dev/ttyUSB5\n[tcp://10.0.0.5:502]\n[/dev/ttyUSB5]\n[ble://C8:47:8C:00:00:00]\n");
    EXPECT_EQ(app::configured_ports(parsed.config), (std::vector<std::string>{"/dev/ttyUSB5", "tcp://10.0.0.5:502"}));
    EXPECT_TRUE(complains(parsed, Kind::warning, 5, "not in this version")) << "nothing can open Bluetooth";
}

TEST(ConfigPorts, NamesThatAreNoPortsAreTold) {
    const auto blank = parse("PORTS = /dev/ttyUSB0 /dev/ttyUSB1\n");
    EXPECT_TRUE(complains(blank, Kind::error, 2,
                          "'/dev/ttyUSB0 /dev/ttyUSB1' is no port; several are separated by commas, not by a blank"))
        << all(blank);
    EXPECT_TRUE(
        complains(parse("PORTS = ttyUSB0\n"), Kind::error, 2, "'ttyUSB0' is no port; write for example /dev/ttyUSB0"));
    EXPECT_TRUE(complains(parse("PORTS = /dev/ttyUSB0 # x\n"), Kind::error, 2, "a comment needs a line of its own"));
    EXPECT_TRUE(complains(parse("PORTS = ble://C8:47:8C:00:00:00\n"), Kind::warning, 2, "not in this version"));
    EXPECT_TRUE(
        parse("PORTS = /dev/serial/by-id/usb-a#b-if00, tcp://10.0.0.5:502, replay:my file.json\n").problems.empty());
    EXPECT_TRUE(complains(parse("CAN_PORT = canbus\n"), Kind::error, 2,
                          "'canbus' is no CAN interface; write for example can0, vecan1"));
    EXPECT_TRUE(complains(parse("CAN_PORT = can0 # x\n"), Kind::error, 2, "a comment needs a line of its own"));
    EXPECT_TRUE(complains(parse("CAN_PORT = can0 can1\n"), Kind::error, 2, "separated by commas, not by a blank"));
}

TEST(ConfigPorts, ADeviceThatMustNotBeTouchedIsLeftAloneHoweverItIsWritten) {
    using Names = std::vector<std::string>;
    const auto comment = parse("EXCLUDED_DEVICES = /dev/ttyUSB2 ; inverter\n");
    EXPECT_TRUE(complains(comment, Kind::error, 2,
                          "a comment needs a line of its own; left alone: /dev/ttyUSB2, /dev/inverter"))
        << all(comment);
    EXPECT_EQ(comment.config.excluded_devices, (Names{"/dev/ttyUSB2", "/dev/inverter"}));
    const auto blank = parse("EXCLUDED_DEVICES = /dev/ttyUSB2 /dev/ttyUSB3, can0\n");
    EXPECT_TRUE(complains(blank, Kind::error, 2, "separated by commas, not by a blank"));
    EXPECT_EQ(blank.config.excluded_devices, (Names{"/dev/ttyUSB2", "/dev/ttyUSB3", "can0"}));
    const auto bare = parse("EXCLUDED_DEVICES = ttyUSB2\n");
    EXPECT_TRUE(complains(bare, Kind::error, 2, "write its whole path; left alone: /dev/ttyUSB2")) << all(bare);
    EXPECT_EQ(bare.config.excluded_devices, Names{"/dev/ttyUSB2"});
    const auto quotes = parse("EXCLUDED_DEVICES = \"/dev/ttyUSB2\"\n");
    EXPECT_TRUE(complains(quotes, Kind::error, 2, "write it without quotes; left alone: /dev/ttyUSB2")) << all(quotes);
    EXPECT_EQ(quotes.config.excluded_devices, Names{"/dev/ttyUSB2"});
    EXPECT_TRUE(parse("EXCLUDED_DEVICES = /dev/ttyUSB2, tcp://10.0.0.5:502\n").problems.empty());
}

// ---- CAN -----------------------------------------------------------------------------------------

TEST(ConfigCan, InterfacesBecomePortsWithTheTypesThatAreSpokenThere) {
    const auto parsed = parse(
        "BMS_TYPE = Jkbms_pb, Jkbms_Can, Ubms_Can\nPORTS = /dev/ttyUSB0\nCAN_PORT = can0, vecan1\n"
        "UBMS_CAN_MODULE_SERIES = 2\nUBMS_CAN_MODULE_PARALLEL = 3\nCAN_LISTEN_ONLY = True\n[can2]\nBMS_TYPE = "
        "Daly_Can\n"
        "BATTERY_ADDRESSES = 0x01, 0x10\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_EQ(app::configured_ports(parsed.config),
              (std::vector<std::string>{"/dev/ttyUSB0", "can0", "vecan1", "can2"}));
    const auto types = [&](const std::string& port) {
        std::string out;
        for (const bms::Family* family : app::engine_settings(parsed.config, port).families)
            out += std::string(family->type) + " ";
        return out;
    };
    EXPECT_EQ(types("/dev/ttyUSB0"), "Jkbms_pb ");
    EXPECT_EQ(types("can0"), "Jkbms_Can Ubms_Can ");
    EXPECT_EQ(types("can2"), "Daly_Can ");
    const auto settings = app::engine_settings(parsed.config, "can0");
    EXPECT_TRUE(settings.named);
    EXPECT_EQ(settings.options.series, 2u);
    EXPECT_EQ(settings.options.parallel, 3u);
    EXPECT_TRUE(settings.options.listen_only);
}

TEST(ConfigCan, TypesForTheOtherKindOfPortAreTold) {
    const auto parsed = parse("[can0]\nBMS_TYPE = Jkbms_pb\n[/dev/ttyUSB0]\nBMS_TYPE = Jkbms_Can\n");
    EXPECT_TRUE(complains(parsed, Kind::warning, 3, "not spoken on CAN")) << all(parsed);
    EXPECT_TRUE(complains(parsed, Kind::warning, 5, "not spoken on serial ports")) << all(parsed);
    EXPECT_FALSE(app::engine_settings(parsed.config, "can0").families.empty());
    EXPECT_FALSE(app::engine_settings(parsed.config, "/dev/ttyUSB0").families.empty());
}

TEST(ConfigCan, ThatNoTypeForAPortIsNamedIsToldForInheritedOnesToo) {
    const auto can = parse("BMS_TYPE = Jkbms_pb\nPORTS = /dev/ttyUSB0\nCAN_PORT = can0\n");
    EXPECT_EQ(can.problems.size(), 1u) << all(can);
    EXPECT_TRUE(complains(can, Kind::warning, 2, "not spoken on CAN: on can0 all types that are will be looked for"));
    const auto serial = parse("BMS_TYPE = Daly_Can\nPORTS = /dev/ttyUSB0\nCAN_PORT = can0\n");
    EXPECT_EQ(serial.problems.size(), 1u) << all(serial);
    EXPECT_TRUE(complains(serial, Kind::warning, 2, "not spoken on serial ports: on /dev/ttyUSB0 all"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms_pb\n[can0]\nPOLL_INTERVAL = 2\n"), Kind::warning, 2, "on can0"));
    EXPECT_TRUE(parse("BMS_TYPE = Jkbms_pb\n[can0]\nBMS_TYPE = Jkbms_Can\n").problems.empty());
    EXPECT_TRUE(parse("CAN_PORT = can0\nPORTS = /dev/ttyUSB0\n").problems.empty()) << "all types are looked for";
}

TEST(ConfigCan, ATypeOnCanAloneIsNoMistake) {
    EXPECT_TRUE(parse("BMS_TYPE = Daly_Can\nCAN_PORT = can0\nBATTERY_ADDRESSES = 0x01\n").problems.empty());
    const auto parsed = parse("BMS_TYPE = Daly_Can\nCAN_PORT = can0\nBATTERY_ADDRESSES = 0x40\n");
    EXPECT_TRUE(complains(parsed, Kind::fatal, 4, "0x01..0x10")) << all(parsed);
}

// ---- addresses -----------------------------------------------------------------------------------

TEST(ConfigAddresses, EverySpellingIsHexadecimal) {
    const auto parsed = parse("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 2 ,0x0a,0XB, f\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    const auto& addresses = parsed.config.defaults.addresses;
    ASSERT_EQ(addresses.size(), 5u);
    const std::uint32_t values[] = {1, 2, 10, 11, 15};
    const char* texts[] = {"0x01", "0x02", "0x0a", "0x0b", "0x0f"};
    for (std::size_t i = 0; i < 5; ++i) {
        EXPECT_EQ(addresses[i].value, values[i]);
        EXPECT_EQ(addresses[i].text, texts[i]);
    }
}

TEST(ConfigAddresses, WhoCountsInTensIsTold) {
    app::Parsed parsed = parse("BATTERY_ADDRESSES = 10\n");
    ASSERT_EQ(parsed.config.defaults.addresses.size(), 1u);
    EXPECT_EQ(parsed.config.defaults.addresses[0].value, 16u);
    EXPECT_TRUE(complains(parsed, Kind::note, 2, "'10' is read as hexadecimal 0x10")) << all(parsed);
}

TEST(ConfigAddresses, TyposAreExplained) {
    const std::pair<const char*, const char*> cases[] = {
        {"0x0g", "'g' is no hexadecimal digit"},
        {"1;2", "separated by commas, not by a semicolon"},
        {"0x01 0x02", "separated by commas, not by a blank"},
        {"0x01/0x02", "separated by commas, not by a slash"},
        {"0x01, 0x", "digits are missing"},
        {"0x100", "the largest is 0xff"},
        {"-1", "'-' is no hexadecimal digit"},
        {"O1", "'O' is no hexadecimal digit"},
        {"0x01, 0x02, 1", "the address 0x01 is listed twice"},
    };
    for (const auto& [list, why] : cases) {
        const auto parsed = parse("BATTERY_ADDRESSES = " + std::string(list) + "\n");
        EXPECT_TRUE(complains(parsed, Kind::fatal, 2, why)) << list << "\n" << all(parsed);
        EXPECT_TRUE(parsed.config.defaults.addresses.empty()) << list;
    }
}

TEST(ConfigAddresses, WhatTheFamilyRefusesIsExplained) {
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01, 0x00\n"), Kind::fatal, 3,
                          "all DIP switches off = master mode"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x10\n"), Kind::fatal, 3, "0x01..0x0F"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms\nBATTERY_ADDRESSES = 0x01, 0x02\n"), Kind::fatal, 3,
                          "no bus address: one battery per port"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms_pb\n[/dev/ttyUSB0]\nBATTERY_ADDRESSES = 0\n"), Kind::fatal, 4,
                          "master mode"));
    EXPECT_FALSE(parse("BMS_TYPE = Jkbms, Jkbms_pb\nBATTERY_ADDRESSES = 0x0f\n").has(Kind::warning))
        << "one of the types can have it";
}

TEST(ConfigAddresses, InheritedOnesThatDoNotFitAreExplainedOnce) {
    const auto parsed = parse(
        "BMS_TYPE = Jkbms_pb\n"
        "BATTERY_ADDRESSES = 0x01\n"
        "[/dev/ttyUSB0]\n"
        "BMS_TYPE = Jkbms\n"
        "[/dev/ttyUSB1]\n"
        "POLL_INTERVAL = 2\n");
    EXPECT_EQ(parsed.problems.size(), 1u) << all(parsed);
    EXPECT_TRUE(complains(parsed, Kind::fatal, 3, "write another BATTERY_ADDRESSES below [/dev/ttyUSB0]"));
}

TEST(ConfigAddresses, TheReasonIsThatOfTheDialectMostBatteriesSpeak) {
    EXPECT_TRUE(complains(parse("BMS_TYPE = Daly\nBATTERY_ADDRESSES = 0x01\n"), Kind::fatal, 3,
                          "it has the addresses 0x40..0x4F: 0x3F + board number"));
}

TEST(ConfigAddresses, ThoseForAllPortsAreHeldAgainstEachKindOfPort) {
    const std::string types = "BMS_TYPE = Daly, Daly_Can\n", ports = "PORTS = /dev/ttyUSB0\nCAN_PORT = can0\n";
    const auto none_on_wires = parse(types + ports + "BATTERY_ADDRESSES = 0x01\n");
    EXPECT_EQ(none_on_wires.problems.size(), 1u) << all(none_on_wires);
    EXPECT_TRUE(complains(none_on_wires, Kind::error, 5, "cannot be used with Daly: it has the addresses 0x40..0x4F"));
    EXPECT_TRUE(mentions(none_on_wires, "write its addresses below [/dev/ttyUSB0]")) << all(none_on_wires);
    const auto none_on_can = parse(types + ports + "BATTERY_ADDRESSES = 0x40\n");
    EXPECT_TRUE(complains(none_on_can, Kind::error, 5, "cannot be used with Daly_Can")) << all(none_on_can);

    const auto one_each = parse(types + ports + "BATTERY_ADDRESSES = 0x40, 0x01\n");
    EXPECT_EQ(one_each.problems.size(), 2u) << all(one_each);
    EXPECT_TRUE(complains(one_each, Kind::warning, 5, "0x40 cannot be used with Daly_Can"));
    EXPECT_TRUE(complains(one_each, Kind::warning, 5, "0x01 cannot be used with Daly:"));

    EXPECT_TRUE(parse(types + "PORTS = /dev/ttyUSB0\nBATTERY_ADDRESSES = 0x40\n").problems.empty())
        << "there is no port on CAN";
    EXPECT_TRUE(
        parse(types + "BATTERY_ADDRESSES = 0x40\n" + ports + "[can0]\nBATTERY_ADDRESSES = 0x01\n").problems.empty())
        << "each port has its own";
    EXPECT_TRUE(parse("BMS_TYPE = Jkbms, Daly_Can\nBATTERY_ADDRESSES = 0x01\n" + ports).problems.empty())
        << "a Jkbms is asked without an address";
}

// ---- types and rates -----------------------------------------------------------------------------

TEST(ConfigTypes, ListsAreUnderstood) {
    const auto parsed = parse("BMS_TYPE = jkbms_PB, Jkbms, Jkbms\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    ASSERT_EQ(parsed.config.defaults.families.size(), 2u);
    EXPECT_EQ(parsed.config.defaults.families[0]->type, "Jkbms_pb");
}

TEST(ConfigTypes, UnknownOnesOfferTheNearest) {
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms, Jkbms_bp\n"), Kind::fatal, 2, "did you mean Jkbms_pb?"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms; Jkbms_pb\n"), Kind::fatal, 2, "separated by commas"));
    EXPECT_TRUE(complains(parse("[/dev/ttyUSB0]\nBMS_TYPE = Jkbmss\n"), Kind::fatal, 3, "did you mean Jkbms?"));
}

TEST(ConfigTypes, TypesOfLaterVersionsLeaveTheOthers) {
    const auto some = parse("BMS_TYPE = Xdzn_Ble, Jkbms_pb\n");
    EXPECT_TRUE(complains(some, Kind::warning, 2, "'Xdzn_Ble' is not in this version")) << all(some);
    EXPECT_EQ(some.config.defaults.families.size(), 1u);
    EXPECT_TRUE(complains(parse("BMS_TYPE = MNB\n"), Kind::fatal, 2, "SPI"));
    EXPECT_TRUE(complains(parse("BMS_TYPE = aiobmsble_ogt\n"), Kind::fatal, 2, "not in this version"));
}

TEST(ConfigTypes, ARateNobodyUsesIsDoubted) {
    EXPECT_TRUE(complains(parse("BMS_TYPE = Jkbms_pb\nBAUD_RATE = 9600\n"), Kind::warning, 3, "known are 115200"));
    EXPECT_FALSE(parse("BMS_TYPE = Jkbms_pb\nBAUD_RATE = 115200\n").has(Kind::note));
    EXPECT_TRUE(complains(parse("[can0]\nBAUD_RATE = 9600\n"), Kind::warning, 3,
                          "has no effect on CAN, where the interface has the bitrate: see `bmsd can-setup`"));
    EXPECT_TRUE(parse("BAUD_RATE = 9600\n[can0]\nBMS_TYPE = Daly_Can\n").problems.empty())
        << "meant for the serial ports";
    EXPECT_TRUE(complains(parse("INVERT_CURRENT_MEASUREMENT = 0\n"), Kind::safety, 2, "'0' is neither 1 nor -1"));
}
