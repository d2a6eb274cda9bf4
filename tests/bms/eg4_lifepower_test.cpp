// What the dossier says of the 7E/7C protocol in so many words, beyond what holds for every family.
#include <algorithm>
#include <tuple>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "framing/lifepower.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Request;

const bms::Family& family() {
    return *bms::find_family("eg4_lifepower");
}
const bms::Family& dialect_7c() {
    return *bms::find_family("revov_7c");
}

const Request& request(std::string_view name, const bms::Family& of = family()) {
    for (const Request& one : of.requests)
        if (one.name == name) return one;
    ADD_FAILURE() << "no request " << name;
    return of.requests[0];
}

ByteList built(const bms::Family& of, std::string_view name, std::uint32_t address) {
    Bytes bytes;
    of.build(request(name, of), {address, true, nullptr}, bytes);
    return {bytes.begin(), bytes.end()};
}

/// A frame around this payload, as dossier section 3 draws it.
ByteList frame(std::uint8_t command, const ByteList& payload, std::uint8_t address = 1, std::uint8_t start = 0x7E) {
    ByteList bytes = joined(ByteList{start, address, command, static_cast<std::uint8_t>(payload.size())}, payload);
    bytes.push_back(framing::lifepower::checksum(bytes));
    bytes.push_back(0x0D);
    return bytes;
}

Result<Reading> hear_analog(const ByteList& bytes, const Reading* known = nullptr) {
    return hear(family(), request("analog"), {1, true, known}, bytes);
}

/// Two cells of 3.3 V, the pack voltage, and whatever follows.
Result<Reading> hear_groups(std::string_view more, const Reading* known = nullptr) {
    return hear_analog(frame(0x01, joined(hex("01 02 0C E4 0C E4 08 01 02 94"), hex(more))), known);
}

Reading decoded(std::string_view more) {
    const auto reading = hear_groups(more);
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or(Reading{});
}

TEST(Eg4Lifepower, UnderstandsWhatOnlyOthersAsk) {
    const std::uint32_t address = 1;
    const bms::Exchange exchanges[] = {
        {frame(0x06, {}), {frame(0x06, hex("00 01 02 03"))}},
        {frame(0x43, hex("E0")), {frame(0x43, hex("0D AC 0A 28"))}},
        {built(family(), "analog", 1), {frame(0x01, hex("01 02 0C E4 0C E4 08 01 02 94"))}},
    };
    const auto heard = bms::listen(family(), {&address, 1}, exchanges)[0].reading;
    ASSERT_TRUE(heard) << heard.error().detail;
    EXPECT_EQ(heard->cell_voltages_v.size(), 2U);
}

TEST(Eg4Lifepower, AsksWithTheBytesOfTheDossier) {
    EXPECT_EQ(built(family(), "analog", 1), hex("7E 01 01 00 FE 0D"));
    EXPECT_EQ(built(family(), "analog", 15), hex("7E 0F 01 00 FE 0D"));
    EXPECT_EQ(built(family(), "hardware", 3), hex("7E 03 42 00 FC 0D"));
    EXPECT_EQ(built(dialect_7c(), "analog", 1), hex("7C 01 01 00 02 0D"));
    EXPECT_EQ(built(dialect_7c(), "hardware", 1), hex("7C 01 42 00 80 0D"));
    EXPECT_EQ(built(dialect_7c(), "firmware", 1), hex("7C 01 33 00 FE 0D"));
}

// The Python driver takes the sums of command 01 for 33, too: wrong for most addresses.
TEST(Eg4Lifepower, SumsTheFirmwareRequestForEveryAddress) {
    const ByteList sums = hex("FC FE FC FA FC FE FC F2 FC FE FC FA FC FE FC 82");
    for (std::uint8_t address = 0; address < 16; ++address)
        EXPECT_EQ(built(family(), "firmware", address), (ByteList{0x7E, address, 0x33, 0x00, sums[address], 0x0D}));
}

// §2 and §9: DIP 0 exists, and marks the master of several.
TEST(Eg4Lifepower, WarnsOfTheAddressOfAMaster) {
    for (const bms::Family* one : {&family(), &dialect_7c()}) {
        const auto master = bms::check_address(*one, 0);
        ASSERT_TRUE(master);
        EXPECT_NE(master->find("unusual"), std::string::npos) << *master;
        EXPECT_FALSE(bms::check_address(*one, 16));
        for (std::uint32_t address = 1; address < 16; ++address)
            EXPECT_EQ(bms::check_address(*one, address).value(), "");
    }
}

TEST(Eg4Lifepower, UsersFindItUnderItsOldNames) {
    for (const char* name : {"EG4_Lifepower", "Lifepower", "lifepower", "Revov", "TianPower", "Narada"}) {
        const auto found = bms::find_families(name);
        ASSERT_EQ(found.size(), 3U) << name;
        EXPECT_EQ(found[0], &family()) << "7E is asked first";
        EXPECT_EQ(found[1], &dialect_7c());
    }
}

