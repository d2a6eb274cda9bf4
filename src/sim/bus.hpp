// Simulated batteries on one half-duplex bus, behind one byte stream, with the timing of a serial line.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include <boost/system/error_code.hpp>

#include "loop/loop.hpp"
#include "sim/responder.hpp"

namespace bmsd::sim {

using boost::system::error_code;

/// How the bus behaves.
struct BusOptions {
    std::uint32_t baud = 0;                    ///< bytes take their time on the wire; 0: they take none
    std::chrono::milliseconds turnaround{10};  ///< from the end of a request to the beginning of its answer
    double speed = 1;                          ///< seconds in the packs per second of the clock; 0 stops them
    std::vector<Fault> faults = {};
    std::uint32_t line_rate = 0;                      ///< of FaultKind::rate
    std::function<std::uint32_t()> client_rate = {};  ///< the client's; 0 or empty: not known
};

/// The bus. One thread; without requests (and without FaultKind::master) it never wakes up.
///
/// While a battery prepares or sends its answer, what the client sends is lost, as on a half-duplex line.
/// A client that does not read loses what does not fit into the stream.
class Bus {
public:
    using Stream = Descriptor;

    Bus(const Executor& executor, BusOptions options);

    /// Puts a battery on the bus; call before serve(). The reference stays good as long as the bus.
    Responder& add(const bms::Family& family, std::uint32_t address, const PackOptions& pack);

    /// Answers on `stream` until it is closed from either side; says what ended it. Needs at least one battery.
    Task<error_code> serve(Stream& stream);

    /// Switches all faults off, or on again from their beginning.
    void enable_faults(bool on);

private:
    /// The bytes that ask a battery something.
    struct Question {
        Responder* battery;
        const bms::Request* request;
        std::vector<std::uint8_t> bytes;
    };

    Task<void> sleep_until(Clock::time_point time);
    Task<void> readable_or(Stream& stream, std::optional<Clock::time_point> deadline);
    [[nodiscard]] std::optional<Clock::time_point> next_unasked() const;
    Task<void> speak_unasked(Stream& stream);
    Task<void> hear(Stream& stream, std::span<const std::uint8_t> bytes);
    /// How a badly wired client sees what is on the wire; null: as it is.
    using Damage = void (*)(Bytes& bytes);
    [[nodiscard]] Damage damage() const;
    [[nodiscard]] const Question* recognise() const;
    [[nodiscard]] bool says(const Responder& battery, const bms::Control& control, const bms::Request& step,
                            bms::Asking& asking);
    /// Answers a step of a control, if that is what was heard; says whether it was.
    Task<bool> obey(Stream& stream, Clock::time_point now);
    [[nodiscard]] bool ends_with(std::span<const std::uint8_t> bytes) const noexcept;
    /// Says whether an answer was sent.
    Task<bool> reply(Stream& stream, const Question& question, Clock::time_point asked);
    enum class Ears : std::uint8_t { open, shut };
    Task<void> transmit(Stream& stream, std::span<const std::uint8_t> bytes, Clock::time_point start, Ears ears);
    [[nodiscard]] Clock::duration wire_time(std::size_t bytes) const noexcept;

    BusOptions options_;
    Timer timer_;
    Stream* serving_ = nullptr;
    std::deque<Responder> batteries_;
    std::vector<Question> questions_;
    FaultPlan faults_;

    Bytes heard_;  ///< end of what the client sent since the last pause or request
    Clock::time_point first_heard_{};
    Clock::time_point last_heard_{};
    Bytes out_;
    Bytes built_;
    std::multimap<Clock::time_point, Bytes> late_;
    Clock::time_point next_broadcast_{};
};

}  // namespace bmsd::sim
