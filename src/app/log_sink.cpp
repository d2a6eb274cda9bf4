#include "app/log_sink.hpp"

#include <climits>
#include <string>

#include <poll.h>
#include <unistd.h>

#include "model/words.hpp"

namespace bmsd::app {
namespace {

/// A pipe that poll() calls writable takes this much without waiting.
constexpr std::size_t longest_line = PIPE_BUF;
constexpr std::string_view cut = "...\n";

/// Others share the descriptor: it cannot be set to never block, so it is asked first. A pipe without a reader is
/// writable as well, but a write to it would end the program.
bool takes_a_line(int fd) {
    pollfd asked{fd, POLLOUT, 0};
    return ::poll(&asked, 1, 0) == 1 && asked.revents == POLLOUT;
}

}  // namespace

void LogSink::sink_it_(const spdlog::details::log_msg& message) {
    if (lost_ > 0) {
        const std::string text = "lines lost before this one, as the log was not taken: " + std::to_string(lost_);
        if (put({message.time, {}, message.logger_name, spdlog::level::warn, text})) lost_ = 0;
    }
    if (lost_ > 0 || !put(message)) ++lost_;
}

bool LogSink::put(const spdlog::details::log_msg& message) {
    if (!takes_a_line(fd_)) return false;
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (line.size() > longest_line) {
        line.resize(cut_text({line.data(), line.size()}, longest_line - cut.size()).size());
        line.append(cut.data(), cut.data() + cut.size());
    }
    return ::write(fd_, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

}  // namespace bmsd::app
