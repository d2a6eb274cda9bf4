#include "sim/can_bus.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <boost/asio/redirect_error.hpp>

#include "loop/loop.hpp"

namespace bmsd::sim {
namespace {

/// The fastest messages come so often.
constexpr std::chrono::milliseconds tick{20};
constexpr std::chrono::milliseconds reopen_pause{500};
constexpr std::size_t outbox_limit = 4096;

}  // namespace

CanBattery::CanBattery(const bms::Family& family, std::uint32_t address, const PackOptions& pack,
                       std::span<const Fault> faults, double speed)
    : family_(family), pack_(pack), faults_(faults, address), speed_(speed) {
    asking_.address = address;
    due_.resize(family.can->messages.size());
}

void CanBattery::advance(Clock::time_point now) {
    const auto before = lived_until_.value_or(now);
    lived_until_ = std::max(before, now);
    pack_.step(speed_ * std::chrono::duration<double>(*lived_until_ - before));
}

void CanBattery::tell(Clock::time_point now, std::vector<CanFrame>& out) {
    bool advanced = false;
    for (std::size_t i = 0; i < due_.size(); ++i) {
        const bms::CanMessage& message = family_.can->messages[i];
        if (message.asked_by != bms::unasked || now < due_[i]) continue;
        if (!advanced) advance(now);
        advanced = true;
        send(i, out);
        // On the grid of its period, however late this one was.
        due_[i] = due_[i] == Clock::time_point{} || now - due_[i] > message.period ? now + message.period
                                                                                   : due_[i] + message.period;
    }
}

void CanBattery::answer(const CanFrame& frame, Clock::time_point now, std::vector<CanFrame>& out) {
    const auto questions = family_.can->questions;
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const CanFrame asked = frame_of(family_, questions[i], asking_.address);
        if (asked.id != frame.id || asked.extended != frame.extended) continue;
        advance(now);
        for (std::size_t m = 0; m < family_.can->messages.size(); ++m)
            if (family_.can->messages[m].asked_by == i) send(m, out);
    }
}

/// The frames of a message, as far as they are not lost or damaged.
void CanBattery::send(std::size_t message, std::vector<CanFrame>& out) {
    const auto begin = static_cast<std::ptrdiff_t>(out.size());
    bms::add_frames(family_, message, asking_, pack_.reading(), out);
    const auto lost = [&](const CanFrame& frame) {
        return faults_.lacks(frame.id) || faults_.strikes(FaultKind::silence) != nullptr;
    };
    out.erase(std::remove_if(out.begin() + begin, out.end(), lost), out.end());
    for (auto frame = out.begin() + begin; frame != out.end(); ++frame)
        if (faults_.strikes(FaultKind::truncate)) frame->size /= 2;
}

CanBus::CanBus(const Executor& executor, std::unique_ptr<link::CanSocket> socket)
    : socket_(std::move(socket)), timer_(executor) {}

CanBattery& CanBus::add(const bms::Family& family, std::uint32_t address, const PackOptions& pack,
                        std::span<const Fault> faults, double speed) {
    return batteries_.emplace_back(family, address, pack, faults, speed);
}

void CanBus::enable_faults(bool on) noexcept {
    for (CanBattery& battery : batteries_) battery.enable_faults(on);
}

Task<void> CanBus::run() {
    for (;;) {
        const auto now = Clock::now();
        if (!socket_->is_open()) static_cast<void>(socket_->open({}));
        if (socket_->is_open()) exchange(now);
        timer_.expires_at(socket_->is_open() ? now + tick : now + reopen_pause);
        boost::system::error_code error;
        co_await timer_.async_wait(asio::redirect_error(use_task, error));
        if (error) co_return;
    }
}

void CanBus::exchange(Clock::time_point now) {
    std::array<link::CanReceived, 32> inbox;
    boost::system::error_code error;
    for (std::size_t count = 1; count > 0 && !error;) {
        count = socket_->read(inbox, error);
        for (std::size_t i = 0; i < count && plugged_; ++i)
            for (CanBattery& battery : batteries_) battery.answer(inbox[i].frame, now, outbox_);
    }
    if (error) return socket_->close();
    if (plugged_)
        for (CanBattery& battery : batteries_) battery.tell(now, outbox_);
    std::size_t sent = 0;
    while (sent < outbox_.size() && socket_->write(outbox_[sent]).value() != ENOBUFS) ++sent;
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent));
    if (outbox_.size() > outbox_limit) outbox_.clear();  // nobody takes them: they are old news
}

}  // namespace bmsd::sim
