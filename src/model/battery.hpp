// A battery as the faces see it: who it is, what it last said, what follows from that, how its link is.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

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
    std::uint64_t unsolicited_bytes = 0;  ///< bytes that nobody asked for
    std::uint64_t reopens = 0;            ///< the port was opened again
};

/// The link to one battery.
struct Link {
    LinkState state = LinkState::starting;
    std::chrono::seconds silent{0};          ///< since the last good answer (or since start)
    std::chrono::milliseconds poll_time{0};  ///< the last complete poll took
    std::uint64_t polls = 0;                 ///< complete polls
    std::string trouble;                     ///< why it does not answer, for a person; empty when fresh
    Counters counters;
};

/// Who a battery is. Fixed once it appeared.
struct Identity {
    std::string id;                        ///< unique among all batteries: serial number, or port + address
    std::string type;                      ///< BMS_TYPE, e.g. "Jkbms_pb"
    std::string label;                     ///< BMS type text for people, e.g. "JKBMS PB Model"
    std::string hardware;                  ///< hardware (and firmware) version text
    std::string port;                      ///< as the user names it, e.g. "/dev/ttyUSB0"
    std::optional<std::uint32_t> address;  ///< on the bus; absent where the family has none
    std::string address_text;              ///< as written in the config; empty if the user named none
};

/// Follows from the cells and sensors of one reading.
struct Summary {
    Number min_cell_v, max_cell_v;           ///< of the plausible cells
    std::size_t min_cell = 0, max_cell = 0;  ///< number of that cell, from 1; 0 = unknown
    Number cell_sum_v, cell_diff_v;
    Number temperature_c;  ///< mean of the selected sensors
    Number min_temperature_c, max_temperature_c;
    std::size_t min_sensor = 0, max_sensor = 0;  ///< sensor number, from 1; 0 = unknown
    Number remaining_ah, consumed_ah;            ///< consumed is never positive
    Number current_a, power_w;                   ///< current with the direction a switched-off FET leaves possible
};

/// How the battery may be treated now.
struct Limits {
    Number cvl_v;          ///< charge voltage limit
    Number ccl_a, dcl_a;   ///< charge and discharge current limits, never negative
    Number max_cell_v;     ///< CVL per cell
    Number low_voltage_v;  ///< pack voltage at which inverters should stop
    std::optional<bool> allow_charge, allow_discharge, allow_balance, allow_heat;
    std::string charge_mode;                              ///< text for people
    std::string charge_limitation, discharge_limitation;  ///< which rule gives CCL and DCL
};

/// Everything about one battery.
struct Battery {
    Identity identity;
    Reading reading;
    Summary summary;
    Limits limits;
    Link link;
    Level cable_alarm = Level::ok;  ///< the connection to the BMS is lost
    bool online = false;            ///< false: voltage, current and power are not to be shown
    bool config_error = false;      ///< the configuration has errors; shown as state and error code
    bool config_blocks = false;     ///< one of them concerns the battery's safety: monitor only, 0 A
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
