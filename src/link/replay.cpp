#include "link/replay.hpp"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>

#include "loop/loop.hpp"

namespace bmsd::link {

ReplayLink::ReplayLink(Executor executor, std::string name, std::vector<Recorded> recorded)
    : name_(std::move(name)), recorded_(std::move(recorded)), timer_(std::move(executor)) {}

Task<Result<void>> ReplayLink::open(std::uint32_t) {
    pending_.clear();
    open_ = true;
    co_return Result<void>{};
}

std::size_t ReplayLink::drain(std::span<std::uint8_t>) noexcept {
    pending_.clear();  // only the rest of our own last answer: nobody else talks in a recording
    return 0;
}

Task<error_code> ReplayLink::write(std::span<const std::uint8_t> bytes) {
    pending_.clear();
    for (std::size_t i = 0; i < recorded_.size(); ++i) {
        const Recorded& candidate = recorded_[(next_ + i) % recorded_.size()];
        if (!std::equal(candidate.request.begin(), candidate.request.end(), bytes.begin(), bytes.end())) continue;
        pending_ = candidate.answer;
        next_ = (next_ + i + 1) % recorded_.size();
        break;
    }
    co_return error_code{};
}

Task<std::size_t> ReplayLink::read(std::span<std::uint8_t> into, Clock::time_point deadline, error_code& error) {
    if (const std::size_t count = read_now(into, error)) co_return count;
    timer_.expires_at(deadline);
    error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(use_task, ignored));
    error = asio::error::timed_out;
    co_return 0;
}

std::size_t ReplayLink::read_now(std::span<std::uint8_t> into, error_code& error) noexcept {
    error.clear();
    if (pending_.empty()) return 0;
    auto& piece = pending_.front();
    const std::size_t count = std::min(piece.size(), into.size());
    std::copy_n(piece.begin(), count, into.begin());
    piece.erase(piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(count));
    if (piece.empty()) pending_.erase(pending_.begin());
    return count;
}

}  // namespace bmsd::link
