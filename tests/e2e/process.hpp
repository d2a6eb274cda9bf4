// A program under test: started, watched, ended.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bmsd::test {

/// Waits until the condition holds, looking every few milliseconds; false if it does not within `patience`.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds patience = std::chrono::seconds{30});

/// A folder that is gone at the end.
class Folder {
public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
    /// Writes a file and returns its path.
    std::string write(const std::string& name, const std::string& text) const;

private:
    std::filesystem::path path_;
};

/// A child process whose output goes to files.
class Process {
public:
    /// Runs `arguments`; the first is the program.
    explicit Process(std::vector<std::string> arguments);
    /// Kills it if it still runs.
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void signal(int number) const;
    /// Waits for its end; exit code, or 128 + signal. Kills it after 30 s.
    int wait();
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;
    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    Folder folder_;
    pid_t pid_ = -1;
};

/// Runs bmsd to its end.
struct Finished {
    int code;
    std::string out, err;
};
[[nodiscard]] Finished bmsd(std::vector<std::string> arguments);

}  // namespace bmsd::test
