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
    // Somebody may have removed the folder since the start. If it cannot be made again, the file says so.
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    return write_atomically(path, content);
}

}  // namespace

FileWriter::FileWriter(Executor executor, Report report) : executor_(std::move(executor)), report_(std::move(report)) {}

FileWriter::~FileWriter() {
    thread_.join();
    tell();
}

void FileWriter::write(std::string path, std::string content) {
    const std::lock_guard lock(mutex_);
    const auto same =
        std::find_if(waiting_.begin(), waiting_.end(), [&](const File& other) { return other.path == path; });
    if (same != waiting_.end())
        same->content = std::move(content);
    else
        waiting_.push_back({std::move(path), std::move(content)});
    if (!std::exchange(working_, true)) asio::post(thread_, [this] { work(); });
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
        outcomes_.push_back({std::move(file.path), written ? "" : written.error().detail});
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
            if (failing != failing_.end()) failing_.erase(failing);
        } else if (failing == failing_.end()) {
            failing_.push_back(outcome.path);
            report_(Severity::warning, outcome.trouble);
        }
    }
}

}  // namespace bmsd::app
