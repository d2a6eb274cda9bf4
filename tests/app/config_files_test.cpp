// The files that the program writes about itself are what it says.
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "app/config_keys.hpp"
#include "app/config_text.hpp"
#include "app/ini.hpp"
#include "problems.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

std::string repository_file(const std::string& name) {
    std::ifstream file(std::string(BMSD_TEST_DATA) + "/../../" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST(ConfigFiles, TheDefaultFileIsWhatTheProgramPrints) {
    EXPECT_EQ(repository_file("config.default.ini"), app::default_file()) << "run scripts/generate";
}

TEST(ConfigFiles, TheReferenceIsWhatTheProgramPrints) {
    const std::string page = repository_file("docs/configuration.md");
    const std::string begin = "<!-- made by scripts/generate -->\n\n", end = "<!-- end -->";
    const auto from = page.find(begin), to = page.find(end);
    ASSERT_NE(from, std::string::npos);
    ASSERT_NE(to, std::string::npos);
    EXPECT_EQ(page.substr(from + begin.size(), to - from - begin.size()), app::reference_text())
        << "run scripts/generate";
}

TEST(ConfigFiles, TheDefaultFileMeansTheDefaultsAndHasNoProblem) {
    const auto parsed = app::parse_config(app::default_file());
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    app::Config read = parsed.config, defaults;
    for (const app::Group& group : app::key_groups())
        for (const app::Key& key : group.keys)
            EXPECT_EQ(app::value_text(slot_of(key, read)), app::value_text(slot_of(key, defaults))) << key.name;
}

TEST(ConfigFiles, TheDefaultFileHasEveryKeyOnceAndNoOther) {
    std::set<std::string> written, known;
    for (const app::IniLine& line : app::read_ini(app::default_file())) {
        if (line.kind == app::IniLine::Kind::section) continue;
        EXPECT_EQ(line.kind, app::IniLine::Kind::entry) << line.name;
        EXPECT_TRUE(written.insert(line.name).second) << line.name;
    }
    for (const app::Group& group : app::key_groups())
        for (const app::Key& key : group.keys) known.emplace(key.name);
    EXPECT_EQ(written, known);
}

TEST(ConfigFiles, TheExampleOfAPortIsSound) {
    std::string example;
    const std::string text = app::default_file();
    // The comment lines behind the heading, taken seriously.
    auto at = text.find("; [/dev/ttyUSB0]");
    ASSERT_NE(at, std::string::npos);
    while (at < text.size()) {
        const auto end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        example += (line.size() > 2 ? line.substr(2) : "") + "\n";
        at = end + 1;
    }
    const auto parsed = app::parse_config("[DEFAULT]\n" + example);
    EXPECT_TRUE(parsed.problems.empty()) << all(parsed);
    EXPECT_EQ(parsed.config.sections.size(), 2u);
}
