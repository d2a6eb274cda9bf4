// What the dossier says of the JK PB in so many words, beyond what holds for every family.
#include <gtest/gtest.h>

#include "app/vector_file.hpp"
#include "bms/catalog.hpp"
#include "framing/checksum.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Asking;
using bms::Request;

const bms::Family& family() {
    return *bms::find_family("Jkbms_pb");
}

const Request& request(std::string_view name) {
    for (const Request& one : family().requests)
        if (one.name == name) return one;
    ADD_FAILURE() << "no request " << name;
    return family().requests[0];
}

ByteList built(std::string_view name, std::uint32_t address) {
    Bytes bytes;
    family().build(request(name), {address, true, nullptr}, bytes);
    return {bytes.begin(), bytes.end()};
}

/// The answers of the battery at address 3, firmware 15.41, as recorded.
ByteList recorded(std::string_view name) {
    const auto file = app::read_vector_file(BMSD_TEST_DATA "/jkbms_pb/real-16s-fw15.41-addr3.json");
    EXPECT_TRUE(file);
    const ByteList asked = built(name, 3);
    for (const bms::Exchange& exchange : file->exchanges)
        if (exchange.request == asked) return exchange.answer.at(0);
    ADD_FAILURE() << "no answer to " << name;
    return ByteList(310, 0);
}

/// Its status frame (300 bytes) with some bytes replaced and the sum put right.
ByteList status_with(std::initializer_list<std::pair<std::size_t, ByteList>> changes) {
    ByteList frame = recorded("status");
    frame.resize(300);
    for (const auto& [at, bytes] : changes)
        std::copy(bytes.begin(), bytes.end(), frame.begin() + static_cast<long>(at));
    frame[299] = framing::sum8(std::span(frame).first(299));
    return frame;
}

Result<Reading> hear_status(const ByteList& bytes, bool alone = true) {
    return hear(family(), request("status"), {3, alone, nullptr}, bytes);
}

const ByteList acknowledge_3 = hex("03 10 16 20 00 01 05 A9");

TEST(JkbmsPb, KnowsTheNumberOfCellsFromTheSettingsAsWell) {
    const auto settings = hear(family(), request("settings"), {3, true, nullptr}, recorded("settings"));
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->cell_count, 16);
}

TEST(JkbmsPb, AsksWithTheBytesOfTheDossier) {
    EXPECT_EQ(built("about", 1), hex("01 10 16 1C 00 01 02 00 00 D3 CD"));
    EXPECT_EQ(built("settings", 1), hex("01 10 16 1E 00 01 02 00 00 D2 2F"));
    EXPECT_EQ(built("status", 1), hex("01 10 16 20 00 01 02 00 00 D6 F1"));
    EXPECT_EQ(built("about", 2), hex("02 10 16 1C 00 01 02 00 00 C7 3D"));
    EXPECT_EQ(built("settings", 2), hex("02 10 16 1E 00 01 02 00 00 C6 DF"));
    EXPECT_EQ(built("status", 2), hex("02 10 16 20 00 01 02 00 00 C2 01"));
    EXPECT_EQ(built("status", 3), hex("03 10 16 20 00 01 02 00 00 CF 91"));
    EXPECT_EQ(built("about", 15), hex("0F 10 16 1C 00 01 02 00 00 9F AD"));
    EXPECT_EQ(built("settings", 15), hex("0F 10 16 1E 00 01 02 00 00 9E 4F"));
    EXPECT_EQ(built("status", 15), hex("0F 10 16 20 00 01 02 00 00 9A 91"));
}

TEST(JkbmsPb, SimulatesTheAcknowledgeOfTheDossier) {
    Bytes answer;
    bms::answer(family(), request("status"), {3, true, nullptr}, Reading{}, answer);
    ASSERT_GE(answer.size(), 308U);
    EXPECT_EQ(ByteList(answer.begin() + 300, answer.begin() + 308), acknowledge_3);
}

TEST(JkbmsPb, SumOfTheRecordedStatusIsThatOfTheDossier) {
    const ByteList bytes = recorded("status");
    EXPECT_EQ(framing::sum16(std::span(bytes).first(299)), 12833);
    EXPECT_EQ(bytes[299], 0x21);
}

