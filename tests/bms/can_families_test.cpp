// What is special about single families on CAN: mostly what drivers before this one got wrong (dossiers, section 10).
#include <cmath>

#include <gtest/gtest.h>

#include "bms/can.hpp"
#include "bms/catalog.hpp"

namespace bmsd::tests {
namespace {

using namespace std::chrono_literals;
using bms::CanPicture;

constexpr Clock::time_point start{std::chrono::hours{1}};

class Picture {
public:
    explicit Picture(const char* key, std::uint32_t address = 0) : picture(*bms::find_family(key), address) {
        asking.address = address;
    }
    Picture& standard(std::uint32_t id, std::initializer_list<std::uint8_t> data, Clock::duration after = 0s) {
        return take(id, false, data, after);
    }
    Picture& extended(std::uint32_t id, std::initializer_list<std::uint8_t> data, Clock::duration after = 0s) {
        return take(id, true, data, after);
    }
    Result<Reading> at(Clock::duration after = 0s) {
        Reading reading;
        if (auto all = picture.read(asking, start + after, reading); !all) return tl::unexpected(all.error());
        return reading;
    }

    CanPicture picture;
    bms::Asking asking;

private:
    Picture& take(std::uint32_t id, bool is_extended, std::initializer_list<std::uint8_t> data, Clock::duration after) {
        CanFrame frame{id, is_extended, static_cast<std::uint8_t>(data.size()), {}};
        std::copy(data.begin(), data.end(), frame.data.begin());
        picture.take(frame, start + after);
        return *this;
    }
};

/// 53.1 V, 1.8 A, 81 %; cells 3.327 and 3.326 V.
Picture& jk_v1(Picture& jk, Clock::duration after = 0s) {
    return jk.standard(0x2F4, {0x13, 0x02, 0xB2, 0x0F, 0x51, 0, 0, 0}, after)
        .standard(0x4F4, {0xFF, 0x0C, 2, 0xFE, 0x0C, 1, 0, 0}, after)
        .standard(0x5F4, {0x49, 1, 0x47, 4, 0x48, 0, 0, 0}, after);
}

}  // namespace

TEST(JkbmsCan, OldBoardsWorkAndHaveNoInventedCells) {
    Picture jk("jkbms_can");
    jk_v1(jk);
    const auto got = jk_v1(jk, 2s).at(2s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->voltage_v, 53.1);
    EXPECT_TRUE(got->cell_voltages_v.empty());
    EXPECT_EQ(got->cell_count, 16);
    EXPECT_DOUBLE_EQ(*got->max_cell_voltage_v, 3.327);
    EXPECT_FALSE(got->alarms.any());
    EXPECT_EQ(got->alarms[Alarm::low_soc], Level::ok) << "what the board can raise is known to be quiet";
}

TEST(JkbmsCan, ItsEstimateOfTheCellsDoesNotFollowAWeakOne) {
    Picture jk("jkbms_can");
    jk.asking.recorded = true;
    Reading known = *jk_v1(jk).at();
    jk.asking.known = &known;
    // 54.15 V; 15 cells at 3.40 V and one at 3.15 V: 16.5 by the mean of the extremes.
    jk.standard(0x2F4, {0x1D, 0x02, 0xB2, 0x0F, 0x51}, 1s).standard(0x4F4, {0x48, 0x0D, 6, 0x4E, 0x0C, 1}, 1s);
    EXPECT_EQ(jk.at(1s)->cell_count, 16);
    jk.asking.known = nullptr;
    EXPECT_EQ(jk.at(1s)->cell_count, 16) << "the lowest number that is possible";
}

TEST(JkbmsCan, CellsMayComeTwoSecondsAfterTheRest) {
    Picture jk("jkbms_can");
    jk_v1(jk);
    EXPECT_EQ(jk.at(1999ms).error().cls, ErrorClass::truncated) << "a board without cells in its frames shows then";
    for (std::uint32_t k = 0; k < 4; ++k)
        jk.extended(0x18E028F4 + (k << 16), {0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C}, 900ms);
    const auto got = jk.at(900ms);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->cell_voltages_v.size(), 16u);
}

