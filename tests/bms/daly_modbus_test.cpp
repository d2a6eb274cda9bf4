// What the dossier says of Daly's Modbus dialects D2 and P81 in so many words, beyond what holds for every family.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "app/vector_file.hpp"
#include "bms/catalog.hpp"
#include "framing/checksum.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Asking;
using bms::Control;
using bms::Family;
using bms::Request;

const Family& d2() {
    return *bms::find_family("daly_d2");
}
const Family& p81() {
    return *bms::find_family("daly_p81");
}

const Request& request(const Family& family, std::string_view name) {
    for (const Request& one : family.requests)
        if (one.name == name) return one;
    ADD_FAILURE() << "no request " << name;
    return family.requests[0];
}

const Control* control(const Family& family, std::string_view name) {
    for (const Control& one : family.controls)
        if (one.name == name) return &one;
    return nullptr;
}

ByteList built(const Family& family, const Request& request, std::uint32_t address, double value = 0) {
    Asking asking{.address = address};
    asking.value = value;
    Bytes bytes;
    family.build(request, asking, bytes);
    return {bytes.begin(), bytes.end()};
}

ByteList sealed(ByteList bytes) {
    const auto crc = framing::crc16_modbus(bytes);
    bytes.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    bytes.push_back(static_cast<std::uint8_t>(crc >> 8));
    return bytes;
}

/// The answer number `index` of a recorded file, without its CRC, with registers replaced and the CRC put right.
ByteList changed(const std::string& file, std::size_t index, std::uint16_t first,
                 const std::vector<std::pair<std::uint16_t, std::uint16_t>>& registers) {
    const auto vector = app::read_vector_file(BMSD_TEST_DATA "/" + file + ".json");
    if (!vector) {
        ADD_FAILURE() << vector.error().detail;
        return ByteList(200, 0);
    }
    ByteList bytes = vector->exchanges.at(index).answer.at(0);
    bytes.resize(bytes.size() - 2);
    for (const auto& [number, value] : registers) {
        const std::size_t at = 3U + 2U * (number - first);
        bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
        bytes.at(at + 1) = static_cast<std::uint8_t>(value & 0xFF);
    }
    return sealed(bytes);
}

using Registers = std::vector<std::pair<std::uint16_t, std::uint16_t>>;

Result<Reading> hear_d2_status(Registers registers, const bms::Options& options = {}) {
    Asking asking{.address = 0xD2};
    asking.options = options;
    return hear(d2(), request(d2(), "status"), asking, changed("daly_d2/d2-24cells-1", 0, 0, registers));
}

Result<Reading> hear_d2_balance(Registers registers, const Reading& known) {
    return hear(d2(), request(d2(), "balance"), {0xD2, true, &known},
                changed("daly_d2/d2-ble-4s-charging-mos", 1, 0x3E, registers));
}

Result<Reading> hear_p81_status(Registers registers, const Reading& known) {
    return hear(p81(), request(p81(), "status"), {0x81, true, &known},
                changed("daly_p81/p81-ess-16s-discharging", 1, 0x41, registers));
}

// ---- requests ------------------------------------------------------------------------------------

TEST(DalyD2, AsksWithTheBytesOfTheDossier) {
    EXPECT_EQ(built(d2(), request(d2(), "status"), 0xD2), hex("D2 03 00 00 00 3E D7 B9"));
    EXPECT_EQ(built(d2(), request(d2(), "balance"), 0xD2), hex("D2 03 00 3E 00 09 F7 A3"));
    EXPECT_EQ(built(d2(), request(d2(), "versions"), 0xD2), hex("D2 03 00 A9 00 20 87 91"));
    EXPECT_EQ(built(d2(), request(d2(), "settings"), 0xD2), hex("D2 03 00 80 00 29 96 5F"));
}

TEST(DalyP81, AsksWithTheBytesOfTheDossier) {
    EXPECT_EQ(built(p81(), request(p81(), "cells"), 0x81), hex("81 03 00 00 00 40 5B FA"));
    EXPECT_EQ(built(p81(), request(p81(), "status"), 0x81), hex("81 03 00 41 00 3E 8B CE"));
    EXPECT_EQ(built(p81(), request(p81(), "versions"), 0x81), hex("81 03 01 78 00 4A 5A 18"));
    EXPECT_EQ(built(p81(), request(p81(), "balancer"), 0x81), hex("81 03 00 CF 00 01 AB F5"));
}

