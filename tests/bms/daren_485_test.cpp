// What the dossier says of Daren boards in so many words, beyond what holds for every family.
#include <string>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "framing/ascii_hex.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

const bms::Family& family() {
    return *bms::find_family("Daren485");
}

const bms::Request& request(std::string_view name) {
    for (const bms::Request& request : family().requests)
        if (request.name == name) return request;
    throw std::invalid_argument("no such request");
}

ByteList ascii(std::string_view text) {
    return {text.begin(), text.end()};
}

/// A frame with this INFO.
ByteList frame(std::string_view info, std::uint8_t cid2 = 0, std::uint8_t address = 1, std::uint8_t version = 0x22) {
    ByteList bytes;
    framing::ascii_hex::append(bytes, {version, address, 0x4A, cid2}, hex(info));
    return bytes;
}

Result<Reading> heard(std::string_view name, const ByteList& bytes, const Reading& known = {},
                      std::uint32_t address = 1) {
    return hear(family(), request(name), {address, false, &known}, bytes);
}
Reading decoded(std::string_view name, const ByteList& bytes, const Reading& known = {}) {
    const auto reading = heard(name, bytes, known);
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or(Reading{});
}

/// Two cells and two sensors; the words of status, and what follows them.
std::string analog(const std::string& status, const std::string& rest = "") {
    return "01 13 88 02 94 02 0C E4 0C E4 00 FA 00 FB 01 0E 02 FF CE FF CE FF 9C 00 00 00 64 01 27 10 13 88 00 0A " +
           status + " " + rest;
}
const std::string no_status = "00 00 00 00 00 00 00 00 00 03";
const std::string no_rest = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";

TEST(Daren485, AsksWithTheFramesOfTheDossier) {
    const std::pair<const char*, const char*> asked[] = {{"analog", "~22014A42E00201FD28\r"},
                                                         {"limits", "~22014A47E00201FD23\r"},
                                                         {"versions", "~22014A510000FDA0\r"},
                                                         {"serial", "~22014AB0600A010103FF00FB6C\r"},
                                                         {"totals", "~22014AB0600A010104FF00FB6B\r"}};
    for (const auto& [name, text] : asked) {
        Bytes built;
        family().build(request(name), {.address = 1}, built);
        EXPECT_EQ(std::string(built.begin(), built.end()), text) << name;
    }
    Bytes second;
    family().build(request("analog"), {.address = 2}, second);
    EXPECT_EQ(std::string(second.begin(), second.end()), "~22024A42E00202FD26\r") << "the group is the pack";
    bms::Asking otherwise{.address = 2};
    otherwise.otherwise = true;
    family().build(request("analog"), otherwise, second);
    EXPECT_EQ(std::string(second.begin(), second.end()), "~22024A42E00201FD27\r") << "group 1 where that is refused";
}

TEST(Daren485, UnderstandsTheFixedGroupOfOtherHosts) {
    EXPECT_TRUE(bms::asks(family(), request("analog"), {.address = 2}, frame("01", 0x42, 2)));
    EXPECT_FALSE(bms::asks(family(), request("analog"), {.address = 1}, frame("01", 0x42, 2)));
    EXPECT_FALSE(bms::asks(family(), request("serial"), {.address = 1}, frame("01 01 04 FF 00", 0xB0)));
}

// The reference assumes 16 cells and 4 sensors.
TEST(Daren485, WalksOverAsManyCellsAndSensorsAsThereAre) {
    const Reading reading = decoded("analog", frame(analog(no_status, no_rest)));
    EXPECT_EQ(reading.cell_count, 2);
    EXPECT_EQ(reading.cell_voltages_v, (Cells{3.3, 3.3}));
    EXPECT_EQ(reading.temperatures_c, (Temperatures{-5.0, -5.0}));
    EXPECT_NEAR(reading.current_a.value(), -1.0, 1e-9);
    EXPECT_EQ(reading.soh_percent, 100);
    EXPECT_EQ(reading.cycles, 10);
    EXPECT_NEAR(reading.capacity_remaining_ah.value(), 50, 1e-9);
}

