// Every call of the system that can fail is made to fail: the first ones, and later every few ones, so that each place
// in the life of the daemon is hit. It goes on, says what happened where that is worth saying, and recovers.
// BMSD_FAULT_STARTS=40 tries each of the first forty calls, not a handful of them.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "rig.hpp"
#include "support/settings_service.hpp"

using namespace bmsd::test;

namespace {

/// What happens meanwhile, so that the call is made at all, or more often than at the start.
enum class Scene {
    usual,
    unplugged,  ///< the adapter is, and is plugged in again
    restarted,  ///< there is a state from before
    reloaded,   ///< the configuration is read again
    gateway,    ///< the battery is reached over TCP
    lost,       ///< so it is, and the gateway goes away and comes back
    settings,   ///< Venus OS' settings are there
};

struct Fault {
    const char* call;  ///< as BMSD_FAULT wants it
    const char* says;  ///< what the log says when it strikes again and again; null: nothing that a person must know
    /// The first call that may fail: a port that cannot be used at the start ends the program.
    int from = 1;
    int every = 7;  ///< calls between two failures
    Scene scene = Scene::usual;
};

/// The name in reports.
void PrintTo(const Fault& fault, std::ostream* out) {
    *out << fault.call;
}

/// Where a fault begins, and how it goes on.
struct Course {
    int first, every, times;
};

std::vector<Course> courses(const Fault& fault) {
    const char* wanted = std::getenv("BMSD_FAULT_STARTS");
    const int starts = wanted ? std::atoi(wanted) : 2;
    std::vector<Course> all;
    for (int i = 0; i < starts; ++i) all.push_back({fault.from + i, 0, 1});
    all.push_back({fault.from + starts - 1, fault.every, 20});
    return all;
}

/// A battery, a bus and the daemon with this fault.
class Faulty {
public:
    Faulty(const Fault& fault, const Course& course) : scene_(fault.scene), tells_(fault.says) {
        std::vector<std::string> battery = {"jkbms_pb", "--current", "-7", "--speed", "0"};
        if (is_gateway()) battery.insert(battery.end(), {"--link", "tcp"});
        port_ = rig_.simulate("ttyTest0", battery);
        if (scene_ == Scene::settings) settings_.emplace(rig_.bus.address());
        if (scene_ == Scene::restarted) live_once();
        rig_.environment = {"LD_PRELOAD=" BMSD_FAULTY_CALLS, std::string("BMSD_FAULT=") + fault.call,
                            "BMSD_FAULT_FIRST=" + std::to_string(course.first),
                            "BMSD_FAULT_EVERY=" + std::to_string(course.every),
                            "BMSD_FAULT_TIMES=" + std::to_string(course.times)};
        run();
    }

    void expect_recovery() {
        ASSERT_TRUE(eventually([&] { return shows(); })) << log();
        for (int i = 0; i < 2; ++i) disturb();
        // Names are written at once: something to fail for the calls on files.
        for (int i = 0; i < 6; ++i) {
            const std::string name = "Cellar " + std::to_string(i);
            ASSERT_TRUE(eventually([&] { return rig_.set(service_, "/CustomName", name) == 0; })) << log();
            ASSERT_TRUE(eventually([&] { return rig_.text(service_, "/CustomName") == name; })) << log();
        }
        ASSERT_TRUE(eventually([&] { return shows(); })) << log();
        EXPECT_TRUE(eventually([&] { return polls_are_counted(); })) << log();
        ASSERT_TRUE(eventually([&] { return shows(); })) << log();
        if (settings_) {
            EXPECT_TRUE(eventually([&] { return settings_->text(entry("CustomName")) == "Cellar 5"; })) << log();
            EXPECT_TRUE(eventually([&] { return settings_->text(entry("ClassAndVrmInstance")) == "battery:1"; }))
                << log();
        }
        end();
        said_ = log();
        // A state that could not be read is left as it is.
        if (scene_ == Scene::restarted)
            expect_kept(tells_ && rig_.logged("it is left as it is, battery") ? "Before" : "Cellar 5");
    }
    /// The log of the daemon that met the fault, once it has ended.
    [[nodiscard]] const std::string& said() const { return said_; }

private:
    [[nodiscard]] std::string log() { return rig_.daemon().err(); }
    [[nodiscard]] bool is_gateway() const { return scene_ == Scene::gateway || scene_ == Scene::lost; }
    void run() {
        rig_.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01\nPOLL_INTERVAL = 0.2\n", {port_});
        std::string place = (is_gateway() ? "tcp_" : "") + port_.substr(port_.rfind('/') + 1);
        std::replace_if(
            place.begin(), place.end(), [](char c) { return c == '.' || c == ':'; }, '_');
        service_ = service_of(place, "0x01");
    }
    bool shows() {
        return rig_.number(service_, "/Dc/0/Current") == -7 && rig_.number(service_, "/System/NrOfModulesOffline") == 0;
    }
    void end() {
        rig_.daemon().signal(SIGTERM);
        EXPECT_EQ(rig_.daemon().wait(), 0) << log();
    }

