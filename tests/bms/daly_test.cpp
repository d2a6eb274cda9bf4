// What the dossier says of Daly's A5 protocol in so many words, beyond what holds for every family; above all the
// mistakes of the reference driver (§10) that are not to be repeated.
#include <algorithm>
#include <limits>

#include <gtest/gtest.h>

#include "app/vector_file.hpp"
#include "bms/catalog.hpp"
#include "framing/checksum.hpp"
#include "model/quantities.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Asking;
using bms::Control;
using bms::Request;

const bms::Family& family() {
    return *bms::find_family("Daly");
}

const Request& request(std::string_view name) {
    for (const Request& one : family().requests)
        if (one.name == name) return one;
    ADD_FAILURE() << "no request " << name;
    return family().requests[0];
}

const Control& control(std::string_view name) {
    for (const Control& one : family().controls)
        if (one.name == name) return one;
    ADD_FAILURE() << "no control " << name;
    return family().controls[0];
}

/// One frame as the dossier describes it (§3): head, eight bytes of data, sum.
ByteList frame(std::uint8_t address, std::uint8_t command, std::string_view data) {
    ByteList bytes = joined(ByteList{0xA5, address, command, 0x08}, hex(data));
    EXPECT_EQ(bytes.size(), 12U);
    bytes.push_back(framing::sum8(bytes));
    return bytes;
}

Result<Reading> hear_frame(std::string_view name, std::uint8_t command, std::string_view data,
                           const bms::Options& options = {}, const Reading& known = {}) {
    Asking asking{.address = 0x40, .known = &known};
    asking.options = options;
    return hear(family(), request(name), asking, frame(0x01, command, data));
}

/// A frame of cells: 3.301 V for the first cell, a millivolt more for each further one.
ByteList cells_frame(unsigned number) {
    ByteList bytes{0xA5, 0x01, 0x95, 0x08, static_cast<std::uint8_t>(number)};
    for (unsigned k = 0; k < 3; ++k) {
        const unsigned millivolts = 3301 + 3 * (number - 1) + k;
        bytes.push_back(static_cast<std::uint8_t>(millivolts >> 8));
        bytes.push_back(static_cast<std::uint8_t>(millivolts & 0xFF));
    }
    bytes.push_back(0x40);
    bytes.push_back(framing::sum8(bytes));
    return bytes;
}
ByteList cells_frames(std::initializer_list<unsigned> numbers) {
    ByteList all;
    for (const unsigned number : numbers) all = joined(all, cells_frame(number));
    return all;
}

Reading with_cells(double count) {
    Reading known;
    known.cell_count = count;
    return known;
}

ByteList built(const Request& request, std::uint32_t address, double value = 0, std::int64_t local_time_s = 0) {
    Asking asking{.address = address};
    asking.value = value;
    asking.local_time_s = local_time_s;
    Bytes bytes;
    family().build(request, asking, bytes);
    return {bytes.begin(), bytes.end()};
}

// ---- who answers (§2, §10 item 1) ----------------------------------------------------------------

constexpr std::string_view good_totals = "02 14 00 00 75 45 03 78";  // captured: 53.2 V, 88.8 %

bool taken(std::uint32_t asked, std::uint8_t answerer) {
    return hear(family(), request("totals"), {asked, true}, frame(answerer, 0x90, good_totals)).has_value();
}

TEST(Daly, ABoardAnswersWithItsNumber) {
    for (std::uint32_t asked = 0x40; asked <= 0x4F; ++asked)
        for (unsigned answerer = 0; answerer < 256; ++answerer)
            EXPECT_EQ(taken(asked, static_cast<std::uint8_t>(answerer)), answerer == asked - 0x3F)
                << "asked as " << asked << ", answered by " << answerer;
}

// The reference demands 0x41, which no real board sends: its detection at 0x80 never works.
TEST(Daly, WhoIsAskedAs80Or20AnswersWithItsNumberToo) {
    for (const std::uint32_t asked : {0x80U, 0x20U})
        for (unsigned answerer = 0; answerer < 256; ++answerer)
            EXPECT_EQ(taken(asked, static_cast<std::uint8_t>(answerer)),
                      (answerer >= 1 && answerer <= 0x10) || answerer == 0x41)
                << asked << " " << answerer;
}

