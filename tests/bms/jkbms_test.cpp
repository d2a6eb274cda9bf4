// What the dossier says of the JK 4E 57 protocol in so many words, beyond what holds for every family.
#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "framing/checksum.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

const bms::Family& family() {
    return *bms::find_family("Jkbms");
}
const bms::Request& request() {
    return family().requests[0];
}

Result<Reading> hear_all(std::span<const std::uint8_t> bytes) {
    return hear(family(), request(), {0, true, nullptr}, bytes);
}

/// A frame around these records, built by hand from dossier section 3.
ByteList frame(const ByteList& records, std::uint8_t transport = 1, std::uint8_t source = 0) {
    ByteList bytes = hex("4E 57 00 00 00 00 00 00 06");
    bytes.push_back(source);
    bytes.push_back(transport);
    bytes.insert(bytes.end(), records.begin(), records.end());
    for (const std::uint8_t byte : hex("00 00 00 00 68")) bytes.push_back(byte);
    const std::size_t length = bytes.size() + 4 - 2;
    bytes[2] = static_cast<std::uint8_t>(length >> 8);
    bytes[3] = static_cast<std::uint8_t>(length & 0xFF);
    const auto sum = framing::sum16(bytes);
    for (const int byte : {0, 0, sum >> 8, sum & 0xFF}) bytes.push_back(static_cast<std::uint8_t>(byte));
    return bytes;
}

/// Two cells and whatever follows.
ByteList records(std::string_view more) {
    return joined(hex("79 06 01 0C E4 02 0C E8"), hex(more));
}

Reading decoded(std::string_view more) {
    const auto reading = hear_all(frame(records(more)));
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or(Reading{});
}

TEST(Jkbms, AsksWithTheBytesOfTheDossier) {
    Bytes bytes;
    family().build(request(), {}, bytes);
    EXPECT_EQ(ByteList(bytes.begin(), bytes.end()),
              hex("4E 57 00 13 00 00 00 00 06 03 00 00 00 00 00 00 68 00 00 01 29"));
}

TEST(Jkbms, AnAcknowledgeIsNoReading) {  // §8
    const auto sealed = [](std::uint8_t command, std::uint8_t transport, std::string_view data) {
        ByteList bytes = frame(hex(data), transport);
        bytes[8] = command;
        bytes.resize(bytes.size() - 4);
        const auto sum = framing::sum16(bytes);
        for (const int byte : {0, 0, sum >> 8, sum & 0xFF}) bytes.push_back(static_cast<std::uint8_t>(byte));
        return bytes;
    };
    const bms::Exchange password{sealed(0x05, 0, "00 00"), {sealed(0x05, 1, "00")}};
    const bms::Exchange write{sealed(0x02, 0, "AB 01"), {sealed(0x02, 1, "AB")}};
    const bms::Exchange all{sealed(0x06, 0, "00"), {frame(records("85 40"))}};
    const auto got = bms::listen(family(), {}, std::vector{password, write, all})[0].reading;
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->soc_percent, 64.0);
    EXPECT_EQ(bms::listen(family(), {}, std::vector{password, write})[0].acknowledged, 2U);
    EXPECT_TRUE(bms::listen(family(), {}, std::vector{password})[0].reading);
    const bms::Exchange crossed{password.request, write.answer};
    EXPECT_EQ(bms::listen(family(), {}, std::vector{crossed})[0].reading.error().cls, ErrorClass::unexpected);
    EXPECT_EQ(hear_all(write.answer[0]).error().cls, ErrorClass::unexpected);
}

TEST(Jkbms, DoesNotSumTheUnusedCrc) {
    ByteList bytes = frame(records("85 40"));
    bytes[bytes.size() - 4] = 0xAB;
    bytes[bytes.size() - 3] = 0xCD;
    EXPECT_TRUE(hear_all(bytes));
}