TEST(DalyModbus, AllDialectsAnswerToOneType) {
    const auto found = bms::find_families("Daly");
    const auto has = [&](const Family& family) {
        return std::find(found.begin(), found.end(), &family) != found.end();
    };
    EXPECT_TRUE(has(d2()));
    EXPECT_TRUE(has(p81()));
    EXPECT_TRUE(has(*bms::find_family("daly")));
}

TEST(DalyModbus, BelongsToTheAddressesOfTheDialect) {
    EXPECT_TRUE(bms::check_address(d2(), 0xD2));
    EXPECT_FALSE(bms::check_address(d2(), 0xD3));
    EXPECT_TRUE(bms::check_address(p81(), 0x81));
    EXPECT_TRUE(bms::check_address(p81(), 0x90));
    EXPECT_FALSE(bms::check_address(p81(), 0x80)) << "board 0 does not exist";
    EXPECT_FALSE(bms::check_address(p81(), 0x91));
}

// ---- D2 ------------------------------------------------------------------------------------------

// A longer answer is understood in recordings of who asked for it, and not taken by us, who never ask for it.
TEST(DalyD2, UnderstandsWhatOtherHostsAskFor) {
    const ByteList answer = changed("daly_d2/d2-blue80-4", 0, 0, {});
    const ByteList asked = hex("D2 03 00 00 00 50 56 55");
    ASSERT_EQ(answer.size(), 165U);
    Asking asking{.address = 0xD2};
    ASSERT_TRUE(bms::asks(d2(), request(d2(), "status"), asking, asked));
    EXPECT_FALSE(hear(d2(), request(d2(), "status"), asking, answer));
    asking.asked = asked;
    const auto got = hear(d2(), request(d2(), "status"), asking, answer);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->mosfet_temperature_c, 15.0);
    EXPECT_EQ(got->balance_current_a, 0.0);
    EXPECT_EQ(got->current_a, -2.8);
    EXPECT_FALSE(bms::asks(d2(), request(d2(), "balance"), {.address = 0xD2}, hex("D2 03 00 00 00 50 56 55")));
}

// §12, §13: position of the switches, and whatever else others read: sound answers are no errors.
TEST(DalyModbus, ASoundAnswerToAnotherQuestionIsNoError) {
    const auto heard = [](const Family& family, const ByteList& asked, const ByteList& answer) {
        const std::vector<bms::Exchange> dialogue = {{sealed(asked), {sealed(answer)}}};
        return bms::listen(family, {}, dialogue).front().reading;
    };
    const auto balancer = heard(d2(), hex("D2 03 00 CF 00 01"), hex("D2 03 02 00 01"));
    ASSERT_TRUE(balancer) << balancer.error().detail;
    EXPECT_EQ(balancer->balance_fet, true);
    EXPECT_TRUE(heard(d2(), hex("D2 03 00 A5 00 02"), hex("D2 03 04 00 01 00 01")));
    EXPECT_TRUE(heard(p81(), hex("81 03 01 21 00 02"), hex("51 03 04 00 01 00 01")));
    EXPECT_FALSE(heard(d2(), hex("D2 03 00 A5 00 02"), hex("D2 03 02 00 01"))) << "another size";
    EXPECT_FALSE(heard(p81(), hex("81 03 01 21 00 02"), hex("52 03 04 00 01 00 01"))) << "another board";
    EXPECT_FALSE(heard(p81(), hex("82 03 01 21 00 02"), hex("52 03 04 00 01 00 01"))) << "asked of another board";
    EXPECT_FALSE(heard(d2(), hex("D2 03 00 A5 00 02"), hex("D2 83 02"))) << "refused";
    EXPECT_TRUE(heard(d2(), hex("D2 06 00 8A FF FF"), hex("D2 06 00 8A FF FF"))) << "the sleep time was set";
    EXPECT_TRUE(heard(d2(), hex("D2 10 00 8B 00 02 04 0E 42 0E 74"), hex("D2 10 00 8B 00 02"))) << "two levels were";
    EXPECT_FALSE(heard(d2(), hex("D2 10 00 8B 00 02 04 0E 42 0E 74"), hex("D2 10 00 8B 00 01"))) << "one level was";
    EXPECT_FALSE(heard(d2(), hex("D2 06 00 8A FF FF"), hex("D2 86 03"))) << "refused";
}

