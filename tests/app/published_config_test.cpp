#include "app/published_config.hpp"

#include <algorithm>

#include <gtest/gtest.h>

using namespace bmsd;
using venus::List;
using venus::Value;

namespace {

class PublishedConfig : public testing::Test {
protected:
    explicit PublishedConfig(const std::string& lines = "")
        : shown_(app::published_config(app::parse_config("[DEFAULT]\n" + lines).config, false)) {}

    /// Null if the key is not shown.
    const Value* value(const std::string& name) const {
        const auto found =
            std::find_if(shown_.begin(), shown_.end(), [&](const auto& key) { return key.name == name; });
        return found == shown_.end() ? nullptr : &found->value;
    }

    std::vector<venus::ConfigValue> shown_;
};

struct ChangedConfig : PublishedConfig {
    ChangedConfig()
        : PublishedConfig(
              "MAX_BATTERY_DISCHARGE_CURRENT = 200\nMAX_DISCHARGE_CURRENT_SOC_FRACTION = 0, 0.5, 0.5, 1\n"
              "POLL_INTERVAL = 0.5\nBATTERY_ADDRESSES = 0x01, 0x02\nBMS_TYPE = Daly, LltJbd\n"
              "MQTT_USERNAME = harry\nMQTT_PASSWORD = confidential\n") {}
};

}  // namespace

TEST_F(PublishedConfig, EveryTypeOfKey) {
    ASSERT_TRUE(value("CVCM_ENABLE"));
    EXPECT_EQ(*value("CVCM_ENABLE"), Value{true});
    EXPECT_EQ(*value("CHARGE_MODE"), Value{1});
    EXPECT_EQ(*value("MAX_CELL_VOLTAGE"), Value{3.45});
    EXPECT_EQ(*value("LOGGING"), Value{std::string{"INFO"}});
    EXPECT_EQ(*value("BATTERY_ADDRESSES"), Value{List{}});
    EXPECT_EQ(*value("INVERT_CURRENT_MEASUREMENT"), Value{1});
    EXPECT_EQ(*value("errors_in_config"), Value{false});
    EXPECT_TRUE(value("DRIVER_VERSION"));
    EXPECT_FALSE(value("POLL_INTERVAL")) << "has no value";
}

TEST_F(PublishedConfig, EveryNameIsAPath) {
    for (const auto& key : shown_)
        EXPECT_TRUE(!key.name.empty() && std::all_of(key.name.begin(), key.name.end(), [](unsigned char c) {
            return std::isalnum(c) || c == '_';
        })) << key.name;
}

TEST_F(ChangedConfig, FractionsAreCurrents) {
    ASSERT_TRUE(value("MAX_DISCHARGE_CURRENT_SOC"));
    EXPECT_EQ(*value("MAX_DISCHARGE_CURRENT_SOC"), (Value{List{0.0, 100.0, 100.0, 200.0}}));
    EXPECT_FALSE(value("MAX_DISCHARGE_CURRENT_SOC_FRACTION"));
}

TEST_F(ChangedConfig, TheIntervalIsInMilliseconds) {
    ASSERT_TRUE(value("POLL_INTERVAL"));
    EXPECT_EQ(*value("POLL_INTERVAL"), Value{500.0});
}

TEST_F(ChangedConfig, ListsOfNames) {
    EXPECT_EQ(*value("BATTERY_ADDRESSES"), (Value{List{std::string{"0x01"}, std::string{"0x02"}}}));
    EXPECT_EQ(*value("BMS_TYPE"), (Value{List{std::string{"Daly"}, std::string{"LltJbd"}}}));
}

TEST_F(ChangedConfig, NobodyReadsWhoLogsInWhere) {
    for (const auto& key : shown_) {
        const auto* text = std::get_if<std::string>(&key.value);
        EXPECT_FALSE(text && (*text == "harry" || *text == "confidential")) << key.name;
    }
}