TEST(Jkbms, ReadsTemperaturesAboveHundredAsNegative) {
    const Reading reading = decoded("80 00 64 81 00 65 82 00 8C");
    EXPECT_EQ(reading.mosfet_temperature_c, 100.0);
    ASSERT_EQ(reading.temperatures_c.size(), 2U);
    EXPECT_EQ(reading.temperatures_c[0], -1.0);
    EXPECT_EQ(reading.temperatures_c[1], -40.0);
    // The Python driver makes +1 of 99 and 0 of 100.
    EXPECT_EQ(decoded("81 00 63").temperatures_c, (Temperatures{99.0}));
    EXPECT_EQ(decoded("81 00 62").temperatures_c, (Temperatures{98.0}));
}

TEST(Jkbms, ReadsTheCurrentAsTheProtocolVersionSays) {
    EXPECT_NEAR(*decoded("84 87 D0 C0 01").current_a, 20.00, 1e-9);
    EXPECT_NEAR(*decoded("84 03 70 C0 01").current_a, -8.80, 1e-9);
    EXPECT_NEAR(*decoded("84 27 10").current_a, 0, 1e-9);
    EXPECT_NEAR(*decoded("84 2A F8").current_a, -10, 1e-9);
    EXPECT_NEAR(*decoded("84 25 1C C0 00").current_a, 5, 1e-9);
    EXPECT_FALSE(decoded("85 40").current_a);
}

TEST(Jkbms, BehindAnUnknownTagTheVersionIsLookedForAtTheEnd) {
    EXPECT_NEAR(*decoded("84 83 E8 D7 12 34 C0 01").current_a, 10.00, 1e-9);
    EXPECT_NEAR(*decoded("84 03 E8 D7 12 34 C0 01").current_a, -10.00, 1e-9);
    EXPECT_NEAR(*decoded("84 2A F8 D7 12 34 C0 00").current_a, -10.00, 1e-9);
    const Reading unknown = decoded("84 83 E8 85 40 D7 12 34");
    EXPECT_FALSE(unknown.current_a) << "nobody can tell what it means";
    EXPECT_EQ(unknown.soc_percent, 64) << "what stands before stays";
    EXPECT_NEAR(*decoded("84 83 E8 C0 01 D7 12 34").current_a, 10.00, 1e-9) << "it was told in time";
}

TEST(Jkbms, HasNoVersionOfPaddingAlone) {
    EXPECT_FALSE(decoded("B7 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F 5F").software_version);
}

TEST(Jkbms, MapsEveryWarningBitAsTheDossierSays) {
    struct Meaning {
        int bit;
        std::string_view discharging, charging;
        int level;
    };
    constexpr Meaning meanings[] = {
        {0, "low_soc", "low_soc", 2},
        {1, "high_internal_temperature", "high_internal_temperature", 2},
        {2, "high_voltage", "high_voltage", 2},
        {3, "low_voltage", "low_voltage", 2},
        {4, "high_temperature", "high_charge_temperature", 1},
        {5, "high_charge_current", "high_charge_current", 1},
        {6, "high_discharge_current", "high_discharge_current", 1},
        {7, "cell_imbalance", "cell_imbalance", 1},
        {8, "high_temperature", "high_charge_temperature", 1},
        {9, "low_temperature", "low_charge_temperature", 1},
        {10, "high_cell_voltage", "high_cell_voltage", 1},
        {11, "low_cell_voltage", "low_cell_voltage", 1},
        {12, "internal_failure", "internal_failure", 2},
        {13, "internal_failure", "internal_failure", 2},
        {14, "", "", 0},
        {15, "", "", 0},
    };
    for (const Meaning& meaning : meanings)
        for (const bool charging : {false, true}) {
            ByteList list = records(charging ? "84 83 E8 8B 00 00 C0 01" : "84 03 E8 8B 00 00 C0 01");
            const std::size_t word = list.size() - 4;
            list[word + (meaning.bit < 8 ? 1 : 0)] = static_cast<std::uint8_t>(1 << (meaning.bit % 8));
            const auto reading = hear_all(frame(list));
            ASSERT_TRUE(reading);
            const std::string_view raised = charging ? meaning.charging : meaning.discharging;
            for (std::size_t i = 0; i < alarm_count; ++i) {
                const auto alarm = static_cast<Alarm>(i);
                EXPECT_EQ(static_cast<int>(reading->alarms[alarm].value_or(Level::ok)),
                          to_string(alarm) == raised ? meaning.level : 0)
                    << "bit " << meaning.bit << (charging ? " charging, " : " discharging, ") << to_string(alarm);
            }
        }
}

