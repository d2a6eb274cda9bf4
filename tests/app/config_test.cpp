#include "app/config.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "app/config_keys.hpp"
#include "app/ini.hpp"
#include "folder.hpp"
#include "problems.hpp"

using namespace bmsd;
using namespace bmsd::test;
using app::Problem;

TEST(Config, EmptyMeansDefaults) {
    const auto parsed = app::parse_config("");
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_DOUBLE_EQ(parsed.config.control.charge.max_a, 50);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.45);
    EXPECT_FALSE(parsed.config.defaults.poll_interval_s);
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
    ASSERT_EQ(config.defaults.families.size(), 1u);
    EXPECT_EQ(config.defaults.families[0]->type, "Jkbms_pb");
    ASSERT_EQ(config.defaults.addresses.size(), 3u);
    EXPECT_EQ(config.defaults.addresses[0].text, "0x01");
    EXPECT_EQ(config.defaults.addresses[1].value, 2u);
    EXPECT_EQ(config.defaults.addresses[1].text, "0x02");
    EXPECT_EQ(config.defaults.addresses[2].value, 10u);
    EXPECT_DOUBLE_EQ(config.control.charge.max_a, 120.5);
    EXPECT_TRUE(config.control.block_on_disconnect);
    EXPECT_EQ(config.excluded_devices, (std::vector<std::string>{"/dev/ttyUSB2", "/dev/ttyUSB3"}));
    EXPECT_DOUBLE_EQ(*config.defaults.poll_interval_s, 0);
    EXPECT_EQ(config.control.temperature_names[0], "Left = right ; no comment");
}

TEST(Config, OldNamesWorkAndAreMentioned) {
    const auto parsed = app::parse_config("[DEFAULT]\nMODBUS_ADDRESSES = 0x03\n");
    ASSERT_EQ(parsed.config.defaults.addresses.size(), 1u);
    EXPECT_EQ(parsed.config.defaults.addresses[0].value, 3u);
    EXPECT_TRUE(mentions(parsed, "line 2: MODBUS_ADDRESSES: is now called BATTERY_ADDRESSES"));
    EXPECT_FALSE(parsed.has(Problem::Kind::warning));
}

TEST(Config, TheNewNameWinsOverTheOldOne) {
    for (const char* text : {"[DEFAULT]\nMODBUS_ADDRESSES = 0x03\nBATTERY_ADDRESSES = 0x04\n",
                             "[DEFAULT]\nBATTERY_ADDRESSES = 0x04\nMODBUS_ADDRESSES = 0x03\n"}) {
        const auto parsed = app::parse_config(text);
        ASSERT_EQ(parsed.config.defaults.addresses.size(), 1u);
        EXPECT_EQ(parsed.config.defaults.addresses[0].value, 4u);
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
    EXPECT_DOUBLE_EQ(parsed.config.control.charge.max_a, 50);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.45);
    EXPECT_FALSE(parsed.config.defaults.poll_interval_s);
    EXPECT_TRUE(mentions(parsed, "line 2: MAX_BATTERY_CHARGE_CURRENT: '5O' is not a number"));
    EXPECT_TRUE(mentions(parsed, "line 3: MAX_CELL_VOLTAGE: '34.5' is outside the allowed range"));
    EXPECT_TRUE(mentions(parsed, "line 4"));
    EXPECT_TRUE(mentions(parsed, "separated by a point"));
    EXPECT_TRUE(mentions(parsed, "'maybe' is neither True nor False"));
    EXPECT_TRUE(mentions(parsed, "'1.5' is not a whole number"));
    EXPECT_TRUE(parsed.has(Problem::Kind::safety));
    EXPECT_FALSE(parsed.has(Problem::Kind::fatal));
}

TEST(Config, ACarriageReturnAloneEndsALine) {
    for (const char* text : {"[DEFAULT]\r; comment\rMAX_CELL_VOLTAGE = 3.4\r\rPOLL_INTERVAL = x",
                             "[DEFAULT]\n; comment\rMAX_CELL_VOLTAGE = 3.4\r\n\nPOLL_INTERVAL = x\r"}) {
        const auto parsed = app::parse_config(text);
        EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.4);
        EXPECT_EQ(parsed.problems.size(), 1u) << all(parsed);
        EXPECT_TRUE(complains(parsed, Problem::Kind::error, 5, "'x' is not a number"));
    }
}

