// The pictures of docs/charge-control.md are what the program draws.
#include "app/control_plot.hpp"

#include <fstream>
#include <regex>

#include <gtest/gtest.h>

#include "app/scenario_run.hpp"
#include "folder.hpp"

using namespace bmsd;
using test::content;

namespace {

const std::string repository = std::string(BMSD_TEST_DATA) + "/../../";

std::string drawn(const std::string& scenario_file) {
    const auto scenario = app::read_scenario(scenario_file);
    EXPECT_TRUE(scenario) << scenario_file;
    app::ScenarioRun run(*scenario, scenario->config);
    app::ControlPlot plot(scenario->end_s);
    while (run.next()) plot.add(run.time_s(), run.battery());
    return plot.svg();
}

}  // namespace

TEST(ControlPlot, ThePicturesOfTheDocumentationAreWhatTheProgramDraws) {
    std::ifstream list(repository + "docs/charge-control/pictures.txt");
    std::string picture, scenario;
    int count = 0;
    for (; list >> picture >> scenario; ++count)
        EXPECT_EQ(content(repository + "docs/charge-control/" + picture),
                  drawn(repository + "tests/vectors/" + scenario))
            << picture << ": run scripts/generate";
    EXPECT_GT(count, 5);
}

TEST(ControlPlot, EveryPictureOfThePageExists) {
    const std::string page = content(repository + "docs/charge-control.md");
    const std::regex image(R"(\]\((charge-control/[a-z-]+\.svg)\))");
    int count = 0;
    for (std::sregex_iterator it(page.begin(), page.end(), image), end; it != end; ++it, ++count)
        EXPECT_FALSE(content(repository + "docs/" + (*it)[1].str()).empty()) << (*it)[1];
    EXPECT_GT(count, 5);
}

TEST(ControlPlot, ARunWithoutValuesIsDrawnToo) {
    app::ControlPlot plot(10);
    EXPECT_NE(plot.svg().find("</svg>"), std::string::npos);
    plot.add(0, Battery{});
    plot.add(10, Battery{});
    const std::string svg = plot.svg();
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
}