TEST(JkbmsPb, RefusesAddressesThatCannotAnswer) {
    const auto master = bms::check_address(family(), 0);
    ASSERT_FALSE(master);
    EXPECT_EQ(master.error().cls, ErrorClass::config);
    for (const char* word : {"DIP switches off", "master", "0x01..0x0F"})
        EXPECT_NE(master.error().detail.find(word), std::string::npos) << master.error().detail;
    EXPECT_FALSE(bms::check_address(family(), 0x10));
    for (std::uint32_t address = 1; address <= 15; ++address) EXPECT_TRUE(bms::check_address(family(), address));
}

// Table of dossier section 7, copied by hand: a slip in the family's table must not pass here.
TEST(JkbmsPb, MapsEveryErrorBitAsTheDossierSays) {
    struct Meaning {
        int bit;
        std::string_view alarm;
        int level;
    };
    constexpr Meaning meanings[] = {
        {0, "", 0},
        {1, "high_internal_temperature", 2},
        {2, "internal_failure", 2},
        {3, "internal_failure", 2},
        {4, "high_cell_voltage", 2},
        {5, "high_voltage", 2},
        {6, "high_charge_current", 2},
        {7, "high_charge_current", 2},
        {8, "high_charge_temperature", 2},
        {9, "low_charge_temperature", 2},
        {10, "internal_failure", 2},
        {11, "low_cell_voltage", 2},
        {12, "low_voltage", 2},
        {13, "high_discharge_current", 2},
        {14, "high_discharge_current", 2},
        {15, "high_temperature", 2},
        {16, "internal_failure", 2},
        {17, "internal_failure", 2},
        {18, "", 0},
        {19, "", 0},
        {20, "internal_failure", 2},
        {21, "high_temperature", 2},
        {22, "internal_failure", 1},
        {23, "", 0},
        {24, "internal_failure", 2},
        {25, "high_discharge_current", 2},
        {26, "high_discharge_current", 2},
        {27, "low_temperature", 2},
        {28, "", 0},
        {29, "", 0},
        {30, "", 0},
        {31, "", 0},
    };
    for (const Meaning& meaning : meanings) {
        ByteList word(4, 0);
        word[static_cast<std::size_t>(meaning.bit / 8)] = static_cast<std::uint8_t>(1 << (meaning.bit % 8));
        const auto reading = hear_status(joined(status_with({{166, word}}), acknowledge_3), false);
        ASSERT_TRUE(reading);
        for (std::size_t i = 0; i < alarm_count; ++i) {
            const auto alarm = static_cast<Alarm>(i);
            EXPECT_EQ(static_cast<int>(reading->alarms[alarm].value_or(Level::ok)),
                      to_string(alarm) == meaning.alarm ? meaning.level : 0)
                << "bit " << meaning.bit << ", " << to_string(alarm);
        }
    }
}

TEST(JkbmsPb, AcceptsPaddingWhereFirmwaresPutIt) {
    const ByteList frame = status_with({});
    const ByteList zero = {0};
    const auto want = hear_status(joined(frame, acknowledge_3), false);
    ASSERT_TRUE(want);
    for (const ByteList& bytes :
         {joined(frame, joined(zero, acknowledge_3)), joined(frame, joined(acknowledge_3, zero)),
          joined(frame, joined(zero, joined(acknowledge_3, zero)))}) {
        const auto got = hear_status(bytes, false);
        ASSERT_TRUE(got);
        EXPECT_EQ(*got, *want);
    }
}

TEST(JkbmsPb, NeedsTheAcknowledgeOnlyAmongSeveral) {
    const ByteList frame = status_with({});
    EXPECT_TRUE(hear_status(frame, true));
    EXPECT_FALSE(hear_status(frame, false));
    ByteList damaged = acknowledge_3;
    damaged[7] ^= 0x01;
    EXPECT_TRUE(hear_status(joined(frame, damaged), true));
    const auto refused = hear_status(joined(frame, damaged), false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cls, ErrorClass::checksum);
}

