// Every shared scenario, every cycle, against what was recorded; and scenarios of our own, whose expected values were
// worked out by hand from the rules.
#include "app/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "app/scenario_run.hpp"

using namespace bmsd;
namespace json = boost::json;

namespace {

const std::string data = BMSD_TEST_DATA;

std::vector<std::string> scenario_files() {
    std::vector<std::string> out;
    for (const char* folder : {"/charge-control", "/control-own"})
        for (const auto& entry : std::filesystem::directory_iterator(data + folder))
            if (entry.path().extension() == ".json") out.push_back(entry.path().string());
    std::sort(out.begin(), out.end());
    return out;
}

json::object read(const std::string& path) {
    std::ifstream file(path);
    return json::parse(std::string((std::istreambuf_iterator<char>(file)), {})).as_object();
}

/// How far a value may be from the recorded one.
double tolerance(const std::string& key, double expected) {
    if (key == "cvl_v") return 0.0101;
    if (key == "soc_percent") return 0.02;
    if (key == "ttg_s" || key.starts_with("time_to_soc")) return 1.01;
    if (key.starts_with("history") || key.starts_with("capacity") || key.starts_with("consumed"))
        return std::max(0.002, std::abs(expected) * 1e-4);
    if (key.ends_with("_a")) return 0.0015;
    return 0.0011;
}

bool same(const std::string& key, const json::value& expected, const json::value& actual) {
    if (expected.is_number() && actual.is_number())
        return std::abs(expected.to_number<double>() - actual.to_number<double>()) <=
               tolerance(key, expected.to_number<double>());
    return expected == actual;
}

/// Outputs that are not compared: the reference ends itself and words its own link.
bool foreign(std::string_view key) {
    return key == "driver_exit" || key == "connection_info";
}

/// Where the recorded behaviour is judged wrong.
struct Quirk {
    double from, to;
    std::vector<std::string> outputs;
};
std::vector<Quirk> quirks_of(const json::object& file) {
    std::vector<Quirk> out;
    const json::value* list = file.if_contains("reference_quirk");
    if (!list || !list->is_array()) return out;
    for (const json::value& item : list->as_array()) {
        Quirk quirk{item.at("t_from").to_number<double>(), item.at("t_to").to_number<double>(), {}};
        for (const json::value& name : item.at("outputs").as_array()) quirk.outputs.emplace_back(name.as_string());
        out.push_back(std::move(quirk));
    }
    return out;
}

/// The recorded outputs of one cycle after the other.
class Expected {
public:
    explicit Expected(const json::object& file) : steps_(file.at("steps").as_array()), quirks_(quirks_of(file)) {}

    /// What must be published at `t`: what holds since it changed, and what was sampled in this cycle only.
    std::map<std::string, json::value> at(double t) {
        std::map<std::string, json::value> sampled;
        for (; next_ < steps_.size() && steps_[next_].at("t").to_number<double>() <= t + 1e-9; ++next_) {
            const json::object& step = steps_[next_].as_object();
            if (const json::value* out = step.if_contains("out"))
                for (const auto& [key, value] : out->as_object()) held_[std::string(key)] = value;
            if (const json::value* sample = step.if_contains("sample"))
                for (const auto& [key, value] : sample->as_object()) sampled[std::string(key)] = value;
        }
        sampled.insert(held_.begin(), held_.end());
        std::erase_if(sampled, [&](const auto& one) { return foreign(one.first) || judged_wrong(one.first, t); });
        return sampled;
    }

private:
    bool judged_wrong(const std::string& key, double t) const {
        return std::any_of(quirks_.begin(), quirks_.end(), [&](const Quirk& quirk) {
            return t >= quirk.from && t <= quirk.to &&
                   std::find(quirk.outputs.begin(), quirk.outputs.end(), key) != quirk.outputs.end();
        });
    }

    const json::array& steps_;
    std::vector<Quirk> quirks_;
    std::map<std::string, json::value> held_;
    std::size_t next_ = 0;
};

class Scenarios : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(Scenarios, GivesWhatWasRecorded) {
    const auto scenario = app::read_scenario(GetParam());
    ASSERT_TRUE(scenario) << scenario.error().detail;
    const json::object file = read(GetParam());
    Expected expected(file);
    app::ScenarioRun run(*scenario, scenario->config);
    std::size_t compared = 0, wrong = 0;
    while (run.next()) {
        const json::object out = run.outputs();
        for (const auto& [key, value] : expected.at(run.time_s())) {
            ++compared;
            ASSERT_TRUE(out.contains(key)) << key;
            if (same(key, value, out.at(key))) continue;
            if (++wrong <= 5)
                ADD_FAILURE() << "t=" << run.time_s() << " " << key << ": " << out.at(key) << " instead of " << value;
        }
    }
    EXPECT_EQ(wrong, 0u);
    EXPECT_GT(compared, 0u);
}

INSTANTIATE_TEST_SUITE_P(Shared, Scenarios, testing::ValuesIn(scenario_files()), [](const auto& one) {
    std::string name = std::filesystem::path(one.param).stem().string();
    std::replace(name.begin(), name.end(), '-', '_');
    return name;
});

TEST(Scenario, MistakesAreNamedWithTheirRemedy) {
    struct Case {
        const char* text;
        const char* expected;
    };
    for (const Case& one : {
             Case{"", "the file is empty"},
             Case{"{", "this is no JSON"},
             Case{"[]", "must hold one object"},
             Case{R"({"cell_count": 4, "steps": [{"t": 0}]})", "key \"end_t\" is missing"},
             Case{R"({"end_t": 5, "cell_count": 900, "steps": [{"t": 0}]})", "from 1 to 64"},
             Case{R"({"end_t": 5, "cell_count": 4})", "key \"steps\""},
             Case{R"({"end_t": 5, "cell_count": 4, "steps": [{"t": 0, "in": {"curent_a": 1}}]})",
                  "steps[0]: key \"curent_a\" is not known; did you mean \"current_a\"?"},
             Case{R"({"end_t": 5, "cell_count": 4, "steps": [{"t": 0, "in": {"soc_percent": "x"}}]})",
                  "steps[0]: key \"soc_percent\": write a number or null"},
             Case{R"({"end_t": 5, "cell_count": 4, "steps": [{"t": 3}, {"t": 1}]})", "the times must ascend"},
             Case{R"({"end_t": 1e9, "dt_s": 1, "cell_count": 4, "steps": [{"t": 0}]})", "ten million cycles"},
             Case{R"({"end_t": 5, "cell_count": 4, "restored": {"soc": 5}, "steps": [{"t": 0}]})", "soc is not known"},
         }) {
        const auto scenario = app::parse_scenario(one.text);
        ASSERT_FALSE(scenario) << one.text;
        EXPECT_NE(scenario.error().detail.find(one.expected), std::string::npos) << scenario.error().detail;
    }
}

TEST(Scenario, WhatIsWrongWithItsConfigurationHasNoLine) {
    const auto scenario =
        app::parse_scenario(R"({"end_t": 5, "cell_count": 4, "config": {"CHARGE_MODE": 3}, "steps": [{"t": 0}]})");
    ASSERT_TRUE(scenario);
    ASSERT_EQ(scenario->config.problems.size(), 1u);
    EXPECT_EQ(to_string(scenario->config.problems[0], "x.json: key \"config\"")
                  .find("x.json: key \"config\": CHARGE_MODE: '3' is"),
              0u);
}

TEST(Scenario, AFileThatIsNotThereIsNamed) {
    EXPECT_FALSE(app::read_scenario("/nonexistent/scenario.json"));
    EXPECT_FALSE(app::read_scenario("/"));
}