TEST(Daren485, TakesAnswersWithoutTheLastFields) {
    const Reading reading = decoded("analog", frame(analog(no_status)));
    EXPECT_EQ(reading.charge_fet, true);
    EXPECT_TRUE(reading.cell_balancing.empty());
    EXPECT_FALSE(reading.balancing_active);
    const Reading cells_only = decoded("analog", frame("00 13 88 02 94 02 0C E4 0C E4"));
    EXPECT_EQ(cells_only.cell_voltages_v.size(), 2U);
    EXPECT_FALSE(cells_only.current_a);
    EXPECT_FALSE(cells_only.alarms[Alarm::high_voltage]);
    EXPECT_FALSE(heard("analog", frame("00 13 88 02 94 02 0C E4 0C"))) << "a cell is missing";
}

TEST(Daren485, TellsWhatIsWrongWithTheCells) {
    const auto error = [](const char* info) { return heard("analog", frame(info)).error(); };
    EXPECT_EQ(error("00 13 88 02 94 00 00 FA 00 FB 01 0E 00").cls, ErrorClass::implausible) << "no cell";
    EXPECT_EQ(error("00 13 88 02 94 02 0C E4 0C").cls, ErrorClass::malformed) << "a cell is cut";
    EXPECT_EQ(error("00 13 88").cls, ErrorClass::malformed);
    EXPECT_EQ(error("48 55 41 4E 59").cls, ErrorClass::unexpected) << "no flag: an answer to something else";
}

TEST(Daren485, UnderstandsWhatOnlyOthersAsk) {
    const auto answered = [](std::string_view question, std::string_view info) {
        const bms::Exchange exchanges[] = {{ascii(question), {frame(info)}},
                                           {ascii("~22014A42E00201FD28\r"), {frame(analog(no_status))}}};
        const std::uint32_t address = 1;
        return bms::listen(family(), {&address, 1}, exchanges)[0].reading;
    };
    const auto time = answered("~22014A4D0000FD8E\r", "07 E8 01 02 03 04 05");
    ASSERT_TRUE(time) << time.error().detail;
    EXPECT_EQ(time->cell_count, 2) << "the other answer counts";
    const auto unknown = answered("~22014A83C0040101FCC2\r", "00 80 01 02 03");
    EXPECT_TRUE(unknown) << unknown.error().detail;
}

TEST(Daren485, WantsTheCellsToAddUpAtFirstSight) {
    std::string info = analog(no_status, no_rest);
    info.replace(info.find("0C E4"), 5, "0A F0");  // 2.8 V
    EXPECT_FALSE(heard("analog", frame(info))) << "7 % apart";
    Reading known;
    known.cell_count = 2;
    EXPECT_EQ(decoded("analog", frame(info), known).cell_voltages_v, (Cells{2.8, 3.3})) << "a known battery may fail";
    const bms::Exchange recorded{frame("01", 0x42), {frame(info)}};
    EXPECT_TRUE(bms::listen(family(), {}, std::vector{recorded})[0].reading) << "a recording names its family";
    info.replace(info.find("0A F0"), 5, "00 00");
    EXPECT_EQ(decoded("analog", frame(info)).cell_voltages_v, (Cells{0.0, 3.3})) << "a broken wire hides no battery";
}

// The reference takes these two switches for a failure.
TEST(Daren485, DoesNotTakeLedAndBuzzerForAFailure) {
    const auto failure = [](const std::string& status, const std::string& rest = no_rest) {
        return decoded("analog", frame(analog(status, rest))).alarms[Alarm::internal_failure];
    };
    EXPECT_EQ(failure("00 00 00 00 00 00 00 60 00 03"), Level::ok);
    EXPECT_EQ(failure("00 00 00 00 00 00 00 00 18 33"), Level::ok) << "enabled, current limit mode";
    for (const int bit : {1, 2, 3, 4, 10, 11, 12, 13, 14, 15}) {
        char word[8];
        std::snprintf(word, sizeof word, "%02X %02X", (1 << bit) >> 8, (1 << bit) & 0xFF);
        EXPECT_EQ(failure("00 00 00 00 00 00 " + std::string(word) + " 00 03"), Level::alarm) << bit;
    }
}