    void live_once() {
        run();
        ASSERT_TRUE(eventually([&] { return shows(); })) << log();
        ASSERT_EQ(rig_.set(service_, "/CustomName", "Before"), 0);
        end();
    }
    void expect_kept(const std::string& name) {
        rig_.environment.clear();
        run();
        ASSERT_TRUE(eventually([&] { return shows(); })) << log();
        EXPECT_EQ(rig_.text(service_, "/CustomName"), name) << log();
        EXPECT_FALSE(rig_.logged("set aside")) << log();
        end();
    }

    void disturb() {
        if (scene_ == Scene::reloaded) rig_.daemon().signal(SIGHUP);
        if (scene_ != Scene::unplugged && scene_ != Scene::lost) return;
        rig_.simulator(port_).signal(SIGUSR1);
        std::this_thread::sleep_for(std::chrono::milliseconds{500});  // seen by several polls
        rig_.simulator(port_).signal(SIGUSR1);
        ASSERT_TRUE(eventually([&] { return polls_are_counted(); })) << log();
    }

    bool polls_are_counted() {
        const auto polls = [&] { return rig_.stats().at("batteries").at(0).at("polls").to_number<int>(); };
        const int before = polls();
        return eventually([&] { return polls() > before + 2; });
    }
    /// Where Venus OS' settings keep something of the battery.
    std::string entry(const char* name) {
        return "/Settings/Devices/serialbattery_" + rig_.text(service_, "/Serial").value_or("") + "/" + name;
    }

    Scene scene_;
    bool tells_;  ///< the fault is one that cannot be overcome
    Rig rig_;
    std::optional<SettingsService> settings_;
    std::string port_, service_, said_;
};

}  // namespace

class FaultyCalls : public testing::TestWithParam<Fault> {};

