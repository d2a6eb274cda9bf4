#include "link/serial.hpp"

#include <cstdio>
#include <filesystem>
#include <thread>

#include <boost/asio/error.hpp>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "finish.hpp"
#include "link/factory.hpp"
#include "link/tty.hpp"

using namespace bmsd;
using test::finish;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

/// A pty whose master end the test holds.
class Pty {
public:
    Pty() : master_(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK)) {
        ::grantpt(master_);
        ::unlockpt(master_);
        path_ = ::ptsname(master_);
    }
    ~Pty() { unplug(); }
    Pty(const Pty&) = delete;
    Pty& operator=(const Pty&) = delete;

    void unplug() {
        if (master_ >= 0) ::close(master_);
        master_ = -1;
    }
    void send(std::string_view bytes) {
        EXPECT_EQ(::write(master_, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    }
    std::string receive() {
        char buffer[256];
        const ssize_t count = ::read(master_, buffer, sizeof buffer);
        return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : std::string();
    }
    const std::string& path() const { return path_; }

private:
    int master_;
    std::string path_;
};

struct ReadResult {
    std::string bytes;
    link::error_code error;
};

Task<ReadResult> read_within(link::ByteLink& link, std::chrono::milliseconds time) {
    std::uint8_t buffer[64];
    ReadResult result;
    const std::size_t count = co_await link.read(buffer, Clock::now() + time, result.error);
    result.bytes.assign(buffer, buffer + count);
    co_return result;
}

std::span<const std::uint8_t> as_bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

TEST(SerialLink, CarriesEveryByteUnchanged) {
    Pty pty;
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), pty.path());
    ASSERT_TRUE(finish(io, link.open(115200)));
    std::string all;
    for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
    EXPECT_FALSE(finish(io, link.write(as_bytes(all))));
    EXPECT_EQ(pty.receive(), all);
    pty.send(all.substr(0, 60));
    EXPECT_EQ(finish(io, read_within(link, 2s)).bytes, all.substr(0, 60));
}

TEST(SerialLink, WaitsNoLongerThanTheDeadline) {
    Pty pty;
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), pty.path());
    ASSERT_TRUE(finish(io, link.open(9600)));
    const auto result = finish(io, read_within(link, 20ms));
    EXPECT_EQ(result.error, asio::error::timed_out);
    pty.send("late");
    EXPECT_EQ(finish(io, read_within(link, 2s)).bytes, "late") << "a time-out must not spoil the next read";
}

TEST(SerialLink, TakesUnusualRates) {
    Pty pty;
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), pty.path());
    ASSERT_TRUE(finish(io, link.open(123456)));
    EXPECT_EQ(link.byte_time(), std::chrono::nanoseconds(81000));  // 10 bits at 123456 per second
}

TEST(SerialLink, DrainThrowsAwayAndCounts) {
    Pty pty;
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), pty.path());
    ASSERT_TRUE(finish(io, link.open(9600)));
    pty.send("stale bytes");
    std::uint8_t sample[5];
    EXPECT_EQ(link.drain(sample), 11u);
    EXPECT_EQ(std::string(sample, sample + 5), "stale");
    EXPECT_EQ(link.drain({}), 0u);
}

TEST(SerialLink, UnpluggedAndPluggedInAgain) {
    const auto directory = std::filesystem::temp_directory_path() / ("bmsd-link-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    const auto name = directory / "adapter";
    auto first = std::make_unique<Pty>();
    std::filesystem::create_symlink(first->path(), name);
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), name);
    ASSERT_TRUE(finish(io, link.open(9600)));
    first->unplug();
    const auto gone = finish(io, read_within(link, 2s));
    EXPECT_TRUE(gone.error);
    EXPECT_NE(gone.error, asio::error::timed_out);
    std::filesystem::remove(name);
    EXPECT_FALSE(finish(io, link.open(9600)));

    Pty second;
    std::filesystem::create_symlink(second.path(), name);
    ASSERT_TRUE(finish(io, link.open(9600))) << "the name is looked up afresh";
    second.send("back");
    EXPECT_EQ(finish(io, read_within(link, 2s)).bytes, "back");
    std::filesystem::remove_all(directory);
}

TEST(SerialLink, SaysWhoHoldsThePort) {
    Pty pty;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t other = ::fork();
    if (other == 0) {
        const int fd = ::open(pty.path().c_str(), O_RDWR | O_NOCTTY);
        ::flock(fd, LOCK_EX);
        static_cast<void>(!::write(ready[1], "x", 1));
        ::pause();
        ::_exit(0);
    }
    char go;
    ASSERT_EQ(::read(ready[0], &go, 1), 1);
    asio::io_context io{1};
    link::SerialLink link(io.get_executor(), pty.path());
    const auto result = finish(io, link.open(9600));
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().detail.find("process " + std::to_string(other)), std::string::npos)
        << result.error().detail;
    ::kill(other, SIGKILL);
    ::waitpid(other, nullptr, 0);
    EXPECT_TRUE(finish(io, link.open(9600))) << "free again";
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(SerialLink, WhatIsNoPortIsNamed) {
    asio::io_context io{1};
    const auto refuse = [&](const std::string& path) {
        link::SerialLink link(io.get_executor(), path);
        const auto result = finish(io, link.open(9600));
        return result ? std::string("opened") : result.error().detail;
    };
    EXPECT_NE(refuse("/dev/no-such-port").find("no such port"), std::string::npos);
    EXPECT_NE(refuse("/tmp").find("directory"), std::string::npos);
    EXPECT_NE(refuse("/dev/null").find("not a serial port"), std::string::npos);
    EXPECT_NE(refuse("/proc/self/status").find("not a serial port"), std::string::npos);
}

TEST(Factory, PortNames) {
    asio::io_context io{1};
    EXPECT_TRUE(link::make_link(io.get_executor(), "/dev/ttyUSB0"));
    EXPECT_TRUE(link::make_link(io.get_executor(), "tcp://gateway.local:502"));
    EXPECT_TRUE(link::make_link(io.get_executor(), "tcp://[::1]:502"));
    for (const char* bad :
         {"tcp://", "tcp://host", "tcp://host:", "tcp://:502", "tcp://host:99999", "tcp://host:5x", "udp://a:1", ""}) {
        const auto result = link::make_link(io.get_executor(), bad);
        ASSERT_FALSE(result) << bad;
        EXPECT_EQ(result.error().cls, ErrorClass::config);
        EXPECT_FALSE(link::check_name(bad)) << bad;
    }
}