TEST(Config, MisspeltKeysOfferTheNearest) {
    const auto parsed = app::parse_config("[DEFAULT]\nLOGGIN = DEBUG\n");
    EXPECT_TRUE(complains(parsed, Problem::Kind::error, 2, "there is no such key; did you mean LOGGING?"));
    EXPECT_EQ(parsed.problems.at(0).nearest, "LOGGING");
    EXPECT_FALSE(app::parse_config("[DEFAULT]\nSOMETHING_ELSE = 1\n").has(Problem::Kind::safety));
}

TEST(Config, WhoMistypesALimitReliesOnIt) {
    const auto parsed = app::parse_config("[DEFAULT]\nMAX_BATTERY_CHARGE_CURENT = 10\n");
    EXPECT_TRUE(complains(parsed, Problem::Kind::safety, 2, "did you mean MAX_BATTERY_CHARGE_CURRENT?"));
    const auto twice = app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE = 3.4\nMAX_CELL_VOLTAGE = 3.5\n");
    EXPECT_TRUE(complains(twice, Problem::Kind::safety, 3, "first in line 2; this line is ignored"));
    for (const char* lines : {"BMS_TYPE = Daly\nBMS_TYPE = Jkbms\n", "BATTERY_ADDRESSES = 1\nBATTERY_ADDRESSES = 2\n"})
        EXPECT_TRUE(complains(parse(lines), Problem::Kind::fatal, 3, "first in line 2; this line is ignored")) << lines;
    EXPECT_TRUE(complains(parse("BMS_TYPE = Daly\nBMS_TYPE = Daly\n"), Problem::Kind::error, 3, "first in line 2"));
    const auto section = app::parse_config("[DEFAUTL]\nMAX_CELL_VOLTAGE = 3.4\n");
    EXPECT_TRUE(complains(section, Problem::Kind::safety, 1, "did you mean [DEFAULT]?")) << all(section);
}

TEST(Config, WhoCallsALimitByAnotherNameReliesOnIt) {
    for (const auto& [written, meant] : std::initializer_list<std::pair<const char*, const char*>>{
             {"MAX_CHARGE_CURRENT", "MAX_BATTERY_CHARGE_CURRENT"},
             {"MAX_BAT_DISCHARGE_CURRENT", "MAX_BATTERY_DISCHARGE_CURRENT"},
             {"Charge current limit", "MAX_BATTERY_CHARGE_CURRENT"},
             {"CELL_VOLTAGE_MAX", "MAX_CELL_VOLTAGE"},
             {"FLOAT_VOLTAGE", "FLOAT_CELL_VOLTAGE"},
             {"DISCONNECT_BLOCK", "BLOCK_ON_DISCONNECT"},
             {"BULK_CELL_VOLT", "SOC_RESET_CELL_VOLTAGE"}}) {
        const auto parsed = parse(std::string(written) + " = 10\n");
        EXPECT_TRUE(complains(parsed, Problem::Kind::safety, 2, std::string("did you mean ") + meant + "?"))
            << written << "\n"
            << all(parsed);
        EXPECT_EQ(parsed.problems.at(0).nearest, meant);
    }
    // As another release of the Python driver may have them.
    for (const char* harmless :
         {"MQTT_CLIENT_ID", "GUI_SHOW_CELLS", "BLUETOOTH_ADAPTER", "TIME_TO_SOC_FORMAT", "PUBLISH_RAW_DATA",
          "BATTERY_NAME", "TEMPERATURE_5_NAME", "SOC_LOW_NOTICE", "BMS_CAPTURE_FOLDER", "LOG_LEVEL", "ENABLE"}) {
        const auto parsed = parse(std::string(harmless) + " = 10\n");
        EXPECT_TRUE(complains(parsed, Problem::Kind::error, 2, "there is no such key")) << all(parsed);
    }
}

TEST(Config, KeysWithoutEffectAreNotedWhenTheyWereChanged) {
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMQTT_BROKER_PORT = 1884\n"), Problem::Kind::note, 2,
                          "has no effect in this version"));
    EXPECT_TRUE(app::parse_config("[DEFAULT]\nMQTT_BROKER_PORT = 1883\n").problems.empty()) << "as by default";
    EXPECT_TRUE(app::parse_config("[DEFAULT]\nMQTT_BROKER_PORT = 70000\n").has(Problem::Kind::error))
        << "checked all the same";
}