TEST(Jkbms, ReadsSwitchesByTheirOwnBit) {
    const Reading offline = decoded("8C 00 0B");  // bit 3 says nothing about the switches
    EXPECT_EQ(offline.charge_fet, true);
    EXPECT_EQ(offline.discharge_fet, true);
    EXPECT_EQ(offline.balancing_active, false);
    EXPECT_EQ(decoded("8C 00 08").balancing_active, false);
    const Reading one = decoded("8C 00 02");
    EXPECT_EQ(one.charge_fet, false);
    EXPECT_EQ(one.discharge_fet, true);
}

TEST(Jkbms, KeepsTheMissingCellButNotAsTheLowest) {
    const auto reading = hear_all(frame(hex("79 09 01 0C E4 02 00 00 03 0C E8")));
    ASSERT_TRUE(reading);
    ASSERT_EQ(reading->cell_voltages_v.size(), 3U);
    EXPECT_EQ(reading->cell_voltages_v[1], 0.0);
    EXPECT_NEAR(*reading->min_cell_voltage_v, 3.300, 1e-9);
    EXPECT_NEAR(*reading->max_cell_voltage_v, 3.304, 1e-9);
}

// Reserved bits shift every alarm of the Python driver.
TEST(Jkbms, ReadsWarningsBesideReservedBits) {
    const Reading reading = decoded("8B C0 04");
    EXPECT_EQ(reading.alarms[Alarm::high_voltage], Level::alarm);
    for (std::size_t i = 0; i < alarm_count; ++i)
        if (static_cast<Alarm>(i) != Alarm::high_voltage) {
            EXPECT_EQ(reading.alarms[static_cast<Alarm>(i)].value_or(Level::ok), Level::ok) << i;
        }
}

// The Python driver keeps the old voltage of a cell whose wire opened, and never shortens its list.
TEST(Jkbms, ForgetsCellsThatAreNotThereAnyMore) {
    const auto before = hear_all(frame(hex("79 09 01 0C E4 02 0C E5 03 0C E8 8A 00 03")));
    ASSERT_TRUE(before);
    const auto after = hear(family(), request(), {0, true, &*before}, frame(hex("79 06 01 00 00 02 0C E5 8A 00 02")));
    ASSERT_TRUE(after);
    EXPECT_EQ(after->cell_voltages_v, (Cells{0.0, 3.301}));
    EXPECT_EQ(after->cell_count, 2.0);
}

TEST(Jkbms, ForgetsWhatALaterAnswerDoesNotSay) {
    const auto before = hear_all(frame(records("83 14 A0 85 3C 8C 00 03 9D 01 B4 63 65 6C 6C 61 72 00 00")));
    ASSERT_TRUE(before);
    EXPECT_EQ(before->voltage_v, 52.8);
    EXPECT_EQ(before->soc_percent, 60.0);
    EXPECT_EQ(before->charge_fet, true);
    EXPECT_EQ(before->balance_fet, true);
    EXPECT_EQ(before->custom_name, "cellar");
    const auto after = hear(family(), request(), {0, true, &*before}, frame(records("83 14 AA")));
    ASSERT_TRUE(after);
    EXPECT_EQ(after->voltage_v, 52.9);
    EXPECT_FALSE(after->soc_percent);
    EXPECT_FALSE(after->charge_fet);
    EXPECT_FALSE(after->balance_fet);
    EXPECT_FALSE(after->custom_name);
}