// Some adapters lose bytes; the 8-bit sum then fits once in 256 times, but the acknowledge stands too early.
TEST(JkbmsPb, RefusesAFrameThatTheAcknowledgeShowsToBeTooShort) {
    for (std::size_t lost = 1; lost <= 8; ++lost) {
        ByteList bytes = joined(ByteList(status_with({})), acknowledge_3);
        bytes.erase(bytes.begin() + 40, bytes.begin() + 40 + static_cast<long>(lost));
        bytes.resize(308 + 12, 0x00);  // whatever follows
        bytes[30] = 0;                 // a byte to make the sum of the shifted frame fit
        bytes[30] = static_cast<std::uint8_t>(bytes[299] - framing::sum8(std::span(bytes).first(299)));
        ASSERT_EQ(framing::sum8(std::span(bytes).first(299)), bytes[299]);
        EXPECT_FALSE(hear_status(bytes, true)) << lost << " bytes lost";
    }
}

TEST(JkbmsPb, TellsAMasterOnTheBus) {
    const ByteList acknowledge_0 = hex("00 10 16 20 00 01 05 9A");
    ASSERT_TRUE(framing::has_crc16_modbus(acknowledge_0));
    const ByteList bytes = joined(status_with({}), acknowledge_0);
    const auto answered = hear_status(bytes, true);
    ASSERT_FALSE(answered);
    EXPECT_EQ(answered.error().cls, ErrorClass::unexpected);
    EXPECT_NE(answered.error().detail.find("master mode"), std::string::npos) << answered.error().detail;

    const bms::Reply overheard = family().unsolicited({1, true, nullptr}, bytes);
    EXPECT_EQ(overheard.progress, bms::Reply::Progress::failed);
    EXPECT_EQ(overheard.fault, ErrorClass::unexpected);
    EXPECT_NE(overheard.why.find("master mode"), std::string_view::npos) << overheard.why;
    EXPECT_EQ(family().unsolicited({1, true, nullptr}, hex("00 00")).progress, bms::Reply::Progress::waiting);
}

TEST(JkbmsPb, TakesANoForAnAnswerAtOnce) {
    ByteList exception = hex("03 90 02");
    const auto crc = framing::crc16_modbus(exception);
    exception.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    exception.push_back(static_cast<std::uint8_t>(crc >> 8));
    const bms::Reply reply = family().examine(request("status"), {3, true, nullptr}, exception);
    EXPECT_EQ(reply.progress, bms::Reply::Progress::failed);
    EXPECT_EQ(reply.fault, ErrorClass::refused);
    EXPECT_EQ(family().examine(request("status"), {4, true, nullptr}, exception).progress,
              bms::Reply::Progress::waiting)
        << "somebody else's exception";
}

TEST(JkbmsPb, PublishesOnlySensorsThatArePresent) {
    const auto first_two_absent = hear_status(status_with({{162, hex("30 F8 30 F8")}, {214, hex("F0")}}));
    ASSERT_TRUE(first_two_absent);
    ASSERT_EQ(first_two_absent->temperatures_c.size(), 4U);
    EXPECT_FALSE(first_two_absent->temperatures_c[0]);
    EXPECT_FALSE(first_two_absent->temperatures_c[1]);
    EXPECT_TRUE(first_two_absent->temperatures_c[2]);
    EXPECT_FALSE(first_two_absent->mosfet_temperature_c) << "its bit is cleared, too";

    const auto old_firmware = hear_status(status_with({{256, hex("00 00 00 00")}}));
    ASSERT_TRUE(old_firmware);
    EXPECT_EQ(old_firmware->temperatures_c.size(), 2U) << "a constant 0.0 is no sensor";

    const auto none = hear_status(status_with({{214, hex("01")}}));
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->temperatures_c.empty());
}

// The Python driver makes -5 of 105 degrees.
TEST(JkbmsPb, ReadsTemperaturesAsSignedNumbers) {
    const auto reading = hear_status(status_with({{144, hex("1A 04")}, {162, hex("DE 03 CE FF")}}));
    ASSERT_TRUE(reading);
    EXPECT_NEAR(reading->mosfet_temperature_c.value_or(0), 105, 1e-9);
    EXPECT_NEAR(reading->temperatures_c.at(0).value_or(0), 99, 1e-9);
    EXPECT_NEAR(reading->temperatures_c.at(1).value_or(0), -5, 1e-9);
}

