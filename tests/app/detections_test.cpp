#include "app/detections.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bms/catalog.hpp"

namespace fs = std::filesystem;
using namespace bmsd;

namespace {

class DetectionsTest : public testing::Test {
protected:
    DetectionsTest() { fs::create_directories(folder_); }
    ~DetectionsTest() override { fs::remove_all(folder_); }

    app::Detections open() {
        return {folder_.string(), [this](Severity, const std::string& text) { log_ += text; }};
    }

    fs::path folder_ = fs::temp_directory_path() / ("bmsd-detections-" + std::to_string(::getpid()));
    std::string log_;
    const engine::Candidate daly_{bms::find_family("daly"), 9600};
};

}  // namespace

TEST_F(DetectionsTest, AreThereAtTheNextStart) {
    open().remember("/dev/ttyUSB0", daly_);
    EXPECT_EQ(open().recall("/dev/ttyUSB0"), daly_);
    EXPECT_FALSE(open().recall("/dev/ttyUSB1"));
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, SetADamagedFileAside) {
    std::ofstream(folder_ / "detected.json") << "{\"/dev/ttyUSB0\": {\"fam";
    EXPECT_FALSE(open().recall("/dev/ttyUSB0"));
    EXPECT_NE(log_.find("set aside"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder_ / "detected.json.bad"));
}

TEST_F(DetectionsTest, SetATornFileAsideWhereverItIsTorn) {
    open().remember("/dev/ttyUSB0", daly_);
    std::ifstream in(folder_ / "detected.json");
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t size = 0; size + 1 < whole.size(); ++size) {  // the last byte is the end of the line
        std::ofstream(folder_ / "detected.json") << whole.substr(0, size);
        log_.clear();
        EXPECT_FALSE(open().recall("/dev/ttyUSB0")) << size;
        EXPECT_NE(log_.find("set aside"), std::string::npos) << size;
    }
}

// What is recalled is only tried first, so it need not be what was found; but it must be something that exists.
TEST_F(DetectionsTest, RecallSomethingThatExistsOrNothingWhateverByteChanges) {
    open().remember("/dev/ttyUSB0", daly_);
    std::ifstream in(folder_ / "detected.json");
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t i = 0; i < 8 * whole.size(); ++i) {
        std::string changed = whole;
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1U << (i % 8)));
        std::ofstream(folder_ / "detected.json") << changed;
        log_.clear();
        auto detections = open();
        const auto recalled = detections.recall("/dev/ttyUSB0");
        if (recalled) {
            EXPECT_TRUE(recalled->family) << changed;
        }
        EXPECT_EQ(fs::exists(folder_ / "detected.json"), log_.empty()) << changed;
        EXPECT_EQ(log_.empty(), log_.find("detected.json.bad") == std::string::npos) << log_;
        detections.remember("/dev/ttyUSB0", {bms::find_family("daly"), 19200});
        EXPECT_EQ(open().recall("/dev/ttyUSB0")->rate, 19200U) << changed;
    }
}

TEST_F(DetectionsTest, ForgetAFamilyThatIsNoLongerThere) {
    std::ofstream(folder_ / "detected.json")
        << R"({"/dev/a": {"family": "gone", "baud": 9600}, "/dev/b": {"family": "daly", "baud": -1}, "/dev/c": 7})";
    auto detections = open();
    for (const char* port : {"/dev/a", "/dev/b", "/dev/c"}) EXPECT_FALSE(detections.recall(port)) << port;
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, KeepNothingWithoutADirectory) {
    app::Detections nowhere("", [](Severity, const std::string&) {});
    nowhere.remember("/dev/ttyUSB0", daly_);
    EXPECT_EQ(nowhere.recall("/dev/ttyUSB0"), daly_) << "as long as the program runs";
}
