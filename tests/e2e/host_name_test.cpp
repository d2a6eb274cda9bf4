// A gateway that is given by name, and no name server that answers.
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "rig.hpp"

using namespace bmsd::test;
using namespace std::chrono_literals;

TEST(HostName, ThatNobodyAnswersForHoldsUpNeitherOtherPortsNorTheEnd) {
    if (!std::filesystem::exists(BMSD_FAULTY_CALLS)) GTEST_SKIP() << "sanitizers and preloading exclude each other";
    Rig rig;
    const auto port = rig.simulate("gateway", {"jkbms_pb", "--link", "tcp"});
    rig.environment = {"LD_PRELOAD=" BMSD_FAULTY_CALLS, "BMSD_FAULT=getaddrinfo@host:hangs", "BMSD_FAULT_FIRST=1",
                       "BMSD_FAULT_EVERY=1", "BMSD_FAULT_TIMES=1000"};
    rig.run("BMS_TYPE = Jkbms_pb\n", {"tcp://gateway.home:15020", port});
    EXPECT_TRUE(eventually([&] { return rig.logged("is on D-Bus as"); })) << rig.daemon().err();
    EXPECT_TRUE(eventually([&] { return rig.logged("gateway.home:15020: no answer within 5 s to who the host is"); }))
        << rig.daemon().err();
    EXPECT_FALSE(rig.logged(port + ": no answer")) << rig.daemon().err();
    EXPECT_TRUE(rig.logged("fault: getaddrinfo@host")) << "nothing hung: the test tests nothing";

    const auto asked_to_end = std::chrono::steady_clock::now();
    rig.daemon().signal(SIGTERM);
    EXPECT_EQ(rig.daemon().wait(), 0) << rig.daemon().err();
    EXPECT_LT(std::chrono::steady_clock::now() - asked_to_end, 5s);
}