TEST(Daly, TheAddressesAreThoseOfTheDossier) {
    for (std::uint32_t address = 0; address < 256; ++address)
        EXPECT_EQ(bms::check_address(family(), address).has_value(),
                  (address >= 0x40 && address <= 0x4F) || address == 0x80 || address == 0x20)
            << address;
    EXPECT_EQ(family().addresses.standard, 0x40U);
    ASSERT_EQ(family().addresses.factory.size(), 1U);
    EXPECT_EQ(family().addresses.factory[0], 0x80U) << "asked after 0x40";
}

// ---- requests (§3, §4) ---------------------------------------------------------------------------

TEST(Daly, ReadsAreFilledWithAA) {
    EXPECT_EQ(built(request("totals"), 0x40), hex("A5 40 90 08 AA AA AA AA AA AA AA AA CD"));
    EXPECT_EQ(built(request("rated"), 0x40), hex("A5 40 50 08 AA AA AA AA AA AA AA AA 8D"));
    EXPECT_EQ(built(request("code"), 0x40), hex("A5 40 57 08 AA AA AA AA AA AA AA AA 94"));
    EXPECT_EQ(built(request("totals"), 0x4F), hex("A5 4F 90 08 AA AA AA AA AA AA AA AA DC"));
}

TEST(Daly, KnowsTheRequestOfOthersWhateverFillsIt) {
    const Asking asking{.address = 0x40};
    EXPECT_TRUE(bms::asks(family(), request("totals"), asking, hex("A5 40 90 08 00 00 00 00 00 00 00 00 7D")));
    EXPECT_FALSE(bms::asks(family(), request("totals"), asking, hex("A5 41 90 08 00 00 00 00 00 00 00 00 7E")));
    EXPECT_FALSE(bms::asks(family(), request("totals"), asking, hex("A5 40 93 08 00 00 00 00 00 00 00 00 80")));
    EXPECT_FALSE(bms::asks(family(), request("totals"), asking, hex("A5 40 90 08 00 00 00 00 00 00 00 00 7C")));
}

// The reference asks seven questions a poll; §10 item 7 asks three times where nobody answers.
TEST(Daly, AsksNoMoreThanTheReference) {
    Reading known = with_cells(16);
    known.temperature_count = 2;
    known.cell_voltages_v.assign(16, Number{3.3});
    known.temperatures_c.assign(2, Number{20});
    const auto every_poll = std::count_if(family().requests.begin(), family().requests.end(), [&](const Request& one) {
        return one.when == bms::When::every_poll && (!one.wanted || one.wanted(known));
    });
    EXPECT_EQ(every_poll, 6);
    EXPECT_EQ(family().timing.retries, 2);
    EXPECT_EQ(family().timing.gap, std::chrono::milliseconds{20});
}

// ---- current (§5.1, §5.2) ------------------------------------------------------------------------

TEST(Daly, TheFirstCurrentIsTheWholeOne) {
    Reading known;
    known.current_a = 0;  // the reference smooths from here on
    const auto got = hear_frame("totals", 0x90, "02 14 00 00 77 24 03 78", {}, known);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->current_a, -50.0);
}

TEST(Daly, NumbersAreUnsigned) {
    const auto got = hear_frame("totals", 0x90, "02 14 00 00 80 00 03 78");  // the reference reads -32768
    ASSERT_TRUE(got);
    EXPECT_EQ(got->current_a, -276.8);
}

TEST(Daly, InvertsTheCurrentAndNothingElse) {
    const auto got = hear_frame("totals", 0x90, good_totals, {.invert_current = true});
    ASSERT_TRUE(got);
    EXPECT_EQ(got->current_a, 2.1);
    EXPECT_EQ(got->voltage_v, 53.2);
    // The reference swaps the alarms of both currents along.
    const auto alarms = hear_frame("alarms", 0x98, "00 00 01 00 00 00 00 00", {.invert_current = true});
    ASSERT_TRUE(alarms);
    EXPECT_EQ(alarms->alarms[Alarm::high_charge_current], Level::warning);
    EXPECT_EQ(alarms->alarms[Alarm::high_discharge_current], Level::ok);
}