TEST(Eg4Lifepower, AcceptsEitherStartByteInAnswers) {
    const ByteList payload = hex("01 02 0C E4 0C E4 08 01 02 94");
    for (const std::uint8_t start : {std::uint8_t{0x7E}, std::uint8_t{0x7C}})
        for (const bms::Family* one : {&family(), &dialect_7c()})
            EXPECT_TRUE(hear(*one, request("analog", *one), {1, false, nullptr}, frame(0x01, payload, 1, start)));
}

// The Python driver ends with an IndexError.
TEST(Eg4Lifepower, RefusesShortFramesCalmly) {
    for (const char* groups : {"01", "01 02 0C E4", "01 01 0C E4 08", "01 01 0C E4 08 01 01", "0B 01 00 00"}) {
        const auto reading = hear_analog(frame(0x01, hex(groups)));
        ASSERT_FALSE(reading) << groups;
        EXPECT_TRUE(reading.error().cls == ErrorClass::malformed || reading.error().cls == ErrorClass::refused)
            << groups << ": " << reading.error().detail;
    }
    for (const char* groups : {"08 01 14 A0", "01 00 08 01 14 A0", "01 01 0C E4"}) {
        const auto reading = hear_analog(frame(0x01, hex(groups)));
        ASSERT_FALSE(reading) << groups;
        EXPECT_EQ(reading.error().cls, ErrorClass::implausible) << groups;
    }
}

TEST(Eg4Lifepower, SeparatesCellVoltagesFromTheirFlags) {
    const auto reading = hear_analog(frame(0x01, hex("01 03 8C E4 4C E4 CC E4 08 01 03 DE")));
    ASSERT_TRUE(reading) << reading.error().detail;
    for (const Number& cell : reading->cell_voltages_v) EXPECT_NEAR(*cell, 3.3, 1e-9);
    EXPECT_EQ(reading->cell_balancing, (CellFlags{true, false, true}));
    EXPECT_EQ(reading->balancing_active, true);
    EXPECT_EQ(reading->cell_count, 3.0);
    EXPECT_EQ(decoded("").balancing_active, false);
}

TEST(Eg4Lifepower, ReadsAsManySensorsAsAreSentByTheirType) {
    const Reading two = decoded("05 03 00 46 20 14 00 31");
    EXPECT_EQ(two.temperatures_c, (Temperatures{20.0, -1.0}));
    EXPECT_EQ(two.environment_temperature_c, -30.0);
    EXPECT_FALSE(two.mosfet_temperature_c);
    const Reading eight = decoded("05 09 00 46 00 47 00 48 00 49 00 4A 00 4B 00 4C 80 50 40 5A");
    EXPECT_EQ(eight.temperatures_c, (Temperatures{20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0}));
    EXPECT_EQ(eight.mosfet_temperature_c, 40.0) << "the hotter of two";
    EXPECT_TRUE(decoded("05 01 10 46").temperatures_c.empty()) << "an unknown type is no cell";
}

TEST(Eg4Lifepower, ReadsTheCurrentAsTheDossierSays) {
    EXPECT_EQ(decoded("02 01 75 30").current_a, 0.0);
    EXPECT_NEAR(decoded("02 01 6E 4C").current_a.value_or(0), 17.64, 1e-9);
    EXPECT_NEAR(decoded("02 01 84 A7").current_a.value_or(0), -39.59, 1e-9);
    EXPECT_FALSE(decoded("").current_a);
}

TEST(Eg4Lifepower, WalksOverWideGroupsAndStopsAtUnknownOnes) {
    EXPECT_EQ(decoded("0B 01 00 00 02 F1 10 01 00 00 76 C0 11 01 00 00 07 01 00 08").cycles, 8.0);
    const Reading stopped = decoded("07 01 00 08 12 05 01 02 09 01 27 10");
    EXPECT_EQ(stopped.cycles, 8.0);
    EXPECT_FALSE(stopped.soh_percent) << "nobody knows how long group 12 is";
}

TEST(Eg4Lifepower, ForgetsWhatIsNotSentAgain) {
    const Reading before =
        decoded("02 01 6E 4C 03 01 13 88 04 01 27 10 05 01 40 46 06 05 00 00 00 00 00 00 00 00 00 00");
    EXPECT_NEAR(before.capacity_remaining_ah.value_or(0), 50, 1e-9);
    EXPECT_EQ(before.charge_fet, true);
    const auto after = hear_groups("07 01 00 08", &before);
    ASSERT_TRUE(after);
    for (const Number& value : {after->current_a, after->soc_percent, after->capacity_ah, after->capacity_remaining_ah,
                                after->mosfet_temperature_c})
        EXPECT_FALSE(value);
    EXPECT_FALSE(after->charge_fet);
    EXPECT_FALSE(after->discharge_fet);
}

