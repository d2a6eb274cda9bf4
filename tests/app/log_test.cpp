// The log goes to pipes whose other end may do anything.
#include "app/log.hpp"

#include <algorithm>
#include <climits>
#include <utility>

#include <gtest/gtest.h>

using namespace bmsd;

namespace {

/// A log and the pipe it is read from. Whoever waits for the reader is ended by the alarm.
class LogTest : public testing::Test {
protected:
    LogTest() {
        EXPECT_EQ(::pipe(ends_), 0);
        const app::Log made = app::make_log(std::make_shared<app::LogLevel>(app::LogLevel::info), ends_[1]);
        log_ = made.report;
        forget_ = made.forget;
        ::alarm(60);
    }
    ~LogTest() override {
        ::alarm(0);
        stop_reading();
        ::close(ends_[1]);
    }

    void stop_reading() { ::close(std::exchange(ends_[0], -1)); }
    /// What is there now, and at least a byte.
    std::string read() const {
        std::string text(1 << 20, '\0');
        const ssize_t size = ::read(ends_[0], text.data(), text.size());
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        return text;
    }
    static int times(const std::string& text, const std::string& what) {
        int count = 0;
        for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
        return count;
    }
    /// More than a pipe holds.
    void flood() const {
        for (int i = 0; i < lines; ++i) log_(Severity::info, "line " + std::to_string(i) + std::string(100, '.'));
    }

    static constexpr int lines = 2000;
    int ends_[2] = {-1, -1};
    Report log_;
    std::function<void()> forget_;
};

}  // namespace

TEST_F(LogTest, SaysTimeLevelAndText) {
    log_(Severity::warning, "first");
    log_(Severity::debug, "not wanted");
    const std::string said = read();
    EXPECT_EQ(said.find(" warning first\n"), std::string("2026-11-28 04:54:47").size()) << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
}

TEST_F(LogTest, RepeatsNothingWithinAMinuteUnlessSomebodyAsks) {
    for (int i = 0; i < 3; ++i) log_(Severity::info, "again");
    const std::string once = read();
    EXPECT_EQ(std::count(once.begin(), once.end(), '\n'), 1) << once;
    forget_();
    log_(Severity::info, "again");
    EXPECT_NE(read().find(" info again (2 times more since)\n"), std::string::npos);
}

TEST_F(LogTest, TheLastWordOfASubjectIsTheRightOne) {
    const std::string gone = "/dev/ttyUSB0: the device is gone", there = "/dev/ttyUSB0: the port is there again";
    log_(Severity::warning, gone);
    log_(Severity::info, there);
    log_(Severity::warning, gone);
    log_(Severity::warning, gone);
    std::string said = read();
    EXPECT_EQ(times(said, gone), 2) << said;
    EXPECT_EQ(times(said, there), 1) << said;
    // The colon ends no subject: an address stands in front of it, or it is further behind.
    log_(Severity::info, "/dev/ttyUSB0 address 0x01: answers again");
    log_(Severity::warning, gone);
    said = read();
    EXPECT_EQ(times(said, gone + " (1 times more since)\n"), 1) << said;
}

TEST_F(LogTest, AnotherSubjectLetsNothingBeRepeated) {
    log_(Severity::warning, "/dev/ttyUSB0: the device is gone");
    log_(Severity::warning, "/dev/ttyUSB1: the device is gone");
    log_(Severity::warning, "/dev/ttyUSB0: the device is gone");
    EXPECT_EQ(times(read(), "gone"), 2);
}

TEST_F(LogTest, WhatChangesAllTheTimeIsHeldBackInTheEnd) {
    for (int i = 0; i < 100; ++i) {
        log_(Severity::warning, "battery 7 has left D-Bus");
        log_(Severity::info, "battery 7 is on D-Bus");
    }
    const std::string said = read();
    EXPECT_EQ(times(said, "has left D-Bus"), 6) << said;
    EXPECT_EQ(times(said, "is on D-Bus"), 6) << said;
    EXPECT_EQ(times(said, "(changes too often: not said again for up to a minute)\n"), 2) << said;
    forget_();
    log_(Severity::info, "battery 7 is on D-Bus");
    EXPECT_NE(read().find("battery 7 is on D-Bus (94 times more since)\n"), std::string::npos);
}

TEST_F(LogTest, DoesNotWaitForAReaderThatStopsAndSaysHowMuchIsLost) {
    flood();
    const std::string before = read();
    const auto written = std::count(before.begin(), before.end(), '\n');
    EXPECT_EQ(before.back(), '\n') << "whole lines only";
    EXPECT_GT(written, 100);
    EXPECT_LT(written, lines);
    log_(Severity::info, "again");
    log_(Severity::info, "and on");
    const std::string after = read();
    EXPECT_NE(after.find(" warning lines lost before this one, as the log was not taken: " +
                         std::to_string(lines - written) + "\n"),
              std::string::npos)
        << after;
    EXPECT_NE(after.find(" info again\n"), std::string::npos) << after;
    EXPECT_EQ(std::count(after.begin(), after.end(), '\n'), 3) << "it is said once: " << after;
}

TEST_F(LogTest, OutlivesItsReader) {
    stop_reading();
    flood();
}

TEST_F(LogTest, CutsWhatAPipeMayNotTakeAtOnce) {
    log_(Severity::info, std::string(3 * PIPE_BUF, 'x'));
    log_(Severity::info, "next");
    const std::string said = read();
    EXPECT_EQ(said.find("xxx...\n"), static_cast<std::size_t>(PIPE_BUF - 7)) << said.size();
    EXPECT_NE(said.find(" info next\n"), std::string::npos);
}
