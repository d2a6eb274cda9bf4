// What the dossier says of Renogy batteries in so many words, beyond what holds for every family.
#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "framing/checksum.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

const bms::Family& family() {
    return *bms::find_family("Renogy");
}

const bms::Request& request(std::string_view name) {
    for (const bms::Request& request : family().requests)
        if (request.name == name) return request;
    throw std::invalid_argument("no such request");
}

/// The answer of unit 0x30 that holds these registers.
ByteList frame(std::string_view registers) {
    const ByteList data = hex(registers);
    ByteList bytes = hex("30 03");
    bytes.push_back(static_cast<std::uint8_t>(data.size()));
    bytes = joined(bytes, data);
    const auto crc = framing::crc16_modbus(bytes);
    bytes.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    bytes.push_back(static_cast<std::uint8_t>(crc >> 8));
    return bytes;
}

Result<Reading> heard(std::string_view name, std::string_view registers, const Reading& known = {}) {
    return hear(family(), request(name), {0x30, false, &known}, frame(registers));
}
Reading decoded(std::string_view name, std::string_view registers, const Reading& known = {}) {
    const auto reading = heard(name, registers, known);
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or(Reading{});
}

const std::string quiet = "00 00 00 00 00 00 00 00 00 00 00 00 ";  // 5100..5105

TEST(Renogy, AsksWithTheBytesOfTheDossier) {
    const std::pair<const char*, const char*> asked[] = {{"cells", "30 03 13 88 00 22 45 5C"},
                                                         {"pack", "30 03 13 B2 00 07 A4 8A"},
                                                         {"status", "30 03 13 EC 00 08 85 5C"},
                                                         {"about", "30 03 13 F0 00 1C 44 95"}};
    for (const auto& [name, bytes] : asked) {
        Bytes built;
        family().build(request(name), {.address = 0x30}, built);
        EXPECT_EQ(ByteList(built.begin(), built.end()), hex(bytes)) << name;
    }
}

TEST(Renogy, NeverWritesAndAsksNoTwoBlocksOfOneSize) {
    EXPECT_TRUE(family().controls.empty());
    for (const bms::Request& one : family().requests)
        for (const bms::Request& other : family().requests) {
            if (&one != &other) {
                EXPECT_NE(one.answer_size, other.answer_size) << one.name << ", " << other.name;
            }
        }
}

// The reference believes that the MOSFETs are always on.
TEST(Renogy, TellsWhichMosfetsAreOn) {
    const Reading both = decoded("status", quiet + "00 0E 00 00");
    EXPECT_EQ(both.charge_fet, true);
    EXPECT_EQ(both.discharge_fet, true);
    const Reading charge_only = decoded("status", quiet + "00 02 00 00");
    EXPECT_EQ(charge_only.charge_fet, true);
    EXPECT_EQ(charge_only.discharge_fet, false);
    const Reading discharge_only = decoded("status", quiet + "00 0C 00 00");
    EXPECT_EQ(discharge_only.charge_fet, false);
    EXPECT_EQ(discharge_only.discharge_fet, true);
}

TEST(Renogy, KnowsNothingOfTheMosfetsWhenTheBlockIsEmpty) {
    Reading known;
    known.charge_fet = known.discharge_fet = true;
    const Reading empty = decoded("status", quiet + "00 00 00 00", known);
    EXPECT_FALSE(empty.charge_fet);
    EXPECT_FALSE(empty.discharge_fet);
    EXPECT_EQ(decoded("status", quiet + "40 00 00 00").charge_fet, false) << "an alarm makes it say something";
}