TEST(Eg4Lifepower, ReadsWhatIsThereOfAShortStatus) {
    const Reading reading = decoded("06 02 08 00 00 10");
    EXPECT_EQ(reading.alarms[Alarm::low_cell_voltage], Level::alarm);
    EXPECT_EQ(reading.alarms[Alarm::high_voltage], Level::alarm);
    EXPECT_FALSE(reading.charge_fet) << "its byte was not sent";
}

TEST(Eg4Lifepower, ReadsSwitchesOpenedByHand) {
    struct Case {
        const char* byte;
        bool charge, discharge;
    };
    for (const Case& one : {Case{"00", true, true}, Case{"01", false, true}, Case{"02", false, true},
                            Case{"04", true, false}, Case{"08", true, false}, Case{"F0", true, true}}) {
        const Reading reading = decoded("06 05 00 00 00 00 00 " + std::string(one.byte) + " 00 00 00 00");
        EXPECT_EQ(reading.charge_fet, one.charge) << one.byte;
        EXPECT_EQ(reading.discharge_fet, one.discharge) << one.byte;
    }
}

TEST(Eg4Lifepower, NamesOverCurrentByTheDirection) {
    const char* const status = " 06 05 00 00 00 08 00 00 00 00 00 00";
    for (const auto& [current, charge, discharge] :
         {std::tuple{"02 01 6E 4C", Level::alarm, Level::ok}, std::tuple{"02 01 84 A7", Level::ok, Level::alarm},
          std::tuple{"02 01 75 30", Level::ok, Level::alarm}, std::tuple{"07 01 00 01", Level::ok, Level::alarm}}) {
        const Reading reading = decoded(std::string(current) + status);
        EXPECT_EQ(reading.alarms[Alarm::high_charge_current], charge) << current;
        EXPECT_EQ(reading.alarms[Alarm::high_discharge_current], discharge) << current;
    }
}

// Table of dossier section 7, copied by hand: a slip in the family's table must not pass here.
TEST(Eg4Lifepower, MapsEveryStatusBitAsTheDossierSays) {
    struct Meaning {
        std::size_t byte;
        int bit;
        std::string_view alarm;
        int level;
    };
    std::vector<Meaning> meanings = {
        {0, 3, "low_cell_voltage", 2},
        {1, 3, "high_internal_temperature", 2},
        {2, 0, "high_temperature", 2},
        {2, 1, "low_temperature", 2},
        {2, 6, "internal_failure", 2},
        {3, 2, "high_discharge_current", 2},
        {3, 3, "high_discharge_current", 2},
        {3, 4, "high_voltage", 2},
        {3, 5, "low_voltage", 2},
        {3, 6, "high_charge_temperature", 2},
        {3, 7, "low_charge_temperature", 2},
        {4, 0, "low_temperature", 2},
        {4, 1, "high_temperature", 2},
        {4, 4, "low_soc", 2},
        {5, 5, "high_internal_temperature", 2},
        {5, 6, "low_temperature", 1},
        {7, 0, "low_soc", 1},
        {8, 0, "high_temperature", 1},
        {8, 1, "low_temperature", 1},
        {8, 2, "high_internal_temperature", 1},
        {8, 3, "low_soc", 1},
        {8, 4, "cell_imbalance", 1},
        {8, 5, "high_temperature", 1},
        {8, 6, "low_temperature", 1},
        {9, 0, "high_cell_voltage", 1},
        {9, 1, "low_cell_voltage", 1},
        {9, 2, "high_voltage", 1},
        {9, 3, "low_voltage", 1},
        {9, 4, "high_charge_current", 1},
        {9, 5, "high_discharge_current", 1},
        {9, 6, "high_charge_temperature", 1},
        {9, 7, "low_charge_temperature", 1},
    };
    for (const int bit : {4, 5, 6, 7}) meanings.push_back({0, bit, "internal_failure", 2});
    for (const int bit : {0, 1, 2, 5, 6, 7}) meanings.push_back({1, bit, "internal_failure", 2});

    for (std::size_t byte = 0; byte < 10; ++byte)
        for (int bit = 0; bit < 8; ++bit) {
            ByteList payload = hex("01 02 0C E4 0C E4 08 01 02 94 06 05 00 00 00 00 00 00 00 00 00 00");
            payload[12 + byte] = static_cast<std::uint8_t>(1 << bit);
            const auto reading = hear_analog(frame(0x01, payload));
            ASSERT_TRUE(reading) << reading.error().detail;
            const auto meaning = std::find_if(meanings.begin(), meanings.end(),
                                              [&](const Meaning& one) { return one.byte == byte && one.bit == bit; });
            for (std::size_t i = 0; i < alarm_count; ++i) {
                const auto alarm = static_cast<Alarm>(i);
                const bool raised = meaning != meanings.end() && meaning->alarm == to_string(alarm);
                EXPECT_EQ(static_cast<int>(reading->alarms[alarm].value_or(Level::ok)), raised ? meaning->level : 0)
                    << "byte " << byte << " bit " << bit << ", " << to_string(alarm);
            }
        }
}