TEST(Daly, RefusesImpossibleTotalsAndTakesTheNextGoodOnes) {
    for (const std::string_view data : {
             "00 00 00 00 75 30 03 78",  // 0 V
             "00 4F 00 00 75 30 03 78",  // 7.9 V
             "FF FF 00 00 75 30 03 78",  // 6553 V
             "02 14 00 00 00 00 03 78",  // 3000 A
             "02 14 00 00 9C 40 03 78",  // 1000 A
             "02 14 00 00 75 30 04 4D",  // 110.1 %
             "02 14 00 00 75 30 FF FF",
         }) {
        const auto got = hear_frame("totals", 0x90, data);
        ASSERT_FALSE(got) << data;
        EXPECT_EQ(got.error().cls, ErrorClass::implausible) << data;
        // The reference stays stuck after one bad answer.
        EXPECT_TRUE(hear_frame("totals", 0x90, good_totals)) << data;
    }
    EXPECT_TRUE(hear_frame("totals", 0x90, "04 B0 00 00 75 30 03 78")) << "120 V: 32 cells";
}

TEST(Daly, TakesTheCapacityOfTheUserUntilTheBoardTellsIts) {
    const auto fallback = hear_frame("totals", 0x90, good_totals, {.capacity_ah = 314});
    ASSERT_TRUE(fallback);
    EXPECT_EQ(fallback->capacity_ah, 314.0);
    const auto told = hear_frame("rated", 0x50, "00 04 45 C0 00 00 0C 80", {}, *fallback);
    ASSERT_TRUE(told);
    EXPECT_EQ(told->capacity_ah, 280.0);
    const auto still = hear_frame("totals", 0x90, good_totals, {.capacity_ah = 314}, *told);
    ASSERT_TRUE(still);
    EXPECT_EQ(still->capacity_ah, 280.0);
    EXPECT_FALSE(hear_frame("totals", 0x90, good_totals)->capacity_ah) << "nobody told one";
}

// ---- status (§5.5, §6) ---------------------------------------------------------------------------

// §10 item 6: byte 3 of 0x93 counts heart beats; §5.5: byte 7 of 0x94 is a leftover.
TEST(Daly, CyclesAreThoseOf94) {
    const auto fets = hear_frame("switches", 0x93, "01 01 01 CA 00 03 DD 38");
    ASSERT_TRUE(fets);
    EXPECT_FALSE(fets->cycles);
    const auto status = hear_frame("status", 0x94, "08 01 00 00 02 00 35 DC");
    ASSERT_TRUE(status);
    EXPECT_EQ(status->cycles, 53.0);
}

TEST(Daly, RefusesCountsNoBoardHas) {
    for (const std::string_view data :
         {"00 01 00 00 00 00 00 00", "31 01 00 00 00 00 00 00", "10 11 00 00 00 00 00 00"}) {
        const auto got = hear_frame("status", 0x94, data);
        ASSERT_FALSE(got) << data;
        EXPECT_EQ(got.error().cls, ErrorClass::implausible);
    }
    EXPECT_TRUE(hear_frame("status", 0x94, "30 10 00 00 00 00 00 00")) << "48 cells, 16 sensors";
}

// ---- cells (§5.6, §10 item 5) --------------------------------------------------------------------

Result<Reading> hear_cells(const Reading& known, const ByteList& bytes, bool recorded = false) {
    Asking asking{.address = 0x40, .known = &known};
    asking.recorded = recorded;
    return hear(family(), request("cells"), asking, bytes);
}

TEST(Daly, CellsAreCompleteWithTheLastNeededFrame) {
    const Reading known = with_cells(16);
    const Asking asking{.address = 0x40, .known = &known};
    const ByteList six = cells_frames({1, 2, 3, 4, 5, 6});
    EXPECT_EQ(family().examine(request("cells"), asking, six).progress, bms::Reply::Progress::complete);
    EXPECT_EQ(family().examine(request("cells"), asking, std::span(six).first(six.size() - 1)).missing, 1U);
    const auto got = hear_cells(known, cells_frames({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}));
    ASSERT_TRUE(got);
    ASSERT_EQ(got->cell_voltages_v.size(), 16U);
    for (std::size_t i = 0; i < 16; ++i) EXPECT_NEAR(*got->cell_voltages_v[i], 3.301 + 0.001 * double(i), 1e-9) << i;
}

// The tail of a board that always sends 16 frames runs into the next answer.
TEST(Daly, TheTailOfTheCellsDoesNotDisturbTheNextAnswer) {
    const ByteList tail = cells_frames({7, 8, 9, 10, 11, 12, 13, 14, 15, 16});
    const ByteList next = frame(0x01, 0x90, good_totals);
    EXPECT_TRUE(hear(family(), request("totals"), {.address = 0x40}, joined(tail, next)));
    EXPECT_TRUE(hear(family(), request("totals"), {.address = 0x40}, joined(std::span(tail).subspan(5), next)));
    const Reading known = with_cells(16);
    const auto cells = hear_cells(known, joined(tail, cells_frames({1, 2, 3, 4, 5, 6})));
    ASSERT_TRUE(cells);
    EXPECT_NEAR(*cells->cell_voltages_v[0], 3.301, 1e-9);
    EXPECT_NEAR(*cells->cell_voltages_v[15], 3.316, 1e-9);
}

