// Talking on one bus: silence before a request, one request at a time, its answer, and what was heard of others.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bms/transaction.hpp"
#include "engine/diagnosis.hpp"
#include "engine/pace.hpp"
#include "link/link.hpp"
#include "loop/loop.hpp"
#include "model/battery.hpp"

namespace bmsd::engine {

/// Whose request it is: where its answers are counted. Outlives the request.
struct Account {
    Counters& counters;
    Evidence& evidence;
};

/// The one way to ask something on a port. Used by one coroutine at a time.
class Dialogue {
public:
    Dialogue(Executor executor, std::unique_ptr<link::ByteLink> link);

    [[nodiscard]] link::ByteLink& link() noexcept { return *link_; }
    [[nodiscard]] const link::ByteLink& link() const noexcept { return *link_; }

    /// Opens the port at this rate (again); forgets what the device failed with before.
    Task<Result<void>> open(std::uint32_t baud);
    [[nodiscard]] std::uint32_t baud() const noexcept { return baud_; }

    /// Sends a request once and decodes its answer into `reading`, which is untouched on failure.
    Task<Result<void>> ask(const bms::Family& family, const bms::Request& request, bms::Asking asking, Pace& pace,
                           Account account, Reading& reading);

    /// The answer to the last request, if it was good; valid until the next is sent.
    [[nodiscard]] std::span<const std::uint8_t> last_payload() const noexcept { return transaction_.reply().payload; }

    /// Whether the last request was refused, but is worth asking again at once: the other way, as this battery is asked
    /// from now on.
    [[nodiscard]] bool otherwise() const noexcept { return transaction_.reply().otherwise; }

    /// Whether anything came after the last request, good or not, but for its own echo.
    [[nodiscard]] bool heard() const noexcept;

    /// Not empty: the device is gone, and nothing can be asked until open().
    [[nodiscard]] const link::error_code& device_error() const noexcept { return device_error_; }

    /// What bytes that nobody asked for say of the bus (static text); called at most once per request.
    std::function<void(std::string_view why)> on_unsolicited;
    [[nodiscard]] std::uint64_t unsolicited_bytes() const noexcept { return unsolicited_bytes_; }

    Task<void> sleep_until(Clock::time_point when);
    /// Whether the family's gap after the last answer is over. To wait for what has been costs a coroutine.
    [[nodiscard]] bool is_quiet() const { return quiet_at() <= Clock::now(); }
    Task<void> quiet() { return sleep_until(quiet_at()); }
    /// When the last answer was complete, as far as that is known: it may have been slept over.
    [[nodiscard]] Clock::time_point answered() const noexcept { return answered_; }

private:
    [[nodiscard]] Clock::time_point quiet_at() const noexcept {
        return answered_ + (last_family_ ? last_family_->timing.gap : std::chrono::milliseconds{0});
    }
    [[nodiscard]] bool hear_unasked(const bms::Family& family, const bms::Asking& asking, Account account);
    Task<void> wait_for_silence(const bms::Family& family, Account account);
    void count_unasked(std::size_t bytes, Account account);
    [[nodiscard]] bool fetch(std::size_t usual);
    Task<void> collect(const bms::Family& family, Pace& pace, Clock::time_point sent, Clock::time_point first_byte);
    void count(const Result<void>& result, Account account);
    void weigh(const Error& error, Evidence& evidence);
    [[nodiscard]] bool answers_again(std::span<const std::uint8_t> bytes) const;

    std::unique_ptr<link::ByteLink> link_;
    Timer timer_;
    bms::Transaction transaction_;
    Bytes request_;
    std::uint32_t baud_ = 0;
    Clock::time_point answered_{};
    /// The last question: what comes unasked may be a second answer to it.
    const bms::Family* last_family_ = nullptr;
    const bms::Request* last_request_ = nullptr;
    std::uint32_t last_address_ = 0;
    std::vector<std::uint32_t> otherwise_;  ///< addresses that are asked the other way: see bms::Asking
    std::uint32_t framing_errors_ = 0;
    link::error_code device_error_{};
    std::uint64_t unsolicited_bytes_ = 0;
};

}  // namespace bmsd::engine
