// What is stored of a battery in Venus OS' settings, as the Python driver writes and reads it.
#include "app/venus_state.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "app/control_bms_command.hpp"

using namespace bmsd;
using namespace bmsd::app;

TEST(VenusState, AValueOfTheHistoryThatMakesNoSenseDoesNotCostTheOthers) {
    const venus::SettingValues stored = {
        {"HistoryValues", R"({"clear": 0, "total_ah_drawn": 120.5, "charge_cycles": null, "of_a_later_version": 3,
                              "minimum_voltage": 41.5})"}};
    const BatteryState state = from_settings(stored);
    ASSERT_TRUE(state.control);
    const History& history = state.control->history.values;
    EXPECT_EQ(history.total_drawn_ah, 120.5);
    EXPECT_EQ(history.minimum_voltage_v, 41.5);
    EXPECT_FALSE(history.charge_cycles);
}

TEST(VenusState, ANameIsCutToWhatIsKept) {
    std::string name;
    for (int i = 0; i < 200; ++i) name += "\xC3\xBC";  // 400 bytes
    EXPECT_EQ(from_settings({{"CustomName", name}}).name, name.substr(0, 254)) << "no half character";
    EXPECT_EQ(from_settings({{"CustomName", "Barn"}}).name, "Barn");
}

TEST(VenusState, ANumberThatIsTooLargeIsLeftOutAndCostsNothingAtTheNextStart) {
    const BatteryState state =
        from_settings({{"CustomName", "Barn"},
                       {"MaxVoltageStartTime", "1e300"},
                       {"SocResetLastReached", 1e16},
                       {"HistoryValues", R"({"minimum_voltage": 41.5, "charge_cycles": 1e300})"}});
    EXPECT_FALSE(state.control->voltage.absorption_began_s);
    EXPECT_EQ(state.control->history.values.minimum_voltage_v, 41.5);
    EXPECT_TRUE(battery_state(to_json(state, "B1"), "B1").has_value());
}

TEST(VenusState, TheHistoryHasTheKeyTheOtherDriverExpects) {
    control::Persistent state;
    EXPECT_EQ(to_settings(state).at("HistoryValues"), venus::Value{""}) << "nothing was seen yet";
    state.history.values.total_drawn_ah = 120.5;
    const venus::SettingValues settings = to_settings(state);
    const auto stored = boost::json::parse(std::get<std::string>(settings.at("HistoryValues")));
    const boost::json::value want{{"clear", 0}, {"total_ah_drawn", 120.5}};
    EXPECT_EQ(stored, want);
}

TEST(VenusState, IsKeptWhereEverythingElseIs) {
    EXPECT_EQ(ControlBmsOptions{}.state_dir, usual_state_dir());
}
