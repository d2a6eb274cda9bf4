// Files from strangers: every fault is named with its key, nothing crashes, nothing is read without bound.
#include "app/vector_file.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "app/decode_command.hpp"
#include "app/reading_json.hpp"
#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using app::parse_vector_file;

TEST(VectorFile, HoldsADialogue) {
    const auto file = parse_vector_file(R"({"bms": "jkbms_pb", "address": 3, "exchanges": [
        {"request": "03 10 1c", "response": "55AA eb\n90"},
        {"request": null, "response": ["01", "02 03", ""]},
        {"request": "04", "response": null}]})");
    ASSERT_TRUE(file) << file.error().detail;
    EXPECT_EQ(file->family, bms::find_family("Jkbms_pb"));
    EXPECT_EQ(file->addresses, std::vector<std::uint32_t>{3});
    EXPECT_FALSE(file->several);
    ASSERT_EQ(file->exchanges.size(), 3U);
    EXPECT_EQ(file->exchanges[0].request, hex("03 10 1C"));
    EXPECT_EQ(file->exchanges[0].answer, std::vector<ByteList>{hex("55 AA EB 90")});
    EXPECT_TRUE(file->exchanges[1].request.empty());
    EXPECT_EQ(file->exchanges[1].answer, (std::vector<ByteList>{hex("01"), hex("02 03"), {}}));
    EXPECT_EQ(file->exchanges[2].answer, std::vector<ByteList>{ByteList{}});
}

TEST(VectorFile, TakesAnAddressAListOrNone) {
    const auto parse = [](const std::string& address) {
        return parse_vector_file(R"({"bms": "jkbms_pb", "exchanges": [])" + address + "}");
    };
    EXPECT_TRUE(parse("")->addresses.empty());
    EXPECT_TRUE(parse(R"(, "address": null)")->addresses.empty());
    EXPECT_FALSE(parse(R"(, "address": 7)")->several);
    const auto list = parse(R"(, "address": [7])");
    EXPECT_TRUE(list->several) << "a list of one is still a list";
    EXPECT_EQ(list->addresses, std::vector<std::uint32_t>{7});
}

TEST(VectorFile, TakesNumbersOfTheConfigurationAlsoAsTheTextTheyAreThere) {
    const auto options = [](const std::string& keys) {
        return parse_vector_file(R"({"bms": "daly", "exchanges": [], "config": {)" + keys + "}}")->options;
    };
    EXPECT_TRUE(options(R"("INVERT_CURRENT_MEASUREMENT": -1)").invert_current);
    EXPECT_TRUE(options(R"("INVERT_CURRENT_MEASUREMENT": "-1")").invert_current);
    EXPECT_FALSE(options(R"("INVERT_CURRENT_MEASUREMENT": "1")").invert_current);
    EXPECT_EQ(options(R"("BATTERY_CAPACITY": "280.5")").capacity_ah, 280.5);
    EXPECT_FALSE(options(R"("BATTERY_CAPACITY": "280 Ah")").capacity_ah);
    EXPECT_FALSE(options(R"("BATTERY_CAPACITY": "nan")").capacity_ah);
}

TEST(VectorFile, NamesTheKeyThatIsWrong) {
    const std::pair<const char*, const char*> faults[] = {
        {R"()", "empty"},
        {R"([])", "object"},
        {R"({"bms": )", "JSON"},
        {R"({"bms": "jkbms", "exchanges": []} and more)", "JSON"},
        {R"({"exchanges": []})", "\"bms\""},
        {R"({"bms": 3, "exchanges": []})", "\"bms\""},
        {R"({"bms": "jkbms"})", "\"exchanges\""},
        {R"({"bms": "jkbms", "exchanges": {}})", "\"exchanges\""},
        {R"({"bms": "jkbms", "exchanges": [7]})", "exchanges[0]"},
        {R"({"bms": "jkbms", "exchanges": [{}, {"request": 5}]})", "exchanges[1].request"},
        {R"({"bms": "jkbms", "exchanges": [{"request": "0"}]})", "exchanges[0].request"},
        {R"({"bms": "jkbms", "exchanges": [{"request": "0x"}]})", "\"x\""},
        {R"({"bms": "jkbms", "exchanges": [{"response": ["00", "0g"]}]})", "exchanges[0].response[1]"},
        {R"({"bms": "jkbms", "exchanges": [{"response": [["00"]]}]})", "exchanges[0].response[0]"},
        {R"({"bms": "jkbms", "address": "3", "exchanges": []})", "\"address\""},
        {R"({"bms": "jkbms", "address": -3, "exchanges": []})", "\"address\""},
        {R"({"bms": "jkbms", "address": 1.5, "exchanges": []})", "\"address\""},
        {R"({"bms": "jkbms", "address": 1e30, "exchanges": []})", "\"address\""},
        {R"({"bms": "jkbms", "address": [], "exchanges": []})", "\"address\""},
        {R"({"bms": "jkbms", "address": [1, null], "exchanges": []})", "address[1]"},
    };
    for (const auto& [text, word] : faults) {
        const auto file = parse_vector_file(text);
        ASSERT_FALSE(file) << text;
        EXPECT_EQ(file.error().cls, ErrorClass::malformed) << text;
        EXPECT_NE(file.error().detail.find(word), std::string::npos) << text << ": " << file.error().detail;
    }
}