// The reference reads them unsigned, and one per cell.
TEST(Renogy, ReadsAsManySignedTemperaturesAsThereAre) {
    std::string registers = "00 04 00 21 00 21 00 21 00 21 ";
    for (int i = 4; i < 16; ++i) registers += "00 00 ";
    registers += "00 02 FF C9 00 0A ";
    for (int i = 2; i < 16; ++i) registers += "00 63 ";
    const Reading reading = decoded("cells", registers);
    EXPECT_EQ(reading.temperatures_c, (Temperatures{-5.5, 1.0}));
    EXPECT_EQ(reading.cell_voltages_v, (Cells{3.3, 3.3, 3.3, 3.3}));

    Reading known = reading;
    registers.replace(17 * 6, 5, "00 00");
    EXPECT_TRUE(decoded("cells", registers, known).temperatures_c.empty()) << "none fitted";
    registers.replace(17 * 6, 5, "00 11");
    EXPECT_FALSE(heard("cells", registers));
    registers.replace(0, 5, "00 11");
    EXPECT_FALSE(heard("cells", registers));
    registers.replace(0, 5, "00 00");
    EXPECT_FALSE(heard("cells", registers));
}

// The reference takes the heater's temperature for one of the battery.
TEST(Renogy, KeepsTheHeaterOutOfTheBatteryTemperatures) {
    const Reading reading = decoded("environment", "00 D7 00 01 FF CE 00 00 00 01 01 90");
    EXPECT_NEAR(reading.mosfet_temperature_c.value(), 21.5, 1e-9);
    EXPECT_NEAR(reading.environment_temperature_c.value(), -5.0, 1e-9);
    EXPECT_TRUE(reading.temperatures_c.empty());
    const Reading bare = decoded("environment", "00 00 00 00 00 00 00 00 00 00 00 00", reading);
    EXPECT_FALSE(bare.mosfet_temperature_c) << "0 is not fitted";
    EXPECT_FALSE(bare.environment_temperature_c);
}

TEST(Renogy, CountsTheStateOfChargeFromTheCharge) {
    EXPECT_NEAR(decoded("pack", "00 00 00 85 00 01 0E 9F 00 01 86 A0 00 19").soc_percent.value(), 69.279, 1e-9);
    EXPECT_EQ(decoded("pack", "00 00 00 85 00 01 86 AA 00 01 86 A0 00 19").soc_percent, 100.0) << "never more";
    Reading known;
    known.cell_count = 4;
    known.soc_percent = 50;
    const Reading without = decoded("pack", "00 00 00 85 00 01 0E 9F 00 00 00 00 00 19", known);
    EXPECT_FALSE(without.soc_percent);
    EXPECT_FALSE(without.capacity_ah);
}

// §5, dossier ble_modbus: bytes of the cycles in wrong order, more than 10000 are none.
TEST(Renogy, TurnsTheCyclesOfModelsThatTellThemInWrongOrder) {
    const auto cycles = [](const char* model, std::string_view sent) {
        Reading known;
        known.hardware_version = model;
        return decoded("pack", "00 00 00 85 00 01 0E 9F 00 01 86 A0 " + std::string(sent), known).cycles;
    };
    EXPECT_EQ(cycles("RNGC2120", "40 00"), 64.0);
    EXPECT_EQ(cycles("RNGC2120", "00 40"), 64.0);
    EXPECT_EQ(cycles("RNGC2120", "27 10"), 10000.0);
    EXPECT_EQ(cycles("RBT100LFP12", "40 00"), 16384.0);
}

TEST(Renogy, RefusesOtherDevicesThatHappenToAnswer) {
    EXPECT_FALSE(heard("pack", "00 00 00 00 00 00 00 00 00 00 00 00 00 00"));
    EXPECT_FALSE(heard("pack", "00 00 03 E8 00 01 0E 9F 00 01 86 A0 00 19")) << "100 V";
    EXPECT_FALSE(heard("pack", "00 00 00 85 00 01 0E 9F 00 00 00 10 00 19")) << "0.016 Ah";
    EXPECT_FALSE(heard("pack", "00 00 00 85 00 01 0E 9F 00 10 00 00 00 19")) << "1048 Ah";
    EXPECT_FALSE(heard("pack", "00 00 00 85 00 01 0E 9F 00 00 00 00 00 19")) << "no capacity at first sight";
}