TEST(DalyModbus, CountsTheAcceptedWritesOfOthers) {
    const bms::Exchange write{sealed(hex("D2 06 00 8A FF FF")), {sealed(hex("D2 06 00 8A FF FF"))}};
    const bms::Exchange read{sealed(hex("D2 03 00 A5 00 02")), {sealed(hex("D2 03 04 00 01 00 01"))}};
    const auto heard = bms::listen(d2(), {}, std::vector{write, read});
    ASSERT_TRUE(heard[0].reading);
    EXPECT_EQ(heard[0].acknowledged, 1U);
}

// What is wrong with an answer is told as the dialect tells it that has the address.
TEST(DalyModbus, TheAddressTellsTheDialectOfWhatNobodyUnderstands) {
    const auto error_of = [](const std::string& address, const std::string& answer, const std::string& asked = "00") {
        const auto file =
            app::parse_vector_file(R"({"bms": "Daly", "address": )" + address + R"(, "exchanges": [{"request": ")" +
                                   asked + R"(", "response": ")" + answer + R"("}]})");
        EXPECT_TRUE(file);
        return app::listen(*file)[0].reading.error().cls;
    };
    EXPECT_EQ(error_of("129", "51 83 02 C0 E0"), ErrorClass::refused);
    EXPECT_EQ(error_of("129", "51 83 02 C0 E1"), ErrorClass::malformed) << "its CRC is wrong";
    EXPECT_EQ(error_of("210", "D2 83 02 91 3E"), ErrorClass::malformed);
    const std::string switches = "81 03 01 21 00 02 8A 3D";  // read by others
    EXPECT_EQ(error_of("129", "51 83 02 C0 E0", switches), ErrorClass::refused);
    EXPECT_EQ(error_of("129", "51 03 04 00 01 00 01 00 00", switches), ErrorClass::checksum);
    EXPECT_EQ(error_of("300", "51 83 02 C0 E0"), ErrorClass::config) << "nobody has it";
}

// A recorded write is heard whatever was written.
TEST(DalyModbus, UnderstandsARecordedWrite) {
    const auto written = sealed(hex("81 06 01 21 00 01"));
    const std::vector<bms::Exchange> dialogue = {{written, {sealed(hex("51 06 01 21 00 01"))}}};
    const std::vector<std::uint32_t> addresses = {0x81};
    const auto heard = bms::listen(p81(), addresses, dialogue);
    ASSERT_EQ(heard.size(), 1U);
    EXPECT_EQ(heard[0].acknowledged, 1U);
}

// §12, note (a): more than 30000 is charging, against the vendor's table.
TEST(DalyD2, CountsChargingUpwards) {
    const auto charging = hear_d2_status({{0x29, 30123}});
    ASSERT_TRUE(charging);
    EXPECT_EQ(charging->current_a, 12.3);
    const auto inverted = hear_d2_status({{0x29, 30123}}, {.invert_current = true});
    ASSERT_TRUE(inverted);
    EXPECT_EQ(inverted->current_a, -12.3);
}

TEST(DalyD2, ReadsUnsignedNumbers) {
    const auto got = hear_d2_status({{0x29, 0x8000}, {0x30, 0x9000}});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->current_a, 276.8);
    EXPECT_EQ(got->capacity_remaining_ah, 3686.4);
}

// The power register of some boards has no sign: it is not taken.
TEST(DalyD2, DoesNotTakeTheUnsignedPower) {
    const auto got = hear_d2_status({{0x29, 29975}, {0x39, 131}});
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->power_w);
}

TEST(DalyD2, RefusesImpossibleContent) {
    const std::pair<Registers, std::string_view> cases[] = {
        {{{0x31, 0}}, "number of cells"},  {{{0x31, 33}}, "number of cells"}, {{{0x32, 9}}, "temperature sensors"},
        {{{0x28, 0}}, "pack voltage"},     {{{0x28, 2001}}, "pack voltage"},  {{{0x2A, 1101}}, "state of charge"},
        {{{0x29, 0xFFFF}}, "the current"}, {{{0x29, 0}}, "the current"},
    };
    for (const auto& [registers, why] : cases) {
        const auto got = hear_d2_status(registers);
        ASSERT_FALSE(got) << why;
        EXPECT_EQ(got.error().cls, ErrorClass::implausible);
        EXPECT_NE(got.error().detail.find(why), std::string::npos) << got.error().detail;
    }
}

TEST(DalyD2, KeepsThePlaceOfASensorThatIsAbsent) {
    const auto got = hear_d2_status({{0x21, 0xFF}});
    ASSERT_TRUE(got);
    ASSERT_EQ(got->temperatures_c.size(), 4U);
    EXPECT_EQ(got->temperatures_c[0], 16.0);
    EXPECT_FALSE(got->temperatures_c[1]);
    EXPECT_EQ(got->temperatures_c[2], 16.0);
}

