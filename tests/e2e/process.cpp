#include "process.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bmsd::test {
namespace {

using namespace std::chrono_literals;

std::string content(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

void redirect(const std::string& path, int to) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, to);
    ::close(fd);
}

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::seconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > deadline) return false;
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

Folder::Folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "bmsd-test-XXXXXX";
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("no temporary folder");
    path_ = pattern;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string Folder::write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
}

Process::Process(std::vector<std::string> arguments) {
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    // Between fork and exec nothing may allocate: another thread may have held the heap.
    const std::string out = folder_.file("out"), err = folder_.file("err");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no process");
    if (pid_ > 0) return;
    redirect(out, STDOUT_FILENO);
    redirect(err, STDERR_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
}

Process::~Process() {
    if (pid_ < 0) return;
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const {
    ::kill(pid_, number);
}

int Process::wait() {
    int status = 0;
    if (!eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; })) {
        signal(SIGKILL);
        ::waitpid(pid_, &status, 0);
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string Process::out() const {
    return content(folder_.file("out"));
}
std::string Process::err() const {
    return content(folder_.file("err"));
}

Finished bmsd(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), BMSD_BINARY);
    Process process(std::move(arguments));
    const int code = process.wait();
    return {code, process.out(), process.err()};
}

}  // namespace bmsd::test
