#include "app/file_writer.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio/post.hpp>

#include "app/atomic_file.hpp"

namespace bmsd::app {

FileWriter::FileWriter(Executor executor, Report report) : executor_(std::move(executor)), report_(std::move(report)) {}

FileWriter::~FileWriter() {
    thread_.join();
    tell();
}

void FileWriter::write(std::string path, std::string content) {
    asio::post(thread_, [this, alive = std::weak_ptr<char>(alive_), path = std::move(path),
                         content = std::move(content)]() mutable {
        const auto written = write_atomically(path, content);
        {
            const std::lock_guard lock(mutex_);
            outcomes_.push_back({std::move(path), written ? "" : written.error().detail});
        }
        asio::post(executor_, [this, alive = std::move(alive)] {
            if (!alive.expired()) tell();
        });
    });
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