TEST(VectorFile, NamesTheNearestFamily) {
    const auto file = parse_vector_file(R"({"bms": "jkbms-pb", "exchanges": []})");
    ASSERT_FALSE(file);
    EXPECT_EQ(file.error().cls, ErrorClass::config);
    EXPECT_NE(file.error().detail.find("Jkbms_pb"), std::string::npos) << file.error().detail;
}

TEST(VectorFile, SurvivesDeepNesting) {
    EXPECT_FALSE(parse_vector_file(std::string(100'000, '[')));
    EXPECT_FALSE(parse_vector_file(R"({"bms": )" + std::string(100'000, '[')));
}

class Files : public testing::Test {
protected:
    std::filesystem::path folder =
        std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    void SetUp() override {
        std::filesystem::remove_all(folder);
        std::filesystem::create_directories(folder);
    }
    void TearDown() override { std::filesystem::remove_all(folder); }

    std::string write(const std::string& name, const std::string& text) const {
        std::ofstream(folder / name, std::ios::binary) << text;
        return folder / name;
    }
};

TEST_F(Files, ThatCannotBeReadAreNamed) {
    const std::string missing = folder / "missing.json";
    for (const std::string& path : {missing, folder.string()}) {
        const auto result = app::decode_vector_file(path);
        EXPECT_EQ(result.at("error"), "config") << app::to_text(result);
        EXPECT_NE(app::to_text(result).find(path), std::string::npos);
    }
    EXPECT_EQ(app::decode_vector_file(write("empty.json", "")).at("error"), "malformed");
}

TEST_F(Files, ThatAreMuchTooLargeAreRefusedUnread) {
    const std::string path = write("large.json", "{}");
    std::filesystem::resize_file(path, 100U << 20);
    const auto result = app::decode_vector_file(path);
    EXPECT_EQ(result.at("error"), "malformed");
    EXPECT_NE(app::to_text(result).find("4 MiB"), std::string::npos);
}

TEST_F(Files, WithForeignBytesStillGiveJson) {
    const std::string path = write("bytes.json", "{\"bms\": \"\xFF\xFE\", \"exchanges\": []}");
    const std::string text = app::to_text(app::decode_vector_file(path));
    boost::system::error_code error;
    boost::json::parse(text, error);
    EXPECT_FALSE(error) << text;
}

TEST_F(Files, DecodeExitsWithOneIfAnyIsBad) {
    const std::string good = BMSD_TEST_DATA "/jkbms/real-7s-v11-idle.json";
    const std::string bad = BMSD_TEST_DATA "/jkbms/bad-checksum.json";
    testing::internal::CaptureStdout();
    const int both = app::decode({good, bad});
    const std::string printed = testing::internal::GetCapturedStdout();
    EXPECT_EQ(both, 1);
    EXPECT_EQ(std::count(printed.begin(), printed.end(), '\n'), 2) << "one line per file";
    testing::internal::CaptureStdout();
    EXPECT_EQ(app::decode({good, good}), 0);
    testing::internal::GetCapturedStdout();
}

TEST(ReadingJson, WritesNumbersAsPeopleDo) {
    Reading reading;
    reading.voltage_v = 52.6951;
    reading.current_a = -0.0;
    reading.soc_percent = 55;
    reading.cell_voltages_v.push_back(3293 * 0.001);
    reading.temperatures_c.push_back(-55 * 0.1);
    reading.temperatures_c.push_back(std::nullopt);
    EXPECT_EQ(app::to_text(app::reading_json(reading)),
              R"({"voltage_v":52.695,"current_a":0,"power_w":0,"soc_percent":55,)"
              R"("cell_voltages_v":[3.293],"temperatures_c":[-5.5,null]})");
}

TEST(ReadingJson, PrefersThePowerOfTheBms) {
    Reading reading;
    reading.voltage_v = 50;
    reading.current_a = -2;
    EXPECT_EQ(app::to_text(app::reading_json(reading)), R"({"voltage_v":50,"current_a":-2,"power_w":-100})");
    reading.power_w = -99.5;
    EXPECT_EQ(app::to_text(app::reading_json(reading)), R"({"voltage_v":50,"current_a":-2,"power_w":-99.5})");
    reading.power_w.reset();
    reading.voltage_v.reset();
    EXPECT_EQ(app::to_text(app::reading_json(reading)), R"({"current_a":-2})");
}

TEST(ReadingJson, TellsKnownAlarmsOnly) {
    Reading reading;
    EXPECT_EQ(app::to_text(app::reading_json(reading)), "{}");
    reading.alarms.known(Alarm::low_soc);
    reading.alarms.raise(Alarm::high_voltage, Level::alarm);
    EXPECT_EQ(app::to_text(app::reading_json(reading)), R"({"alarms":{"high_voltage":2,"low_soc":0}})");
}

TEST(ReadingJson, QuotesTexts) {
    Reading reading;
    reading.custom_name = "a\"b\\c";
    EXPECT_EQ(app::to_text(app::reading_json(reading)), R"({"custom_name":"a\"b\\c"})");
}

}  // namespace
}  // namespace bmsd::tests
