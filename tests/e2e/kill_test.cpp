// Whatever moment the power fails: the next start knows what was written before, and nothing piles up.
// BMSD_KILLS=200 build/tests/e2e/test_e2e --gtest_filter='Kill*' does it more often than every run.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
namespace fs = std::filesystem;

namespace {

constexpr int ports = 4;

int kills() {
    const char* wanted = std::getenv("BMSD_KILLS");
    return wanted ? std::max(1, std::atoi(wanted)) : 8;
}

boost::json::value parsed(const fs::path& file) {
    std::ifstream in(file);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    boost::system::error_code error;
    auto value = boost::json::parse(text, error);
    EXPECT_FALSE(error) << file << ": " << text;
    return value;
}

}  // namespace

TEST(Kill, AtAnyMomentLosesNothingThatWasWritten) {
    Rig rig;
    std::vector<std::string> all;
    for (int i = 0; i < ports; ++i)
        all.push_back(rig.simulate("ttyTest" + std::to_string(i), {"jkbms_pb", "--speed", "0"}));
    const auto service = service_of(all.front());
    const fs::path state = rig.folder.file("state");
    std::mt19937 random(20261126);
    std::string name;  // what the first battery is called
    for (int round = 0; round < kills(); ++round) {
        SCOPED_TRACE("kill " + std::to_string(round));
        rig.run("BMS_TYPE = Jkbms_pb\nPOLL_INTERVAL = 0.2\n", all);
        for (const std::string& port : all)
            ASSERT_TRUE(eventually([&] { return rig.present(service_of(port)); })) << rig.daemon().err();
        const auto shown = rig.text(service, "/CustomName").value_or("");
        EXPECT_EQ(shown, name);

        // Names are written at once: while they are, the end comes. Whether this one has reached the disk the file
        // says.
        const std::string next = "Cellar " + std::to_string(round);
        EXPECT_EQ(rig.set(service, "/CustomName", next), 0);
        std::this_thread::sleep_for(std::chrono::microseconds(random() % 30'000));
        rig.daemon().signal(SIGKILL);
        rig.daemon().wait();

        std::size_t files = 0;
        for (const auto& entry : fs::recursive_directory_iterator(state)) {
            if (!entry.is_regular_file()) continue;
            ++files;
            const std::string file = entry.path().filename();
            EXPECT_NE(entry.path().extension(), ".bad") << file;
            if (entry.path().extension() != ".json") continue;
            const auto content = parsed(entry.path());
            if (const auto* written = content.as_object().if_contains("name")) name = written->as_string();
        }
        EXPECT_TRUE(name == shown || name == next) << name;
        EXPECT_LE(files, 2U * ports + 3U) << "files of one moment are not there for ever";
    }
}
