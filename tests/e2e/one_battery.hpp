// A simulated battery that stands still at -10 A, and the daemon that shows it.
#pragma once

#include <gtest/gtest.h>

#include "rig.hpp"

namespace bmsd::test {

class OneBattery : public testing::Test {
protected:
    /// Simulates `family` with `more` arguments; returns when its service is on the bus.
    void start(const std::string& family, const std::string& config, const std::vector<std::string>& more = {}) {
        std::vector<std::string> arguments = {family, "--current", "-10", "--speed", "0"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const std::string port = rig_.simulate("ttyTest0", arguments);
        service_ = service_of(port);
        rig_.run(config, {port});
        ASSERT_TRUE(eventually([&] { return rig_.present(service_); })) << rig_.daemon().err();
    }
    bool becomes(const std::string& path, double value) {
        return eventually([&] { return rig_.number(service_, path) == value; });
    }

    Rig rig_;
    std::string service_;
};

}  // namespace bmsd::test
