#include "sim/command.hpp"

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/wait.h>

#include "client.hpp"

namespace bmsd::sim {
namespace {

using namespace testing_peer;
namespace fs = std::filesystem;

constexpr std::size_t whole = 309;

const bms::Family& pb() {
    return *bms::find_family("jkbms_pb");
}

Octets ask_about(int fd, std::uint32_t address) {
    const auto request = question(pb(), request_of(pb(), "about"), address);
    if (::write(fd, request.data(), request.size()) != static_cast<ssize_t>(request.size())) return {};
    return collect(fd, whole);
}

std::string identity_at(int fd, std::uint32_t address) {
    Reading reading;
    if (!decode_answer(pb(), request_of(pb(), "about"), address, ask_about(fd, address), reading)) return {};
    return pb().identity(reading);
}

/// The command in a process of its own.
class Process {
public:
    explicit Process(const SimulateOptions& options) {
        int ends[2];
        if (::pipe(ends) != 0) throw std::runtime_error("pipe");
        std::fflush(stdout);  // else the child writes again what was waiting
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(ends[1], STDOUT_FILENO);
            ::close(ends[0]);
            ::close(ends[1]);
            ::_exit(simulate(options) ? 0 : 2);
        }
        ::close(ends[1]);
        output_ = ends[0];
    }
    ~Process() {
        if (pid_ > 0) end(SIGKILL);
        ::close(output_);
    }
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    std::string line() const {
        std::string text;
        for (auto byte = collect(output_, 1); !byte.empty() && byte[0] != '\n'; byte = collect(output_, 1))
            text += static_cast<char>(byte[0]);
        return text;
    }
    void signal(int number) const { ::kill(pid_, number); }
    /// Its exit code, -1 if it did not exit by itself.
    int end(int number) {
        int status = 0;
        ::kill(pid_, number);
        ::waitpid(pid_, &status, 0);
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

private:
    pid_t pid_ = -1;
    int output_ = -1;
};

template <class Condition>
bool eventually(Condition condition) {
    for (const auto deadline = Clock::now() + patience; Clock::now() < deadline;
         std::this_thread::sleep_for(milliseconds{5}))
        if (condition()) return true;
    return false;
}

class Command : public testing::Test {
protected:
    Command() { fs::create_directory(directory); }
    ~Command() override { fs::remove_all(directory); }