TEST(Renogy, ReadsDischargeLimitsOfEitherSign) {
    EXPECT_NEAR(decoded("limits", "00 94 00 64 13 88 D8 F0").max_discharge_current_a.value(), 100, 1e-9);
    EXPECT_NEAR(decoded("limits", "00 94 00 64 13 88 27 10").max_discharge_current_a.value(), 100, 1e-9);
}

// The reference maps no alarm at all.
TEST(Renogy, RaisesTheAlarmsOfSingleCellsAndSensors) {
    const auto alarms = [](std::string_view registers) { return decoded("status", registers).alarms; };
    const std::string rest = " 00 00 00 00 00 0E 00 00";
    EXPECT_EQ(alarms("00 01 00 00 00 00 00 00" + rest)[Alarm::high_cell_voltage], Level::alarm) << "cell 1 over";
    EXPECT_EQ(alarms("80 00 00 00 00 00 00 00" + rest)[Alarm::high_cell_voltage], Level::alarm) << "cell 16 over";
    EXPECT_EQ(alarms("00 00 80 00 00 00 00 00" + rest)[Alarm::low_cell_voltage], Level::alarm) << "cell 16 under";
    EXPECT_EQ(alarms("00 00 80 00 00 00 00 00" + rest)[Alarm::high_cell_voltage], Level::ok);
    EXPECT_EQ(alarms("00 00 00 00 00 01 00 00" + rest)[Alarm::high_temperature], Level::alarm) << "sensor 1 over";
    EXPECT_EQ(alarms("00 00 00 00 00 00 00 01" + rest)[Alarm::low_temperature], Level::alarm) << "sensor 1 under";
    // 5104 is 32 bits, bit 31 sent first.
    const std::string cells = "00 00 00 00 00 00 00 00 ";
    EXPECT_EQ(alarms(cells + "80 00 00 00 00 0E 00 00")[Alarm::high_internal_temperature], Level::alarm);
    EXPECT_EQ(alarms(cells + "00 20 00 00 00 0E 00 00")[Alarm::high_charge_current], Level::alarm);
    EXPECT_EQ(alarms(cells + "00 08 00 00 00 0E 00 00")[Alarm::high_discharge_current], Level::alarm);
    EXPECT_EQ(alarms(cells + "00 00 00 00 00 0F 00 00")[Alarm::high_discharge_current], Level::alarm)
        << "short circuit";
    EXPECT_EQ(alarms(cells + "00 00 00 00 00 0E FF 00")[Alarm::high_temperature], Level::ok) << "states, no alarms";
}

// §7: 5108 stands behind what §4 reads. Batteries that refuse so many registers are asked for the usual ones.
TEST(Renogy, RaisesTheAlarmOfCellsThatCannotBeMeasured) {
    const Reading failed = decoded("long status", quiet + "00 0E 20 00 00 04");
    EXPECT_EQ(failed.alarms[Alarm::internal_failure], Level::alarm);
    EXPECT_EQ(failed.charge_fet, true);
    EXPECT_EQ(failed.heater_on, true);
    EXPECT_FALSE(request("status").wanted(failed)) << "all of it is known";
    const Reading well = decoded("long status", quiet + "00 0E 00 01 00 00");
    EXPECT_EQ(well.alarms[Alarm::internal_failure], Level::ok);
    EXPECT_EQ(well.alarms[Alarm::low_cell_voltage], Level::warning);
    EXPECT_FALSE(request("long status").mandatory);
    EXPECT_TRUE(request("status").mandatory);
    Reading known = failed;
    bms::begin_poll(known);
    EXPECT_TRUE(request("status").wanted(known)) << "in the next poll";
}