TEST(Daly, AMissingFrameIsAnErrorAndShiftsNothing) {
    Reading known = with_cells(16);
    known.cell_voltages_v.assign(16, Number{3.2});
    for (unsigned missing = 1; missing <= 6; ++missing) {
        ByteList bytes;
        for (unsigned number = 1; number <= 6; ++number)
            if (number != missing) bytes = joined(bytes, cells_frame(number));
        EXPECT_FALSE(hear_cells(known, bytes)) << "frame " << missing << " is missing";
        // A recording may end early, but a gap is one.
        const auto recorded = hear_cells(known, bytes, true);
        EXPECT_EQ(recorded.has_value(), missing == 6) << "frame " << missing << " is missing";
        if (recorded) {
            EXPECT_TRUE(recorded->cell_voltages_v.empty()) << "some of the cells are none";
        } else {
            EXPECT_EQ(recorded.error().cls, ErrorClass::truncated);
        }
    }
}

// Only silence may end a recording early: bytes that were refused make it an error.
TEST(Daly, ADamagedLastFrameOfARecordingIsAnError) {
    ByteList bytes = cells_frames({1, 2, 3, 4, 5, 6});
    bytes.back() ^= 0x55;
    const auto got = hear_cells(with_cells(16), bytes, true);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().cls, ErrorClass::checksum);
    EXPECT_FALSE(hear_cells({}, bytes, true)) << "whether or not the number of cells is known";
}

TEST(Daly, AnInvalidFrameNumberIsIgnored) {
    const Reading known = with_cells(6);
    const auto got = hear_cells(known, joined(joined(cells_frame(1), cells_frame(0xFF)), cells_frame(2)));
    ASSERT_TRUE(got) << got.error().detail;
    ASSERT_EQ(got->cell_voltages_v.size(), 6U);
    EXPECT_NEAR(*got->cell_voltages_v[3], 3.304, 1e-9);
}

TEST(Daly, WordsBehindTheLastCellAreGarbage) {
    for (const double count : {7.0, 8.0, 9.0}) {
        const auto got = hear_cells(with_cells(count), cells_frames({1, 2, 3}));
        ASSERT_TRUE(got);
        EXPECT_EQ(static_cast<double>(got->cell_voltages_v.size()), count);
    }
}

TEST(Daly, WithoutTheNumberOfCellsThereAreNone) {
    const auto got = hear_cells({}, cells_frames({1, 2, 3}));
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->cell_voltages_v.empty());
}

// 0x91 is asked only as long as the cells are not known: what it said then must not outlive that. Whoever charges by
// the highest cell would go on with the voltage of an earlier hour.
TEST(Daly, TheExtremesDoNotOutliveTheCells) {
    const auto extremes = hear_frame("extremes", 0x91, "0D 00 0F 0C FE 01 03 78", {}, with_cells(6));
    ASSERT_TRUE(extremes);
    ASSERT_EQ(extremes->max_cell_voltage_v, 3.328);
    const auto got = hear_cells(*extremes, cells_frames({1, 2}));
    ASSERT_TRUE(got);
    EXPECT_FALSE(request("extremes").wanted(*got)) << "they are not asked again";
    EXPECT_FALSE(got->max_cell_voltage_v);
    EXPECT_FALSE(got->min_cell_voltage_v);
}

// ---- balancing (§5.8, §10 item 2) ----------------------------------------------------------------

TEST(Daly, EveryBalanceBitIsItsCell) {
    const Reading known = with_cells(48);
    for (std::size_t cell = 0; cell < 48; ++cell) {
        ByteList bytes{0xA5, 0x01, 0x97, 0x08, 0, 0, 0, 0, 0, 0, 0, 0};
        bytes[4 + cell / 8] = static_cast<std::uint8_t>(1U << (cell % 8));
        bytes.push_back(framing::sum8(bytes));
        const auto got = hear(family(), request("balancing"), {.address = 0x40, .known = &known}, bytes);
        ASSERT_TRUE(got);
        ASSERT_EQ(got->cell_balancing.size(), 48U);
        for (std::size_t i = 0; i < 48; ++i) EXPECT_EQ(got->cell_balancing[i], i == cell) << cell;
        EXPECT_EQ(got->balancing_active, true);
    }
}

