// Files are written beside the event loop: a disk may take as long as it likes.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <boost/asio/thread_pool.hpp>

#include "loop/loop.hpp"
#include "model/report.hpp"

namespace bmsd::app {

/// Replaces a file by one with this content, now or later.
using ReplaceFile = std::function<void(std::string path, std::string content)>;

/// Replaces files one after the other on a thread of its own, which gets copies and shares nothing with the rest.
class FileWriter {
public:
    /// Failures are reported on `executor`, the first one of each file until it can be written again, which is reported
    /// as well. What could not be written is tried again with every later write() of any file, every `pause`, and at
    /// the end.
    FileWriter(Executor executor, Report report, std::chrono::steady_clock::duration pause = std::chrono::minutes{1});
    /// Writes what is still to be written.
    ~FileWriter();
    FileWriter(const FileWriter&) = delete;
    FileWriter& operator=(const FileWriter&) = delete;

    /// See write_atomically(); a folder that is missing is made, and a file that is as it should be is left alone:
    /// flash wears. Later content of the same file wins: what still waits then is not written at all, so that whoever
    /// changes something faster than the disk can follow costs one file of memory, not all of them.
    void write(std::string path, std::string content);

private:
    struct File {
        std::string path, content;
    };
    struct Outcome {
        std::string path;
        std::string trouble;  ///< empty: written
    };

    void try_again();
    void work();
    void tell();
    void try_again_later();

    Executor executor_;
    Report report_;
    std::chrono::steady_clock::duration pause_;
    Timer retry_;
    bool retrying_ = false;             ///< retry_ runs
    std::vector<std::string> failing_;  ///< files whose trouble the log knows
    std::shared_ptr<char> alive_ = std::make_shared<char>();
    std::mutex mutex_;
    std::deque<File> waiting_;       ///< guarded by mutex_, each path once, in the order in which they came
    std::vector<File> failed_;       ///< guarded by mutex_, each path once: the newest content that failed
    bool working_ = false;           ///< guarded by mutex_
    std::vector<Outcome> outcomes_;  ///< guarded by mutex_
    boost::asio::thread_pool thread_{1};
};

}  // namespace bmsd::app