TEST(JkbmsCan, OneLostCellFrameMakesNoSmallerBattery) {
    Picture jk("jkbms_can");
    const auto cells = [&](std::uint32_t frames, Clock::duration after) {
        jk_v1(jk, after);
        for (std::uint32_t k = 0; k < frames; ++k)
            jk.extended(0x18E028F4 + (k << 16), {0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C}, after);
    };
    for (int second = 0; second < 9; ++second) cells(4, second * 1s);
    cells(3, 9s);
    cells(1, 10s);
    const auto got = jk.at(10s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->cell_voltages_v.size(), 16u);
    EXPECT_EQ(got->cell_count, 16);
}

TEST(JkbmsCan, CellsThatStayAwayLeaveTheirNumber) {
    Picture jk("jkbms_can");
    Reading known;
    for (int second = 0; second < 18; ++second) {
        jk_v1(jk, second * 1s);
        for (std::uint32_t k = 0; k < (second < 9 ? 4U : 3U); ++k)
            jk.extended(0x18E028F4 + (k << 16), {0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C}, second * 1s);
        if (second == 8) known = *jk.at(second * 1s);
    }
    jk.asking.known = &known;
    const auto got = jk.at(17s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->cell_voltages_v.size(), 12u);
    EXPECT_EQ(got->cell_count, 16) << "a charge voltage for 12 cells would empty the battery";
    EXPECT_DOUBLE_EQ(*got->voltage_v, 53.1);
}

TEST(JkbmsCan, ItsStatusAloneIsAReading) {
    Picture jk("jkbms_can");
    jk.standard(0x2F4, {0x13, 0x02, 0xB2, 0x0F, 0x51});
    jk.standard(0x2F4, {0x13, 0x02, 0xB2, 0x0F, 0x51}, 2s);
    const auto got = jk.at(2s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->voltage_v, 53.1);
    EXPECT_FALSE(got->cell_count);
}

TEST(JkbmsCan, AnAlarmEndsWhenItsFrameStaysAway) {
    Picture jk("jkbms_can");
    jk.asking.recorded = true;
    jk_v1(jk).standard(0x7F4, {0, 0x40, 0, 0});  // temperature high, level 1
    auto got = jk.at();
    ASSERT_TRUE(got);
    EXPECT_EQ(got->alarms[Alarm::high_temperature], Level::alarm) << "not lost beside others";
    EXPECT_EQ(got->alarms[Alarm::high_charge_temperature], Level::alarm);
    jk_v1(jk, 2s);
    got = jk.at(2500ms);
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->alarms.any());
}

TEST(JkbmsCan, IsGoneWhenItsStatusIsMissingForTwoSeconds) {
    Picture jk("jkbms_can");
    jk_v1(jk);
    EXPECT_TRUE(jk.at(2s));
    const auto got = jk.at(2001ms);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().cls, ErrorClass::truncated);
    EXPECT_NE(got.error().detail.find("0x2F4"), std::string::npos) << got.error().detail;
}

TEST(JkbmsCan, AMissingLastCellFrameShowsInTheSumAndIsWaitedForFiveSeconds) {
    Picture jk("jkbms_can");
    jk_v1(jk);
    for (std::uint32_t k = 0; k < 3; ++k)
        jk.extended(0x18E028F4 + (k << 16), {0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C});
    ASSERT_FALSE(jk.at());
    jk.extended(0x18E328F4, {0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C, 0xFE, 0x0C}, 1s);
    const auto got = jk.at(1s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->cell_voltages_v.size(), 16u);
    EXPECT_NEAR(*got->voltage_v, 16 * 3.326, 1e-9);
}