// Without the number of cells the bits say no more than whether any cell is balanced.
TEST(Daly, BalancesAlsoWhileTheNumberOfCellsIsUnknown) {
    const auto balanced = hear_frame("balancing", 0x97, "00 00 00 00 00 80 00 00");
    ASSERT_TRUE(balanced);
    EXPECT_EQ(balanced->balancing_active, true);
    EXPECT_TRUE(balanced->cell_balancing.empty());
    EXPECT_EQ(hear_frame("balancing", 0x97, "00 00 00 00 00 00 FF FF")->balancing_active, false) << "reserved";
}

// ---- temperatures (§5.4, §5.7) -------------------------------------------------------------------

TEST(Daly, ABoardWithoutSensorsHasNoTemperatures) {
    Reading known = with_cells(16);
    known.temperature_count = 0;
    const auto got = hear_frame("hottest", 0x92, "00 00 00 00 00 00 00 00", {}, known);
    ASSERT_TRUE(got);
    EXPECT_TRUE(got->temperatures_c.empty());
}

/// What a recording says that asks in this order: command and data of each answer.
Reading recorded(std::initializer_list<std::pair<std::uint8_t, std::string_view>> answers) {
    std::vector<bms::Exchange> dialogue;
    for (const auto& [command, data] : answers)
        dialogue.push_back({frame(0x40, command, "00 00 00 00 00 00 00 00"), {frame(0x01, command, data)}});
    auto heard = bms::listen(family(), {}, dialogue);
    EXPECT_TRUE(heard.front().reading) << heard.front().reading.error().detail;
    return heard.front().reading.value_or(Reading{});
}

TEST(Daly, ARecordingMayAskInAnyOrder) {
    constexpr std::pair<std::uint8_t, std::string_view> status{0x94, "10 02 00 00 00 00 05 00"};
    constexpr std::pair<std::uint8_t, std::string_view> totals{0x90, good_totals};
    constexpr std::pair<std::uint8_t, std::string_view> sensors{0x96, "01 3D 3C 00 00 00 00 00"};  // 21, 20 °C
    constexpr std::pair<std::uint8_t, std::string_view> hottest{0x92, "3D 01 3C 02 00 00 00 00"};
    constexpr std::pair<std::uint8_t, std::string_view> later{0x92, "3F 01 3E 02 00 00 00 00"};  // 23, 22 °C
    const auto list = [](double first, double second) {
        Temperatures all;
        all.push_back(first);
        all.push_back(second);
        return all;
    };
    EXPECT_EQ(recorded({status, sensors, totals}).temperatures_c, list(21, 20));
    EXPECT_EQ(recorded({status, sensors, hottest, totals}).temperatures_c, list(21, 20));
    EXPECT_EQ(recorded({status, hottest, totals}).temperatures_c, list(20, 21));
    EXPECT_EQ(recorded({status, totals, hottest, totals, later}).temperatures_c, list(22, 23)) << "of the last poll";
}

// ---- alarms (§7, §10 item 3) ---------------------------------------------------------------------

TEST(Daly, TheAlarmsAreThoseOfTheDossier) {
    const struct {
        std::string_view data;
        Alarm alarm;
        Level level;
    } cases[] = {
        {"01 00 00 00 00 00 00 00", Alarm::high_cell_voltage, Level::warning},
        {"03 00 00 00 00 00 00 00", Alarm::high_cell_voltage, Level::alarm},
        {"04 00 00 00 00 00 00 00", Alarm::low_cell_voltage, Level::warning},
        {"08 00 00 00 00 00 00 00", Alarm::low_cell_voltage, Level::alarm},
        {"10 00 00 00 00 00 00 00", Alarm::high_voltage, Level::warning},
        {"80 00 00 00 00 00 00 00", Alarm::low_voltage, Level::alarm},
        {"00 00 00 01 00 00 00 00", Alarm::cell_imbalance, Level::warning},
        {"00 00 00 00 01 00 00 00", Alarm::high_internal_temperature, Level::warning},
        {"00 00 00 00 40 00 00 00", Alarm::internal_failure, Level::alarm},
        {"00 00 00 00 00 20 00 00", Alarm::internal_failure, Level::alarm},
        {"00 00 00 00 00 00 02 00", Alarm::internal_failure, Level::alarm},
        {"00 00 00 00 00 00 04 00", Alarm::high_discharge_current, Level::alarm},
    };
    for (const auto& one : cases) {
        const auto got = hear_frame("alarms", 0x98, one.data);
        ASSERT_TRUE(got);
        for (std::size_t i = 0; i < alarm_count; ++i) {
            const auto alarm = static_cast<Alarm>(i);
            EXPECT_EQ(got->alarms[alarm].value_or(Level::ok), alarm == one.alarm ? one.level : Level::ok)
                << one.data << ": " << to_string(alarm);
        }
    }
    // SoC high, temperature difference, communication, charging forbidden, fault code.
    for (const std::string_view data : {"00 00 30 00 00 00 00 00", "00 00 00 0C 00 00 00 00", "00 00 00 00 00 C0 00 00",
                                        "00 00 00 00 00 00 08 00", "00 00 00 00 00 00 00 FF"})
        EXPECT_FALSE(hear_frame("alarms", 0x98, data)->alarms.any()) << data;
}

