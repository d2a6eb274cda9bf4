// The life of one port: open, detect, identify, poll its batteries in turn, recover.
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "bms/transaction.hpp"
#include "control/parameters.hpp"
#include "engine/registry.hpp"
#include "engine/settings.hpp"
#include "engine/station.hpp"
#include "link/link.hpp"
#include "model/battery.hpp"

namespace bmsd::engine {

namespace asio = boost::asio;

/// What all ports share.
struct Context {
    const control::Parameters& parameters;
    Registry& registry;
    std::vector<Sink*>& sinks;
    Report report;
    std::function<void()> opened;  ///< a port has made its first attempt to open
    bool config_error = false;     ///< see Battery::config_error
    bool config_blocks = false;    ///< see Battery::config_blocks
};

class Port {
public:
    Port(asio::any_io_executor executor, PortSettings settings, std::unique_ptr<link::ByteLink> link, Context& context);

    /// Runs until the executor stops.
    asio::awaitable<void> run();

    /// Tells the faces that all batteries of this port are gone.
    void remove_all();

    [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
    [[nodiscard]] const std::vector<Station>& stations() const noexcept { return stations_; }
    [[nodiscard]] std::uint64_t reopens() const noexcept { return reopens_; }
    [[nodiscard]] std::uint64_t unsolicited_bytes() const noexcept { return unsolicited_bytes_; }
    /// Result of the first attempt to open; absent until it was made.
    [[nodiscard]] const std::optional<Result<void>>& first_open() const noexcept { return first_open_; }

private:
    using Outcome = Result<void>;

    asio::awaitable<void> open();
    asio::awaitable<void> detect();
    asio::awaitable<bool> try_family(const bms::Family& family, std::uint32_t rate);
    void report_unknown();
    asio::awaitable<void> serve();
    asio::awaitable<bool> round();
    asio::awaitable<Outcome> poll(Station& station);
    void settle_identity(Station& station, bool complete);
    asio::awaitable<Outcome> ask(Station& station, std::size_t request, Reading& reading);
    asio::awaitable<Outcome> ask_once(Station& station, std::size_t request, Reading& reading);
    asio::awaitable<void> collect(Pace& pace, std::chrono::nanoseconds request_time, std::chrono::milliseconds timeout);
    asio::awaitable<void> sleep_until(Clock::time_point when);

    void drain(Station& station);
    void make_stations(const bms::Family& family);
    void succeeded(Station& station, Clock::time_point began);
    void failed(Station& station, const Error& error);
    void count(Station& station, const Error& error);
    void appear(Station& station);
    void replace_if_other(Station& station);
    void watch_silence();
    [[nodiscard]] std::chrono::milliseconds interval() const;
    [[nodiscard]] bms::Asking asking(const Station& station, const Reading& known) const;

    PortSettings settings_;
    std::unique_ptr<link::ByteLink> link_;
    Context& context_;
    asio::steady_timer timer_;
    const bms::Family* family_ = nullptr;
    std::uint32_t rate_ = 0;  ///< baud
    std::vector<Station> stations_;
    bms::Transaction transaction_;
    Bytes request_;
    Clock::time_point quiet_until_{};  ///< the family's gap after the last answer
    unsigned failed_in_row_ = 0;       ///< failed polls since any battery of this port answered
    link::error_code device_error_{};  ///< the device is gone: open again
    bool complained_ = false;          ///< the log knows that the port cannot be opened
    std::optional<Result<void>> first_open_;
    std::uint64_t reopens_ = 0;
    std::uint64_t unsolicited_bytes_ = 0;
};

}  // namespace bmsd::engine