TEST(DalyD2, TakesTheCapacityOfTheUserUntilTheBoardTellsIts) {
    const auto got = hear_d2_status({}, {.capacity_ah = 314});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->capacity_ah, 314.0);
    const auto settings =
        hear(d2(), request(d2(), "settings"), {0xD2, true, &*got}, changed("daly_d2/d2-settings", 0, 0x80, {}));
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->capacity_ah, 105.0);
}

TEST(DalyD2, BalanceBitsBeginWithCellOne) {
    Reading known;
    known.cell_count = 20;
    const auto got = hear_d2_balance({{0x3E, 0x8002}, {0x3F, 0x0001}}, known);
    ASSERT_TRUE(got);
    ASSERT_EQ(got->cell_balancing.size(), 20U);
    for (std::size_t cell = 0; cell < 20; ++cell)
        EXPECT_EQ(got->cell_balancing[cell], cell == 1 || cell == 15 || cell == 16) << cell;
}

TEST(DalyD2, DoesNotClaimToKnowWhichCellsAreBalanced) {
    Reading known;
    known.cell_count = 4;
    const auto all = hear_d2_balance({{0x3E, 0xFFFF}, {0x3F, 0xFFFF}}, known);
    ASSERT_TRUE(all);
    EXPECT_TRUE(all->cell_balancing.empty());
    known.balancing_active = true;  // and no bit is set
    const auto none = hear_d2_balance({}, known);
    ASSERT_TRUE(none);
    EXPECT_TRUE(none->cell_balancing.empty());
}

TEST(DalyD2, ATemperatureOfTheMosfetsThatIsNotMeasuredIsAbsent) {
    Reading known;
    known.mosfet_temperature_c = 30;
    for (const std::uint16_t raw : std::initializer_list<std::uint16_t>{0x0000, 0x00FF, 0xFFFF}) {
        const auto got = hear_d2_balance({{0x42, raw}}, known);
        ASSERT_TRUE(got);
        EXPECT_FALSE(got->mosfet_temperature_c) << raw;
    }
}

TEST(DalyD2, ReadsTheLimitsWhateverTheirSign) {
    // As captured: 74CC, and 7490 with 75D0 as its second level.
    const auto got = hear(d2(), request(d2(), "settings"), {.address = 0xD2},
                          changed("daly_d2/d2-settings", 0, 0x80, {{0x93, 0x7594}}));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->max_charge_current_a, 10.0);
    EXPECT_EQ(got->max_discharge_current_a, 16.0);
    EXPECT_EQ(got->max_battery_voltage_v, 14.0);
    EXPECT_EQ(got->min_battery_voltage_v, 10.4);
}

// §12: thresholds of the protection, "info": they must not become the limits the battery is charged by.
TEST(DalyModbus, TheLimitsInformOnly) {
    EXPECT_EQ(d2().current_limits, CurrentLimits::informing);
    EXPECT_EQ(p81().current_limits, CurrentLimits::informing);
    EXPECT_EQ(bms::find_family("Renogy")->current_limits, CurrentLimits::followed);
}

// Other hosts may ask for the second block first.
TEST(DalyD2, ARecordingMayAskInAnyOrder) {
    const auto vector = app::read_vector_file(BMSD_TEST_DATA "/daly_d2/d2-ble-4s-charging-mos.json");
    ASSERT_TRUE(vector);
    std::vector<bms::Exchange> dialogue = vector->exchanges;
    ASSERT_GE(dialogue.size(), 2U);
    const auto forwards = bms::listen(d2(), {}, dialogue);
    ASSERT_TRUE(forwards.front().reading && forwards.front().reading->mosfet_temperature_c);
    std::swap(dialogue[0], dialogue[1]);
    const auto backwards = bms::listen(d2(), {}, dialogue);
    ASSERT_TRUE(backwards.front().reading);
    EXPECT_EQ(backwards.front().reading->mosfet_temperature_c, forwards.front().reading->mosfet_temperature_c);
    EXPECT_EQ(backwards.front().reading->balance_current_a, forwards.front().reading->balance_current_a);
}

TEST(DalyD2, DoesNotTakeOtherRegistersForSettings) {
    for (const auto& wrong : {std::pair<std::uint16_t, std::uint16_t>{0x81, 0}, {0x81, 0xFFFF}, {0x89, 3}}) {
        const auto got =
            hear(d2(), request(d2(), "settings"), {.address = 0xD2}, changed("daly_d2/d2-settings", 0, 0x80, {wrong}));
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().cls, ErrorClass::implausible);
    }
}