// ---- texts (§5.9) --------------------------------------------------------------------------------

TEST(Daly, TheBatteryCodeIsTheIdentity) {
    const auto code = [](std::string_view first, std::string_view rest) {
        ByteList bytes;
        for (unsigned number = 1; number <= 5; ++number) {
            ByteList one = joined(ByteList{0xA5, 0x01, 0x57, 0x08, static_cast<std::uint8_t>(number)},
                                  hex(number == 1 ? first : rest));
            one.push_back(framing::sum8(one));
            bytes = joined(bytes, one);
        }
        return hear(family(), request("code"), {.address = 0x40}, bytes);
    };
    const auto padded = code("20 44 4C 01 2D 31 20", "20 00 20 00 20 00 20");  // " DL.-1 "
    ASSERT_TRUE(padded);
    EXPECT_EQ(padded->serial_number, "DL-1");
    EXPECT_EQ(family().identity(*padded), "DL-1");
    const auto empty = code("20 20 20 20 20 20 20", "00 00 00 00 00 00 00");
    ASSERT_TRUE(empty);
    EXPECT_FALSE(empty->serial_number);
    EXPECT_EQ(family().identity(*empty), "") << "then port and address";
}

// The beginning of a code would be the identity of another battery.
TEST(Daly, ABatteryCodeIsWholeOrNone) {
    ByteList bytes;
    for (const std::string_view part : {"01 44 4C 2D 42 4D 2D 32", "02 34 30 36 31 35 2D 30"})
        bytes = joined(bytes, frame(0x01, 0x57, part));
    Asking asking{.address = 0x40};
    asking.recorded = true;
    const auto stopped = hear(family(), request("code"), asking, bytes);
    ASSERT_TRUE(stopped);
    EXPECT_FALSE(stopped->serial_number);
    ByteList third = frame(0x01, 0x57, "03 30 30 31 37 20 20 20");
    third.back() ^= 0x55;
    EXPECT_FALSE(hear(family(), request("code"), asking, joined(bytes, third))) << "damaged";
}

TEST(Daly, AnImpossibleDateIsNone) {
    for (const std::string_view data :
         {"00 00 00 00 00 00 00 00", "00 00 18 0D 01 00 00 00", "00 00 17 02 1D 00 00 00"})
        EXPECT_FALSE(hear_frame("type", 0x53, data)->production_date) << data;
    EXPECT_EQ(hear_frame("type", 0x53, "00 00 18 02 1D 00 00 00")->production_date, "2024-02-29");
}

// ---- what others ask (§5.9) ----------------------------------------------------------------------

TEST(Daly, UnderstandsTheThresholdsOthersAskFor) {
    const Reading limits = recorded({{0x90, good_totals},
                                     {0x5A, "02 48 02 4E 01 90 01 86"},    // 58.4, 59.0, 40.0, 39.0 V
                                     {0x5B, "79 18 79 7C 73 3C 73 14"}});  // 100.0, 110.0, -50.0, -54.0 A
    EXPECT_EQ(limits.max_battery_voltage_v, 58.4);
    EXPECT_EQ(limits.min_battery_voltage_v, 40.0);
    EXPECT_EQ(limits.max_discharge_current_a, 100.0);
    EXPECT_EQ(limits.max_charge_current_a, 50.0);
    EXPECT_EQ(limits.voltage_v, 53.2);
    // More than 30000 is discharging, whichever comes first; without a sign the first is.
    const Reading turned = recorded({{0x5B, "73 3C 73 14 79 18 79 7C"}});
    EXPECT_EQ(turned.max_discharge_current_a, 100.0);
    EXPECT_EQ(turned.max_charge_current_a, 50.0);
    const Reading alike = recorded({{0x5B, "79 18 79 7C 77 24 77 4C"}});
    EXPECT_EQ(alike.max_discharge_current_a, 100.0);
    EXPECT_EQ(alike.max_charge_current_a, 50.0);
    EXPECT_EQ(family().current_limits, CurrentLimits::informing);
}