TEST(Daren485, HearsOfFailuresInTheOtherWords) {
    const auto failure = [](const std::string& status, const std::string& rest) {
        return decoded("analog", frame(analog(status, rest))).alarms[Alarm::internal_failure];
    };
    const std::string words = "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 ";
    EXPECT_EQ(failure("00 00 00 00 00 00 00 00 00 07", words + "00 00 00"), Level::alarm) << "charge MOSFET";
    EXPECT_EQ(failure("00 00 00 00 00 00 00 00 00 0B", words + "00 00 00"), Level::alarm) << "discharge MOSFET";
    EXPECT_EQ(failure(no_status, words + "20 00 00"), Level::alarm) << "machine";
    EXPECT_EQ(failure(no_status, words + "10 0F 7F"), Level::ok) << "charging, locks";
    EXPECT_EQ(failure(no_status, words + "00 10 00"), Level::alarm) << "crystal";
    EXPECT_EQ(failure(no_status, words + "00 20 00"), Level::alarm) << "EEPROM";
}

TEST(Daren485, TellsWhichMosfetIsOff) {
    const Reading no_discharge = decoded("analog", frame(analog("00 00 00 00 00 00 00 00 00 01", no_rest)));
    EXPECT_EQ(no_discharge.charge_fet, true);
    EXPECT_EQ(no_discharge.discharge_fet, false);
    const Reading no_charge = decoded("analog", frame(analog("00 00 00 00 00 00 00 00 00 02", no_rest)));
    EXPECT_EQ(no_charge.charge_fet, false);
    EXPECT_EQ(no_charge.discharge_fet, true);
}

TEST(Daren485, TellsWhichCellsAreBalanced) {
    const Reading reading = decoded(
        "analog", frame(analog(no_status, "00 00 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00")));
    EXPECT_EQ(reading.cell_balancing, (CellFlags{false, true}));
    EXPECT_EQ(reading.balancing_active, true);
}

// The reference uses the charge limit for discharging as well.
TEST(Daren485, KnowsALimitForChargingOnly) {
    std::string info = "00 0E 42 09 C4 00 3C FF FB 2E E0 0E 42 09 C4 00 10 2E E0 28 34 05 A0 00 00";
    for (int i = 0; i < 20; ++i) info += " FF";
    for (const char c : std::string("IN-ECJ8440101320C553")) {
        char pair[4];
        std::snprintf(pair, sizeof pair, " %02X", c);
        info += pair;
    }
    const Reading reading = decoded("limits", frame(info));
    EXPECT_NEAR(reading.max_charge_current_a.value(), 120, 1e-9);
    EXPECT_FALSE(reading.max_discharge_current_a);
    EXPECT_NEAR(reading.max_battery_voltage_v.value(), 58.4, 1e-9) << "the pack limit holds that of a cell";
    EXPECT_NEAR(reading.min_battery_voltage_v.value(), 40.0, 1e-9);
    EXPECT_EQ(reading.unique_id, "IN-ECJ8440101320C553");
    EXPECT_EQ(family().identity(reading), "IN-ECJ8440101320C553") << "without a serial number";
    Reading known;
    known.capacity_ah = 99;
    known.cell_count = 15;
    known.unique_id = "JD2M02150860 1";
    const Reading next = decoded("limits", frame(info), known);
    EXPECT_EQ(next.capacity_ah, 99);
    EXPECT_EQ(next.cell_count, 15);
    EXPECT_EQ(next.unique_id, "JD2M02150860 1");
}

TEST(Daren485, ReadsLongerAndEmptyVersions) {
    std::string info;
    for (const char* name : {"JT1       ", "STD08\0\0\0\0\0", "16S100JC25"})
        for (int i = 0; i < 10; ++i) {
            char pair[4];
            std::snprintf(pair, sizeof pair, "%02X ", static_cast<unsigned char>(name[i]));
            info += pair;
        }
    const Reading reading = decoded("versions", frame(info + "01 00 1A 01 01 00 00"));  // 37 bytes
    EXPECT_EQ(reading.hardware_version, "STD08 16S100JC25 JT1");
    EXPECT_EQ(reading.software_version, "01.00.1A");
    std::string blank;
    for (int i = 0; i < 30; ++i) blank += "20 ";
    const Reading empty = decoded("versions", frame(blank + "00 00 00 00 00"));
    EXPECT_FALSE(empty.hardware_version);
    EXPECT_FALSE(empty.software_version);
}

