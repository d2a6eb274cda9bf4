// A battery as the faces see it: who it is, what it last said, what follows from that, how its link is.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "model/error.hpp"
#include "model/reading.hpp"

namespace bmsd {

/// Steady time; intervals only.
using Clock = std::chrono::steady_clock;

/// How recent the data of a battery are.
enum class LinkState : std::uint8_t {
    starting,  ///< never answered yet
    fresh,     ///< answers as polled
    stale,     ///< silent for longer than two polls and 10 s: values are old
    lost,      ///< silent for longer than 60 s
};
[[nodiscard]] std::string_view to_string(LinkState state) noexcept;

/// What happened on the wire, counted since start.
struct Counters {
    std::uint64_t requests = 0;
    std::uint64_t good = 0;           ///< answers decoded
    std::uint64_t timeouts = 0;       ///< not a single byte came
    std::uint64_t short_answers = 0;  ///< an answer was cut short
    std::uint64_t checksum_errors = 0;
    std::uint64_t foreign_address = 0;    ///< somebody else, or a late answer
    std::uint64_t refused = 0;            ///< the BMS said no, or impossible content
    std::uint64_t bytes = 0;              ///< on the wire: requests and what was received until their answers ended
    std::uint64_t unsolicited_bytes = 0;  ///< bytes that nobody asked for
    std::uint64_t reopens = 0;            ///< the port was opened again
};

/// The link to one battery.
struct Link {
    LinkState state = LinkState::starting;
    std::chrono::seconds silent{0};          ///< since the last good answer (or since start)
    std::chrono::milliseconds poll_time{0};  ///< the last complete poll took
    std::uint64_t polls = 0;                 ///< complete polls
    unsigned errors = 0;                     ///< failed polls until one minute passed without any
    std::chrono::seconds errors_for{0};      ///< since the first of them
    std::string trouble;                     ///< why it does not answer, for a person; empty when fresh
    Counters counters;
};

/// Who a battery is. Fixed once it appeared.
struct Identity {
    std::string id;                        ///< unique among all batteries: serial number, or port + address
    std::string former_id;                 ///< what the Python driver called it, where that was made up; else empty
    std::string type;                      ///< BMS_TYPE, e.g. "Jkbms_pb"
    std::string label;                     ///< BMS type text for people, e.g. "JKBMS PB Model"
    std::string hardware;                  ///< hardware (and firmware) version text
    std::string port;                      ///< as the user names it, e.g. "/dev/ttyUSB0"
    std::optional<std::uint32_t> address;  ///< on the bus; absent where the family has none
    std::string address_text;              ///< as written in the config; empty if the user named none
};

/// Whether the name of a battery is that of its port alone: so without an address, and with 0 in any spelling
/// (venus.md, dbus.md "names"). `text`: as in Identity::address_text; a word that is no number is part of the name.
[[nodiscard]] inline bool named_by_port(std::optional<std::uint32_t> address, std::string_view text) noexcept {
    return text.empty() || (address.value_or(0) == 0 && text.front() >= '0' && text.front() <= '9');
}

/// What the rules must know of the kind of BMS.
struct Traits {
    double cell_step_v = 0;  ///< steps in which cell voltages are told: a difference of one step may be none; 0 = fine
    bool low_soc_by_threshold = false;  ///< has no alarm of its own for a low state of charge
    bool voltage_limits = false;  ///< its voltage limits may be followed, see control::Parameters::use_bms_voltages
    bool cells_untold = false;    ///< may tell no cell voltages: until it does, each is an equal share of the pack
    CurrentLimits current_limits = CurrentLimits::followed;
};

/// Steady time beside the date: intervals by the first, what a person reads or a restart must survive by the second.
struct Moment {
    Clock::time_point steady{};
    std::chrono::system_clock::time_point wall{};
};

/// Largest number of states of charge whose time is estimated: 0, 5, ... 100 are looked for by GUIs.
inline constexpr std::size_t max_soc_points = 21;

/// Follows from the readings; what is implausible in them is left out.
struct Summary {
    Number min_cell_v{}, max_cell_v{};       ///< of the plausible cells
    std::size_t min_cell = 0, max_cell = 0;  ///< number of that cell, from 1; 0 = unknown
    Number cell_sum_v{}, cell_diff_v{};
    Number temperature_c{};  ///< mean of the selected sensors
    Number min_temperature_c{}, max_temperature_c{};
    std::size_t min_sensor = 0, max_sensor = 0;  ///< sensor number, from 1; 0 = unknown
    Number remaining_ah{}, consumed_ah{};        ///< consumed is never positive
    Number current_a{}, power_w{};  ///< corrected; current with the direction a switched-off FET leaves possible
    Number voltage_v{};             ///< of the pack
    Number soc_percent{};           ///< counted, of another sensor, or of the BMS
    Number capacity_ah{};
    Temperatures temperatures_c{};  ///< corrected as the user says
    Number mosfet_temperature_c{};  ///< corrected as the user says
    Number mid_voltage_v{}, mid_deviation_percent{};
    Number current_average_a{};                       ///< of the last five minutes
    Number time_to_go_s{};                            ///< until the battery counts as empty, or is full
    Bounded<Number, max_soc_points> time_to_soc_s{};  ///< one per configured point; absent in the wrong direction
    std::string lost_inputs{};                        ///< sensors that delivered once and are silent, for a person
};

/// What the battery does, in Victron's numbers.
enum class Activity : std::uint8_t { initialising = 0, running = 9, standby = 14 };

/// How the battery may be treated now.
struct Limits {
    Number cvl_v{};                         ///< charge voltage limit
    Number ccl_a{}, dcl_a{};                ///< charge and discharge current limits, never negative
    Number max_cell_v{};                    ///< CVL per cell
    Number low_voltage_v{};                 ///< pack voltage at which inverters should stop
    Number ccl_target_a{}, dcl_target_a{};  ///< what the rules allow now; the limits follow it down at once, up slowly
    std::optional<bool> allow_charge{}, allow_discharge{}, allow_balance{}, allow_heat{};
    Activity activity = Activity::initialising;
    std::string charge_mode{};                                ///< text for people
    std::string charge_limitation{}, discharge_limitation{};  ///< which rule gives CCL and DCL
    // Sentences for people: what decides now, with the value that decided it, and what comes next.
    std::string cvl_reason{}, ccl_reason{}, dcl_reason{}, next_mode{};
    std::uint32_t mode_changes = 0;        ///< counts changes between bulk, absorption and float
    std::uint32_t limitation_changes = 0;  ///< counts changes of the rules that give CCL and DCL
};

/// What happened over the battery's life, as far as we have seen it (battery-logic §9). Amounts are positive.
struct History {
    Number deepest_discharge_ah, last_discharge_ah, average_discharge_ah;
    Number total_drawn_ah;
    Number charge_cycles;  ///< absent if the BMS counts them itself
    Number full_discharges;
    Number last_full_charge_s;  ///< Unix time
    Number automatic_syncs;     ///< how often it was full
    Number minimum_voltage_v, maximum_voltage_v;
    Number minimum_cell_v, maximum_cell_v;
    Number low_voltage_alarms, high_voltage_alarms;
    Number minimum_temperature_c, maximum_temperature_c;
    Number discharged_kwh, charged_kwh;

