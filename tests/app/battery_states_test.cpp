// States of batteries on a real disk.
#include "app/battery_states.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include "folder.hpp"

using namespace bmsd;
using namespace bmsd::app;

namespace {

class BatteryStatesTest : public testing::Test {
protected:
    /// One start of the program.
    template <class Do>
    void during_a_run(Do what) {
        {
            const Report report = [this](Severity, const std::string& text) { log_ += text + "\n"; };
            FileWriter files(io_.get_executor(), report);
            BatteryStates states(
                folder_.path(),
                [&](std::string path, std::string content) { files.write(std::move(path), std::move(content)); },
                report);
            what(states);
        }
        io_.restart();
        io_.run();
    }

    test::TemporaryFolder folder_;
    boost::asio::io_context io_;
    std::string log_;
    const std::string id_ = "JK/../48 V";
};

control::Persistent in_float() {
    control::Persistent state;
    state.voltage.allow_max_voltage = false;
    return state;
}

}  // namespace

TEST_F(BatteryStatesTest, AreThereAtTheNextStart) {
    during_a_run([&](BatteryStates& states) {
        EXPECT_FALSE(states.recall(id_));
        states.keep(id_, in_float());
        states.set_name(id_, "Cellar");
        states.set_device_instance(id_, 3);
        states.keep_place(id_, "/dev/ttyUSB0");
    });
    during_a_run([&](BatteryStates& states) {
        EXPECT_EQ(states.recall(id_), in_float());
        EXPECT_EQ(states.name(id_), "Cellar");
        EXPECT_EQ(states.place(id_), "/dev/ttyUSB0");
        EXPECT_EQ(states.device_instance(id_), 3);
        EXPECT_FALSE(states.recall("another"));
    });
    EXPECT_EQ(log_, "");
    EXPECT_TRUE(std::filesystem::exists(folder_.file("batteries/JK%2F%2E%2E%2F48%20V.json")));
}

TEST_F(BatteryStatesTest, AreKeptAsSoonAsTheirFolderCanBeMade) {
    folder_.write("batteries", "in the way");
    during_a_run([&](BatteryStates& states) {
        std::filesystem::remove(folder_.file("batteries"));
        states.set_name(id_, "Cellar");
    });
    during_a_run([&](BatteryStates& states) { EXPECT_EQ(states.name(id_), "Cellar"); });
    EXPECT_EQ(log_, "");
}

TEST_F(BatteryStatesTest, AreThoseOfTheOtherDriverIfItHasSeenTheBatterySince) {
    control::Persistent ours = in_float();
    ours.soc_percent = 40;
    ours.inputs.highest_cell_v = 3.3;
    ours.history.values.total_drawn_ah = 100;
    BatteryState theirs;
    theirs.control.emplace().soc_percent = 70;
    theirs.name = "Barn";
    theirs.last_seen = 1000;
    const auto with_theirs = [&](BatteryStates& states) {
        states.elsewhere = [&](const std::string&) { return theirs; };
    };

    during_a_run([&](BatteryStates& states) {
        states.keep(id_, ours);
        states.set_last_seen(id_, 1000);
        states.keep_place(id_, "/dev/ttyUSB0");
    });
    during_a_run([&](BatteryStates& states) {
        with_theirs(states);
        EXPECT_EQ(states.recall(id_), ours) << "the other driver was here before us";
    });
    EXPECT_EQ(log_, "");
    theirs.last_seen = 1001;
    during_a_run([&](BatteryStates& states) {
        with_theirs(states);
        const auto recalled = states.recall(id_);
        ASSERT_TRUE(recalled);
        EXPECT_TRUE(recalled->voltage.allow_max_voltage);
        EXPECT_EQ(recalled->soc_percent, 70);
        EXPECT_EQ(recalled->history.values.total_drawn_ah, 100) << "version 1.4 keeps no history";
        EXPECT_EQ(recalled->inputs.highest_cell_v, 3.3) << "which inputs there are is known here only";
        EXPECT_EQ(states.name(id_), "Barn");
        EXPECT_EQ(states.place(id_), "/dev/ttyUSB0") << "the other driver does not keep it";
    });
    EXPECT_NE(log_.find("another driver has seen it since"), std::string::npos) << log_;
}