TEST(Daren485, ReadsTheDateOfProductionIfItWasSet) {
    const auto date = [](std::string_view born) {
        std::string info = "B0 01 01 03 FF 71 41 42 43 44 45 46 47";
        for (int i = 13; i < 96; ++i) info += " FF";
        info += " " + std::string(born);
        for (int i = 99; i < 119; ++i) info += " 00";
        const Reading reading = decoded("serial", frame(info));
        EXPECT_EQ(reading.serial_number, "ABCDEFG");
        EXPECT_EQ(family().identity(reading), "ABCDEFG");
        return reading.production_date.value_or("");
    };
    EXPECT_EQ(date("19 09 18"), "2019-09-18");
    EXPECT_EQ(date("FF FF FF"), "");
    EXPECT_EQ(date("19 00 18"), "");
    EXPECT_EQ(date("19 0A 18"), "");
}

// The reference checks neither address nor checksum strictly.
TEST(Daren485, TakesOnlyTheAnswerOfItsPack) {
    const ByteList good = frame(analog(no_status, no_rest));
    const auto fault = [](const ByteList& bytes, std::uint32_t address = 1) {
        return heard("analog", bytes, {}, address).error().cls;
    };
    EXPECT_EQ(fault(good, 2), ErrorClass::unexpected);
    ByteList damaged = good;
    damaged[20] ^= 1;
    EXPECT_EQ(fault(damaged), ErrorClass::checksum);
    EXPECT_EQ(fault(frame(analog(no_status, no_rest), 0, 1, 0x25)), ErrorClass::unexpected) << "Pace";
    EXPECT_EQ(fault(ascii("~22014A42E00201FD28\r")), ErrorClass::unexpected) << "our own echo";
    EXPECT_EQ(fault(ascii("~22014A510000FDA0\r")), ErrorClass::unexpected) << "another master";
}

TEST(Daren485, SaysWhyThePackRefuses) {
    const auto why = [](std::uint8_t code) {
        const auto got = heard("analog", frame("", code));
        EXPECT_EQ(got.error().cls, ErrorClass::refused);
        return got.error().detail;
    };
    EXPECT_NE(why(0x04).find("does not know this command (return code 04)"), std::string::npos);
    for (const int code : {0x01, 0x02, 0x03, 0x05, 0x06, 0x90, 0x91})
        EXPECT_NE(why(static_cast<std::uint8_t>(code)).find("return code"), std::string::npos) << code;
}

TEST(Daren485, NoticesAPackInMasterMode) {
    const auto meaning = [](const ByteList& bytes) { return family().unsolicited({1, false, nullptr}, bytes); };
    const auto polling = meaning(ascii("~22024A42E00202FD26\r"));
    EXPECT_EQ(polling.progress, bms::Reply::Progress::failed);
    EXPECT_EQ(polling.fault, ErrorClass::unexpected);
    EXPECT_NE(polling.why.find("DIP switches 5 and 6"), std::string_view::npos);
    EXPECT_EQ(meaning(frame(analog(no_status), 0, 7)).progress, bms::Reply::Progress::failed);
    EXPECT_EQ(meaning(frame("00", 0, 1, 0x25)).progress, bms::Reply::Progress::waiting) << "another protocol";
    EXPECT_EQ(meaning(ascii("~22024A42E00202FD27\r")).progress, bms::Reply::Progress::waiting);

    // While we ask, too: its question is no answer, and the answer behind it is still found.
    const ByteList good = frame(analog(no_status, no_rest));
    EXPECT_TRUE(heard("analog", joined(ascii("~22024A42E00202FD26\r"), good)));
}

TEST(Daren485, WarnsOfAddressZero) {
    const auto zero = bms::check_address(family(), 0);
    ASSERT_TRUE(zero);
    EXPECT_NE(zero->find("unusual"), std::string::npos);
    EXPECT_EQ(bms::check_address(family(), 15).value(), "");
    EXPECT_FALSE(bms::check_address(family(), 16));
    EXPECT_TRUE(family().controls.empty()) << "nothing is ever written";
}

}  // namespace
}  // namespace bmsd::tests
