// A family on a CAN bus as a datasheet: which frames it sends, what stands in them, what must be sent to it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "bms/family.hpp"
#include "bms/transaction.hpp"
#include "model/battery.hpp"
#include "model/can_frame.hpp"

namespace bmsd::bms {

/// How much depends on a message.
enum class Need : std::uint8_t {
    optional,   ///< its values are absent while it is
    mandatory,  ///< without it there is no reading; a recording may lack it
    always,     ///< without it nothing can be said, not even of a recording
};

struct CanMessage;
class CanView;

/// A message that is sent unasked.
inline constexpr std::size_t unasked = 0xFF;

/// What tables cannot say of one frame; runs after them. Empty: fine, else why its content is impossible.
using TakeFrame = std::string_view (*)(std::size_t part, const Asking&, std::span<const std::uint8_t> data, Reading&);
/// Makes the rest of a simulated frame, behind the tables; false: a battery in this state does not send this part.
using EncodeFrame = bool (*)(std::size_t part, const Asking&, const Reading& state, CanFrame& frame);

/// One kind of frame a battery sends, or several frames that belong together ("parts").
struct CanMessage {
    std::string_view name;
    std::string_view meaning;
    std::uint32_t id = 0;  ///< of the first part, at the first address
    bool extended = false;
    std::uint32_t mask = can_id_mask;  ///< bits of the id that tell the message; the others may vary
    std::uint32_t per_address = 0;     ///< added to the id per address above the first
    std::uint16_t parts = 1;
    std::uint32_t per_part = 0;  ///< added to the id per part; 0 with several parts: CanLink::part_of tells
    Need need = Need::optional;
    /// Sent once in every cycle of the battery: frames of this kind are not mixed with those of another cycle, unless
    /// one is missing.
    bool cyclic = false;
    bool proves = false;             ///< with CanLink::senders: only a battery sends it, not who watches one
    bool sporadic = false;           ///< only sent while it has something to tell
    milliseconds period{1000};       ///< usual time from one to the next
    milliseconds valid{5000};        ///< counts for so long; 0: for ever
    std::size_t asked_by = unasked;  ///< index of the question it answers
    Layout layout = {};              ///< `size`: shorter frames are refused
    std::uint8_t size = 8;           ///< bytes a battery sends (simulator)
    TakeFrame take = nullptr;
    EncodeFrame encode = nullptr;
};

/// Something that we send.
struct CanQuestion {
    std::string_view name;
    std::string_view meaning;
    std::uint32_t id = 0;
    bool extended = false;
    std::uint32_t per_address = 0;
    When when = When::every_poll;  ///< `sometimes`: every `period`, whether or not it is answered
    milliseconds period{0};
    std::uint8_t size = 8;
    std::array<std::uint8_t, 8> data{};
    /// Whether it may be sent now; null: always.
    bool (*wanted)(const CanView&) = nullptr;
};

/// Frames of others that tell something about the bus.
struct CanMark {
    CanFilter filter;
    bool rival = false;      ///< where this is seen, the battery is none of this family
    std::string_view means;  ///< for a person
};

/// How sure a complete picture makes us that the family is the right one.
enum class Certainty : std::uint8_t {
    none,     ///< other makes send the same frames: only if the user names the family
    dialect,  ///< the set of frames proves the dialect, not the maker
    certain,
};

/// A verdict of code: nothing, or why there is no reading.
struct Verdict {
    std::string_view why = {};
    ErrorClass cls = ErrorClass::implausible;
};

/// The CAN side of a family.
struct CanLink {
    std::span<const std::uint32_t> bitrates;  ///< bit/s, most likely first
    std::span<const CanMessage> messages;
    std::span<const CanQuestion> questions = {};
    std::span<const CanMark> marks = {};
    /// The last byte of an id names the sender, who may change: only one is listened to at a time.
    bool senders = false;
    /// Whether the data of a frame with a fitting id are of this address; null: always.
    bool (*ours)(const CanMessage&, std::uint32_t address, const CanFrame&) = nullptr;
    /// Which part of a message a frame is, where the id does not tell it; -1: no part can have this number.
    int (*part_of)(const CanMessage&, const CanFrame&) = nullptr;
    /// Puts into a simulated frame what ours() and `senders` look for; null: nothing.
    void (*stamp)(std::uint32_t address, CanFrame&) = nullptr;
    /// What takes several messages; runs last.
    Verdict (*finish)(const CanView&, const Asking&, Reading&) = nullptr;
    /// What a complete picture proves; null: that it is this family.
    Certainty (*certainty)(const CanView&, const Reading&) = nullptr;
    /// Which address a frame is of, where its data tell it; absent: none of this family. Null: addresses are in ids.
    std::optional<std::uint32_t> (*address_of)(const CanFrame&) = nullptr;
};

/// The latest frames of one battery. Pure: time is told. Allocates when made, never afterwards.
class CanPicture {
public:
    /// What became of a frame.
    enum class Taken : std::uint8_t {
        foreign,     ///< not of this battery
        too_short,   ///< an id of this battery, but less data than the message has
        impossible,  ///< a part that cannot be
        taken,
    };

    /// The family must outlive it and have a CAN side.
    CanPicture(const Family& family, std::uint32_t address);

    Taken take(const CanFrame& frame, Clock::time_point when);
    /// False if no frame with the id of this one is of any interest, whatever its data are.
    [[nodiscard]] bool listens_to(const CanFrame& frame) const noexcept;