TEST(Config, SecretsAreNotShown) {
    const auto parsed = app::parse_config("[DEFAULT]\nMQTT_PASSWORD = a%b\nMQTT_PASSWORD = c%d\n");
    EXPECT_EQ(parsed.config.mqtt.password, "a%b");
    ASSERT_FALSE(parsed.problems.empty());
    for (const Problem& problem : parsed.problems) {
        EXPECT_TRUE(problem.value.empty());
        EXPECT_EQ(to_string(problem, "f").find('%'), std::string::npos);
    }
}

TEST(Config, MessagesAreOneLineWhateverIsQuoted) {
    const auto parsed =
        app::parse_config("[DEFAULT]\nPOLL_INTERVAL = 1\n  2\x1b[2J\nLOGGING = " + std::string(5000, 'x'));
    ASSERT_GE(parsed.problems.size(), 2u);
    for (const Problem& problem : parsed.problems) {
        const std::string text = to_string(problem, "config.ini");
        EXPECT_TRUE(std::none_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; })) << text;
        EXPECT_LT(text.size(), 700u);
    }
}

TEST(Config, TheWorstErrorIsTheFirstOfTheHeaviest) {
    EXPECT_EQ(worst_error(app::parse_config("[DEFAULT]\nSOC_LOW_ALARM = 30\n"), "config.ini"), "") << "a warning";
    EXPECT_EQ(
        worst_error(app::parse_config("[DEFAULT]\nLOGGING = x\nCVCM_ENABLE = maybe\nCHARGE_MODE = z\n"), "config.ini"),
        "config.ini line 3: CVCM_ENABLE: 'maybe' is neither True nor False (allowed: True or False); True is used "
        "instead (more in the log: 2)");
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

TEST(Config, AMissingEqualsSignWeighsWhatItsKeyWeighs) {
    const auto limit = app::parse_config("[DEFAULT]\nMAX_BATTERY_CHARGE_CURRENT 10\n");
    EXPECT_TRUE(complains(limit, Problem::Kind::safety, 2,
                          "'=' is missing between MAX_BATTERY_CHARGE_CURRENT and '10'; the line has no effect"))
        << all(limit);
    EXPECT_EQ(limit.problems.at(0).key, "MAX_BATTERY_CHARGE_CURRENT");
    EXPECT_EQ(limit.problems.at(0).value, "10");
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_BATTERY_CHARGE_CURENT\t10\n"), Problem::Kind::safety, 2,
                          "'=' is missing"))
        << "misspelt as well";
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE 3.4 ; was = 3.5\n"), Problem::Kind::safety, 2,
                          "'=' is missing between MAX_CELL_VOLTAGE and '3.4 ; was'"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE\n"), Problem::Kind::safety, 2,
                          "'=' and a value are missing"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nLOGGING DEBUG\n"), Problem::Kind::error, 2,
                          "'=' is missing between LOGGING and 'DEBUG'"));
}

TEST(Config, SecretsAreNotShownWhateverIsWrongWithTheirLine) {
    for (const char* line :
         {"MQTT_PASSWORD hunter2", "MQTT_PASSWORD hunter:hunter2", "MQTT_PASSWRD = hunter2", "MQTT_PASSWRD hunter2",
          "MQTT_PASS = hunter2", "MQTT_PWD = hunter2", "BROKER_LOGIN = hunter2", "password: hunter2",
          "BLE_PIN = hunter2", "Pasword hunter2", "the password is hunter2", "MQTT_USER hunter2"}) {
        const auto parsed = app::parse_config("[DEFAULT]\n" + std::string(line) + "\n");
        ASSERT_EQ(parsed.problems.size(), 1u) << line;
        EXPECT_EQ(parsed.problems[0].value, "") << line;
        EXPECT_FALSE(mentions(parsed, "hunter")) << all(parsed);
    }
}

TEST(Config, ABracketThatMayContinueAValueIsNoSectionUnlessItNamesOne) {
    const auto parsed = app::parse_config("[DEFAULT]\nMQTT_PASSWORD =\n  [hunter2]\nMAX_CELL_VOLTAGE = 3.5\n");
    EXPECT_FALSE(mentions(parsed, "hunter")) << all(parsed);
    EXPECT_DOUBLE_EQ(parsed.config.control.max_cell_v, 3.5);
}

TEST(Config, TheLineBeforeAnySectionIsNotShownWhole) {
    EXPECT_FALSE(mentions(app::parse_config("MQTT_PASSWORD hunter2\n"), "hunter"));
}