TEST(DalyD2, AnExceptionIsARefusal) {
    const auto got = hear(d2(), request(d2(), "status"), {.address = 0xD2}, sealed({0xD2, 0x83, 0x02}));
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().cls, ErrorClass::refused);
}

// ---- P81 -----------------------------------------------------------------------------------------

TEST(DalyP81, ABoardSignsWithItsOwnNumberOnly) {
    const ByteList answer = changed("daly_p81/p81-ess-16s-discharging", 0, 0, {});
    for (std::uint32_t board = 1; board <= 16; ++board) {
        ByteList bytes(answer.begin(), answer.end() - 2);
        bytes[0] = static_cast<std::uint8_t>(0x50 + board);
        bytes = sealed(bytes);
        for (std::uint32_t asked = 0x81; asked <= 0x90; ++asked)
            EXPECT_EQ(hear(p81(), request(p81(), "cells"), {asked, false}, bytes).has_value(), asked == 0x80 + board)
                << "board " << board << " asked as " << asked;
    }
}

TEST(DalyP81, LevelsOfThreeBits) {
    Reading known;
    known.cell_count = 16;
    const Level expected[] = {Level::ok,    Level::warning, Level::alarm, Level::alarm,
                              Level::alarm, Level::alarm,   Level::alarm, Level::alarm};
    for (std::uint16_t level = 0; level < 8; ++level) {
        const auto got = hear_p81_status({{0x6D, static_cast<std::uint16_t>(level << 3)}}, known);
        ASSERT_TRUE(got);
        EXPECT_EQ(got->alarms[Alarm::low_cell_voltage], expected[level]) << level;
        EXPECT_EQ(got->alarms[Alarm::high_cell_voltage], Level::ok) << level;
    }
}

TEST(DalyP81, AnUnknownErrorIsAWarning) {
    const auto got = hear_p81_status({{0x66, 0x0400}}, {});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->alarms[Alarm::internal_failure], Level::warning);
    const auto quiet = hear_p81_status({}, {});
    ASSERT_TRUE(quiet);
    EXPECT_EQ(quiet->alarms[Alarm::internal_failure], Level::ok);
}

// The capture balances (state 7) with no bit set and no current told.
TEST(DalyP81, SaysThatItBalancesButNotWhichCells) {
    Reading known;
    known.cell_count = 16;
    const auto got = hear_p81_status({}, known);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->balancing_active, true);
    EXPECT_TRUE(got->cell_balancing.empty());
    EXPECT_FALSE(got->balance_current_a);
    const auto cell_17 = hear_p81_status({{0x4E, 29200}, {0x50, 0x0001}}, [&] {
        known.cell_count = 20;
        return known;
    }());
    ASSERT_TRUE(cell_17);
    ASSERT_EQ(cell_17->cell_balancing.size(), 20U);
    for (std::size_t cell = 0; cell < 20; ++cell) EXPECT_EQ(cell_17->cell_balancing[cell], cell == 16) << cell;
    EXPECT_EQ(cell_17->balance_current_a, -0.8);
}

// ---- controls --------------------------------------------------------------------------------------

/// The BMS acknowledges a write of one register with its copy, signed with its own number.
bool acknowledged(const Family& family, const Request& step, std::uint32_t address, double value, ByteList answer) {
    Asking asking{.address = address};
    asking.value = value;
    bms::Transaction transaction;
    transaction.start(family, step, asking);
    std::copy(answer.begin(), answer.end(), transaction.room().begin());
    transaction.received(answer.size());
    Reading reading;
    return transaction.finish(reading).has_value();
}

TEST(DalyD2, WritesTheRegistersOfTheDossier) {
    EXPECT_EQ(built(d2(), control(d2(), "charge")->steps[0], 0xD2, 1), sealed(hex("D2 06 00 A5 00 01")));
    EXPECT_EQ(built(d2(), control(d2(), "charge")->steps[0], 0xD2, 0), sealed(hex("D2 06 00 A5 00 00")));
    EXPECT_EQ(built(d2(), control(d2(), "discharge")->steps[0], 0xD2, 0), sealed(hex("D2 06 00 A6 00 00")));
    EXPECT_EQ(built(d2(), control(d2(), "soc")->steps[0], 0xD2, 68), sealed(hex("D2 06 00 A7 02 A8")));  // as captured
    EXPECT_EQ(built(d2(), control(d2(), "soc")->steps[0], 0xD2, 100), sealed(hex("D2 06 00 A7 03 E8")));
}

