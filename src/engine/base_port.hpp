// What ports of all kinds have in common: their batteries, and what becomes of each good or failed poll.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "control/parameters.hpp"
#include "engine/memory.hpp"
#include "engine/registry.hpp"
#include "engine/settings.hpp"
#include "engine/station.hpp"
#include "loop/loop.hpp"
#include "model/battery.hpp"

namespace bmsd::engine {

/// A port that does not open is tried again after the first pause, then less often.
inline constexpr std::chrono::seconds first_pause{1};
/// A battery that comes and goes is reported no more often than this.
inline constexpr std::chrono::seconds between_reports{60};
/// A battery that tells its values but not who it is appears without that after so many polls.
inline constexpr unsigned identify_patience = 5;

/// What all ports share.
struct Context {
    const control::Parameters& parameters;
    Registry& registry;
    std::vector<Sink*>& sinks;
    Report report;
    std::function<void()> opened;                              ///< a port has made its first attempt to open
    bool config_error = false;                                 ///< see Battery::config_error
    bool config_blocks = false;                                ///< see Battery::config_blocks
    std::string config_trouble = {};                           ///< see Battery::config_trouble
    Memory* memory = nullptr;                                  ///< may be null: nothing is remembered
    BatteryMemory* batteries = nullptr;                        ///< may be null: nothing is remembered
    std::function<control::Surroundings()> surroundings = {};  ///< may be null: there is nothing around
};

class BasePort {
public:
    virtual ~BasePort() = default;
    BasePort(const BasePort&) = delete;
    BasePort& operator=(const BasePort&) = delete;

    /// Runs until the executor stops.
    virtual Task<void> run() = 0;

    /// Tells the faces that all batteries of this port are gone, after their state was kept.
    void remove_all();

    /// Hands the state of every battery that is known to the memory.
    void keep_states() const;

    /// Ages the batteries that are silent, whatever the port is waiting for: its coroutine may hang in a long time-out.
    void watch_silence();
    /// When that is to be done again; at no special time for batteries that are lost or were never heard.
    [[nodiscard]] Clock::time_point next_watch(Clock::time_point now) const;

    /// The port is about to be removed: what fails now is no news.
    void expect_end() noexcept { complained_ = reason_told_ = true; }

    /// Shown with its batteries; see Context.
    void set_config_state(bool error, bool blocks, const std::string& trouble);

    /// See Desk::give; absent if the battery is not on this port.
    [[nodiscard]] std::optional<Result<void>> give(const Battery& battery, Order order, double value);
    /// See Desk::refuse; nothing if the battery is not on this port.
    void tell_refusal(const Battery& battery, std::string_view what, const std::string& why);

    [[nodiscard]] const std::string& name() const noexcept { return settings_.name; }
    [[nodiscard]] const std::vector<Station>& stations() const noexcept { return stations_; }
    [[nodiscard]] std::uint64_t reopens() const noexcept { return reopens_; }
    /// Bytes that nobody asked for.
    [[nodiscard]] virtual std::uint64_t unsolicited_bytes() const noexcept { return 0; }
    /// Result of the first attempt to open; absent until it was made.
    [[nodiscard]] const std::optional<Result<void>>& first_open() const noexcept { return first_open_; }

protected:
    BasePort(PortSettings settings, Context& context) : settings_(std::move(settings)), context_(context) {}

    Station& add_station(const bms::Family& family, Address address);
    /// Where batteries of this family are expected: as configured, else at the standard address.
    [[nodiscard]] std::vector<Address> shown_addresses(const bms::Family& family) const;
    [[nodiscard]] std::chrono::milliseconds interval(const Station& station) const;

    /// Who answers next may be another one than before: who it is, is asked again.
    virtual void doubt_identity(Station& station);

    /// How rarely a port is tried that does not open. Who it is that could help, is not always known: at boot a
    /// permission or a driver may come a little later.
    [[nodiscard]] static constexpr std::chrono::seconds slowest_reopen(const Error& error) noexcept {
        return std::chrono::seconds{error.cls == ErrorClass::config ? 30 : 5};
    }

    /// What the outcome of an attempt to open means; true: the port is open.
    bool opened(const Result<void>& outcome);

    /// The open port cannot be used any more; said once until it can be used again. `hint`: what to look for, or empty.
    void tell_unusable(const std::string& why, const char* hint = "");

    /// The battery's reading is new.
    void succeeded(Station& station, Clock::duration took);
    void failed(Station& station, const Error& error);
    /// The device is there.
    [[nodiscard]] virtual bool works() const noexcept = 0;
    /// In what time the values of a working battery are renewed: its interval, or a round of all batteries.
    [[nodiscard]] std::chrono::milliseconds renewed_within(const Station& station) const;

    /// Puts into the link's text what troubles this battery; `error` of a failed poll says more.
    virtual void judge(Station& station, const Error* error);

    PortSettings settings_;
    Context& context_;
    std::vector<Station> stations_;
    std::optional<Clock::time_point> opened_at_;  ///< the last time
    unsigned failed_in_row_ = 0;                  ///< failed polls since any battery of this port answered
    Clock::duration round_time_{};                ///< of the last round in which everybody answered
    std::optional<Result<void>> first_open_;
    std::uint64_t reopens_ = 0;

    /// Takes the first order whose pause is over; absent if there is none.
    [[nodiscard]] static std::optional<PendingOrder> take_order(Station& station);
    /// An order was not followed: the switch is shown as it was.
    void take_back(Station& station, const PendingOrder& order, const std::string& why);
    void tell_refusal(Station& station, std::string_view what, const std::string& why);
    /// An automatic "100 %" was sent; `followed`: the BMS shows it.
    void told_full(Station& station, bool followed);

private:
    /// The port that could not be used can be used, if the log knows that it could not.
    void tell_usable();
    [[nodiscard]] Result<void> accept(Station& station, Order order, double value);
    [[nodiscard]] Result<void> leave_to_bms(Station& station, Order order, double value, bool automatic);
    static void put_down(Station& station, PendingOrder order);
    void drop_orders(Station& station);
    void tell_full(Station& station);
    void take_up(Station& station);
    void give_up(Station& station);
    void keep_state(const Station& station) const;
    void weigh_doubt(Station& station);
    void tell_lost_inputs(Station& station);
    static void begin_anew(Station& station);
    void report_decisions(const Station& station, std::uint32_t mode_changes, std::uint32_t limitation_changes);
    void appear(Station& station);
    [[nodiscard]] Station* station_of(const Battery& battery) noexcept;
    [[nodiscard]] bool yields(Station& station);
    void let_go(Station& station);
    void replace_if_other(Station& station);

    bool complained_ = false;   ///< the log knows that the port cannot be used
    bool reason_told_ = false;  ///< ... and why it does not open
    bool shaky_ = false;        ///< it was opened again so soon that an answer must prove it usable
};

}  // namespace bmsd::engine