TEST(Config, OtherEncodingsAreToldOnce) {
    const auto parsed = app::parse_config(
        "[DEFAULT]\n; f\xFCr\nTEMPERATURE_1_NAME = K\xFC"
        "che\n"
        "TEMPERATURE_2_NAME = T\xFCr\nMAX_CELL_VOLTAGE = 3.5\xB0\n");
    EXPECT_EQ(parsed.problems.size(), 2u) << all(parsed);
    EXPECT_TRUE(complains(parsed, Problem::Kind::warning, 3, "the line is not UTF-8"))
        << "the comment in line 2 does not count";
    EXPECT_TRUE(complains(parsed, Problem::Kind::safety, 5, "'3.5?' is not a number"));
    EXPECT_EQ(parsed.config.control.temperature_names[0], "K?che");
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nPORTS = /dev/a,\n  /dev/\xFC\n"), Problem::Kind::warning, 3,
                          "the line is not UTF-8"))
        << "the rest of a value";
    EXPECT_TRUE(app::parse_config("[DEFAULT]\nTEMPERATURE_1_NAME = K\xC3\xBC"
                                  "che\n")
                    .problems.empty());
}

TEST(Config, LongMessagesAreNotCutWithinACharacter) {
    std::string euros;
    for (int i = 0; i < 400; ++i) euros += "\xE2\x82\xAC";
    for (const char* shift : {"", "x", "xx"}) {
        const auto parsed = app::parse_config("[DEFAULT]\nLOGGING = " + std::string(shift) + euros + "\n");
        const std::string text = to_string(parsed.problems.at(0), "f");
        EXPECT_TRUE(text.ends_with("\xE2\x82\xAC...")) << shift;
    }
}

TEST(Config, WhatIsHardToSeeIsPointedAt) {
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE = \"3.5\"\n"), Problem::Kind::safety, 2,
                          "write it without quotes"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nBMS_TYPE = 'Jkbms'\n"), Problem::Kind::fatal, 2,
                          "write it without quotes"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nTEMPERATURE_1_NAME = \"Left\"\n"), Problem::Kind::warning, 2,
                          "the quotes are part of the value"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE =\xC2\xA0"
                                            "3.5\n"),
                          Problem::Kind::safety, 2, "there is a no-break space beside the '='"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nMAX_CELL_VOLTAGE\xC2\xA0= 3.5\n"), Problem::Kind::safety, 2,
                          "there is a no-break space beside the '='"));
}

TEST(Config, ANumberHasOneSign) {
    EXPECT_DOUBLE_EQ(app::parse_config("[DEFAULT]\nVOLTAGE_DROP = +0.2\n").config.control.voltage.drop_v, 0.2);
    for (const char* text : {"+-0.2", "-+0.2", "++0.2", "+"})
        EXPECT_TRUE(
            app::parse_config("[DEFAULT]\nVOLTAGE_DROP = " + std::string(text) + "\n").has(Problem::Kind::safety))
            << text;
}

TEST(Config, NumbersThatNoCommaSeparates) {
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nTEMPERATURES_WHILE_CHARGING = 0; 10; 50\n"),
                          Problem::Kind::safety, 2, "separated by commas, not by a semicolon"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nTEMPERATURES_WHILE_CHARGING = 0 10 50\n"),
                          Problem::Kind::safety, 2, "separated by commas, not by a blank"));
    EXPECT_TRUE(complains(app::parse_config("[DEFAULT]\nTEMPERATURES_WHILE_CHARGING = 0, 10, 50 ; summer\n"),
                          Problem::Kind::safety, 2,
                          "'50 ; summer' is not a number; a comment needs a line of its own"));
}

TEST(Config, RelationsBetweenVoltages) {
    const auto parsed = app::parse_config("[DEFAULT]\nMIN_CELL_VOLTAGE = 3.4\nMAX_CELL_VOLTAGE = 3.2\n");
    EXPECT_TRUE(parsed.has(Problem::Kind::safety));
    EXPECT_LT(parsed.config.control.min_cell_v, parsed.config.control.max_cell_v);
    EXPECT_TRUE(mentions(app::parse_config("[DEFAULT]\nFLOAT_CELL_VOLTAGE = 3.5\n"),
                         "FLOAT_CELL_VOLTAGE: '3.5' must lie between"));
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
    EXPECT_TRUE(mentions(app::read_config("/nonexistent/config.ini"), "there is no such file; check its name"));
    TemporaryFolder folder;
    std::filesystem::create_symlink(folder.file("loop"), folder.file("loop"));
    EXPECT_TRUE(mentions(app::read_config(folder.file("loop")), "the file cannot be reached (Too many"))
        << "neither there nor not there; root enters every directory, so that no permission could be missing here";
    EXPECT_TRUE(mentions(app::read_config(unreadable), "the file cannot be read (Input/output error)"));
}