// Thresholds of cells, balancing and the like: a sound answer is no error and tells nothing.
TEST(Daly, ASoundAnswerToAnotherQuestionIsNoError) {
    const auto heard = [](const ByteList& asked, const ByteList& answer) {
        const std::vector<bms::Exchange> dialogue = {
            {frame(0x40, 0x90, "00 00 00 00 00 00 00 00"), {frame(0x01, 0x90, good_totals)}}, {asked, {answer}}};
        return bms::listen(family(), {}, dialogue).front().reading;
    };
    const ByteList asked = frame(0x40, 0x59, "00 00 00 00 00 00 00 00");
    const auto sound = heard(asked, frame(0x01, 0x59, "0E 42 0D AC 0A F0 0B B8"));
    ASSERT_TRUE(sound) << sound.error().detail;
    EXPECT_EQ(sound->voltage_v, 53.2);
    EXPECT_FALSE(heard(asked, frame(0x01, 0x5F, "0E 42 0D AC 0A F0 0B B8"))) << "answers something else";
    EXPECT_FALSE(heard(asked, frame(0x02, 0x59, "0E 42 0D AC 0A F0 0B B8"))) << "another board";
    ByteList damaged = frame(0x01, 0x59, "0E 42 0D AC 0A F0 0B B8");
    damaged.back() ^= 0x01;
    EXPECT_FALSE(heard(asked, damaged));
    EXPECT_FALSE(heard(frame(0x41, 0x59, "00 00 00 00 00 00 00 00"), frame(0x01, 0x59, "0E 42 0D AC 0A F0 0B B8")))
        << "asked of another board";
}

// ---- controls (§8) -------------------------------------------------------------------------------

TEST(Daly, WritesTheBytesOfTheRecordedDialogue) {
    constexpr std::int64_t on_9_march_2025_at_12_34_56 = 1741523696;
    EXPECT_EQ(built(control("soc").steps[0], 0x40, 80, on_9_march_2025_at_12_34_56),
              hex("A5 40 21 08 19 03 09 0C 22 38 03 20 BC"));
    EXPECT_EQ(built(control("discharge").steps[0], 0x40, 0), hex("A5 40 D9 08 00 AA AA AA AA AA AA AA 6C"));
    EXPECT_EQ(built(control("charge").steps[0], 0x41, 1), hex("A5 41 DA 08 01 AA AA AA AA AA AA AA 6F"));
}

TEST(Daly, TheStateOfChargeMustBeTaken) {
    const Request& step = control("soc").steps[0];
    EXPECT_TRUE(hear(family(), step, {.address = 0x40}, frame(0x01, 0x21, "01 00 00 00 00 00 00 00")));
    const auto refused = hear(family(), step, {.address = 0x40}, frame(0x01, 0x21, "00 00 00 00 00 00 00 00"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cls, ErrorClass::refused);
    EXPECT_FALSE(hear(family(), step, {.address = 0x40}, built(step, 0x40, 80))) << "that is our own echo";
}

TEST(Daly, ASwitchMustGoWhereItWasTold) {  // §8: the answer echoes byte 0
    const Request& step = control("discharge").steps[0];
    for (const double value : {0.0, 1.0})
        for (const bool answered : {false, true}) {
            const auto got = hear(family(), step, {.address = 0x40, .value = value},
                                  frame(0x01, 0xD9, answered ? "01 AA AA AA AA AA AA AA" : "00 AA AA AA AA AA AA AA"));
            EXPECT_EQ(got.has_value(), answered == (value != 0)) << value << " " << answered;
        }
    const bms::Exchange on{frame(0x40, 0xDA, "01 AA AA AA AA AA AA AA"),
                           {frame(0x01, 0xDA, "01 00 00 00 00 00 00 00")}};
    const bms::Exchange not_on{on.request, {frame(0x01, 0xDA, "00 00 00 00 00 00 00 00")}};
    EXPECT_TRUE(bms::listen(family(), {}, std::vector{on})[0].reading);
    const auto refused = bms::listen(family(), {}, std::vector{not_on})[0].reading;
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cls, ErrorClass::refused);
}

