// Every recorded dialogue, decoded as `bmsd decode` does, compared with what its authors say it means.
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "app/decode_command.hpp"
#include "app/reading_json.hpp"
#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

namespace json = boost::json;

/// The words that authors of vector files use for damage, and the class each must be reported as.
const std::map<std::string_view, std::string_view>& classes() {
    static const std::map<std::string_view, std::string_view> table = [] {
        const std::pair<std::string_view, const char*> rows[] = {
            {"checksum", "checksum length-checksum ack-crc"},
            {"truncated", "truncated incomplete no-frame timeout no-answer no-ack missing"},
            {"malformed",
             "length bad-header header bad-tail end-marker garbage encoding format json type version "
             "unsupported-version invalid-frame-number"},
            {"unexpected",
             "unexpected-response unexpected-command unexpected-register unexpected-function unexpected-address "
             "address wrong-address wrong-type echo not-ours not-this-bms not-detected ignored master-mode"},
            {"refused", "device-error exception modbus-exception rtn rtn-04 status"},
            {"implausible", "implausible"},
            {"config", "address-zero no-device"},
        };
        static std::vector<std::string> words;
        words.reserve(64);
        std::map<std::string_view, std::string_view> out;
        for (const auto& [cls, text] : rows) {
            std::istringstream list{text};
            for (std::string word; list >> word;) out[words.emplace_back(word)] = cls;
        }
        return out;
    }();
    return table;
}

/// Fields that must be told whenever a recording determines them; the words are part of the `decode` contract.
const std::set<std::string_view>& core_fields() {
    static const std::set<std::string_view> fields = {
        "voltage_v",
        "current_a",
        "power_w",
        "soc_percent",
        "soh_percent",
        "capacity_ah",
        "capacity_remaining_ah",
        "cycles",
        "cell_count",
        "cell_voltages_v",
        "cell_balancing",
        "cell_resistances_ohm",
        "temperatures_c",
        "mosfet_temperature_c",
        "charge_fet",
        "discharge_fet",
        "balance_fet",
        "max_charge_current_a",
        "max_discharge_current_a",
        "max_battery_voltage_v",
        "min_battery_voltage_v",
        "hardware_version",
        "software_version",
        "serial_number",
        "custom_name",
        "production_date",
        "alarms",
        "batteries",
        "ack",
        "acks",
    };
    return fields;
}

/// A cut frame may as well be reported as one with a wrong checksum or without an end.
bool damage(std::string_view cls) {
    return cls == "checksum" || cls == "truncated" || cls == "malformed";
}

const json::value& member(const json::value& object, std::string_view key) {
    static const json::value absent;
    const json::value* found = object.is_object() ? object.get_object().if_contains(key) : nullptr;
    return found ? *found : absent;
}

std::string trimmed(const json::value& value) {
    std::string text = value.is_string() ? std::string(value.get_string()) : app::to_text(value);
    const auto first = text.find_first_not_of(' ');
    return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

void compare(const json::value& want, const json::value& got, const std::string& key);

void compare_numbers(double want, double got, const std::string& key) {
    const bool power = key.ends_with("power_w");
    const double tolerance = power ? std::max(0.06, 2e-3 * std::abs(want)) : std::max(0.002, 1e-4 * std::abs(want));
    EXPECT_NEAR(got, want, tolerance) << key;
}

void compare_lists(const json::array& want, const json::value& got, const std::string& key) {
    ASSERT_TRUE(got.is_array()) << key << ": want a list, got " << app::to_text(got);
    ASSERT_EQ(got.get_array().size(), want.size()) << key;
    for (std::size_t i = 0; i < want.size(); ++i)
        compare(want[i], got.get_array()[i], key + "[" + std::to_string(i) + "]");
}

void compare(const json::value& want, const json::value& got, const std::string& key) {
    if (want.is_null()) {
        EXPECT_TRUE(got.is_null()) << key << ": want nothing, got " << app::to_text(got);
    } else if (want.is_number()) {
        ASSERT_TRUE(got.is_number()) << key << ": want " << want << ", got " << app::to_text(got);
        compare_numbers(want.to_number<double>(), got.to_number<double>(), key);
    } else if (want.is_bool()) {
        EXPECT_EQ(got, want) << key;
    } else if (want.is_string()) {
        EXPECT_EQ(trimmed(got), trimmed(want)) << key;
    } else if (want.is_array()) {
        compare_lists(want.get_array(), got, key);
    }
}

/// Alarms the authors do not list must be 0 or absent, too.
void compare_alarms(const json::value& want, const json::value& got) {
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const std::string_view name = to_string(static_cast<Alarm>(i));
        const json::value& wanted = member(want, name);
        const json::value& level = member(got, name);
        const double want_level = wanted.is_null() ? 0 : wanted.to_number<double>();
        const double got_level = level.is_null() ? 0 : level.to_number<double>();
        EXPECT_EQ(got_level, want_level) << "alarm " << name;
    }
}