TEST_F(BatteryStatesTest, KnowWhichNamesTheSettingsDoNotHold) {
    BatteryState theirs;
    theirs.control.emplace();
    theirs.name = "Barn";
    theirs.last_seen = 1001;
    during_a_run([&](BatteryStates& states) {
        EXPECT_FALSE(states.name_unwritten(id_));
        states.set_name(id_, "Attic");
        states.set_name(id_, "Cellar");
        states.name_written(id_, "Attic");  // an answer that comes late
        states.set_last_seen(id_, 1000);
    });
    during_a_run([&](BatteryStates& states) {
        states.elsewhere = [&](const std::string&) { return theirs; };
        EXPECT_EQ(states.name(id_), "Cellar") << "the other driver never saw it";
        EXPECT_TRUE(states.name_unwritten(id_));
        states.name_written(id_, "Cellar");
    });
    during_a_run([&](BatteryStates& states) {
        EXPECT_EQ(states.name(id_), "Cellar");
        EXPECT_FALSE(states.name_unwritten(id_));
    });
}

TEST_F(BatteryStatesTest, AreNotWrittenAgainWithoutAChange) {
    during_a_run([&](BatteryStates& states) { states.keep(id_, in_float()); });
    const std::string file = folder_.file("batteries/" + file_name(id_) + ".json");
    std::filesystem::remove(file);
    during_a_run([&](BatteryStates& states) {
        states.keep(id_, {});
        states.set_name(id_, "");
    });
    EXPECT_TRUE(std::filesystem::exists(file));
    std::filesystem::remove(file);
    during_a_run([&](BatteryStates& states) {
        states.set_name(id_, "");  // as it is
    });
    EXPECT_FALSE(std::filesystem::exists(file));
}

TEST_F(BatteryStatesTest, AreThoseOfTheSettingsIfTheFileIsOfNoUse) {
    BatteryState theirs;
    theirs.control = in_float();
    theirs.device_instance = 4;
    std::filesystem::create_directories(folder_.file("batteries"));
    folder_.write("batteries/B1.json", "{\"bmsd\":");
    std::filesystem::create_symlink(test::unreadable, folder_.file("batteries/B2.json"));
    for (const char* id : {"B1", "B2"}) {
        log_.clear();
        during_a_run([&](BatteryStates& states) {
            states.elsewhere = [&](const std::string&) { return theirs; };
            EXPECT_EQ(states.recall(id), in_float());
            EXPECT_EQ(states.device_instance(id), 4);
        });
        EXPECT_NE(log_.find(std::string("battery ") + id + " begins with what Venus OS' settings hold of it"),
                  std::string::npos)
            << log_;
    }
}

TEST_F(BatteryStatesTest, SetADamagedFileAside) {
    std::filesystem::create_directories(folder_.file("batteries"));
    folder_.write("batteries/B1.json", "{\"bmsd\":");
    during_a_run([&](BatteryStates& states) { EXPECT_FALSE(states.recall("B1")); });
    EXPECT_NE(log_.find("B1.json: it is damaged"), std::string::npos) << log_;
    EXPECT_TRUE(std::filesystem::exists(folder_.file("batteries/B1.json.bad")));
}