TEST(JkbmsCan, AddressesCarryBeyondTheLowNibble) {
    Picture jk("jkbms_can", 12);
    EXPECT_EQ(jk.picture.take({0x300, false, 8, {0x13, 0x02, 0xB2, 0x0F, 0x51}}, start), CanPicture::Taken::taken);
    EXPECT_EQ(jk.picture.take({0x18F12900, true, 8, {}}, start), CanPicture::Taken::taken);
}

TEST(JkbmsCan, AChargerFrameIsNoPackVoltage) {
    Picture jk("jkbms_can");
    jk_v1(jk).extended(0x1806E5F4, {0x02, 0x40, 0x03, 0xB6, 0, 0, 0, 0});
    const auto got = jk_v1(jk, 2s).at(2s);
    ASSERT_TRUE(got);
    EXPECT_DOUBLE_EQ(*got->voltage_v, 53.1);
}

TEST(DalyCan, CyclesAreNotTheHeartbeatAndTheBoardIsNotTheHost) {
    Picture daly("daly_can", 1);
    daly.asking.recorded = true;
    daly.extended(0x18944001, {16, 4, 0, 1, 2, 0x01, 0x2C, 0}).extended(0x18934001, {2, 1, 1, 0x11, 0, 3, 0xA9, 0x80});
    EXPECT_EQ(daly.at()->cycles, 300);
    EXPECT_EQ(daly.picture.take({0x18944040, true, 8, {}}, start), CanPicture::Taken::foreign);
    EXPECT_EQ(frame_of(*bms::find_family("daly_can"), bms::find_family("daly_can")->can->questions[0], 3).id,
              0x18940340u);
}

