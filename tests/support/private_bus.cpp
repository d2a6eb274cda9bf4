#include "support/private_bus.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace bmsd::test {
namespace {

constexpr const char* configuration =
    R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>ADDRESS</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
)";

std::filesystem::path make_folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "bmsd-bus-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("cannot make a folder for the test bus");
    return pattern;
}

/// Starts `dbus-daemon`; it prints its address into `address_fd` and its complaints into a file.
pid_t spawn(const std::filesystem::path& folder, int address_fd) {
    const std::string log = (folder / "log").string();
    std::string program = "dbus-daemon", config_option = "--config-file=" + (folder / "bus.conf").string(),
                nofork = "--nofork", address = "--print-address=3";
    char* arguments[] = {program.data(), config_option.data(), nofork.data(), address.data(), nullptr};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, address_fd, 3);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    pid_t pid = -1;
    const int failed = posix_spawnp(&pid, program.c_str(), &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) throw std::runtime_error(std::string{"cannot start dbus-daemon: "} + std::strerror(failed));
    return pid;
}

}  // namespace

PrivateBus::PrivateBus() : folder_(make_folder()), address_("unix:path=" + (folder_ / "bus").string()) {
    std::string text = configuration;
    text.replace(text.find("ADDRESS"), std::strlen("ADDRESS"), address_);
    std::ofstream{folder_ / "bus.conf"} << text;
    start();
}

PrivateBus::~PrivateBus() {
    stop();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void PrivateBus::start() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) throw std::runtime_error("no pipe for the test bus");
    // Descriptor 3 of the daemon must come from a dup2 between different numbers, which drops O_CLOEXEC.
    const int writing = ::fcntl(ends[1], F_DUPFD_CLOEXEC, 10);
    ::close(ends[1]);
    pid_ = spawn(folder_, writing);
    ::close(writing);
    char byte = 0;
    ssize_t count;
    do {
        count = ::read(ends[0], &byte, 1);  // it prints its address when it listens
    } while (count < 0 && errno == EINTR);
    ::close(ends[0]);
    if (count == 1) return;
    stop();
    std::ostringstream log;
    log << std::ifstream{folder_ / "log"}.rdbuf();
    throw std::runtime_error("dbus-daemon did not start: " + log.str());
}

void PrivateBus::stop() {
    end(SIGTERM);
}

void PrivateBus::die() {
    end(SIGKILL);
}

void PrivateBus::freeze() {
    ::kill(pid_, SIGSTOP);
}

void PrivateBus::thaw() {
    ::kill(pid_, SIGCONT);
}

void PrivateBus::end(int signal) {
    if (pid_ < 0) return;
    ::kill(pid_, signal);
    thaw();  // a suspended process does not see SIGTERM
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

}  // namespace bmsd::test