TEST_P(FaultyCalls, AreSurvived) {
    if (!std::filesystem::exists(BMSD_FAULTY_CALLS)) GTEST_SKIP() << "sanitizers and preloading exclude each other";
    std::string all;
    for (const Course& course : courses(GetParam())) {
        SCOPED_TRACE(std::string(GetParam().call) + " from call " + std::to_string(course.first) + " on");
        Faulty faulty(GetParam(), course);
        faulty.expect_recovery();
        all += faulty.said();
    }
    EXPECT_NE(all.find("fault: "), std::string::npos) << "nothing failed: the test tests nothing";
    if (GetParam().says) {
        EXPECT_NE(all.find(GetParam().says), std::string::npos) << all;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Each, FaultyCalls,
    testing::Values(
        Fault{"read@tty:EIO", "the device is gone", 1, 31}, Fault{"read@tty:EAGAIN", nullptr},
        Fault{"read@tty:EINTR", nullptr}, Fault{"read@tty:short", nullptr},
        Fault{"write@tty:EIO", "the device is gone", 1, 31}, Fault{"write@tty:EAGAIN", nullptr},
        Fault{"write@tty:EINTR", nullptr}, Fault{"write@tty:short", nullptr},
        Fault{"read@tty:ENXIO", "the device is gone", 1, 31}, Fault{"write@tty:ENXIO", "the device is gone", 1, 31},
        Fault{"read@tty:closed", "the device is gone", 1, 31},
        Fault{"open@tty:EIO", "the device is gone", 2, 2, Scene::unplugged},
        Fault{"open@tty:ENXIO", "the device is gone", 2, 2, Scene::unplugged}, Fault{"ioctl@tty:EIO", nullptr, 4},
        Fault{"epoll_ctl@tty:ENOMEM", nullptr, 2}, Fault{"open@state:EMFILE", nullptr},
        Fault{"write@state:ENOSPC", nullptr}, Fault{"write@state:short", nullptr}, Fault{"write@state:EINTR", nullptr},
        Fault{"fsync@state:EIO", "does not reach the disk", 1, 1},
        Fault{"rename@state:ENOSPC", "cannot be replaced", 1, 1}, Fault{"socket@bus:EMFILE", nullptr},
        Fault{"connect@bus:ECONNREFUSED", nullptr}, Fault{"send@bus:EAGAIN", nullptr}, Fault{"send@bus:EPIPE", nullptr},
        Fault{"send@bus:short", "has left D-Bus", 1, 31}, Fault{"sendmsg@bus:EAGAIN", nullptr},
        Fault{"sendmsg@bus:ECONNRESET", nullptr, 1, 41}, Fault{"recvmsg@bus:EINTR", nullptr},
        Fault{"recvmsg@bus:EAGAIN", nullptr}, Fault{"recvmsg@bus:ECONNRESET", "has left D-Bus", 1, 41},
        Fault{"epoll_ctl@bus:ENOMEM", nullptr}, Fault{"open@state:EIO", "it cannot be read", 1, 1, Scene::restarted},
        Fault{"read@state:EIO", "it cannot be read", 1, 1, Scene::restarted},
        Fault{"read@state:EINTR", nullptr, 1, 2, Scene::restarted},
        Fault{"read@state:short", nullptr, 1, 1, Scene::restarted},
        Fault{"access@state:EROFS", "the state directory cannot be written to (Read-only file system); see to the disk",
              1, 1, Scene::restarted},
        Fault{"access@state:EIO", "the state directory cannot be written to (Input/output error); see to the disk", 1,
              1, Scene::restarted},
        Fault{"mkdir@state:ENOSPC", "the state directory cannot be made (No space left on device); see to the disk", 1,
              1},
        Fault{"mkdir@state:EDQUOT", "the state directory cannot be made (Disk quota exceeded); see to the disk", 1, 1},
        Fault{"open@config:EMFILE", "the file cannot be read", 2, 2, Scene::reloaded},
        Fault{"read@config:EIO", "the file cannot be read", 3, 2, Scene::reloaded},
        Fault{"read@config:EINTR", nullptr, 1, 2, Scene::reloaded},
        Fault{"read@config:short", nullptr, 1, 1, Scene::reloaded},
        Fault{"socket@tcp:EMFILE", "the device is gone", 2, 2, Scene::lost},
        Fault{"connect@tcp:ECONNREFUSED", "the device is gone", 2, 2, Scene::lost},
        Fault{"connect@tcp:EINTR", nullptr, 2, 2, Scene::lost},
        Fault{"read@tcp:ECONNRESET", "the device is gone", 1, 31, Scene::gateway},
        Fault{"read@tcp:ETIMEDOUT", nullptr, 1, 31, Scene::gateway},
        Fault{"read@tcp:closed",
              "the device is gone (End of file); waiting for it to come back; many serve one client only: is another "
              "one connected?",
              1, 31, Scene::gateway},
        Fault{"read@tcp:EINTR", nullptr, 1, 7, Scene::gateway}, Fault{"read@tcp:EAGAIN", nullptr, 1, 7, Scene::gateway},
        Fault{"read@tcp:short", nullptr, 1, 7, Scene::gateway},
        Fault{"send@tcp:EPIPE", "the device is gone", 1, 31, Scene::gateway},
        Fault{"send@tcp:EINTR", nullptr, 1, 7, Scene::gateway}, Fault{"send@tcp:EAGAIN", nullptr, 1, 7, Scene::gateway},
        Fault{"send@tcp:short", nullptr, 1, 7, Scene::gateway},
        Fault{"epoll_ctl@tcp:ENOMEM", nullptr, 5, 7, Scene::gateway},
        Fault{"socket@bus:EMFILE", nullptr, 1, 2, Scene::settings},
        Fault{"connect@bus:ECONNREFUSED", nullptr, 1, 2, Scene::settings},
        Fault{"sendmsg@bus:EAGAIN", nullptr, 1, 7, Scene::settings},
        Fault{"sendmsg@bus:EPIPE", nullptr, 32, 41, Scene::settings},  // a name is written with this call
        Fault{"recvmsg@bus:EAGAIN", nullptr, 1, 7, Scene::settings},
        Fault{"recvmsg@bus:ECONNRESET", nullptr, 1, 41, Scene::settings},
        Fault{"recvmsg@bus:closed", nullptr, 1, 41, Scene::settings}),
    [](const auto& fault) {
        std::string name = fault.param.call;
        for (char& letter : name)
            if (letter == '@' || letter == ':') letter = '_';
        return fault.param.scene == Scene::settings ? name + "_with_settings" : name;
    });

TEST(StateDirectory, ThatIsWronglyNamedIsToldAtTheStart) {
    Rig rig;
    const auto run_ends = [&](const std::string& why) {
        rig.run("", {"/dev/no-such-port"});
        EXPECT_EQ(rig.daemon().wait(), 2);
        EXPECT_TRUE(
            rig.logged(rig.folder.file("state") + ": the state directory " + why + "; name another with --state-dir\n"))
            << rig.daemon().err();
        EXPECT_FALSE(rig.logged("starts")) << rig.daemon().err();
    };
    rig.folder.write("state", "");
    run_ends("cannot be made (Not a directory)");
    std::filesystem::remove(rig.folder.file("state"));
    if (!std::filesystem::exists(BMSD_FAULTY_CALLS)) GTEST_SKIP() << "sanitizers and preloading exclude each other";
    for (const char* call : {"mkdir", "access"}) {
        rig.environment = {"LD_PRELOAD=" BMSD_FAULTY_CALLS, std::string("BMSD_FAULT=") + call + "@state:EACCES",
                           "BMSD_FAULT_FIRST=1", "BMSD_FAULT_TIMES=1"};
        run_ends(std::string("cannot be ") + (call[0] == 'm' ? "made" : "written to") + " (Permission denied)");
    }
}
