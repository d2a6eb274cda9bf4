// TianPower over Bluetooth: no checksum, so only sense protects from nonsense.
#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Request;

const bms::Family& family() {
    return *bms::find_family("tianpower_ble");
}

const Request& request(std::string_view name) {
    for (const Request& one : family().requests)
        if (one.name == name) return one;
    ADD_FAILURE() << "no request " << name;
    return family().requests[0];
}

Result<Reading> hear_answer(std::string_view name, std::string_view bytes, const Reading& known = {}) {
    return hear(family(), request(name), {0, true, &known}, hex(bytes));
}

constexpr std::string_view pack = "55 14 84 10 04 59 D8 36 48 00 00 00 00 00 00 00 00 00 00 AA";
constexpr std::string_view cells_1 = "55 14 88 0D 57 0D 5B 0D 5B 0D 5E 0D 5D 0D 5E 0D 61 0D 60 AA";
constexpr std::string_view cells_9 = "55 14 89 0D 5D 0D 61 0D 5D 0D 5D 0D 5E 0D 5C 0D 5E 0D 65 AA";

TEST(TianpowerBle, IsNeverAskedOnWires) {
    EXPECT_TRUE(family().serial.rates.empty());
    EXPECT_EQ(family().type, "EG4_Lifepower");
}

TEST(TianpowerBle, AsksOnlyForCellsThatExist) {
    Reading known;
    for (const auto& [cells, ninth, seventeenth] : {std::tuple{8, false, false}, std::tuple{9, true, false},
                                                    std::tuple{16, true, false}, std::tuple{17, true, true}}) {
        known.cell_count = cells;
        EXPECT_EQ(request("cells 9").wanted(known), ninth) << cells;
        EXPECT_EQ(request("cells 17").wanted(known), seventeenth) << cells;
    }
    EXPECT_FALSE(request("cells 9").wanted({}));
}

TEST(TianpowerBle, RefusesImpossibleContent) {
    for (const auto& [name, bytes] : {
             std::pair{"general", "55 14 83 00 6F 15 62 01 18 00 E6 00 FA 00 00 30 30 00 64 AA"},  // 111 %
             std::pair{"general", "55 14 83 00 3C 00 02 01 18 00 E6 00 FA 00 00 30 30 00 64 AA"},  // 0.02 V
             std::pair{"general", "55 14 83 00 3C 15 62 01 18 08 E6 00 FA 00 00 30 30 00 64 AA"},  // 227.8 C
             std::pair{"general", "55 14 83 00 3C 15 62 01 18 00 E6 00 FA 00 00 30 30 00 65 AA"},  // SoH 101 %
             std::pair{"pack", "55 14 84 00 04 59 D8 36 48 00 00 00 00 00 00 00 00 00 00 AA"},     // no cell
             std::pair{"pack", "55 14 84 19 04 59 D8 36 48 00 00 00 00 00 00 00 00 00 00 AA"},     // 25 cells
             std::pair{"pack", "55 14 84 10 09 59 D8 36 48 00 00 00 00 00 00 00 00 00 00 AA"},     // 9 sensors
             std::pair{"pack", "55 14 84 10 04 36 48 59 D8 00 00 00 00 00 00 00 00 00 00 AA"},     // overfull
         }) {
        const auto reading = hear_answer(name, bytes);
        ASSERT_FALSE(reading) << bytes;
        EXPECT_EQ(reading.error().cls, ErrorClass::implausible) << bytes;
    }
}

TEST(TianpowerBle, TellsNoCellsBeforeTheyWereTold) {
    const Reading alone = hear_answer("pack", pack).value();
    EXPECT_EQ(alone.cell_count, 16);
    EXPECT_EQ(alone.temperature_count, 4);
    EXPECT_TRUE(alone.cell_voltages_v.empty());
    EXPECT_TRUE(alone.temperatures_c.empty());
}

TEST(TianpowerBle, RefusesCellsThatDoNotAddUp) {
    Reading known = hear_answer("pack", pack).value();
    known = hear_answer("cells", cells_1, known).value();
    known.voltage_v = 54.74;
    EXPECT_TRUE(hear_answer("cells 9", cells_9, known));
    known.voltage_v = 27.37;
    const auto refused = hear_answer("cells 9", cells_9, known);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().cls, ErrorClass::implausible);
    EXPECT_FALSE(hear_answer("cells 9", "55 14 89 1D 5D 0D 61 0D 5D 0D 5D 0D 5E 0D 5C 0D 5E 0D 65 AA", known))
        << "a cell of 7.5 V";
}

TEST(TianpowerBle, SaysOfTheSwitchesOnlyWhatAllSourcesAgreeOn) {
    const auto bits = [](const char* byte) {
        return hear_answer("switches",
                           "55 14 85 08 " + std::string(byte) + " 00 00 00 00 00 00 00 00 00 00 00 00 00 00 AA")
            .value();
    };
    EXPECT_EQ(bits("23").charge_fet, true);
    EXPECT_EQ(bits("23").discharge_fet, true);
    EXPECT_EQ(bits("20").charge_fet, false);
    EXPECT_EQ(bits("20").discharge_fet, false);
    for (const char* one : {"21", "22"}) {
        EXPECT_FALSE(bits(one).charge_fet) << one;
        EXPECT_FALSE(bits(one).discharge_fet) << one;
    }
}

}  // namespace
}  // namespace bmsd::tests