TEST(DalyCan, ABoardWithoutSensorsHasNoTemperatures) {
    Picture daly("daly_can", 1);
    daly.asking.recorded = true;
    daly.extended(0x18944001, {16, 0, 0, 1, 0, 0, 0, 0}).extended(0x18924001, {0, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(daly.at());
    EXPECT_TRUE(daly.at()->temperatures_c.empty());
}

// Dossier daly §5.6: where only the first frames are there the recording stopped; a gap is an error.
TEST(DalyCan, ARecordingMayStopWithinTheCells) {
    Picture daly("daly_can", 1);
    daly.asking.recorded = true;
    daly.extended(0x18944001, {6, 1, 0, 1, 0, 0, 7, 0})
        .extended(0x18954001, {1, 0x0C, 0xE4, 0x0C, 0xE4, 0x0C, 0xE4, 0});
    const auto stopped = daly.at();
    ASSERT_TRUE(stopped) << stopped.error().detail;
    EXPECT_EQ(stopped->cycles, 7);
    EXPECT_TRUE(stopped->cell_voltages_v.empty());
    daly.extended(0x18954001, {3, 0x0C, 0xE4, 0x0C, 0xE4, 0x0C, 0xE4, 0});
    ASSERT_FALSE(daly.at()) << "frame 2 is missing";
    EXPECT_EQ(daly.at().error().cls, ErrorClass::truncated);
}

TEST(DalyCan, BalancesAlsoWhileTheNumberOfCellsIsUnknown) {
    Picture daly("daly_can", 1);
    daly.asking.recorded = true;
    daly.extended(0x18974001, {0x05, 0, 0, 0, 0, 0, 0, 0});
    ASSERT_TRUE(daly.at());
    EXPECT_EQ(daly.at()->balancing_active, true);
    EXPECT_TRUE(daly.at()->cell_balancing.empty());
}

// §5: the same warning as that of the wired protocol.
TEST(DalyCan, DoubtsACurrentAgainstTheWordOfTheBoard) {
    const auto doubt = bms::find_family("daly_can")->doubt;
    ASSERT_TRUE(doubt);
    const auto said = [&](std::uint8_t state, std::uint8_t low_byte) {
        Picture daly("daly_can", 1);
        daly.asking.recorded = true;
        daly.extended(0x18904001, {0x02, 0x12, 0, 0, 0x75, low_byte, 0x02, 0xBC})
            .extended(0x18934001, {state, 1, 1, 0x11, 0, 3, 0xA9, 0x80});
        return doubt(daly.at().value_or(Reading{}));
    };
    EXPECT_NE(said(1, 0x66).find("INVERT_CURRENT_MEASUREMENT"), std::string_view::npos) << "charging, raw 30054";
    EXPECT_EQ(said(2, 0x66), "");
    EXPECT_EQ(said(0, 0x66), "") << "idle";
    EXPECT_EQ(said(1, 0x3A), "") << "1 A";
}

TEST(DalyCan, AnswersOfThePollBeforeAreNotUsedAgain) {
    Picture daly("daly_can", 1);
    daly.asking.recorded = true;
    daly.extended(0x18904001, {0x02, 0x12, 0, 0, 0x75, 0x30, 0x02, 0xBC});
    ASSERT_TRUE(daly.at());
    daly.picture.begin_poll();
    daly.extended(0x18934001, {2, 1, 1, 0x11, 0, 3, 0xA9, 0x80});
    const auto got = daly.at();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->voltage_v) << "that was of another poll";
}

TEST(LltJbdCan, TheFactorySerialIsNoIdentity) {
    const bms::Family& jbd = *bms::find_family("lltjbd_can");
    Reading reading;
    reading.serial_number = "JBD87654321";
    EXPECT_EQ(jbd.identity(reading), "");
    reading.serial_number = "JBD12345678";
    EXPECT_EQ(jbd.identity(reading), "JBD12345678");
}

TEST(LltJbdCan, AnAlarmNeedsExactlyTheCodeOne) {
    Picture jbd("lltjbd_can");
    jbd.standard(0x355, {61, 0, 100, 0}).standard(0x356, {0xC5, 0x14, 0, 0, 0xD6, 0});
    // High voltage 3 (reserved), low voltage 1 (active), high temperature 2 (inactive).
    const auto got = jbd.standard(0x35A, {0x9C, 0, 0, 0, 0, 0, 0, 0}).at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_FALSE(got->alarms[Alarm::high_cell_voltage]);
    EXPECT_EQ(got->alarms[Alarm::low_cell_voltage], Level::alarm);
    EXPECT_EQ(got->alarms[Alarm::high_temperature], Level::ok);
}

TEST(LltJbdCan, WhatComesLessOftenOrWasLostIsStillThere) {
    Picture jbd("lltjbd_can");
    const auto values = [&](Clock::duration after) { jbd.standard(0x356, {0xC5, 0x14, 0, 0, 0xD6, 0}, after); };
    jbd.standard(0x351, {0x40, 2, 0xD0, 7, 0xD0, 7, 0xB0, 1}).standard(0x355, {61, 0, 100, 0});
    values(0s);
    jbd.standard(0x35A, {0xA6, 0xAA, 0xAA, 2, 0, 0, 0, 0}).standard(0x373, {0xF5, 0x0C, 3, 0x0D, 0x25, 1, 0x26, 1});
    // The values come three times as often as the rest, whose next cycle loses the alarms.
    values(300ms);
    values(600ms);
    auto got = jbd.at(600ms);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->soc_percent, 61);
    EXPECT_DOUBLE_EQ(got->max_battery_voltage_v.value_or(0), 57.6);
    jbd.standard(0x351, {0x40, 2, 0xD0, 7, 0xD0, 7, 0xB0, 1}, 1s).standard(0x355, {61, 0, 100, 0}, 1s);
    values(1s);
    jbd.standard(0x373, {0xF5, 0x0C, 3, 0x0D, 0x25, 1, 0x26, 1}, 1s);
    values(2s);
    got = jbd.at(2s);
    ASSERT_TRUE(got);
    EXPECT_EQ(got->alarms[Alarm::high_cell_voltage], Level::alarm) << "an alarm does not blink";
    values(5001ms);
    got = jbd.at(5001ms);
    EXPECT_FALSE(got && got->alarms[Alarm::high_cell_voltage]) << "older than five seconds";
}

