#include "app/detections.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "bms/catalog.hpp"
#include "folder.hpp"
#include "replace_at_once.hpp"

namespace fs = std::filesystem;
using namespace bmsd;

namespace {

class DetectionsTest : public testing::Test {
protected:
    DetectionsTest() { fs::create_directories(folder_); }
    ~DetectionsTest() override { fs::remove_all(folder_); }

    app::Detections open() {
        return {folder_.string(), test::at_once, [this](Severity, const std::string& text) { log_ += text; }};
    }

    fs::path folder_ = fs::temp_directory_path() / ("bmsd-detections-" + std::to_string(::getpid()));
    std::string log_;
    static std::vector<engine::Found> found(std::string_view family, std::uint32_t rate, std::uint32_t address) {
        return {{{bms::find_family(family), rate}, address}};
    }
    static constexpr std::uint32_t standard = 0x40;  // dossier daly: how board 1 is asked
    const std::vector<engine::Found> daly_ = found("daly", 9600, standard);
};

}  // namespace

TEST_F(DetectionsTest, AreThereAtTheNextStart) {
    open().remember("/dev/ttyUSB0", daly_);
    EXPECT_EQ(open().recall("/dev/ttyUSB0"), daly_);
    EXPECT_TRUE(open().recall("/dev/ttyUSB1").empty());
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, KeepSeveralBatteriesOfAnInterface) {
    auto both = found("jkbms_can", 0, 1);
    both.push_back(found("daly_can", 0, 2).front());
    open().remember("can0", both);
    EXPECT_EQ(open().recall("can0"), both);
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, ReadWhatTheFirstVersionsWrote) {
    std::ofstream(folder_ / "detected.json") << R"({"/dev/a": {"family": "daly", "baud": 9600},)"
                                             << R"( "/dev/b": {"family": "jkbms", "baud": 115200}})";
    EXPECT_EQ(open().recall("/dev/a"), daly_);
    EXPECT_EQ(open().recall("/dev/b"), found("jkbms", 115200, 0));
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, SetADamagedFileAside) {
    std::ofstream(folder_ / "detected.json") << "{\"/dev/ttyUSB0\": {\"fam";
    EXPECT_TRUE(open().recall("/dev/ttyUSB0").empty());
    EXPECT_NE(log_.find("set aside"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder_ / "detected.json.bad"));
}

TEST_F(DetectionsTest, LeaveAFileAloneThatCannotBeRead) {
    fs::create_symlink(test::unreadable, folder_ / "detected.json");
    auto detections = open();
    EXPECT_NE(log_.find("detected.json: it cannot be read (Input/output error); it is left as it is"),
              std::string::npos)
        << log_;
    detections.remember("/dev/ttyUSB0", daly_);
    EXPECT_EQ(detections.recall("/dev/ttyUSB0"), daly_) << "as long as the program runs";
    EXPECT_TRUE(fs::is_symlink(folder_ / "detected.json"));
    EXPECT_FALSE(fs::exists(folder_ / "detected.json.bad"));
}

TEST_F(DetectionsTest, SetATornFileAsideWhereverItIsTorn) {
    open().remember("/dev/ttyUSB0", daly_);
    std::ifstream in(folder_ / "detected.json");
    const std::string whole{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t size = 0; size + 1 < whole.size(); ++size) {  // the last byte is the end of the line
        std::ofstream(folder_ / "detected.json") << whole.substr(0, size);
        log_.clear();
        EXPECT_TRUE(open().recall("/dev/ttyUSB0").empty()) << size;
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
        changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << (i % 8)));
        std::ofstream(folder_ / "detected.json") << changed;
        log_.clear();
        auto detections = open();
        for (const engine::Found& recalled : detections.recall("/dev/ttyUSB0")) {
            ASSERT_TRUE(recalled.candidate.family) << changed;
            EXPECT_TRUE(bms::check_address(*recalled.candidate.family, recalled.address)) << changed;
        }
        EXPECT_EQ(fs::exists(folder_ / "detected.json"), log_.empty()) << changed;
        EXPECT_EQ(log_.empty(), log_.find("detected.json.bad") == std::string::npos) << log_;
        const auto other = found("daly", 19200, standard);
        detections.remember("/dev/ttyUSB0", other);
        EXPECT_EQ(open().recall("/dev/ttyUSB0"), other) << changed;
    }
}

TEST_F(DetectionsTest, ForgetAFamilyThatIsNoLongerThere) {
    std::ofstream(folder_ / "detected.json")
        << R"({"/dev/a": {"family": "gone", "baud": 9600}, "/dev/b": {"family": "daly", "baud": -1}, "/dev/c": 7,)"
        << R"( "/dev/d": [{"family": "daly", "baud": 9600, "address": -1}], "/dev/e": [[], null, {}],)"
        << R"( "/dev/f": [{"family": "daly", "baud": 9600, "address": 4711}]})";
    auto detections = open();
    for (const char* port : {"/dev/a", "/dev/b", "/dev/c", "/dev/d", "/dev/e", "/dev/f"})
        EXPECT_TRUE(detections.recall(port).empty()) << port;
    EXPECT_EQ(log_, "");
}

TEST_F(DetectionsTest, KeepNothingWithoutADirectory) {
    app::Detections nowhere("", test::at_once, [](Severity, const std::string&) {});
    nowhere.remember("/dev/ttyUSB0", daly_);
    EXPECT_EQ(nowhere.recall("/dev/ttyUSB0"), daly_) << "as long as the program runs";
}
