// What the dossier says of the JBD protocol in so many words, beyond what holds for every family.
#include <algorithm>

#include <gtest/gtest.h>

#include "lltjbd_frames.hpp"

namespace bmsd::tests {
namespace {

using namespace jbd;
using bms::Asking;
using bms::Control;
using bms::Request;

/// 26.40 V, 0 A, 100 of 200 Ah, 8 cells, 50 %, version 2.8, both FETs on, sensors 25.0 and 22.0.
ByteList basic() {
    return hex("0A 50 00 00 27 10 4E 20 00 07 30 CF 00 00 00 00 00 00 28 32 03 08 02 0B A5 0B 87");
}
ByteList basic_with(std::size_t at, const ByteList& bytes) {
    ByteList data = basic();
    std::copy(bytes.begin(), bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(at));
    return data;
}
Result<Reading> hear_basic(const ByteList& data, const Reading* known = nullptr) {
    return hear(family(), request("basic"), {0, true, known}, frame(0x03, data));
}
Reading decoded(const ByteList& data, const Reading* known = nullptr) {
    const auto reading = hear_basic(data, known);
    EXPECT_TRUE(reading) << reading.error().detail;
    return reading.value_or(Reading{});
}

TEST(LltJbd, AsksWithTheBytesOfTheDossier) {
    EXPECT_EQ(built(request("name")), hex("DD A5 05 00 FF FB 77"));
    EXPECT_EQ(built(request("basic")), hex("DD A5 03 00 FF FD 77"));
    EXPECT_EQ(built(request("cells")), hex("DD A5 04 00 FF FC 77"));
    EXPECT_EQ(built(request("counters")), hex("DD A5 AA 00 FF 56 77"));
    EXPECT_EQ(built(request("charge-limit")), hex("DD A5 28 00 FF D8 77"));
    EXPECT_EQ(built(request("switches")), hex("DD A5 2D 00 FF D3 77"));
}

TEST(LltJbd, PollsNothingThatNeedsFactoryMode) {
    for (const Request& one : family().requests) {
        const ByteList bytes = built(one);
        EXPECT_EQ(bytes[1], 0xA5) << "a poll writes nothing";
        EXPECT_TRUE(bytes[2] >= 0x03 && bytes[2] <= 0x05) << one.name;
    }
}

TEST(LltJbd, AsksABatteryAsleepFourTimes) {
    EXPECT_EQ(family().timing.retries, 3);
    EXPECT_EQ(family().timing.probes, 4);
}

TEST(LltJbd, ReadsEachFetByItsOwnBit) {  // §10: other bits of the byte shifted the text of the reference
    struct Case {
        int byte;
        bool charge, discharge;
    };
    for (const Case& one : {Case{0x00, false, false}, Case{0x01, true, false}, Case{0x02, false, true},
                            Case{0xCB, true, true}, Case{0xC8, false, false}, Case{0x81, true, false}}) {
        const Reading reading = decoded(basic_with(20, {static_cast<std::uint8_t>(one.byte)}));
        EXPECT_EQ(reading.charge_fet, one.charge) << one.byte;
        EXPECT_EQ(reading.discharge_fet, one.discharge) << one.byte;
    }
}

TEST(LltJbd, RaisesProtectionsByTheirOwnBitWhateverStandsAbove) {  // §10: shifted and lost in the reference
    constexpr std::pair<std::string_view, int> meanings[12] = {{"high_cell_voltage", 2},
                                                               {"low_cell_voltage", 2},
                                                               {"high_voltage", 2},
                                                               {"low_voltage", 2},
                                                               {"high_charge_temperature", 1},
                                                               {"low_charge_temperature", 1},
                                                               {"high_temperature", 1},
                                                               {"low_temperature", 1},
                                                               {"high_charge_current", 1},
                                                               {"high_discharge_current", 1},
                                                               {"high_discharge_current", 2},
                                                               {"internal_failure", 2}};
    for (const unsigned above : {0x0000U, 0x1000U, 0x2000U, 0xE000U, 0xF000U})
        for (unsigned bit = 0; bit < 16; ++bit) {
            const unsigned word = above | 1U << bit;
            const Reading reading =
                decoded(basic_with(16, {static_cast<std::uint8_t>(word >> 8), static_cast<std::uint8_t>(word & 0xFF)}));
            for (std::size_t i = 0; i < alarm_count; ++i) {
                const auto alarm = static_cast<Alarm>(i);
                const bool raised = bit < 12 && to_string(alarm) == meanings[bit].first;
                EXPECT_EQ(static_cast<int>(reading.alarms[alarm].value_or(Level::ok)),
                          raised ? meanings[bit].second : 0)
                    << "word " << word << ", " << to_string(alarm);
            }
            EXPECT_EQ(reading.fet_software_lock, (word & 0x1000U) != 0) << word;
        }
}

TEST(LltJbd, CountsBalancingCellsFromTheLowBitOfTheFirstWord) {  // §10: signed in the reference
    const auto balancing = [](const ByteList& words) {
        ByteList data = basic_with(12, words);
        data[21] = 32;
        std::vector<std::size_t> cells;
        const Reading reading = decoded(data);
        EXPECT_EQ(reading.cell_balancing.size(), 32U);
        EXPECT_EQ(reading.balancing_active, true);
        for (std::size_t i = 0; i < reading.cell_balancing.size(); ++i)
            if (reading.cell_balancing[i]) cells.push_back(i + 1);
        return cells;
    };
    EXPECT_EQ(balancing(hex("00 08 00 00")), (std::vector<std::size_t>{4}));
    EXPECT_EQ(balancing(hex("80 01 00 00")), (std::vector<std::size_t>{1, 16}));
    EXPECT_EQ(balancing(hex("00 00 80 01")), (std::vector<std::size_t>{17, 32}));
    EXPECT_EQ(decoded(basic()).balancing_active, false);
}

TEST(LltJbd, WritesTheVersionHighNibbleFirst) {  // §10: swapped in another tool
    EXPECT_EQ(decoded(basic_with(18, {0x16})).software_version, "1.6");
    EXPECT_EQ(decoded(basic_with(18, {0x80})).software_version, "8.0");
    EXPECT_EQ(family().hardware(decoded(basic())), "2.8");
    EXPECT_EQ(family().hardware(Reading{}), "");
}

TEST(LltJbd, KeepsTheHundredthsOfAVolt) {  // §10: another tool cut voltages to 0.1 V
    EXPECT_NEAR(*decoded(basic_with(0, hex("15 93"))).voltage_v, 55.23, 1e-9);
    EXPECT_NEAR(*decoded(basic_with(2, hex("F8 24"))).current_a, -20.12, 1e-9);
}

TEST(LltJbd, GivesTheFirstOfSeveralSensorsToTheMosfets) {
    ByteList data = basic_with(22, {0});
    data.resize(23);
    Reading reading = decoded(data);
    EXPECT_FALSE(reading.mosfet_temperature_c);
    EXPECT_TRUE(reading.temperatures_c.empty());
    data[22] = 1;
    for (const std::uint8_t byte : hex("0A 0F")) data.push_back(byte);  // 2575: -15.6
    reading = decoded(data);
    EXPECT_FALSE(reading.mosfet_temperature_c);
    ASSERT_EQ(reading.temperatures_c.size(), 1U);
    EXPECT_NEAR(*reading.temperatures_c[0], -15.6, 1e-9);
    reading = decoded(basic());
    EXPECT_NEAR(*reading.mosfet_temperature_c, 25.0, 1e-9);
    ASSERT_EQ(reading.temperatures_c.size(), 1U);
    EXPECT_NEAR(*reading.temperatures_c[0], 22.0, 1e-9);
}

TEST(LltJbd, ReadsWhatNewerBoardsAppend) {
    // Humidity, alarm word, 330.00 Ah learned, 100 Ah remaining, -250 mA.
    Reading reading = decoded(joined(basic(), hex("2D 12 34 80 E8 27 10 FF 06")));
    EXPECT_NEAR(*reading.capacity_full_ah, 330, 1e-9);
    EXPECT_NEAR(*reading.balance_current_a, -0.25, 1e-9);
    EXPECT_FALSE(reading.alarms.any()) << "the meaning of the alarm word is not published";
    const Reading before = reading;
    reading = decoded(joined(basic(), hex("2D 12 34 80 E8 27 10 FF")), &before);
    EXPECT_FALSE(reading.capacity_full_ah) << "an older value must not stay";
    EXPECT_FALSE(decoded(joined(basic(), hex("00 00 00 00 00 27 10 00 00"))).capacity_full_ah);
}

TEST(LltJbd, ABoardMayHaveNoName) {
    const auto reading = hear(family(), request("name"), {}, frame(0x05, {}));
    ASSERT_TRUE(reading) << reading.error().detail;
    EXPECT_FALSE(reading->hardware_version);
    EXPECT_FALSE(hear(family(), request("cells"), {}, frame(0x04, {}))) << "no cells are no answer";
}

TEST(LltJbd, RefusesImpossibleContent) {
    for (const auto& [at, byte] : {std::pair{21, 0}, {21, 33}, {19, 111}}) {
        const auto reading = hear_basic(basic_with(static_cast<std::size_t>(at), {static_cast<std::uint8_t>(byte)}));
        ASSERT_FALSE(reading) << at << " " << byte;
        EXPECT_EQ(reading.error().cls, ErrorClass::implausible);
    }
    ByteList many = basic_with(22, {9});
    many.resize(23 + 18, 0x0B);
    EXPECT_EQ(hear_basic(many).error().cls, ErrorClass::implausible);
    EXPECT_EQ(hear_basic(basic_with(22, {3})).error().cls, ErrorClass::malformed) << "sensors beyond the answer";
}

TEST(LltJbd, LeavesOutADateThatIsNone) {
    EXPECT_EQ(decoded(basic_with(10, hex("2C 7C"))).production_date, "2022-03-28");
    for (const char* none : {"00 00", "2D BC", "2C 60"})
        EXPECT_FALSE(decoded(basic_with(10, hex(none))).production_date) << none;
}

TEST(LltJbd, TakesTheCellsThatBothAnswersKnow) {
    const auto cells = [](std::optional<double> count, const ByteList& data) {
        Reading known;
        known.cell_count = count;
        const auto reading = hear(family(), request("cells"), {0, true, &known}, frame(0x04, data));
        EXPECT_TRUE(reading);
        return reading ? reading->cell_voltages_v : Cells{};
    };
    EXPECT_EQ(cells({}, hex("0F 45 0F 3D")), (Cells{3.909, 3.901}));
    EXPECT_EQ(cells(1, hex("0F 45 0F 3D")), (Cells{3.909}));
    EXPECT_EQ(cells(4, hex("0F 45 00 00")), (Cells{3.909, 0.0})) << "0 mV is legal data";
}

// ---- framing -------------------------------------------------------------------------------------

TEST(LltJbd, TakesNoAnswerOfAnotherRegister) {  // §10: the reference does not look at the register
    const auto reading = hear(family(), request("basic"), {}, frame(0x04, basic()));
    ASSERT_FALSE(reading);
    EXPECT_EQ(reading.error().cls, ErrorClass::unexpected);
}

TEST(LltJbd, TakesAnAnswerWithoutRegisterOnlyIfNothingElseCanBeMeant) {  // §3, boards of 2018
    Reading known;
    known.cell_count = 2;
    const Asking asking{0, true, &known};
    const ByteList cells = hex("0F 45 0F 3D");
    EXPECT_TRUE(hear(family(), request("basic"), asking, frame(0xA5, basic())));
    EXPECT_TRUE(hear(family(), request("cells"), asking, frame(0xA5, cells)));
    EXPECT_TRUE(hear(family(), request("name"), asking, frame(0xA5, hex("4A 42 44"))));
    EXPECT_FALSE(hear(family(), request("basic"), asking, frame(0xA5, cells)));
    EXPECT_FALSE(hear(family(), request("cells"), asking, frame(0xA5, hex("4A 42 44 2D 53 50"))));
    EXPECT_FALSE(hear(family(), request("name"), asking, frame(0xA5, cells)));
    EXPECT_FALSE(hear(family(), request("cells"), asking, frame(0xA5, basic())));
    EXPECT_FALSE(hear(family(), request("switches"), asking, frame(0xA5, hex("00 06"))));
}

TEST(LltJbd, TakesItsOwnEchoForNoAnswer) {
    for (const char* name : {"name", "basic", "cells", "switches"}) {
        const auto reading = hear(family(), request(name), {}, built(request(name)));
        ASSERT_FALSE(reading) << name;
        EXPECT_EQ(reading.error().cls, ErrorClass::unexpected);
        EXPECT_NE(reading.error().detail.find("echo"), std::string::npos) << reading.error().detail;
    }
    for (const Control& one : family().controls)
        for (const Request& step : one.steps) {
            Reading known;
            known.capacity_ah = 280;
            known.charge_fet = known.discharge_fet = true;
            const ByteList switches = hex("00 06");
            const Asking asking{.known = &known, .value = 1, .answered = switches};
            ASSERT_FALSE(built(step, asking).empty());
            EXPECT_FALSE(hear(family(), step, asking, built(step, asking))) << one.name << ", " << step.name;
        }
}

TEST(LltJbd, SaysWhyTheBmsRefuses) {
    const auto status = [](std::uint8_t code) {
        return hear(family(), request("charge-limit"), {}, frame(0x28, {}, code)).error();
    };
    EXPECT_EQ(status(0x80).cls, ErrorClass::refused);
    EXPECT_EQ(status(0x81).cls, ErrorClass::refused);
    EXPECT_NE(status(0x81).detail.find("factory mode"), std::string::npos);
    EXPECT_EQ(status(0x82).cls, ErrorClass::checksum) << "our request was damaged: worth another try";
    EXPECT_NE(status(0x83).detail.find("password"), std::string::npos);
}

TEST(LltJbd, FindsEndMarksAndStartsInsideData) {
    ByteList data = hex("DD 77 77 DD DD 03 00 00 00 00 77 77");
    const auto reading = hear(family(), request("cells"), {}, frame(0x04, data));
    ASSERT_TRUE(reading);
    EXPECT_EQ(reading->cell_voltages_v.size(), 6U);
}

// ---- on demand -----------------------------------------------------------------------------------

TEST(LltJbd, TakesLimitsThatOverflowedForUnknown) {
    const auto limit = [](const char* name, std::uint8_t at, const char* raw) {
        Reading known;
        known.max_charge_current_a = known.max_discharge_current_a = 7;
        const auto reading = hear(family(), request(name), {0, true, &known}, frame(at, hex(raw)));
        EXPECT_TRUE(reading);
        return at == 0x28 ? reading->max_charge_current_a : reading->max_discharge_current_a;
    };
    EXPECT_NEAR(*limit("charge-limit", 0x28, "59 D8"), 230, 1e-9);
    EXPECT_NEAR(*limit("discharge-limit", 0x29, "A6 28"), 230, 1e-9);
    EXPECT_FALSE(limit("charge-limit", 0x28, "9C 40"));
    EXPECT_FALSE(limit("discharge-limit", 0x29, "63 C0"));
}

TEST(LltJbd, BelievesThePollsMoreThanTheEeprom) {
    const Reading polled = decoded(basic());
    const auto reading = hear(family(), request("design-capacity"), {0, true, &polled}, frame(0x10, hex("6D 60")));
    ASSERT_TRUE(reading);
    EXPECT_NEAR(*reading->capacity_ah, 200, 1e-9);
}

}  // namespace
}  // namespace bmsd::tests
