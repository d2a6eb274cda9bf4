// Our tree against the trees recorded from the reference driver in the same situations.
#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "venus/batteries.hpp"
#include "venus/battery_service.hpp"

namespace bmsd::venus {
namespace {

namespace json = boost::json;

json::object recorded(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream{BMSD_TEST_DATA "/dbus/" + name + ".json"}.rdbuf();
    return json::parse(text.str()).at("items").as_object();
}

/// Paths whose values may differ, and why. The path itself must exist all the same.
const std::map<std::string, std::string> may_differ = {
    {"/Mgmt/ProcessName", "our program"},
    {"/Mgmt/ProcessVersion", "our program"},
    {"/FirmwareVersion", "our program"},
    {"/CurrentAvg", "average over 300 s: charge control"},
    {"/TimeToGo", "follows from the average: charge control"},
    {"/History/AverageDischarge", "counted history: charge control"},
    {"/History/ChargedEnergy", "counted history: charge control"},
    {"/History/DeepestDischarge", "counted history: charge control"},
    {"/History/DischargedEnergy", "counted history: charge control"},
    {"/History/FullDischarges", "counted history: charge control"},
    {"/History/HighVoltageAlarms", "counted history: charge control"},
    {"/History/LastDischarge", "counted history: charge control"},
    {"/History/LowVoltageAlarms", "counted history: charge control"},
    {"/History/MaximumCellVoltage", "counted history: charge control"},
    {"/History/MaximumTemperature", "counted history: charge control"},
    {"/History/MaximumVoltage", "counted history: charge control"},
    {"/History/MinimumCellVoltage", "counted history: charge control"},
    {"/History/MinimumTemperature", "counted history: charge control"},
    {"/History/MinimumVoltage", "counted history: charge control"},
    {"/History/TotalAhDrawn", "counted history: charge control"},
};

void expect_value(const json::object& want, const Item& item) {
    const json::value& value = want.at("value");
    const auto* real = std::get_if<double>(&item.value);
    const auto* integer = std::get_if<std::int32_t>(&item.value);
    if (value.is_null())
        EXPECT_TRUE(std::holds_alternative<Invalid>(item.value)) << item.path << " has a value";
    else if (value.is_string())
        EXPECT_EQ(item.value, Value{std::string{value.as_string()}}) << item.path;
    else if (real || integer)
        EXPECT_NEAR(real ? *real : *integer, value.to_number<double>(), 1e-9) << item.path;
    else
        ADD_FAILURE() << item.path << " is not a number but the recorded one is " << value;
    EXPECT_EQ(text_of(view(item.value), item.format), std::string{want.at("text").as_string()}) << item.path;
}

/// The tree of a battery, without a bus.
void expect_tree(const std::string& name, const Battery& battery, CellFormat cells = CellFormat::voltages,
                 const std::map<std::string, std::string>& also_differ = {}) {
    boost::asio::io_context io;
    const FaceSettings settings{.address = "unix:path=/nonexistent", .cells = cells, .report = [](auto, auto&) {}};
    const BatteryService service{io.get_executor(), settings, battery, 1};
    const json::object want = recorded(name);
    std::map<std::string, const Item*> ours;
    for (const Item& item : service.tree().items()) {
        ours[item.path] = &item;
        EXPECT_TRUE(want.contains(item.path)) << item.path << " is not in the recording";
    }
    for (const auto& [path, entry] : want) {
        const auto found = ours.find(std::string{path});
        if (found == ours.end())
            ADD_FAILURE() << path << " is missing";
        else if (!may_differ.contains(found->first) && !also_differ.contains(found->first))
            expect_value(entry.as_object(), *found->second);
    }
}

TEST(Recorded, JkDischarging) {
    expect_tree("jkpb-default", test::jk_discharging());
}

TEST(Recorded, JkChargingWithAlarms) {
    expect_tree("jkpb-charging-alarms", test::jk_charging_with_alarms());
}

TEST(Recorded, JkOffline) {
    Battery battery = test::jk_discharging();
    test::fall_silent(battery);
    expect_tree("jkpb-offline", battery, CellFormat::voltages,
                {{"/ConnectionInformation", "tells the trouble instead of a threshold"}});
}

TEST(Recorded, JkWithoutCells) {
    expect_tree("jkpb-cellformat0", test::jk_discharging(), CellFormat::none);
}

TEST(Recorded, JkWithCellsAsObjects) {
    expect_tree("jkpb-cellformat2", test::jk_discharging(), CellFormat::cells);
}

}  // namespace
}  // namespace bmsd::venus
