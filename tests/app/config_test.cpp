#include "app/config.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "app/config_keys.hpp"
#include "app/ini.hpp"

using namespace bmsd;
using app::Problem;

namespace {

/// Problems as text, for messages of failing tests.
std::string all(const app::Parsed& parsed) {
    std::string out;
    for (const Problem& problem : parsed.problems) out += to_string(problem, "config.ini") + "\n";
    return out;
}

bool mentions(const app::Parsed& parsed, std::string_view text) {
    return all(parsed).find(text) != std::string::npos;
}

}  // namespace

TEST(Config, EmptyMeansDefaults) {
    const auto parsed = app::parse_config("");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_charge_current_a, 50);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.45);
    EXPECT_FALSE(parsed.config.poll_interval_s);
}

TEST(Config, ReadsTheDialect) {
    const auto parsed = app::parse_config(
        "\xEF\xBB\xBF[DEFAULT]\r\n"
        "; a comment\r\n"
        "# another\r\n"
        "BMS_TYPE = Jkbms_pb\r\n"
        "BATTERY_ADDRESSES: 0x01, 2,0x0a\r\n"
        "MAX_BATTERY_CHARGE_CURRENT = 120.5\r\n"
        "block_on_disconnect = TRUE\r\n"
        "EXCLUDED_DEVICES = /dev/ttyUSB2, /dev/ttyUSB3,\r\n"
        "PORTS = /dev/ttyUSB0\r\n"
        "POLL_INTERVAL = 0\r\n"
        "TEMPERATURE_1_NAME = Left = right ; no comment\r\n");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    const app::Config& config = parsed.config;
    ASSERT_EQ(config.families.size(), 1u);
    EXPECT_EQ(config.families[0]->type, "Jkbms_pb");
    ASSERT_EQ(config.addresses.size(), 3u);
    EXPECT_EQ(config.addresses[0].text, "0x01");
    EXPECT_EQ(config.addresses[1].value, 2u);
    EXPECT_EQ(config.addresses[1].text, "0x02");
    EXPECT_EQ(config.addresses[2].value, 10u);
    EXPECT_DOUBLE_EQ(config.control.max_charge_current_a, 120.5);
    EXPECT_TRUE(config.control.block_on_disconnect);
    EXPECT_EQ(config.excluded_devices, (std::vector<std::string>{"/dev/ttyUSB2", "/dev/ttyUSB3"}));
    EXPECT_DOUBLE_EQ(*config.poll_interval_s, 0);
    EXPECT_EQ(config.control.temperature_names[0], "Left = right ; no comment");
}

TEST(Config, OldNamesWorkAndAreMentioned) {
    const auto parsed = app::parse_config("[DEFAULT]\nMODBUS_ADDRESSES = 0x03\n");
    ASSERT_EQ(parsed.config.addresses.size(), 1u);
    EXPECT_EQ(parsed.config.addresses[0].value, 3u);
    EXPECT_TRUE(mentions(parsed, "line 2: MODBUS_ADDRESSES: is now called BATTERY_ADDRESSES"));
    EXPECT_FALSE(parsed.has(Problem::Kind::warning));
}

TEST(Config, TheNewNameWinsOverTheOldOne) {
    for (const char* text : {"[DEFAULT]\nMODBUS_ADDRESSES = 0x03\nBATTERY_ADDRESSES = 0x04\n",
                             "[DEFAULT]\nBATTERY_ADDRESSES = 0x04\nMODBUS_ADDRESSES = 0x03\n"}) {
        const auto parsed = app::parse_config(text);
        ASSERT_EQ(parsed.config.addresses.size(), 1u);
        EXPECT_EQ(parsed.config.addresses[0].value, 4u);
    }
}

TEST(Config, BadValuesKeepTheDefaultAndAreNamed) {
    const auto parsed = app::parse_config(
        "[DEFAULT]\n"
        "MAX_BATTERY_CHARGE_CURRENT = 5O\n"
        "MAX_CELL_VOLTAGE = 34.5\n"
        "POLL_INTERVAL = nan\n"
        "MIN_CELL_VOLTAGE = 2,9\n"
        "BLOCK_ON_DISCONNECT = maybe\n"
        "BATTERY_CELL_DATA_FORMAT = 1.5\n");
    EXPECT_DOUBLE_EQ(parsed.config.control.max_charge_current_a, 50);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.45);
    EXPECT_FALSE(parsed.config.poll_interval_s);
    EXPECT_TRUE(mentions(parsed, "line 2: MAX_BATTERY_CHARGE_CURRENT: '5O' is not a number"));
    EXPECT_TRUE(mentions(parsed, "line 3: MAX_CELL_VOLTAGE: '34.5' is outside the allowed range"));
    EXPECT_TRUE(mentions(parsed, "line 4"));
    EXPECT_TRUE(mentions(parsed, "separated by a point"));
    EXPECT_TRUE(mentions(parsed, "'maybe' is neither True nor False"));
    EXPECT_TRUE(mentions(parsed, "'1.5' is not a whole number"));
    EXPECT_TRUE(parsed.has(Problem::Kind::safety));
    EXPECT_FALSE(parsed.has(Problem::Kind::fatal));
}