void expect_class(const json::value& want, const json::value& got) {
    ASSERT_TRUE(member(got, "error").is_string()) << "damage was not noticed: " << app::to_text(got);
    EXPECT_FALSE(trimmed(member(got, "detail")).empty());
    const std::string word = trimmed(want);
    const auto known = classes().find(word);
    ASSERT_NE(known, classes().end()) << "unknown error word in the vector file: " << word;
    const std::string cls = trimmed(member(got, "error"));
    EXPECT_TRUE(cls == known->second || (damage(cls) && damage(known->second))) << word << " reported as " << cls;
}

void compare_battery(const json::value& want, const json::value& got) {
    const json::value& error = member(want, "error");
    if (!error.is_null() && !trimmed(error).ends_with("-ok")) return expect_class(error, got);
    EXPECT_TRUE(member(got, "error").is_null()) << app::to_text(got);
    for (const auto& [key, value] : want.as_object()) {
        if (key == "error" || key == "note") continue;
        // A wish beyond the core fields counts where it is told.
        if (!core_fields().contains(key) && member(got, key).is_null()) continue;
        if (key == "alarms")
            compare_alarms(value, member(got, key));
        else
            compare(value, member(got, key), key);
    }
}

json::value read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return json::parse(text.str());
}

std::vector<std::string> all_files() {
    std::vector<std::string> all;
    for (const bms::Family* family : bms::catalog())
        for (const std::string& file : vector_files(*family)) all.push_back(file);
    return all;
}

class EveryVector : public testing::TestWithParam<std::string> {};

TEST_P(EveryVector, MeansWhatItsAuthorsSay) {
    const json::value expected = read(GetParam()).at("expected");
    const json::value got = app::decode_vector_file(GetParam());
    if (const json::value& batteries = member(expected, "batteries"); batteries.is_array()) {
        const json::value& list = member(got, "batteries");
        ASSERT_TRUE(list.is_array()) << app::to_text(got);
        ASSERT_EQ(list.get_array().size(), batteries.get_array().size());
        for (std::size_t i = 0; i < batteries.get_array().size(); ++i) {
            SCOPED_TRACE("battery " + std::to_string(i));
            compare_battery(batteries.get_array()[i], list.get_array()[i]);
        }
    } else {
        compare_battery(expected, got);
    }
}

INSTANTIATE_TEST_SUITE_P(Recorded, EveryVector, testing::ValuesIn(all_files()), [](const auto& test) {
    const std::filesystem::path path = test.param;
    std::string name = path.parent_path().filename().string() + "_" + path.stem().string();
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

TEST(Vectors, NameTheExtremeCellsAsTheBmsDoes) {
    const json::value got = app::decode_vector_file(BMSD_TEST_DATA "/jkbms_can/doc-v1-status.json");
    EXPECT_TRUE(member(got, "cell_voltages_v").is_null());
    EXPECT_EQ(member(got, "max_cell_number").to_number<int>(), 5);
    EXPECT_EQ(member(got, "min_cell_number").to_number<int>(), 8);
    const json::value daly = app::decode_vector_file(BMSD_TEST_DATA "/daly_can/8s-idle.json");
    EXPECT_EQ(member(daly, "max_cell_number").to_number<int>(), 1);
    EXPECT_EQ(member(daly, "min_cell_number").to_number<int>(), 4);
}

TEST(Vectors, EveryFamilyHasGoodAndBadOnes) {
    for (const bms::Family* family : bms::catalog()) {
        std::size_t good = 0;
        std::size_t bad = 0;
        for (const std::string& file : vector_files(*family))
            ++(app::decode_vector_file(file).contains("error") ? bad : good);
        EXPECT_GE(good, 3U) << family->type;
        EXPECT_GE(bad, 3U) << family->type;
    }
}

}  // namespace
}  // namespace bmsd::tests