// The Python driver smooths the cells and refuses frames whose byte 5 is 05.
TEST(JkbmsPb, ReadsCellsAsTheyAreInEveryFrame) {
    const auto before = hear_status(status_with({}));
    ASSERT_TRUE(before);
    const auto reading =
        hear(family(), request("status"), {3, true, &*before}, status_with({{5, hex("05")}, {6, hex("48 0D")}}));
    ASSERT_TRUE(reading);
    EXPECT_NEAR(reading->cell_voltages_v.at(0).value_or(0), 3.400, 1e-9);
    EXPECT_EQ(reading->cell_voltages_v.at(1), before->cell_voltages_v.at(1));
}

// The Python driver cuts the last byte of every text and reads frost limits unsigned.
TEST(JkbmsPb, ReadsTextsAndFrostLimitsWhole) {
    ByteList about = recorded("about");
    about.resize(300);
    const std::string_view serial = "1234567890ABCDEF";
    std::copy(serial.begin(), serial.end(), about.begin() + 86);
    const std::string_view version = "11.2888H";
    std::copy(version.begin(), version.end(), about.begin() + 30);
    about[299] = framing::sum8(std::span(about).first(299));
    const auto told = hear(family(), request("about"), {3, true, nullptr}, about);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->serial_number, serial);
    EXPECT_EQ(told->software_version, version);

    ByteList settings = recorded("settings");
    settings.resize(300);
    const ByteList frost = hex("9C FF FF FF");  // -10.0
    std::copy(frost.begin(), frost.end(), settings.begin() + 98);
    settings[299] = framing::sum8(std::span(settings).first(299));
    const auto limits = hear(family(), request("settings"), {3, true, nullptr}, settings);
    ASSERT_TRUE(limits);
    EXPECT_NEAR(limits->heating_start_c.value_or(0), -10, 1e-9);
}

TEST(JkbmsPb, RefusesAnImpossibleStateOfCharge) {
    const auto reading = hear_status(status_with({{173, hex("6F")}}));
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().cls, ErrorClass::implausible);
}

TEST(JkbmsPb, ReadsHeaterCurrentOnlyWhileHeating) {
    const auto off = hear_status(status_with({{215, hex("00")}, {236, hex("58 1B")}}));
    ASSERT_TRUE(off);
    EXPECT_FALSE(off->heater_current_a);
    const auto on = hear_status(status_with({{215, hex("01")}, {236, hex("94 11")}}));
    ASSERT_TRUE(on);
    EXPECT_NEAR(on->heater_current_a.value_or(0), 4.5, 1e-9);
}

TEST(JkbmsPb, IdentifiesByWhatIsDifferentForEveryBattery) {
    Reading reading;
    reading.model = "JK_PB2A16S20P";
    reading.unique_id = "JK_PB2A16S20P";
    EXPECT_EQ(family().identity(reading), "") << "a factory name is the model name";
    reading.unique_id = "BB02";
    EXPECT_EQ(family().identity(reading), "BB02");
    reading.serial_number = "40119491480";
    EXPECT_EQ(family().identity(reading), "40119491480");
    reading.serial_number = "0000000000";
    EXPECT_EQ(family().identity(reading), "BB02");
}

TEST(JkbmsPb, NamesItsHardwareAsTheReferenceDoes) {
    Reading reading;
    EXPECT_EQ(family().hardware(reading), "");
    reading.hardware_version = "15A";
    reading.software_version = "15.41";
    EXPECT_EQ(family().hardware(reading), "15A / 15.41");
}

TEST(JkbmsPb, NeverShowsPassCodes) {
    const ByteList about = recorded("about");
    EXPECT_EQ(std::string(about.begin() + 62, about.begin() + 66), "1234");
    const auto reading = hear(family(), request("about"), {3, true, nullptr}, about);
    ASSERT_TRUE(reading);
    for (const Text& text : {reading->model, reading->hardware_version, reading->software_version,
                             reading->serial_number, reading->custom_name, reading->unique_id})
        EXPECT_EQ(text.value_or("").find("1234"), std::string::npos) << *text;
}

}  // namespace
}  // namespace bmsd::tests