TEST(DalyP81, WritesTheRegistersOfTheDossier) {
    EXPECT_EQ(built(p81(), control(p81(), "charge")->steps[0], 0x81, 1), sealed(hex("81 06 01 21 00 01")));
    EXPECT_EQ(built(p81(), control(p81(), "discharge")->steps[0], 0x82, 0), sealed(hex("82 06 01 22 00 00")));
    EXPECT_EQ(built(p81(), control(p81(), "balance")->steps[0], 0x81, 1), sealed(hex("81 06 00 CF FF FF")));
    EXPECT_EQ(built(p81(), control(p81(), "balance")->steps[0], 0x81, 0), sealed(hex("81 06 00 CF 00 00")));
    EXPECT_EQ(control(p81(), "soc"), nullptr) << "its register is not known for certain";
}

TEST(DalyModbus, AWriteIsAcknowledgedByItsCopyOnly) {
    const Request& step = control(p81(), "charge")->steps[0];
    EXPECT_TRUE(acknowledged(p81(), step, 0x81, 1, sealed(hex("51 06 01 21 00 01"))));
    EXPECT_FALSE(acknowledged(p81(), step, 0x81, 1, sealed(hex("81 06 01 21 00 01")))) << "that is our own echo";
    EXPECT_FALSE(acknowledged(p81(), step, 0x81, 1, sealed(hex("52 06 01 21 00 01")))) << "another board";
    EXPECT_FALSE(acknowledged(p81(), step, 0x81, 1, sealed(hex("51 06 01 21 00 00")))) << "another value";
    EXPECT_FALSE(acknowledged(p81(), step, 0x81, 1, sealed(hex("51 06 01 22 00 01")))) << "another register";
    EXPECT_FALSE(acknowledged(p81(), step, 0x81, 1, sealed(hex("51 86 02")))) << "refused";
}

// §12: F0..F3 restart, shut down, zero the current and reset. Nothing ever writes there, nor 0x00 to reset an A5.
TEST(DalyModbus, NeverWritesTheDangerousRegisters) {
    for (const Family* family : {&d2(), &p81()})
        for (const Control& one : family->controls)
            for (const Request& step : one.steps) {
                const ByteList bytes = built(*family, step, family->addresses.standard, 1);
                ASSERT_EQ(bytes.size(), 8U);
                const int number = bytes[2] << 8 | bytes[3];
                const int of_d2 = number >= 0x100 ? number - 0x80 : number;
                EXPECT_FALSE((number >= 0xF0 && number <= 0xF3) || (of_d2 >= 0xF0 && of_d2 <= 0xF3)) << one.name;
            }
}

TEST(DalyModbus, EveryControlIsUntestedAndReadBack) {
    Reading on;
    on.charge_fet = on.discharge_fet = on.balance_fet = true;
    on.soc_percent = 50;
    for (const Family* family : {&d2(), &p81()})
        for (const Control& one : family->controls) {
            EXPECT_TRUE(one.untested) << one.name;
            ASSERT_TRUE(one.shows) << one.name;
            const double same = one.setting == bms::Setting::percent ? 50 : 1;
            EXPECT_EQ(one.shows(on, same), Flag{true}) << one.name;
            EXPECT_EQ(one.shows(on, 0), Flag{false}) << one.name;
            EXPECT_EQ(one.shows({}, same), Flag{}) << one.name << ": nothing told, nothing shown";
            EXPECT_EQ(one.warning.empty(), one.name != "charge" && one.name != "discharge") << one.name;
        }
}

TEST(DalyModbus, DoesNotSwitchWhatItDoesNotKnow) {
    Reading known;
    EXPECT_NE(control(d2(), "charge")->forbids(known, 0), "");
    EXPECT_NE(control(p81(), "discharge")->forbids(known, 0), "");
    EXPECT_NE(control(d2(), "soc")->forbids(known, 50), "");
    known.charge_fet = known.discharge_fet = false;
    known.soc_percent = 40;
    EXPECT_EQ(control(d2(), "charge")->forbids(known, 1), "");
    EXPECT_EQ(control(d2(), "soc")->forbids(known, 50), "");
    for (const double impossible : {-1.0, 100.1, std::numeric_limits<double>::quiet_NaN()})
        EXPECT_NE(control(d2(), "soc")->forbids(known, impossible), "") << impossible;
}

}  // namespace
}  // namespace bmsd::tests