    bool operator==(const History&) const = default;
};

/// What a person may want changed.
enum class Order : std::uint8_t {
    charging,       ///< 1 on, 0 off
    discharging,    ///< 1 on, 0 off
    balancer,       ///< 1 on, 0 off
    soc,            ///< state of charge, 0..100 %
    clear_history,  ///< 1 all, 2 amounts, 3 voltages, 4 full charges, 5 alarms, 6 temperatures, 7 energies
};
inline constexpr std::size_t order_count = static_cast<std::size_t>(Order::clear_history) + 1;
/// What is done, e.g. "switching charging".
[[nodiscard]] std::string_view to_string(Order order) noexcept;
/// The error says which values the order takes.
[[nodiscard]] Result<void> check_value(Order order, double value);

/// Orders of a battery: which it takes, and what became of them.
struct Orders {
    std::array<bool, order_count> taken{};  ///< the BMS or we can do it
    std::array<bool, order_count> off{};    ///< switched off by a person since the start
    std::string trouble{};                  ///< why the last order was not followed, for a person; empty after a while

    [[nodiscard]] bool takes(Order order) const noexcept { return taken[static_cast<std::size_t>(order)]; }
    [[nodiscard]] bool switched_off(Order order) const noexcept { return off[static_cast<std::size_t>(order)]; }
};

/// Everything about one battery.
struct Battery {
    Identity identity;
    Traits traits;
    Reading reading;
    Summary summary;
    Limits limits;
    History history;
    Alarms alarms;  ///< those of the BMS, corrected by what we know better
    Link link;
    Level cable_alarm = Level::ok;  ///< the connection to the BMS is lost
    bool online = false;            ///< false: voltage, current and power are not to be shown
    bool config_error = false;      ///< the configuration has errors; shown as state and error code
    std::string config_trouble;     ///< the worst of them, with its place; may be empty
    bool internal_errors = false;   ///< so many that the values should not be trusted
    bool config_blocks = false;     ///< one of them concerns the battery's safety: monitor only, 0 A
    Orders orders;
};

/// Takes orders for batteries. Called from the one thread; must not block.
class Desk {
public:
    virtual ~Desk() = default;
    Desk() = default;
    Desk(const Desk&) = delete;
    Desk& operator=(const Desk&) = delete;

    /// Accepted orders are followed with the next poll; what became of them is told by Battery::orders and the log. The
    /// error says why nothing will be done.
    [[nodiscard]] virtual Result<void> give(const Battery& battery, Order order, double value) = 0;
    /// A face could not do something for the user: told as what becomes of orders is. `what`: "custom name".
    virtual void refuse(const Battery& battery, std::string_view what, const std::string& why) = 0;
};

/// A face that shows batteries. Called from the one thread; must not block.
class Sink {
public:
    virtual ~Sink() = default;
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    /// The first complete reading of a battery is there. `battery` lives until removed().
    virtual void appeared(const Battery& battery) = 0;
    /// Something may have changed: after every poll and on every change of the link.
    virtual void updated(const Battery& battery) = 0;
    /// The battery is given up (shut-down, or another one answers in its place).
    virtual void removed(const Battery& battery) = 0;
    /// A configured battery that has not answered yet, and why.
    virtual void waiting(const Battery& battery) { static_cast<void>(battery); }
};

}  // namespace bmsd