TEST_F(BatteryStatesTest, LeaveAFileAloneThatCannotBeRead) {
    std::filesystem::create_directories(folder_.file("batteries"));
    std::filesystem::create_symlink(test::unreadable, folder_.file("batteries/B1.json"));
    during_a_run([&](BatteryStates& states) {
        EXPECT_FALSE(states.recall("B1"));
        states.keep("B1", in_float());
        states.set_name("B1", "Cellar");
        EXPECT_EQ(states.recall("B1"), in_float()) << "as long as the program runs";
    });
    EXPECT_EQ(std::count(log_.begin(), log_.end(), '\n'), 1) << log_;
    EXPECT_NE(log_.find("B1.json: it cannot be read (Input/output error); it is left as it is"), std::string::npos)
        << log_;
    EXPECT_TRUE(std::filesystem::is_symlink(folder_.file("batteries/B1.json")));
    EXPECT_FALSE(std::filesystem::exists(folder_.file("batteries/B1.json.bad")));
}

// Every byte once, each with another bit: flash that wears gives such files.
TEST_F(BatteryStatesTest, AreTheOnesWrittenOrNewWhateverByteChanges) {
    control::Persistent known = in_float();
    known.soc_percent = 61.25;
    known.discharged_ah = 3.5;
    known.inputs.highest_cell_v = 3.4;
    known.history.values.charge_cycles = 105;
    during_a_run([&](BatteryStates& states) {
        states.keep("B1", known);
        states.set_name("B1", "Cellar");
        states.set_device_instance("B1", 3);
    });
    const std::string whole = test::content(folder_.file("batteries/B1.json"));
    ASSERT_GT(whole.size(), 200U);
    int taken = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string changed = whole;
        changed[i] = static_cast<char>(changed[i] ^ (1 << (i % 8)));
        folder_.write("batteries/B1.json", changed);
        log_.clear();
        during_a_run([&](BatteryStates& states) {
            const auto recalled = states.recall("B1");
            if (!recalled) return;
            ++taken;
            EXPECT_EQ(recalled, known) << changed;
            EXPECT_EQ(states.name("B1"), "Cellar") << changed;
            EXPECT_EQ(states.device_instance("B1"), 3) << changed;
        });
        const bool told = log_.find("batteries/B1.json.bad, and battery B1 begins like a new one") != std::string::npos;
        EXPECT_EQ(told, !std::filesystem::exists(folder_.file("batteries/B1.json"))) << changed << log_;
        EXPECT_EQ(told, test::content(folder_.file("batteries/B1.json.bad")) == changed) << changed;
    }
    // The key of the check itself, and the white space behind everything.
    EXPECT_LE(taken, 9);
}

TEST_F(BatteryStatesTest, BeginAnewWhereverTheirFileIsTorn) {
    during_a_run([&](BatteryStates& states) { states.keep("B1", in_float()); });
    const std::string whole = test::content(folder_.file("batteries/B1.json"));
    for (std::size_t size = 0; size + 1 < whole.size(); ++size) {  // the last byte is the end of the line
        folder_.write("batteries/B1.json", whole.substr(0, size));
        log_.clear();
        during_a_run([&](BatteryStates& states) { EXPECT_FALSE(states.recall("B1")) << size; });
        EXPECT_NE(log_.find("B1.json: it is damaged"), std::string::npos) << size << log_;
    }
}

TEST_F(BatteryStatesTest, AreWrittenAlthoughSomebodyRemovedTheDirectory) {
    during_a_run([&](BatteryStates& states) {
        std::filesystem::remove_all(folder_.path());
        states.keep("B1", in_float());
    });
    during_a_run([&](BatteryStates& states) { EXPECT_EQ(states.recall("B1"), in_float()); });
    EXPECT_EQ(log_, "");
}

TEST_F(BatteryStatesTest, SayOnceThatTheDiskIsGone) {
    during_a_run([&](BatteryStates& states) {
        std::filesystem::remove_all(folder_.file("batteries"));
        folder_.write("batteries", "in its place");
        states.keep("B1", in_float());
        states.set_name("B1", "Cellar");
        EXPECT_EQ(states.recall("B1"), in_float());  // nothing is lost while we run
    });
    EXPECT_EQ(std::count(log_.begin(), log_.end(), '\n'), 1) << log_;
    EXPECT_NE(log_.find("B1.json"), std::string::npos) << log_;
}