// §4 has a block that begins with 5104; others read the words in pieces.
TEST(Renogy, UnderstandsAPartOfTheStatusInARecording) {
    const auto recorded = [](std::string_view asked, const std::string& registers) {
        ByteList question = hex(asked);
        const auto crc = framing::crc16_modbus(question);
        question.push_back(static_cast<std::uint8_t>(crc & 0xFF));
        question.push_back(static_cast<std::uint8_t>(crc >> 8));
        const auto heard = bms::listen(family(), {}, std::vector{bms::Exchange{question, {frame(registers)}}});
        EXPECT_TRUE(heard[0].reading) << heard[0].reading.error().detail;
        return heard[0].reading.value_or(Reading{});
    };
    std::string about = "00 20 00 00 00 0E 20 00 00 01 ";
    for (int number = 5109; number <= 5131; ++number) about += "00 00 ";
    const Reading all = recorded("30 03 13 F0 00 1C", about);
    EXPECT_EQ(all.alarms[Alarm::high_charge_current], Level::alarm);
    EXPECT_EQ(all.alarms[Alarm::internal_failure], Level::alarm);
    EXPECT_FALSE(all.charge_fet) << "the captured ble-rbt100-4s.json says on here, and nothing in the whole status";
    const Reading cells = recorded("30 03 13 EC 00 04", "00 01 00 00 00 00 00 00");
    EXPECT_EQ(cells.alarms[Alarm::high_cell_voltage], Level::alarm);
    EXPECT_EQ(cells.alarms[Alarm::low_temperature], Level::ok);
    EXPECT_FALSE(cells.alarms[Alarm::internal_failure]) << "not asked";
    EXPECT_EQ(recorded("30 03 13 F2 00 01", "01 00").alarms[Alarm::high_cell_voltage], Level::alarm);
    EXPECT_FALSE(decoded("about", about).alarms.any()) << "it is asked once, and an alarm must end";
}

// The reference checks neither CRC nor unit, and takes the first bytes it gets.
TEST(Renogy, TakesOnlyTheWholeAnswerOfItsUnit) {
    ByteList bytes = frame("FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F");
    EXPECT_TRUE(hear(family(), request("pack"), {0x30, true, nullptr}, bytes));
    EXPECT_EQ(hear(family(), request("pack"), {0x31, true, nullptr}, bytes).error().cls, ErrorClass::unexpected);
    bytes[4] ^= 1;
    EXPECT_EQ(hear(family(), request("pack"), {0x30, true, nullptr}, bytes).error().cls, ErrorClass::checksum);
}

// The reference crashes on a model name that is no ASCII, and keeps the blanks around a serial number.
TEST(Renogy, SurvivesTextsThatAreNone) {
    std::string registers = "00 00 00 00 00 06 00 00 00 00 00 C8 ";
    registers += "20 20 41 42 43 44 31 32 33 34 35 36 37 38 20 00 00 00 00 00 00 00 00 00 ";  // 5110..5121
    registers += "52 42 54 FF FE 80 00 00 00 00 00 00 00 00 00 00 30 31 30 30";               // 5122..5131
    const Reading reading = decoded("about", registers);
    EXPECT_EQ(reading.serial_number, "ABCD12345678");
    EXPECT_EQ(reading.hardware_version, "RBT???");
    EXPECT_EQ(reading.software_version, "0100");
    EXPECT_FALSE(reading.charge_fet) << "the status words in this block come without the others";
    EXPECT_EQ(family().identity(reading), "ABCD12345678");
}

TEST(Renogy, DoesNotIdentifyABatteryByItsDateOfProduction) {
    const auto identity = [](const char* serial) {
        Reading reading;
        reading.serial_number = serial;
        return family().identity(reading);
    };
    EXPECT_EQ(identity("20210526"), "");
    EXPECT_EQ(identity("XXXXXXXXXXXXXXXX"), "");
    EXPECT_EQ(identity("ABC"), "");
    EXPECT_EQ(identity("PPTAH01234567890"), "PPTAH01234567890");
    EXPECT_EQ(family().identity({}), "");
}