TEST(LltJbdCan, ASerialNumberIsNotToldByHalves) {
    Picture jbd("lltjbd_can");
    jbd.asking.recorded = true;
    jbd.standard(0x356, {0xC5, 0x14, 0, 0, 0xD6, 0}).standard(0x380, {'J', 'B', 'D', '1', '2', '3', '4', '5'});
    EXPECT_FALSE(jbd.at()->serial_number);
    jbd.standard(0x381, {'6', '7', '8', 0, 0, 0, 0, 0});
    EXPECT_EQ(jbd.at()->serial_number, "JBD12345678");
}

TEST(LltJbdCan, AFineStateOfChargeThatIsNoneLeavesTheCoarseOne) {
    Picture jbd("lltjbd_can");
    jbd.standard(0x355, {61, 0, 100, 0, 0x75, 0x27}).standard(0x356, {0xC5, 0x14, 0, 0, 0xD6, 0});
    const auto got = jbd.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->soc_percent, 61) << "101.01 % is none";
}

TEST(PylontechCan, ZerosForAModelAreNoCells) {
    Picture pylon("pylontech_can");
    pylon.asking.recorded = true;
    pylon.standard(0x356, {0xC5, 0x14, 0, 0, 0x71, 0}).standard(0x370, {0, 0, 0, 0, 0, 0, 0, 0});
    pylon.standard(0x371, {0, 0, 0, 0, 0, 0, 0, 0}).standard(0x373, {0xF5, 0x0C, 3, 0x0D, 0x25, 1, 0x26, 1});
    const auto got = pylon.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->min_cell_voltage_v, 3.317);
    EXPECT_DOUBLE_EQ(*got->max_cell_voltage_v, 3.331);
    EXPECT_EQ(got->cell_count, 16);
    EXPECT_FALSE(got->hardware_version);
}

TEST(PylontechCan, TellsModelFirmwareAndSerialNumberWhereTheyAreSent) {
    Picture pylon("pylontech_can");
    pylon.asking.recorded = true;
    pylon.standard(0x356, {0xC5, 0x14, 0, 0, 0x71, 0}).standard(0x35F, {0, 0, 0x0D, 5, 0, 0, 0, 0});
    pylon.standard(0x370, {'L', 'i', 't', 'h', 'i', 'u', 'm', 0}).standard(0x371, {'V', 'a', 'l', 'l', 'e', 'y', 0, 0});
    pylon.standard(0x380, {'L', 'V', '0', '1', '0', '2', '0', '3'}).standard(0x381, {'0', '4', 0, 0, 0, 0, 0, 0});
    const auto got = pylon.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->hardware_version, "LithiumValley");
    EXPECT_EQ(got->software_version, "0x050D");
    EXPECT_EQ(got->serial_number, "LV01020304");
    EXPECT_EQ(pylon.picture.family().identity(*got), "LV01020304");
}

TEST(PylontechCan, PytesSaysTheSameInItsOwnFrames) {
    Picture pytes("pylontech_can");
    pytes.asking.recorded = true;
    pytes.standard(0x400, {0x14, 2, 0xB0, 4, 0x40, 6, 0xC2, 1}).standard(0x405, {0x84, 0x13, 0xF1, 0xFF, 0x37, 0});
    pytes.standard(0x404, {90, 0, 99, 0, 0, 0, 0x2C, 1}).standard(0x409, {0xA0, 0x86, 1, 0, 0x90, 0x5F, 1, 0});
    const auto got = pytes.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->voltage_v, 49.96);
    EXPECT_DOUBLE_EQ(*got->current_a, -1.5);
    EXPECT_DOUBLE_EQ(*got->max_charge_current_a, 120);
    EXPECT_EQ(got->soc_percent, 90);
    EXPECT_EQ(got->soh_percent, 99);
    EXPECT_EQ(got->cycles, 300);
    EXPECT_DOUBLE_EQ(*got->capacity_ah, 100);
    EXPECT_DOUBLE_EQ(*got->capacity_remaining_ah, 90);
}