TEST(Eg4Lifepower, RefusesWhatNoBatterySays) {
    const auto refused = [](std::string_view groups) {
        const auto reading = hear_analog(frame(0x01, hex(groups)));
        return !reading && reading.error().cls == ErrorClass::implausible;
    };
    EXPECT_TRUE(refused("01 02 0C E4 1C E4 08 01 02 94")) << "a cell of 7.4 V";
    EXPECT_TRUE(refused("01 02 0C E4 0C E4 08 01 05 28")) << "twice the sum of the cells";
    EXPECT_TRUE(refused("01 02 0C E4 0C E4 08 01 02 94 03 01 2A F9")) << "110.01 %";
    const auto full = hear_analog(frame(0x01, hex("01 02 0C E4 0C E4 08 01 02 94 03 01 28 A0 04 01 27 10")));
    ASSERT_TRUE(full) << full.error().detail;
    EXPECT_EQ(full->capacity_remaining_ah, 100) << "104 % of 100 Ah";
    EXPECT_FALSE(refused("01 02 0C E4 00 00 08 01 02 94")) << "an open wire is an alarm, not nonsense";
    EXPECT_TRUE(refused("01 02 03 E8 15 E0 08 01 02 94")) << "a cell of 5.6 V";
    EXPECT_FALSE(refused("01 02 03 E8 15 E0 08 01 02 94 06 05 10 00 00 00 00 00 00 00 00 00"))
        << "with a broken wire, as the BMS says";
    ByteList many = hex("01 19");
    for (int cell = 0; cell < 25; ++cell) many = joined(many, hex("0C E4"));
    const auto reading = hear_analog(frame(0x01, joined(many, hex("08 01 20 3A"))));
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().cls, ErrorClass::implausible) << "25 cells";
}

TEST(Eg4Lifepower, KeepsOnlyWhatCanBeReadOfTexts) {
    const auto hardware = [](const char* bytes) {
        return hear(family(), request("hardware"), {1, true, nullptr}, frame(0x42, hex(bytes)));
    };
    EXPECT_EQ(hardware("42")->hardware_version, "B");
    const auto software = hear(family(), request("firmware"), {1, true, nullptr}, frame(0x33, hex("42")));
    EXPECT_FALSE(software) << "only the hardware version may be that short (dossier section 3)";
    EXPECT_EQ(hardware("B0 E6 51 54 2D 31 2E 5F 20 00")->hardware_version, "QT-1._");
    EXPECT_FALSE(hardware("B0 E6")->hardware_version);
    const auto refused = hardware("04");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cls, ErrorClass::refused);
    EXPECT_NE(refused.error().detail.find("RTN 04"), std::string::npos) << refused.error().detail;
}

TEST(Eg4Lifepower, TellsAnotherMasterFromAnEcho) {
    const auto fault = [](const ByteList& bytes) {
        const auto reading = hear_analog(bytes);
        EXPECT_FALSE(reading);
        return reading ? Error{} : reading.error();
    };
    const Error echo = fault(hex("7E 01 01 00 FE 0D"));
    EXPECT_EQ(echo.cls, ErrorClass::unexpected);
    EXPECT_NE(echo.detail.find("echoes"), std::string::npos) << echo.detail;
    const Error master = fault(hex("7E 02 01 00 FC 0D"));
    EXPECT_EQ(master.cls, ErrorClass::unexpected);
    EXPECT_NE(master.detail.find("another master"), std::string::npos) << master.detail;

    const bms::Reply overheard = family().unsolicited({1, true, nullptr}, hex("00 7E 02 01 00 FC 0D"));
    EXPECT_EQ(overheard.progress, bms::Reply::Progress::failed);
    EXPECT_NE(overheard.why.find("another master"), std::string_view::npos) << overheard.why;
    EXPECT_EQ(family().unsolicited({1, true, nullptr}, hex("7E 02 01 00 FD 0D")).progress,
              bms::Reply::Progress::waiting);
}

TEST(Eg4Lifepower, LeavesTheBmsItsTime) {
    EXPECT_EQ(family().timing.poll.count(), 2000);
    EXPECT_EQ(family().timing.gap.count(), 100);
    EXPECT_FALSE(family().identity) << "it tells no serial number";
}

}  // namespace
}  // namespace bmsd::tests