    /// Forgets what questions that are asked every poll were answered: what is heard from now on is of one poll.
    void begin_poll();
    /// Forgets everything.
    void clear();

    /// Everything known at `now`. On failure `reading` may hold parts of it. Errors: truncated (a message is missing
    /// or late), malformed (frames came, all too short), unexpected (only foreign ones), implausible.
    [[nodiscard]] Result<void> read(const Asking& asking, Clock::time_point now, Reading& reading) const;

    [[nodiscard]] const Family& family() const noexcept { return *family_; }
    [[nodiscard]] std::uint32_t address() const noexcept { return address_; }
    /// Frames that were taken so far.
    [[nodiscard]] std::uint64_t taken() const noexcept { return taken_; }
    [[nodiscard]] std::uint64_t too_short() const noexcept { return too_short_; }
    /// When the last frame was taken.
    [[nodiscard]] Clock::time_point last() const noexcept { return last_; }
    /// True if every part of every mandatory answer to questions of this kind has been heard since begin_poll().
    [[nodiscard]] bool answered(When when, Clock::time_point now) const;
    /// True if every frequent() message that is needed, or is there at all, has been heard since `since`: this battery
    /// is as quick as its tables say.
    [[nodiscard]] bool keeps_pace(Clock::time_point since, Clock::time_point now) const;

private:
    friend class CanView;

    struct Entry {
        std::array<std::uint8_t, 8> data{};
        std::uint8_t size = 0;
        bool known = false;
        std::uint64_t cycle = 0;
        Clock::time_point when{};
    };
    struct Slot {
        Entry now, before;
    };

    [[nodiscard]] bool fits(const CanMessage& message, const CanFrame& frame, std::size_t& part) const noexcept;
    bool other_sender(const CanMessage& message, const CanFrame& frame, Clock::time_point when);
    void store(std::size_t message, std::size_t part, const CanFrame& frame, Clock::time_point when);
    [[nodiscard]] const Entry* find(std::size_t message, std::size_t part, Clock::time_point now) const;
    [[nodiscard]] Result<void> complete(const Asking& asking, Clock::time_point now) const;

    const Family* family_;
    std::uint32_t address_;
    std::vector<Slot> slots_;               ///< parts of the messages, one after the other
    std::vector<std::size_t> first_;        ///< per message: its first slot
    std::vector<Clock::time_point> marks_;  ///< per mark: when it was seen last; the epoch: never
    std::vector<Clock::time_point> cut_;    ///< per message: when it came too short last; the epoch: never
    std::uint64_t cycle_ = 1;
    std::size_t in_cycle_ = 0;         ///< cyclic frames of this cycle
    std::size_t in_cycle_before_ = 0;  ///< of the one before
    std::uint64_t taken_ = 0, too_short_ = 0, impossible_ = 0, foreign_ = 0;
    Clock::time_point since_{};  ///< the first frame
    Clock::time_point last_{};
    std::uint8_t sender_ = 0;
    bool sender_proven_ = false;  ///< it has sent a message that proves it a battery
};

/// A picture at one moment.
class CanView {
public:
    CanView(const CanPicture& picture, Clock::time_point now) : picture_(picture), now_(now) {}

    /// Data of a part of a message; empty if it is not known or too old.
    [[nodiscard]] std::span<const std::uint8_t> find(std::size_t message, std::size_t part = 0) const;
    /// How long ago a mark was seen; absent: never.
    [[nodiscard]] std::optional<milliseconds> since_mark(std::size_t mark) const;
    [[nodiscard]] bool has_impossible() const noexcept { return picture_.impossible_ > 0; }
    /// Since the first frame of this battery.
    [[nodiscard]] Clock::duration listening() const noexcept { return now_ - picture_.since_; }

private:
    const CanPicture& picture_;
    Clock::time_point now_;
};

/// The id of a part of a message at an address.
[[nodiscard]] std::uint32_t id_of(const Family& family, const CanMessage& message, std::uint32_t address,
                                  std::size_t part) noexcept;

/// The frame that asks a question of an address.
[[nodiscard]] CanFrame frame_of(const Family& family, const CanQuestion& question, std::uint32_t address) noexcept;

/// Comes so often (every 100 ms or faster) that whoever listens for 120 ms of a second has the latest. Frames of a
/// cycle never do: who joins in the middle of one would mix two. What is sporadic does not: its first frame is news.
[[nodiscard]] constexpr bool frequent(const CanMessage& message) noexcept {
    return message.period <= milliseconds{100} && !message.cyclic && !message.sporadic && message.asked_by == unasked;
}

/// What of a battery's frames is meant.
enum class Frames : std::uint8_t { all, rare /**< those that are not frequent */ };

/// What must pass the filter of the interface for this battery, marks included.
void add_filters(const Family& family, std::uint32_t address, std::vector<CanFilter>& filters,
                 Frames which = Frames::all);

/// The frames of one message as a battery in this state sends them (simulator).
void add_frames(const Family& family, std::size_t message, const Asking& asking, const Reading& state,
                std::vector<CanFrame>& out);

/// What recorded frames say of each address, in the order given (none: the family's standard one).
[[nodiscard]] std::vector<Heard> listen(const Family& family, std::span<const std::uint32_t> addresses,
                                        std::span<const CanFrame> frames, const Options& options = {});

}  // namespace bmsd::bms
