// Child processes that cannot outlive the benchmark, and what the kernel says they used.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

namespace bmsd::bench {

namespace fs = std::filesystem;

/// A running program. Its standard output goes to a file, its standard error to the same name plus ".err".
class Process {
public:
    /// Starts `command`; throws std::system_error if that is impossible.
    Process(const std::vector<std::string>& command, fs::path output);
    /// Asks it to end, and after 5 s no longer asks.
    ~Process();
    Process(Process&& other) noexcept;
    Process& operator=(Process&&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }
    [[nodiscard]] const fs::path& output() const noexcept { return output_; }
    /// Throws std::runtime_error with the last lines it wrote if it has ended.
    void must_run();
    /// Ends it.
    void stop() noexcept;

private:
    pid_t pid_;
    std::string name_;
    fs::path output_;
};

/// A process that only sleeps and wakes up, with nothing to do: what that costs on this machine.
class Sleeper {
public:
    /// Throws std::system_error if it cannot be started.
    explicit Sleeper(std::chrono::nanoseconds interval);
    ~Sleeper();
    Sleeper(const Sleeper&) = delete;
    Sleeper& operator=(const Sleeper&) = delete;

    [[nodiscard]] pid_t pid() const noexcept { return pid_; }

private:
    pid_t pid_;
};

/// Lets Ctrl-C and kill end pause_for() instead of the program, so that everything is tidied up. Call first.
void take_signals();
/// Sleeps; throws Interrupted on Ctrl-C or kill.
void pause_for(std::chrono::nanoseconds duration);
struct Interrupted {};

/// What a process used since it started, all threads.
struct Usage {
    std::chrono::nanoseconds on_cpu{0};  ///< exact, from the scheduler
    std::chrono::milliseconds ticks{0};  ///< user + system as `ps` shows it, in steps of 10 ms
    std::uint64_t wakeups = 0;           ///< times it went to sleep and was woken
};
[[nodiscard]] Usage usage(pid_t pid);

/// What a process holds now, in KiB.
struct Memory {
    long pss = 0;            ///< its fair share, libraries included
    long private_dirty = 0;  ///< what would be free without it
};
[[nodiscard]] Memory memory(pid_t pid);
/// How many descriptors it has open.
[[nodiscard]] std::size_t descriptors(pid_t pid);

/// The last lines of a text file, at most about 2 kB.
[[nodiscard]] std::string tail(const fs::path& file);

}  // namespace bmsd::bench
