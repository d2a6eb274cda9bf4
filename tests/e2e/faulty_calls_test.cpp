// Every call of the system that can fail is made to fail: the first ones, and later every few ones, so that each place
// in the life of the daemon is hit. It goes on, says what happened where that is worth saying, and recovers.
// BMSD_FAULT_STARTS=40 tries each of the first forty calls, not a handful of them.
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;

namespace {

struct Fault {
    const char* call;  ///< as BMSD_FAULT wants it
    const char* says;  ///< what the log says when it strikes again and again; null: nothing that a person must know
    /// The first call that may fail: a port that cannot be used at the start ends the program.
    int from = 1;
    int every = 7;  ///< calls between two failures
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
    all.push_back({fault.from + starts, fault.every, 20});
    return all;
}

/// A battery, a bus and the daemon with this fault.
class Faulty {
public:
    Faulty(const Fault& fault, const Course& course) {
        port_ = rig_.simulate("ttyTest0", {"jkbms_pb", "--current", "-7", "--speed", "0"});
        rig_.environment = {"LD_PRELOAD=" BMSD_FAULTY_CALLS, std::string("BMSD_FAULT=") + fault.call,
                            "BMSD_FAULT_FIRST=" + std::to_string(course.first),
                            "BMSD_FAULT_EVERY=" + std::to_string(course.every),
                            "BMSD_FAULT_TIMES=" + std::to_string(course.times)};
        rig_.run("BMS_TYPE = Jkbms_pb\nBATTERY_ADDRESSES = 0x01\nPOLL_INTERVAL = 0.2\n", {port_});
    }

    void expect_recovery() {
        const std::string service = service_of(port_, "0x01");
        const auto shows = [&] {
            return rig_.number(service, "/Dc/0/Current") == -7 &&
                   rig_.number(service, "/System/NrOfModulesOffline") == 0;
        };
        ASSERT_TRUE(eventually(shows)) << rig_.daemon().err();
        // Names are written at once: something to fail for the calls on files.
        for (int i = 0; i < 6; ++i) {
            const std::string name = "Cellar " + std::to_string(i);
            ASSERT_TRUE(eventually([&] { return rig_.set(service, "/CustomName", name) == 0; })) << rig_.daemon().err();
            ASSERT_TRUE(eventually([&] { return rig_.text(service, "/CustomName") == name; })) << rig_.daemon().err();
        }
        ASSERT_TRUE(eventually(shows)) << rig_.daemon().err();
        EXPECT_TRUE(eventually([&] { return polls_are_counted(); })) << rig_.daemon().err();
        ASSERT_TRUE(eventually(shows)) << rig_.daemon().err();
        rig_.daemon().signal(SIGTERM);
        EXPECT_EQ(rig_.daemon().wait(), 0) << rig_.daemon().err();
    }
    [[nodiscard]] bool struck() const { return rig_.logged("fault: "); }
    [[nodiscard]] std::string log() { return rig_.daemon().err(); }

private:
    bool polls_are_counted() {
        const auto polls = [&] { return rig_.stats().at("batteries").at(0).at("polls").to_number<int>(); };
        const int before = polls();
        return eventually([&] { return polls() > before + 2; });
    }

    Rig rig_;
    std::string port_;
};

}  // namespace

class FaultyCalls : public testing::TestWithParam<Fault> {};

TEST_P(FaultyCalls, AreSurvived) {
    if (!std::filesystem::exists(BMSD_FAULTY_CALLS)) GTEST_SKIP() << "sanitizers and preloading exclude each other";
    bool struck = false;
    std::string all;
    for (const Course& course : courses(GetParam())) {
        SCOPED_TRACE(std::string(GetParam().call) + " from call " + std::to_string(course.first) + " on");
        Faulty faulty(GetParam(), course);
        faulty.expect_recovery();
        struck |= faulty.struck();
        all += faulty.log();
    }
    EXPECT_TRUE(struck) << "nothing failed: the test tests nothing";
    if (GetParam().says) {
        EXPECT_NE(all.find(GetParam().says), std::string::npos) << all;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Each, FaultyCalls,
    testing::Values(Fault{"read@tty:EIO", "the device is gone", 1, 31}, Fault{"read@tty:EAGAIN", nullptr},
                    Fault{"read@tty:EINTR", nullptr}, Fault{"read@tty:short", nullptr},
                    Fault{"write@tty:EIO", "the device is gone", 1, 31}, Fault{"write@tty:EAGAIN", nullptr},
                    Fault{"write@tty:EINTR", nullptr}, Fault{"write@tty:short", nullptr},
                    Fault{"ioctl@tty:EIO", nullptr, 4}, Fault{"epoll_ctl@tty:ENOMEM", nullptr, 2},
                    Fault{"open@state:EMFILE", nullptr}, Fault{"write@state:ENOSPC", nullptr},
                    Fault{"write@state:short", nullptr}, Fault{"write@state:EINTR", nullptr},
                    Fault{"fsync@state:EIO", "does not reach the disk", 1, 1},
                    Fault{"rename@state:ENOSPC", "cannot be replaced", 1, 1}, Fault{"socket@bus:EMFILE", nullptr},
                    Fault{"connect@bus:ECONNREFUSED", nullptr}, Fault{"send@bus:EAGAIN", nullptr},
                    Fault{"send@bus:EPIPE", nullptr}, Fault{"send@bus:short", "has left D-Bus", 1, 31},
                    Fault{"sendmsg@bus:EAGAIN", nullptr}, Fault{"sendmsg@bus:ECONNRESET", nullptr, 1, 41},
                    Fault{"recvmsg@bus:EINTR", nullptr}, Fault{"recvmsg@bus:EAGAIN", nullptr},
                    Fault{"recvmsg@bus:ECONNRESET", "has left D-Bus", 1, 41}, Fault{"epoll_ctl@bus:ENOMEM", nullptr}),
    [](const auto& fault) {
        std::string name = fault.param.call;
        for (char& letter : name)
            if (letter == '@' || letter == ':') letter = '_';
        return name;
    });