TEST(Jkbms, SurvivesTextsThatAreNone) {
    const Reading reading =
        decoded("B4 FF FE 41 80 00 00 00 00 B5 FF FF FF FF B7 C3 28 31 31 00 00 00 00 00 00 00 00 00 00 00");
    EXPECT_EQ(reading.custom_name, "??A?");
    EXPECT_EQ(reading.software_version, "?(11");
    EXPECT_FALSE(reading.production_date);
}

TEST(Jkbms, NeverShowsThePassword) {
    const Reading reading = decoded("B2 31 32 33 34 35 36 00 00 00 00 85 40");
    EXPECT_EQ(reading.soc_percent, 64.0);
    for (const Text& text : {reading.model, reading.hardware_version, reading.software_version, reading.serial_number,
                             reading.custom_name, reading.unique_id})
        EXPECT_EQ(text.value_or("").find("123456"), std::string::npos) << *text;
}

TEST(Jkbms, StopsAtAnUnknownTagAndKeepsTheRest) {
    const Reading reading = decoded("85 40 F5 12 34 87 00 07");
    EXPECT_EQ(reading.soc_percent, 64.0);
    EXPECT_FALSE(reading.cycles);
}

TEST(Jkbms, IgnoresImpossibleNumbers) {
    EXPECT_FALSE(decoded("85 65").soc_percent);
    EXPECT_FALSE(decoded("8A 00 00").cell_count);
    const auto many = hear_all(frame(records("8A 00 21")));
    ASSERT_FALSE(many);
    EXPECT_EQ(many.error().cls, ErrorClass::implausible);
}

TEST(Jkbms, RefusesAnAnswerWithoutCells) {
    for (const ByteList& bytes : {frame(hex("85 40")), frame(hex("79 05 01 0C E4 02 0C")), frame(hex("00"))}) {
        const auto reading = hear_all(bytes);
        ASSERT_FALSE(reading);
        EXPECT_EQ(reading.error().cls, ErrorClass::implausible);
    }
}

TEST(Jkbms, TakesNeitherEchoesNorReportsForAnswers) {
    for (const std::uint8_t transport : {std::uint8_t{0}, std::uint8_t{2}}) {
        const auto reading = hear_all(frame(records("85 40"), transport, 3));
        ASSERT_FALSE(reading);
        EXPECT_EQ(reading.error().cls, ErrorClass::unexpected);
    }
}

TEST(Jkbms, CleansTextsOfTheFactory) {
    EXPECT_FALSE(decoded("B4 49 6E 70 75 74 20 55 73").custom_name);  // Input Us
    EXPECT_FALSE(decoded("B4 36 30 33 30 30 30 30 31").custom_name);  // 60300001
    EXPECT_EQ(decoded("B4 62 65 6B 69 00 00 00 00").custom_name, "beki");
    EXPECT_EQ(decoded("B7 31 31 41 5F 5F 5F 5F 5F 53 31 31 2E 35 34 5F").software_version, "11A_____S11.54");
    EXPECT_EQ(decoded("B5 32 33 30 36").production_date, "2023-06");
    EXPECT_FALSE(decoded("B5 FF 33 30 36").production_date);
}

TEST(Jkbms, IdentifiesBySerialNumberOnly) {
    Reading reading;
    reading.unique_id = "beki_JK_B1A24S15P";
    EXPECT_EQ(family().identity(reading), "") << "model names are the same for many";
    reading.unique_id = "407272C2727";
    EXPECT_EQ(family().identity(reading), "407272C2727");
}

TEST(Jkbms, NamesItsHardwareAsTheReferenceDoes) {
    Reading reading;
    reading.software_version = "11.XW_S11.262H";
    reading.cell_count = 16;
    reading.production_date = "2023-06";
    EXPECT_EQ(family().hardware(reading), "JKBMS 11.XW S11.262H 16S (20230601)");
}

}  // namespace
}  // namespace bmsd::tests
