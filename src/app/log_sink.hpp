// Where the log goes: the event loop never waits for whoever reads it.
#pragma once

#include <cstdint>
#include <string_view>

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>

namespace bmsd::app {

/// Writes each line to a descriptor that takes it at once. One that does not (its reader has stopped or is gone, the
/// disk is full) loses the line; how many were lost is said before the next line that gets through.
class LogSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    explicit LogSink(int fd) : fd_(fd) {}

private:
    void sink_it_(const spdlog::details::log_msg& message) override;
    void flush_() override {}
    bool put(const spdlog::details::log_msg& message);

    int fd_;
    std::uint64_t lost_ = 0;  ///< lines since the last one that got through
};

}  // namespace bmsd::app
