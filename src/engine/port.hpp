// The life of one port: open, detect, identify, poll its batteries in turn, recover.
#pragma once

#include <memory>
#include <vector>

#include "control/parameters.hpp"
#include "engine/detector.hpp"
#include "engine/dialogue.hpp"
#include "engine/memory.hpp"
#include "engine/registry.hpp"
#include "engine/settings.hpp"
#include "engine/station.hpp"
#include "model/battery.hpp"

namespace bmsd::engine {

/// What all ports share.
struct Context {
    const control::Parameters& parameters;
    Registry& registry;
    std::vector<Sink*>& sinks;
    Report report;
    std::function<void()> opened;                              ///< a port has made its first attempt to open
    bool config_error = false;                                 ///< see Battery::config_error
    bool config_blocks = false;                                ///< see Battery::config_blocks
    Memory* memory = nullptr;                                  ///< may be null: nothing is remembered
    BatteryMemory* batteries = nullptr;                        ///< may be null: nothing is remembered
    std::function<control::Surroundings()> surroundings = {};  ///< may be null: there is nothing around
};

class Port {
public:
    Port(asio::any_io_executor executor, PortSettings settings, std::unique_ptr<link::ByteLink> link, Context& context);

    /// Runs until the executor stops.
    asio::awaitable<void> run();

    /// Tells the faces that all batteries of this port are gone, after their state was kept.
    void remove_all();

    /// Hands the state of every battery that is known to the memory.
    void keep_states() const;

    /// The port is about to be removed: what fails now is no news.
    void expect_end() noexcept { complained_ = true; }

    /// Shown with its batteries; see Context.
    void set_config_state(bool error, bool blocks);

    /// See Desk::give; absent if the battery is not on this port.
    [[nodiscard]] std::optional<Result<void>> give(const Battery& battery, Order order, double value);

    [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
    [[nodiscard]] const std::vector<Station>& stations() const noexcept { return stations_; }
    [[nodiscard]] std::uint64_t reopens() const noexcept { return reopens_; }
    [[nodiscard]] std::uint64_t unsolicited_bytes() const noexcept { return dialogue_.unsolicited_bytes(); }
    /// Result of the first attempt to open; absent until it was made.
    [[nodiscard]] const std::optional<Result<void>>& first_open() const noexcept { return first_open_; }

private:
    using Outcome = Result<void>;

    asio::awaitable<void> open();
    asio::awaitable<void> detect();
    asio::awaitable<bool> search(std::span<const Candidate> among, Detector& detector);
    void settle(const Candidate& found, std::uint32_t address);
    void report_unknown(std::span<const Candidate> among, const Evidence& evidence);
    asio::awaitable<void> serve();
    asio::awaitable<bool> round();
    asio::awaitable<Outcome> poll(Station& station);
    [[nodiscard]] Result<void> accept(Station& station, Order order, double value);
    void complain_of_order(Station& station, Order order, const std::string& why);
    asio::awaitable<void> obey(Station& station);
    void settle_identity(Station& station, bool complete);
    asio::awaitable<Outcome> ask(Station& station, std::size_t request, Reading& reading);
    asio::awaitable<Outcome> ask_once(Station& station, std::size_t request, Reading& reading);

    [[nodiscard]] std::vector<Address> addresses_of(const bms::Family& family) const;
    [[nodiscard]] std::vector<Address> shown_addresses(const bms::Family& family) const;
    void make_stations(const bms::Family& family, std::vector<Address> addresses);
    void succeeded(Station& station, Clock::time_point began);
    void report_decisions(const Station& station, std::uint32_t mode_changes, std::uint32_t limitation_changes);
    void failed(Station& station, const Error& error);
    void judge(Station& station, const Error* error);
    void weigh_doubt(Station& station);
    void tell_unsolicited(std::string_view why);
    void take_up(Station& station);
    void appear(Station& station);
    void give_up(Station& station);
    void keep_state(const Station& station) const;
    void replace_if_other(Station& station);
    void watch_silence();
    [[nodiscard]] std::chrono::milliseconds interval() const;
    [[nodiscard]] bms::Asking asking(const Station& station, const Reading& known) const;

    PortSettings settings_;
    Context& context_;
    Dialogue dialogue_;
    const bms::Family* family_ = nullptr;  ///< what is polled, or shown as waiting until it is found
    bool found_ = false;                   ///< family and rate are known
    std::uint32_t rate_ = 0;               ///< baud
    std::vector<Station> stations_;
    unsigned failed_in_row_ = 0;           ///< failed polls since any battery of this port answered
    bool complained_ = false;              ///< the log knows that the port cannot be opened
    std::string_view unsolicited_told_{};  ///< the log knows of this one
    std::optional<Result<void>> first_open_;
    std::uint64_t reopens_ = 0;
};

}  // namespace bmsd::engine