    const fs::path directory = fs::path(testing::TempDir()) / ("bmsd-sim-" + std::to_string(::getpid()));
    const fs::path link = directory / "battery";
};

int open_terminal(const fs::path& path) {
    return ::open(path.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

TEST_F(Command, PublishesATerminalAndRemovesItAtTheEnd) {
    Process process({.families = {"jkbms_pb"}, .addresses = {1, 2}, .path = link.string(), .json = true});
    const std::string line = process.line();
    const std::string terminal = fs::read_symlink(link).string();
    EXPECT_EQ(line, "{\"families\":[\"jkbms_pb\"],\"addresses\":[1,2],\"port\":\"" + terminal + "\",\"link\":\"" +
                        link.string() + "\",\"baud\":115200}");
    std::string first;
    for (int opened = 0; opened < 2; ++opened) {  // a client may come back
        const int fd = open_terminal(link);
        ASSERT_GE(fd, 0);
        EXPECT_FALSE(identity_at(fd, 1).empty());
        EXPECT_NE(identity_at(fd, 1), identity_at(fd, 2));
        ::close(fd);
    }
    EXPECT_EQ(process.end(SIGTERM), 0);
    EXPECT_FALSE(fs::exists(fs::symlink_status(link)));
}

TEST_F(Command, TellsPeopleInWords) {
    Process process({.families = {"Jkbms", "Jkbms_pb"}, .addresses = {1, 15}, .path = link.string()});
    const std::string line = process.line();
    EXPECT_EQ(line, "jkbms,jkbms_pb addresses 0x01 0x0F on " + fs::read_symlink(link).string() + " (link " +
                        link.string() + ")");
    EXPECT_EQ(process.end(SIGINT), 0);
}

TEST_F(Command, CanBeUnpluggedAndPluggedInAgain) {
    Process process({.families = {"jkbms_pb"}, .path = link.string()});
    process.line();
    int fd = open_terminal(link);
    const std::string identity = identity_at(fd, 1);
    EXPECT_FALSE(identity.empty());

    process.signal(SIGUSR1);
    EXPECT_TRUE(eventually([&] { return !fs::exists(fs::symlink_status(link)); }));
    EXPECT_TRUE(eventually([&] {
        std::uint8_t byte = 0;
        return ::write(fd, &byte, 1) < 0 && errno == EIO;
    }));
    ::close(fd);

    process.signal(SIGUSR1);
    EXPECT_NE(process.line().find(link.string()), std::string::npos);
    fd = open_terminal(link);
    EXPECT_EQ(identity_at(fd, 1), identity);
    ::close(fd);
}

TEST_F(Command, ForgetsAndRemembersItsFaults) {
    Process process({.families = {"jkbms_pb"}, .path = link.string(), .faults = {"checksum"}});
    process.line();
    const int fd = open_terminal(link);
    EXPECT_EQ(identity_at(fd, 1), "");
    process.signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return !identity_at(fd, 1).empty(); }));
    process.signal(SIGUSR2);
    EXPECT_TRUE(eventually([&] { return identity_at(fd, 1).empty(); }));
    ::close(fd);
}

TEST_F(Command, RaisesAlarmsAsTheFamilyReportsThem) {
    Process process({.families = {"jkbms_pb"}, .path = link.string(), .alarms = {"low_cell_voltage"}});
    process.line();
    const int fd = open_terminal(link);
    const auto request = question(pb(), request_of(pb(), "status"), 1);
    ASSERT_EQ(::write(fd, request.data(), request.size()), static_cast<ssize_t>(request.size()));
    Reading reading;
    ASSERT_TRUE(decode_answer(pb(), request_of(pb(), "status"), 1, collect(fd, whole), reading));
    EXPECT_EQ(reading.alarms[Alarm::low_cell_voltage], Level::alarm);
    EXPECT_EQ(reading.alarms[Alarm::high_cell_voltage], Level::ok);
    ::close(fd);
}

TEST_F(Command, OpensSeveralPortsWithDifferentBatteries) {
    Process process({.families = {"jkbms_pb"}, .path = link.string(), .ports = 2});
    process.line();
    process.line();
    const int one = open_terminal(link.string() + "1");
    const int two = open_terminal(link.string() + "2");
    EXPECT_FALSE(identity_at(one, 1).empty());
    EXPECT_NE(identity_at(one, 1), identity_at(two, 1));
    ::close(one);
    ::close(two);
}

TEST_F(Command, ServesOneTcpClientAfterTheOther) {
    Process process({.families = {"jkbms_pb"}, .kind = PortKind::tcp});
    const std::string line = process.line();
    const std::string before = "jkbms_pb addresses 0x01 on tcp://127.0.0.1:";
    ASSERT_EQ(line.substr(0, before.size()), before);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(line.substr(before.size()))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int client = 0; client < 2; ++client) {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_FALSE(identity_at(fd, 1).empty());
        ::close(fd);
    }
    EXPECT_EQ(process.end(SIGTERM), 0);
}

std::string refusal(const SimulateOptions& options) {
    const auto result = simulate(options);
    if (result) return "not refused";
    EXPECT_EQ(result.error().cls, ErrorClass::config);
    return result.error().detail;
}

#define EXPECT_MENTIONS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(Command, RefusesWhatCannotBeSimulated) {
    EXPECT_MENTIONS(refusal({.families = {"jkbms_bp"}}), "did you mean Jkbms_pb");
    EXPECT_MENTIONS(refusal({.families = {}}), "bmsd list");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .addresses = {0}}), "master mode");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .addresses = {2, 2}}), "duplicate");
    EXPECT_MENTIONS(refusal({.families = {"jkbms"}, .addresses = {1}}), "no bus address");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .faults = {"silnce"}}), "silence");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .faults = {"silence@2"}}), "silence@2");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .alarms = {"low_cell"}}), "low_cell_voltage");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .alarms = {"low_soc:bad"}}), "warning or alarm");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .cells = 33}), "1..32");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .soc_percent = 101}), "0..100 %");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .kind = PortKind::tcp, .host = "here"}), "numeric");
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .path = (directory / "no" / "where").string()}), "no/where");
}

TEST_F(Command, LeavesAFileAlone) {
    std::ofstream(link) << "precious";
    EXPECT_MENTIONS(refusal({.families = {"jkbms_pb"}, .path = link.string()}), "not a symbolic link");
    EXPECT_EQ(fs::file_size(link), 8U);
}

TEST(SimulateHelp, ExplainsSignalsAndFaults) {
    const std::string help = simulate_help();
    for (const char* part : {"SIGUSR1", "SIGUSR2", "silence[:N]", "master[:MS]"}) EXPECT_MENTIONS(help, part);
}

}  // namespace
}  // namespace bmsd::sim
