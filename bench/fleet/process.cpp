#include "fleet/process.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bmsd::bench {
namespace {

using namespace std::chrono_literals;

std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

/// The number behind `label` at the start of a line; 0 if there is none.
std::uint64_t number_after(const std::string& text, const std::string& label) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(label)) return std::stoull(line.substr(label.size()));
    return 0;
}

sigset_t ending_signals() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

/// The child's side of fork(); only async-signal-safe calls.
[[noreturn]] void become(const std::vector<char*>& arguments, int in, int out, int err) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::setpgid(0, 0);  // Ctrl-C is for the benchmark, which ends its children in order
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(err, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
}

int open_for(const fs::path& file, int flags) {
    const int fd = ::open(file.c_str(), flags | O_CLOEXEC, 0644);
    if (fd < 0) throw std::system_error(errno, std::generic_category(), "cannot open " + file.string());
    return fd;
}

}  // namespace

Process::Process(const std::vector<std::string>& command, fs::path output)
    : name_(command.front()), output_(std::move(output)) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int in = open_for("/dev/null", O_RDONLY);
    const int out = open_for(output_, O_WRONLY | O_CREAT | O_TRUNC);
    const int err = open_for(output_.string() + ".err", O_WRONLY | O_CREAT | O_TRUNC);
    pid_ = ::fork();
    if (pid_ == 0) become(arguments, in, out, err);
    const int error = errno;
    for (const int fd : {in, out, err}) ::close(fd);
    if (pid_ < 0) throw std::system_error(error, std::generic_category(), "cannot start " + name_);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), name_(std::move(other.name_)), output_(std::move(other.output_)) {}

Process::~Process() {
    stop();
}

void Process::stop() noexcept {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    for (int tries = 0; tries < 500; ++tries) {
        if (::waitpid(pid_, nullptr, WNOHANG) != 0) {
            pid_ = -1;
            return;
        }
        ::usleep(10'000);
    }
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void Process::must_run() {
    if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == 0) return;
    pid_ = -1;
    throw std::runtime_error(name_ + " ended by itself; its last words:\n" + tail(output_) +
                             tail(output_.string() + ".err"));
}

Sleeper::Sleeper(std::chrono::nanoseconds interval) : pid_(::fork()) {
    if (pid_ < 0) throw std::system_error(errno, std::system_category(), "fork");
    if (pid_ > 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const timespec span{interval / 1s, (interval % 1s).count()};
    for (;;) ::nanosleep(&span, nullptr);
}

Sleeper::~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void take_signals() {
    const sigset_t set = ending_signals();
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
}

void pause_for(std::chrono::nanoseconds duration) {
    const sigset_t set = ending_signals();
    const timespec span{duration / 1s, (duration % 1s).count()};
    if (::sigtimedwait(&set, nullptr, &span) > 0) throw Interrupted{};
}

Usage usage(pid_t pid) {
    Usage sum;
    const fs::path process = "/proc/" + std::to_string(pid);
    for (const auto& thread : fs::directory_iterator(process / "task")) {
        sum.on_cpu += std::chrono::nanoseconds(std::stoll(read_file(thread.path() / "schedstat")));
        sum.wakeups += number_after(read_file(thread.path() / "status"), "voluntary_ctxt_switches:");
    }
    // Fields 14 and 15 of stat(5); the name before them may hold blanks, but ends at the last parenthesis.
    const std::string stat = read_file(process / "stat");
    std::istringstream fields(stat.substr(stat.rfind(')') + 1));
    std::string skipped;
    for (int field = 3; field < 14; ++field) fields >> skipped;
    long user = 0, system = 0;
    fields >> user >> system;
    sum.ticks = std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
    return sum;
}

Memory memory(pid_t pid) {
    const fs::path process = "/proc/" + std::to_string(pid);
    const std::string rollup = read_file(process / "smaps_rollup");
    return {static_cast<long>(number_after(rollup, "Pss:")), static_cast<long>(number_after(rollup, "Private_Dirty:"))};
}

std::size_t descriptors(pid_t pid) {
    const fs::directory_iterator open("/proc/" + std::to_string(pid) + "/fd");
    return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

std::string tail(const fs::path& file) {
    const std::string all = read_file(file);
    return all.size() <= 2000 ? all : all.substr(all.find('\n', all.size() - 2000) + 1);
}

}  // namespace bmsd::bench