TEST(ConfigKeys, NamesAreUniqueAndHelped) {
    std::vector<std::string_view> names;
    for (const app::Group& group : app::key_groups()) {
        EXPECT_FALSE(group.title.empty());
        for (const app::Key& key : group.keys) {
            EXPECT_FALSE(key.help.empty()) << key.name;
            names.push_back(key.name);
            for (const app::OldName& old_name : key.old_names)
                if (!old_name.name.empty()) names.push_back(old_name.name);
        }
    }
    for (const app::RetiredKey& retired : app::retired_keys()) names.push_back(retired.name);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(std::adjacent_find(names.begin(), names.end()), names.end());
    EXPECT_TRUE(std::none_of(names.begin(), names.end(), [](auto name) { return name.empty(); }));
}

TEST(Ini, ContinuationLinesBelongToTheEntryAbove) {
    const auto lines = app::read_ini("[DEFAULT]\nPORTS = a,\n   b\n");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1].value, "a,\nb");
}

TEST(Ini, AValueMayBeginOnTheLineBelow) {
    const auto lines = app::read_ini("[DEFAULT]\nMAX_CELL_VOLTAGE =\n  3.5\nPORTS =\n  a,\n  b\n");
    ASSERT_EQ(lines.size(), 3u);
    EXPECT_EQ(lines[1].value, "3.5");
    EXPECT_EQ(lines[2].value, "a,\nb");
}

TEST(Ini, AnIndentedKeyIsNoContinuation) {
    for (const char* line : {"  MAX_CELL_VOLTAGE: 3.4", "\tMAX_CELL_VOLTAGE = 3.4", "  TEMP_BATTERY : 3.4"}) {
        const auto lines = app::read_ini("[DEFAULT]\n  TEMPERATURE_1_NAME: Cellar\n" + std::string(line) + "\n");
        ASSERT_EQ(lines.size(), 3u) << line;
        EXPECT_EQ(lines[1].value, "Cellar");
        EXPECT_EQ(lines[2].value, "3.4");
        EXPECT_TRUE(lines[2].indented);
    }
    const auto lines =
        app::read_ini("[DEFAULT]\nBLUETOOTH_BMS = Jkbms_Ble C8:47:8C:00:00:00,\n  Ant_Ble C8:47:8C:00:00:01\n");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1].value, "Jkbms_Ble C8:47:8C:00:00:00,\nAnt_Ble C8:47:8C:00:00:01");
}

TEST(Ini, WhatBeginsWithABracketIsASection) {
    struct Case {
        const char* line;
        const char* name;
        const char* rest;
    };
    for (const Case& one : {Case{"[/dev/ttyUSB1] ; garage", "/dev/ttyUSB1", "; garage"},
                            {"  [/dev/ttyUSB0]", "/dev/ttyUSB0", ""},
                            {"\t[can0] # left = right", "can0", "# left = right"},
                            {"[tcp://192.168.1.20:502] ; [old]", "tcp://192.168.1.20:502", "; [old]"},
                            {"[tcp://[fd00::5]:502]", "tcp://[fd00::5]:502", ""},
                            {"[/dev/ttyUSB0]garage", "/dev/ttyUSB0", "garage"},
                            {"[ /dev/ttyUSB0 ", "/dev/ttyUSB0", ""}}) {
        const auto lines = app::read_ini("[DEFAULT]\nPORTS = a\n" + std::string(one.line) + "\n");
        ASSERT_EQ(lines.size(), 3u) << one.line;
        EXPECT_EQ(lines[2].kind, app::IniLine::Kind::section) << one.line;
        EXPECT_EQ(lines[2].name, one.name);
        EXPECT_EQ(lines[2].value, one.rest);
    }
    EXPECT_FALSE(app::read_ini("[/dev/ttyUSB0\n").at(0).closed);
}

TEST(Ini, AnIndentedBracketMayBelongToTheValueAbove) {
    const auto lines = app::read_ini("[DEFAULT]\nTEMPERATURE_1_NAME = Cellar\n  [left] side\n");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_EQ(lines[1].value, "Cellar\n[left] side");
}