TEST(PylontechCan, WhatTheCommonFramesSayIsNotOverwritten) {
    Picture pytes("pylontech_can");
    // CCL 0 A; the lower voltage is none.
    pytes.standard(0x351, {0x14, 2, 0, 0, 0x40, 6, 0, 0}).standard(0x355, {90, 0, 99, 0});
    pytes.standard(0x356, {0x84, 0x13, 0xF1, 0xFF, 0x37, 0}).standard(0x379, {50, 0});
    pytes.standard(0x400, {0x48, 2, 0xB0, 4, 0x40, 6, 0xC2, 1}).standard(0x405, {0xFF, 0x7F, 0, 0, 0, 0});
    pytes.standard(0x404, {10, 0, 20, 0, 0, 0, 0x2C, 1}).standard(0x409, {0xA0, 0x86, 1, 0, 0x90, 0x5F, 1, 0});
    const auto got = pytes.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->max_charge_current_a, 0);
    EXPECT_DOUBLE_EQ(*got->max_battery_voltage_v, 53.2);
    EXPECT_FALSE(got->min_battery_voltage_v);
    EXPECT_DOUBLE_EQ(*got->voltage_v, 49.96);
    EXPECT_EQ(got->soc_percent, 90);
    EXPECT_EQ(got->soh_percent, 99);
    EXPECT_EQ(got->capacity_ah, 50);
    EXPECT_EQ(got->cycles, 300);
}

TEST(PylontechCan, ANegativeDischargeLimitIsItsAmountAndFinePercentMustAgree) {
    Picture pylon("pylontech_can");
    pylon.standard(0x351, {0x48, 2, 0xD0, 7, 0x30, 0xF8}).standard(0x356, {0x79, 0x14, 0, 0, 0x71, 0});
    auto got = pylon.standard(0x355, {30, 0, 100, 0, 0xD5, 0x0B}).at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->max_discharge_current_a, 200);
    EXPECT_DOUBLE_EQ(*got->soc_percent, 30.29);
    // What a cycle says counts when all of it is there.
    pylon.standard(0x351, {0x48, 2, 0xD0, 7, 0x30, 0xF8}).standard(0x356, {0x79, 0x14, 0, 0, 0x71, 0});
    got = pylon.standard(0x355, {30, 0, 100, 0, 0x10, 0x27}).at();
    ASSERT_TRUE(got);
    EXPECT_DOUBLE_EQ(*got->soc_percent, 30) << "100 % beside 30 % is not the same value";
}

TEST(PylontechCan, ZerosOfABatteryThatWakesUpAreNotPublished) {
    Picture pylon("pylontech_can");
    const auto got = pylon.standard(0x355, {0, 0, 0, 0}).standard(0x356, {0, 0, 0, 0, 0, 0}).at();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().cls, ErrorClass::implausible);
}

TEST(RvC, ListensToOneSenderUntilItFallsSilent) {
    Picture rv("rv_c_can", 1);
    rv.asking.recorded = true;
    rv.extended(0x19FFFD8D, {1, 120, 0x0A, 1, 0, 0x94, 0x35, 0x77});
    EXPECT_DOUBLE_EQ(*rv.at()->voltage_v, 13.3);
    rv.extended(0x19FFFD45, {1, 120, 0x14, 1, 0, 0x94, 0x35, 0x77}, 1s);
    EXPECT_DOUBLE_EQ(*rv.at(1s)->voltage_v, 13.3) << "the first one is alive";
    rv.extended(0x19FFFD45, {1, 120, 0x14, 1, 0, 0x94, 0x35, 0x77}, 4s);
    EXPECT_DOUBLE_EQ(*rv.at(4s)->voltage_v, 13.8);
    rv.extended(0x0DFFFD45, {1, 120, 0x1E, 1, 0, 0x94, 0x35, 0x77}, 5s);
    EXPECT_DOUBLE_EQ(*rv.at(5s)->voltage_v, 14.3) << "the priority is not compared";
}

