// A BMS family as a datasheet: names, link, addresses, requests and the layout of their answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "bms/layout.hpp"
#include "model/bounded.hpp"
#include "model/error.hpp"
#include "model/reading.hpp"

namespace bmsd::bms {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct CanLink;

/// What the user says about the BMS because it does not say it itself, or says it wrong.
struct Options {
    bool invert_current = false;  ///< INVERT_CURRENT_MEASUREMENT = -1
    Number capacity_ah = {};      ///< BATTERY_CAPACITY, for types that do not tell theirs
    unsigned series = 4;          ///< UBMS_CAN_MODULE_SERIES
    unsigned parallel = 2;        ///< UBMS_CAN_MODULE_PARALLEL
    bool listen_only = false;     ///< CAN: nothing is sent, not even what keeps a BMS awake

    bool operator==(const Options&) const = default;
};

/// Who is asked, and what is known of it so far.
struct Asking {
    std::uint32_t address = 0;       ///< bus address; 0 where the family has none
    bool alone = true;               ///< the only battery configured on this link
    const Reading* known = nullptr;  ///< what earlier answers of this battery said; may be null
    Options options = {};
    double value = 0;               ///< for the steps of a Control: what it is to set; a switch: 1 = on, 0 = off
    std::int64_t local_time_s = 0;  ///< for a BMS whose clock is set along: seconds since 1970-01-01, local time
    bool recorded = false;          ///< heard from a file, which may break off in the middle of an answer
    /// A recorded question that is this request although another host asked it differently; empty: as built.
    std::span<const std::uint8_t> asked = {};
    /// For the steps of a Control: what the step before it answered, to change single bits of it; empty: nothing.
    /// Valid while the request is built.
    std::span<const std::uint8_t> answered = {};
    bool otherwise = false;  ///< this battery has refused the question as it is asked first: see Reply::otherwise
};

/// How far the received bytes go towards the answer of a request.
struct Reply {
    enum class Progress : std::uint8_t {
        waiting,   ///< more bytes are needed; `fault` says what would be reported if none came
        complete,  ///< `payload` is the answer
        failed,    ///< the BMS refused; waiting longer is pointless
    };
    Progress progress = Progress::waiting;
    std::size_t missing = 1;                     ///< waiting: at least so many bytes are still to come
    std::span<const std::uint8_t> payload = {};  ///< complete; or waiting: good enough if nothing more comes
    ErrorClass fault = ErrorClass::truncated;
    std::string_view why = "no answer";  ///< static text that goes with `fault`
    bool otherwise = false;              ///< failed: it may be answered if it is asked the other way
    bool acknowledges = false;           ///< complete, of Family::other: a write was accepted
};

/// When a request is sent.
enum class When : std::uint8_t {
    identify,  ///< once after the port was opened, before the first poll
    every_poll,
    sometimes,  ///< at first, then every Request::period
    on_demand,  ///< never by itself: a step of a Control, or what a person asks for
};

struct Request;

/// Builds the bytes of a request. A step of a Control for which something is not known builds none: nothing may be
/// sent then, the control has failed and goes on with Control::finally.
using Build = void (*)(const Request&, const Asking&, Bytes& out);
/// Examines everything received since the request left. Pure and total; cheap enough to call per chunk.
using Examine = Reply (*)(const Request&, const Asking&, std::span<const std::uint8_t> received);
/// Turns the payload of a frame that spells its bytes into these bytes.
using Unpack = void (*)(std::span<const std::uint8_t> payload, Bytes& plain);
/// What the tables cannot say; runs after them. An empty string_view means success, else the reason why
/// the content is impossible (ErrorClass::implausible).
using Finish = std::string_view (*)(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading&);
/// Makes a whole payload from a reading (simulator); null: zeros and the tables.
using Encode = void (*)(const Request&, const Asking&, const Reading&, Bytes& payload);
/// Wraps a payload into the frame a battery would send (simulator).
using Wrap = void (*)(const Request&, const Asking&, std::span<const std::uint8_t> payload, Bytes& out);

/// One question to the BMS and the layout of its answer.
struct Request {
    std::string_view name;
    std::string_view meaning;
    When when = When::every_poll;
    seconds period{0};              ///< for When::sometimes
    bool mandatory = true;          ///< a poll without its answer is a failed poll
    std::uint32_t selector = 0;     ///< command or register, for the builders of the family
    std::uint8_t answer_type = 0;   ///< what marks the answer, where it differs from the selector
    std::uint16_t answer_size = 0;  ///< usual bytes of the whole answer: gives its time on the wire
    bool long_tail = false;         ///< some boards send more frames than are needed: those are no surprise
    milliseconds timeout{500};      ///< until the first byte
    /// Whether this battery is to be asked at all, by what is known of it; null: always.
    bool (*wanted)(const Reading& known) = nullptr;
    Layout layout = {};
    Finish finish = nullptr;
    Encode encode = nullptr;
};

/// What the value of a control means.
enum class Setting : std::uint8_t {
    on_off,   ///< 1 or 0
    percent,  ///< 0..100
    action,   ///< no value
};

/// Something a user may change in the BMS. Never sent unless a person asked for it.
struct Control {
    std::string_view name;  ///< "charge", "discharge", "balance", "soc", "clear-alarms"
    std::string_view meaning;
    Setting setting = Setting::on_off;
    std::span<const Request> steps;         ///< in order; each must be acknowledged; builders see Asking::value
    std::span<const Request> finally = {};  ///< sent afterwards, also when a step failed (leaving a service mode)
    /// Why it must not be sent to a battery in this state; empty: it may. Null: always allowed.
    std::string_view (*forbids)(const Reading& known, double value) = nullptr;
    /// Read back: whether a reading taken afterwards shows the effect; absent: it cannot be seen. Null: never seen.
    Flag (*shows)(const Reading& after, double value) = nullptr;
    seconds pause{10};              ///< at least so long between two uses
    std::string_view warning = {};  ///< what the person must know before, e.g. that the supply of the host may end
    bool untested = false;          ///< no source has seen it succeed on hardware: only with an explicit option
};

/// Serial rates, most likely first; none: the family is not spoken on wires and never asked on a serial port.
struct SerialLink {
    std::span<const std::uint32_t> rates;
};

/// Why an address may not be used.
struct RefusedAddress {
    std::uint32_t address;
    std::string_view why;
};

/// Addresses from `first` to `last`, both included.
struct AddressRange {
    std::uint32_t first;
    std::uint32_t last;
};

/// Which addresses exist on the bus.
struct Addresses {
    bool used = false;           ///< false: one battery per port, no address in the frames
    std::uint32_t first = 0;     ///< smallest allowed
    std::uint32_t last = 0;      ///< largest allowed
    std::uint32_t standard = 0;  ///< asked when the user names none
    std::string_view meaning = {};
    std::span<const RefusedAddress> refused = {};
    /// Further ones with which batteries leave the factory: asked after `standard` when the user names none.
    std::span<const std::uint32_t> factory = {};
    /// Further ones that are never asked unless the user names them.
    std::span<const std::uint32_t> spare = {};
    /// Where batteries are met; others are possible, but more likely a mistake. Empty: anywhere.
    std::span<const AddressRange> usual = {};
};

/// Times the family demands; dossier section "Timing".
struct Timing {
    milliseconds gap{0};             ///< silence between an answer and the next request
    milliseconds between_bytes{50};  ///< a pause longer than this ends an answer
    milliseconds poll{1000};         ///< usual poll interval
    std::uint8_t retries = 1;
    std::uint8_t probes = 1;  ///< an unknown port is asked so often: 2 where the first request only wakes the BMS
};

/// What the framing can notice of a damaged answer.
enum class Integrity : std::uint8_t {
    checked,  ///< every single flipped bit
    weak,     ///< there is a checksum, but it lets many flipped bits pass
    none,     ///< nothing: only implausible content gives a damaged answer away
};

/// How to wire and prepare a battery: what is special about the family, in Markdown list items ("- ...\n"). What all
/// have in common (isolation, rules of the bus, DIP table, configuration) is added by guide_text().
struct Guide {
    bool rs485 = false;                ///< can be on an RS485 bus
    bool uart = false;                 ///< has a TTL/UART port
    bool bluetooth = false;            ///< is reached by radio
    bool can = false;                  ///< can be on a CAN bus
    std::string_view connector = {};   ///< which socket, which pins
    std::string_view addresses = {};   ///< how a battery gets its address
    unsigned dip_switches = 0;         ///< so many switches hold the address, switch n counts 2^(n-1); 0: none
    std::string_view vendor_app = {};  ///< what must be set in the vendor's app or program
    std::string_view notes = {};       ///< adapters, sleep, what else people stumble over
};

/// A BMS family.
struct Family {
    std::string_view key;    ///< folder of its vectors, name on the command line
    std::string_view type;   ///< BMS_TYPE
    std::string_view label;  ///< type text on D-Bus (/Manufacturer)
    std::span<const std::string_view> aliases = {};
    std::span<const std::string_view> sold_as = {};
    SerialLink serial = {};
    const CanLink* can = nullptr;  ///< how it is spoken on CAN (bms/can.hpp); null: it is not
    Addresses addresses = {};
    Timing timing = {};
    /// Smallest difference of two cell voltages that the BMS can tell; a spread below it is no imbalance.
    double cell_step_v = 0.001;
    /// The BMS has no alarm for a low state of charge: SOC_LOW_WARNING and SOC_LOW_ALARM give it.
    bool low_soc_by_threshold = false;
    /// Its voltage limits count if the user wants that (USE_BMS_DVCC_VALUES).
    bool voltage_limits = false;
    /// May tell no cell voltages, not even the extremes: until it does, each cell counts as an equal share of the pack.
    bool cells_untold = false;
    CurrentLimits current_limits = CurrentLimits::followed;
    std::span<const Request> requests = {};
    /// What else can be read, e.g. because it needs a service mode: never asked by the daemon, understood in
    /// recordings.
    std::span<const Request> on_demand = {};
    /// Recordings: any other request that its family knows of, or not. Family::examine finds by Asking::asked whether
    /// an answer is sound; nothing is taken from it. Null: answers to unknown requests are errors.
    const Request* other = nullptr;
    std::span<const Alarm> never_raised = {};  ///< alarms users of the reference see as "ok" although no bit exists
    std::size_t probe = 0;                     ///< index of the request that detects the family
    Build build = nullptr;
    Examine examine = nullptr;
    Unpack unpack = nullptr;  ///< before tables and Request::finish see a payload; null: as it was received
    /// Whether recorded bytes ask this request although other hosts fill them differently; null: only the very bytes
    /// of `build`. Also recognises the steps of controls, whose bytes hold a value.
    bool (*matches)(const Request&, const Asking&, std::span<const std::uint8_t> asked) = nullptr;
    std::span<const Control> controls = {};
    /// What bytes nobody asked for mean: `fault` and `why` for a person; null: just noise.
    Reply (*unsolicited)(const Asking&, std::span<const std::uint8_t>) = nullptr;
    Integrity integrity = Integrity::checked;
    /// Every answer names its address and what it is the answer to: in a recording it counts without its question.
    bool self_describing = false;
    /// Nothing in an answer says what it answers, and several have the same size: a late one passes for another, until
    /// its values are noticed to jump.
    bool answers_alike = false;
    Wrap wrap = nullptr;
    /// A serial number or name that is the same for ever and different for every battery; empty if the
    /// BMS tells none.
    std::string (*identity)(const Reading&) = nullptr;
    /// What looks wrong in a complete reading although each value can be true, with what to do (static text); empty:
    /// nothing. Told once if it lasts for ten polls. Null: never.
    std::string_view (*doubt)(const Reading&) = nullptr;
    /// Hardware text on D-Bus; null: hardware_version.
    std::string (*hardware)(const Reading&) = nullptr;
    Guide guide = {};
};

/// Whether damaged answers pass for sound ones often.
[[nodiscard]] inline bool is_weak(const Family& family) noexcept {
    return family.integrity != Integrity::checked;
}

/// Forgets what a new poll must say afresh: bits that are not raised again are no longer an alarm.
void begin_poll(Reading& reading);

/// The state of charge of a full battery whose gauge runs over; more is an error.
inline constexpr double most_soc_percent = 110;

/// Takes a state of charge above 100 % as that; gives why it is impossible if it is too far above, else nothing.
[[nodiscard]] std::string_view settle_soc(Reading& reading);

/// Decodes a complete answer into `reading`. On failure `reading` may hold parts of it: keep a copy.
[[nodiscard]] Result<void> decode(const Family& family, const Request& request, const Asking& asking,
                                  std::span<const std::uint8_t> payload, Reading& reading);

/// The answer a battery with this state gives (simulator): payload from the tables, then the frame.
void answer(const Family& family, const Request& request, const Asking& asking, const Reading& state, Bytes& out);

/// Checks an address against the family's rules; the error says which addresses exist and why. An address that may be
/// used gives what the user is to be warned of; mostly nothing, an empty text.
[[nodiscard]] Result<std::string> check_address(const Family& family, std::uint32_t address);

/// The lines of the configuration for a battery of this family, or for three on one bus.
[[nodiscard]] std::string config_lines(const Family& family);

/// How to wire and prepare the family, from isolation to configuration, as Markdown with headings of level 3.
[[nodiscard]] std::string guide_text(const Family& family);

/// The datasheet as Markdown.
[[nodiscard]] std::string describe(const Family& family);

}  // namespace bmsd::bms