// ---- recordings of other hosts ---------------------------------------------------------------------

bms::Exchange recorded(std::uint8_t command, std::string_view data) {
    return {frame(0x40, command, "00 00 00 00 00 00 00 00"), {frame(0x01, command, data)}};
}

TEST(Daly, WhatIsAskedAgainOrInVainLosesNoAlarm) {
    const bms::Exchange totals = recorded(0x90, good_totals);
    const bms::Exchange in_vain{totals.request, {}};
    const bms::Exchange alarms = recorded(0x98, "02 00 00 00 00 00 00 00");
    for (const auto& dialogue : {std::vector{totals, alarms, totals}, std::vector{in_vain, alarms, totals},
                                 std::vector{alarms, totals, bms::Exchange{alarms.request, {}}}}) {
        const auto got = bms::listen(family(), {}, dialogue)[0].reading;
        ASSERT_TRUE(got) << got.error().detail;
        EXPECT_EQ(got->alarms[Alarm::high_cell_voltage], Level::alarm);
    }
    const auto calm = bms::listen(family(), {}, std::vector{alarms, recorded(0x98, "00 00 00 00 00 00 00 00")})[0];
    EXPECT_EQ(calm.reading->alarms[Alarm::high_cell_voltage], Level::ok);
}

TEST(Daly, SensorsThatNobodyCountedAreTheColdestAndTheWarmest) {  // §5.4, §5.7
    const bms::Exchange hottest = recorded(0x92, "42 01 3E 02 00 00 00 00");
    const bms::Exchange sensors = recorded(0x96, "01 42 3E 00 00 00 00 00");
    for (const auto& dialogue : {std::vector{hottest, sensors}, std::vector{sensors, hottest}}) {
        const auto got = bms::listen(family(), {}, dialogue)[0].reading;
        ASSERT_TRUE(got) << got.error().detail;
        ASSERT_EQ(got->temperatures_c.size(), 2U);
        EXPECT_EQ(got->temperatures_c[0], 22.0);
        EXPECT_EQ(got->temperatures_c[1], 26.0);
    }
}

TEST(Daly, TheCapacityOfTheUserHoldsWhereTheBmsTellsNone) {
    bms::Options options;
    options.capacity_ah = 280;
    const bms::Exchange totals = recorded(0x90, good_totals);
    const bms::Exchange rated = recorded(0x50, "00 00 00 00 00 00 0C 80");
    for (const auto& dialogue : {std::vector{totals, rated}, std::vector{rated, totals}})
        EXPECT_EQ(bms::listen(family(), {}, dialogue, options)[0].reading->capacity_ah, 280);
}

TEST(Daly, ControlsAreGuardedAndReadBack) {
    Reading known;
    for (const Control& one : family().controls) EXPECT_NE(one.forbids(known, 1), "") << one.name;
    known.charge_fet = true;
    known.discharge_fet = false;
    known.soc_percent = 60;
    EXPECT_EQ(control("charge").forbids(known, 0), "");
    EXPECT_EQ(control("charge").shows(known, 1), Flag{true});
    EXPECT_EQ(control("charge").shows(known, 0), Flag{false});
    EXPECT_EQ(control("discharge").shows(known, 0), Flag{true});
    EXPECT_FALSE(control("charge").warning.empty());
    EXPECT_FALSE(control("discharge").warning.empty());
    EXPECT_EQ(control("soc").shows(known, 60.5), Flag{true});
    EXPECT_EQ(control("soc").shows(known, 100), Flag{false});
    for (const double impossible : {-0.1, 100.1, std::numeric_limits<double>::quiet_NaN()})
        EXPECT_NE(control("soc").forbids(known, impossible), "") << impossible;
}

TEST(Daly, NeverResetsTheBms) {
    for (const Request& one : family().requests) EXPECT_NE(built(one, 0x40)[2], 0x00) << one.name;
    for (const Control& one : family().controls)
        for (const Request& step : one.steps) EXPECT_NE(built(step, 0x40)[2], 0x00) << one.name;
}

}  // namespace
}  // namespace bmsd::tests