TEST(RvC, AWatchGivesWayToTheBattery) {
    // A battery monitor with the same priority and instance, and behind it the battery itself.
    const std::vector<CanFrame> heard = {
        {0x19FFFD80, true, 8, {1, 120, 0x08, 1, 0, 0x94, 0x35, 0x77}},
        {0x19FFFC80, true, 8, {1, 120, 0x20, 0x25, 100, 0xFF, 0xFF, 0xFF}},
        {0x19FFFD8D, true, 8, {1, 120, 0x0A, 1, 0x20, 1, 0x35, 0x77}},
        {0x19FFFC8D, true, 8, {1, 120, 0x20, 0x25, 160, 0xFF, 0xFF, 0xFF}},
        {0x19FEC98D, true, 8, {1, 120, 7, 0x20, 1, 0x70, 0x94, 3}},
    };
    const auto told = bms::listen(*bms::find_family("rv_c_can"), {}, heard);
    ASSERT_EQ(told.size(), 1u);
    ASSERT_TRUE(told[0].reading) << told[0].reading.error().detail;
    EXPECT_DOUBLE_EQ(*told[0].reading->voltage_v, 13.3);
    EXPECT_EQ(told[0].reading->soc_percent, 80);
    EXPECT_DOUBLE_EQ(*told[0].reading->max_charge_current_a, 300);

    Picture rv("rv_c_can", 1);
    for (int second = 0; second < 2; ++second)
        for (const CanFrame& frame : heard) rv.picture.take(frame, start + second * 1s);
    const auto got = rv.at(1s);
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->voltage_v, 13.3);
}

TEST(RvC, TheNumberOfCellsDoesNotFollowTheVoltage) {
    Picture rv("rv_c_can", 1);
    rv.asking.recorded = true;
    const auto at = [&](double volts) {
        const auto raw = static_cast<unsigned>(std::lround(volts / 0.05));
        return rv
            .extended(0x19FFFD8D, {1, 120, static_cast<std::uint8_t>(raw), static_cast<std::uint8_t>(raw >> 8), 0, 0x94,
                                   0x35, 0x77})
            .at();
    };
    for (const auto& [volts, count] :
         {std::pair{13.2, 4}, {14.6, 4}, {14.9, 4}, {26.4, 8}, {52.8, 16}, {45.6, 16}, {36.0, 12}})
        EXPECT_EQ(at(volts)->cell_count, count) << volts;
    Reading known;
    known.cell_count = 16;
    rv.asking.known = &known;
    EXPECT_EQ(at(42.0)->cell_count, 16) << "empty";
    known.cell_count = 8;
    EXPECT_EQ(at(13.2)->cell_count, 4) << "8 cells of 1.65 V are none";
    known.cell_count = 16;
    // Wants 14.4 V.
    rv.extended(0x19FEC98D, {1, 120, 7, 0x20, 1, 0x70, 0x94, 3});
    EXPECT_EQ(at(13.2)->cell_count, 4) << "what it wants to be charged to says it best";
}