TEST(Renogy, WarnsOfUnusualAddresses) {
    for (const std::uint32_t usual : {0x30U, 0x3FU, 0x48U, 0x49U, 0xF7U}) {
        const auto checked = bms::check_address(family(), usual);
        ASSERT_TRUE(checked);
        EXPECT_EQ(*checked, "") << usual;
    }
    for (const std::uint32_t odd : {0x01U, 0x2FU, 0x40U, 0xF6U}) {
        const auto checked = bms::check_address(family(), odd);
        ASSERT_TRUE(checked);
        EXPECT_NE(checked->find("unusual for Renogy, whose batteries are met at 0x30..0x3F, 0x48..0x49, 0xF7"),
                  std::string::npos)
            << *checked;
    }
    EXPECT_FALSE(bms::check_address(family(), 0)) << "broadcast";
    EXPECT_FALSE(bms::check_address(family(), 0xF8));
}

TEST(Renogy, NoticesAMonitorOnTheSameBus) {
    const auto meaning = [](std::string_view bytes) {
        return family().unsolicited({0x30, false, nullptr}, hex(bytes)).progress;
    };
    EXPECT_EQ(meaning("30 03 13 B2 00 07 A4 8A"), bms::Reply::Progress::failed);
    EXPECT_EQ(meaning("00 31 03 13 B2 00 07 A5 5B"), bms::Reply::Progress::failed);
    EXPECT_EQ(meaning("30 03 0E FF AA 00 88 00 01 7B B0 00 01 86 A0 00 0F E0 1E"), bms::Reply::Progress::waiting);
    EXPECT_EQ(meaning("30 03 13 B2 00 07 A4 8B"), bms::Reply::Progress::waiting);
}

// Hosts that read single registers (the reference does) are understood from their recordings.
TEST(Renogy, UnderstandsBlocksOfAnySize) {
    const bms::Exchange alone{hex("30 03 13 B3 00 01 75 48"), {frame("00 85")}};
    const std::uint32_t address = 0x30;
    const auto told = bms::listen(family(), {&address, 1}, {&alone, 1});
    ASSERT_TRUE(told.front().reading) << told.front().reading.error().detail;
    EXPECT_NEAR(told.front().reading->voltage_v.value(), 13.3, 1e-9);
    EXPECT_FALSE(told.front().reading->current_a);
    EXPECT_FALSE(told.front().reading->cell_count);
}

TEST(Renogy, DoesNotTakeARecordedAnswerOfAnotherUnitForOurs) {
    ByteList answer = hex("31 03 02 00 85");
    const auto crc = framing::crc16_modbus(answer);
    answer.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    answer.push_back(static_cast<std::uint8_t>(crc >> 8));
    const bms::Exchange other{hex("31 03 13 B3 00 01 74 99"), {answer}};
    const std::uint32_t ours = 0x30;
    const auto told = bms::listen(family(), {&ours, 1}, {&other, 1});
    ASSERT_FALSE(told.front().reading);
    EXPECT_EQ(told.front().reading.error().cls, ErrorClass::unexpected);
}

// §5: "capacity 0: skip"; a recording may begin with any block.
TEST(Renogy, ARecordedCapacityOfZeroIsSkipped) {
    const bms::Exchange pack{hex("30 03 13 B2 00 07 A4 8A"), {frame("00 00 00 85 00 01 0E 9F 00 00 00 00 00 19")}};
    const std::uint32_t address = 0x30;
    const auto told = bms::listen(family(), {&address, 1}, {&pack, 1});
    ASSERT_TRUE(told.front().reading) << told.front().reading.error().detail;
    EXPECT_NEAR(told.front().reading->voltage_v.value(), 13.3, 1e-9);
    EXPECT_FALSE(told.front().reading->capacity_ah);
}

}  // namespace
}  // namespace bmsd::tests
