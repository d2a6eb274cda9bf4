#include "app/file_writer.hpp"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "app/atomic_file.hpp"
#include "app/file_content.hpp"

namespace bmsd::app {
namespace {

Result<void> replace(const std::string& path, std::string_view content) {
    if (file_content(path, content.size() + 1) == content) return {};
    // Somebody may have removed the folder since the start.
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    if (error)
        return tl::unexpected(Error{ErrorClass::config, path + ": its folder cannot be made: " + error.message()});
    return write_atomically(path, content);
}

/// The file with this path; the end if there is none.
template <class Files>
auto with_path(Files& files, const std::string& path) {
    return std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.path == path; });
}

}  // namespace

FileWriter::FileWriter(Executor executor, Report report, std::chrono::steady_clock::duration pause)
    : executor_(std::move(executor)), report_(std::move(report)), pause_(pause), retry_(executor_) {}

FileWriter::~FileWriter() {
    // Behind all that is still to be written, so that it holds for what fails only now as well.
    asio::post(thread_, [this] { try_again(); });
    thread_.join();
    tell();
}

void FileWriter::write(std::string path, std::string content) {
    {
        const std::lock_guard lock(mutex_);
        const auto same = with_path(waiting_, path);
        if (same != waiting_.end())
            same->content = std::move(content);
        else
            waiting_.push_back({std::move(path), std::move(content)});
    }
    try_again();
}

/// Whatever waits, and behind it what failed.
void FileWriter::try_again() {
    const std::lock_guard lock(mutex_);
    for (File& file : failed_)
        if (with_path(waiting_, file.path) == waiting_.end()) waiting_.push_back(std::move(file));
    failed_.clear();
    if (!waiting_.empty() && !std::exchange(working_, true)) asio::post(thread_, [this] { work(); });
}

/// Beside the event loop.
void FileWriter::work() {
    std::unique_lock lock(mutex_);
    while (!waiting_.empty()) {
        File file = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        const auto written = replace(file.path, file.content);
        lock.lock();
        outcomes_.push_back({file.path, written ? "" : written.error().detail});
        // What came meanwhile is newer, and is tried in its turn.
        if (!written && with_path(waiting_, file.path) == waiting_.end()) failed_.push_back(std::move(file));
        asio::post(executor_, [this, alive = std::weak_ptr<char>(alive_)] {
            if (!alive.expired()) tell();
        });
    }
    working_ = false;
}

/// A full disk is said once for each file, not every few minutes.
void FileWriter::tell() {
    std::vector<Outcome> outcomes;
    {
        const std::lock_guard lock(mutex_);
        outcomes.swap(outcomes_);
    }
    for (const Outcome& outcome : outcomes) {
        const auto failing = std::find(failing_.begin(), failing_.end(), outcome.path);
        if (outcome.trouble.empty()) {
            if (failing == failing_.end()) continue;
            failing_.erase(failing);
            report_(Severity::info, outcome.path + ": written again");
        } else if (failing == failing_.end()) {
            failing_.push_back(outcome.path);
            report_(Severity::warning, outcome.trouble);
        }
    }
    if (!failing_.empty()) try_again_later();
}

/// Nothing else may be written for hours. As long as all is well there is nothing to wake up for.
void FileWriter::try_again_later() {
    if (std::exchange(retrying_, true)) return;
    retry_.expires_after(pause_);
    retry_.async_wait([this, alive = std::weak_ptr<char>(alive_)](boost::system::error_code cancelled) {
        if (cancelled || alive.expired()) return;
        retrying_ = false;
        try_again();
    });
}

}  // namespace bmsd::app