TEST(Config, MisspeltKeysOfferTheNearest) {
    const auto parsed = app::parse_config("[DEFAULT]\nMAX_CELL_VOLTGE = 3.5\n");
    EXPECT_TRUE(mentions(parsed, "did you mean MAX_CELL_VOLTAGE?"));
    EXPECT_TRUE(parsed.has(Problem::Kind::error));
    EXPECT_FALSE(parsed.has(Problem::Kind::safety));
}

TEST(Config, KeysOfTheReferenceAreNoMistake) {
    const auto parsed = app::parse_config("[DEFAULT]\nCVCM_ENABLE = True\n");
    EXPECT_FALSE(parsed.has(Problem::Kind::warning)) << all(parsed);
}

TEST(Config, EveryKeyOfTheReferenceIsKnown) {
    std::ifstream list(std::string(BMSD_TEST_DATA) + "/config/reference_keys.txt");
    int count = 0;
    for (std::string key; std::getline(list, key); ++count)
        EXPECT_FALSE(mentions(app::parse_config("[DEFAULT]\n" + key + " = 1\n"), "no such key")) << key;
    EXPECT_GT(count, 120);
}

TEST(Config, TheOldNameForAllTemperatureSensors) {
    EXPECT_EQ(app::parse_config("[DEFAULT]\nTEMP_BATTERY = 0\n").config.control.temperature_sources,
              (std::vector<int>{1, 2, 3, 4}));
    EXPECT_EQ(app::parse_config("[DEFAULT]\nTEMP_BATTERY = 2\n").config.control.temperature_sources,
              std::vector<int>{2});
}

TEST(Config, AnUnknownTypeIsFatalAndOffersTheNearest) {
    const auto parsed = app::parse_config("[DEFAULT]\nBMS_TYPE = Jkbms_pd\n");
    EXPECT_TRUE(parsed.has(Problem::Kind::fatal));
    EXPECT_TRUE(mentions(parsed, "did you mean Jkbms_pb?"));
}

TEST(Config, BadAddressesAreFatal) {
    for (const char* list : {"0x01, zz", "0x100", "0x01, 1", "-1"}) {
        const auto parsed = app::parse_config("[DEFAULT]\nBATTERY_ADDRESSES = " + std::string(list) + "\n");
        EXPECT_TRUE(parsed.has(Problem::Kind::fatal)) << list;
    }
}

TEST(Config, StructureIsChecked) {
    EXPECT_TRUE(mentions(app::parse_config("LOGGING = INFO\n"), "first line must be [DEFAULT]"));
    EXPECT_TRUE(mentions(app::parse_config("[DEFAULT]\nnonsense\n"), "line 2: nonsense: this line is neither"));
    EXPECT_TRUE(mentions(app::parse_config("[DEFAULT]\nLOGGING = INFO\nLOGGING = DEBUG\n"),
                         "line 3: LOGGING: the key is there twice"));
    EXPECT_TRUE(mentions(app::parse_config("[other]\nLOGGING = DEBUG\n"), "the section [other] is not known"));
    EXPECT_EQ(app::parse_config("[other]\nLOGGING = DEBUG\n").config.log_level, app::LogLevel::info);
}

TEST(Config, RelationsBetweenVoltages) {
    const auto parsed = app::parse_config("[DEFAULT]\nMIN_CELL_VOLTAGE = 3.4\nMAX_CELL_VOLTAGE = 3.2\n");
    EXPECT_TRUE(parsed.has(Problem::Kind::safety));
    EXPECT_LT(parsed.config.control.min_cell_v, parsed.config.control.max_cell_v);
    EXPECT_TRUE(
        mentions(app::parse_config("[DEFAULT]\nFLOAT_CELL_VOLTAGE = 3.5\n"), "FLOAT_CELL_VOLTAGE: must lie between"));
}

TEST(Config, ArbitraryBytesAreSurvived) {
    std::string noise;
    unsigned state = 12345;
    for (int i = 0; i < 20000; ++i) {
        state = state * 1103515245 + 12345;
        noise += static_cast<char>(state >> 16);
        if (i % 40 == 39) noise += '\n';
    }
    EXPECT_FALSE(app::parse_config(noise).problems.empty());
}

TEST(Config, FilesThatCannotBeRead) {
    EXPECT_TRUE(app::read_config("/nonexistent/config.ini").has(Problem::Kind::fatal));
    EXPECT_TRUE(mentions(app::read_config("/"), "this is a directory"));
}

TEST(ConfigKeys, NamesAreUniqueAndHelped) {
    std::vector<std::string_view> names;
    for (const app::Key& key : app::keys()) {
        EXPECT_FALSE(key.help.empty()) << key.name;
        names.push_back(key.name);
        for (const auto old_name : key.old_names) names.push_back(old_name);
    }
    for (const auto name : app::keys_without_effect()) names.push_back(name);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_TRUE(std::none_of(names.begin(), names.end(), [](auto name) { return name.empty(); }));
}

TEST(Ini, ContinuationLinesBelongToTheEntryAbove) {
    const auto lines = app::read_ini("[DEFAULT]\nPORTS = a,\n   b\n");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1].value, "a,\nb");
}