TEST(RvC, WhatIsNotAvailableIsUnknownAndRaisesNothing) {
    Picture rv("rv_c_can", 1);
    rv.asking.recorded = true;
    rv.extended(0x19FFFD8D, {1, 120, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
        .extended(0x19FEC78D, {1, 120, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF})
        .extended(0x19FEA58D, {1, 120, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF});
    const auto got = rv.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_FALSE(got->voltage_v || got->current_a || got->charge_fet || got->discharge_fet || got->capacity_ah);
    EXPECT_FALSE(got->alarms.any());
}

TEST(RvC, TheChargeLimitHasItsOffsetAndTheSwitchesAreNotExchanged) {
    Picture rv("rv_c_can", 1);
    rv.asking.recorded = true;
    const auto got = rv.extended(0x19FEC98D, {1, 120, 1, 0x20, 0x01, 0x00, 0x7D, 3})
                         .extended(0x19FEA58D, {1, 120, 0x01, 200, 0, 0, 0, 0})
                         .at();
    ASSERT_TRUE(got);
    EXPECT_DOUBLE_EQ(*got->max_charge_current_a, 0);
    EXPECT_EQ(got->discharge_fet, true);
    EXPECT_EQ(got->charge_fet, false);
}

TEST(RvC, WhoFallsSilentAboutItsLimitsIsNotCharged) {
    Picture rv("rv_c_can", 1);
    rv.asking.recorded = true;
    const auto told = rv.extended(0x19FFFD8D, {1, 120, 0x0A, 1, 0, 0x94, 0x35, 0x77})
                          .extended(0x19FEC98D, {1, 120, 1, 0x20, 0x01, 0x00, 0x7E, 3})
                          .at();
    ASSERT_TRUE(told);
    EXPECT_NEAR(*told->max_charge_current_a, 12.8, 1e-9);
    rv.asking.known = &*told;
    rv.extended(0x19FFFD8D, {1, 120, 0x0A, 1, 0, 0x94, 0x35, 0x77}, 14s);
    EXPECT_NEAR(*rv.at(14s)->max_charge_current_a, 12.8, 1e-9) << "comes every five seconds";
    rv.extended(0x19FFFD8D, {1, 120, 0x0A, 1, 0, 0x94, 0x35, 0x77}, 16s);
    EXPECT_DOUBLE_EQ(*rv.at(16s)->max_charge_current_a, 0);
    rv.asking.known = nullptr;
    EXPECT_FALSE(rv.at(16s)->max_charge_current_a) << "a battery that never told one has none";
}

namespace {

Picture& ubms(Picture& one, std::uint8_t mode) {
    return one.standard(0x180, {43, 1, 1, 0, 50, 0, 0, 0})
        .standard(0x0C0, {53, mode, 0, 0, 0, 8, 0, 0})
        .standard(0x0C1, {13, 0x38, 0x7F, 100, 0, 0x5B, 0x12, 1});
}

}  // namespace

TEST(Ubms, ItsCurrentDoesNotWrapAndLimitsHoldInDriveModeOnly) {
    Picture one("ubms_can", 1);
    auto got = ubms(one, 2).at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_DOUBLE_EQ(*got->current_a, -200);
    EXPECT_EQ(got->max_discharge_current_a, 100);
    EXPECT_EQ(got->max_charge_current_a, 347);
    got = ubms(one, 1).at();
    ASSERT_TRUE(got);
    EXPECT_FALSE(got->max_discharge_current_a || got->max_charge_current_a);
}

TEST(Ubms, TheWorstOfParallelCellsIsShown) {
    Picture one("ubms_can", 1);
    one.asking.options.series = 1;
    one.asking.options.parallel = 2;
    ubms(one, 2)
        .standard(0x350, {1, 0, 0x0C, 0xE4, 0x0C, 0xE4, 0x0C, 0xE4})
        .standard(0x351, {1, 0, 0x0C, 0xE4})
        .standard(0x352, {1, 0, 0x0C, 0xE4, 0x0E, 0x10, 0x0C, 0xE4})
        .standard(0x353, {1, 0, 0x0B, 0xB8});
    const auto got = one.at();
    ASSERT_TRUE(got) << got.error().detail;
    EXPECT_EQ(got->cell_count, 4);
    ASSERT_EQ(got->cell_voltages_v.size(), 4u);
    EXPECT_DOUBLE_EQ(*got->cell_voltages_v[1], 3.6) << "a full cell of the second string";
    EXPECT_DOUBLE_EQ(*got->cell_voltages_v[3], 3.0) << "an empty one";
    EXPECT_DOUBLE_EQ(*got->voltage_v, 4 * 3.3) << "the first string";
}

TEST(Ubms, AnotherUbmsOnTheSharedIdsIsNotMixedIn) {
    Picture one("ubms_can", 1);
    EXPECT_EQ(one.picture.take({0x350, false, 8, {2, 0, 0x0C, 0xE4, 0x0C, 0xE4, 0x0C, 0xE4}}, start),
              CanPicture::Taken::foreign);
}

}  // namespace bmsd::tests
