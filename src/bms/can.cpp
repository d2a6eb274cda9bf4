#include "bms/can.hpp"

#include <algorithm>
#include <bit>
#include <cstdio>
#include <string>
#include <utility>

namespace bmsd::bms {
namespace {

/// A sender that is silent for so long may be replaced by another one (dossier rv_c_can §6).
constexpr std::chrono::seconds sender_patience{3};

std::string id_text(std::uint32_t id, bool extended) {
    char text[16];
    std::snprintf(text, sizeof text, extended ? "0x%08X" : "0x%03X", id);
    return text;
}

tl::unexpected<Error> fail(ErrorClass cls, std::string detail) {
    return tl::unexpected(Error{cls, std::move(detail)});
}

std::uint32_t above_first(const Family& family, std::uint32_t address) noexcept {
    return family.addresses.used ? address - family.addresses.first : 0;
}

/// The address of a recording that names none: the standard one, or the lowest that speaks.
std::uint32_t address_among(const Family& family, std::span<const CanFrame> frames) {
    if (!family.can->address_of) return family.addresses.standard;
    std::optional<std::uint32_t> lowest;
    for (const CanFrame& frame : frames)
        if (const auto address = family.can->address_of(frame)) {
            if (address == family.addresses.standard) return *address;
            lowest = std::min(lowest.value_or(*address), *address);
        }
    return lowest.value_or(family.addresses.standard);
}

/// Adds a filter to those that let pass what they let pass together, in as few as possible: batteries at neighbouring
/// addresses have ids that differ in one bit, and each filter costs at every change.
void add_filter(CanFilter added, std::vector<CanFilter>& filters) {
    added.id &= added.mask;
    const auto covers = [&](const CanFilter& one) {
        return one.extended == added.extended && (one.mask & ~added.mask) == 0 && ((one.id ^ added.id) & one.mask) == 0;
    };
    if (std::any_of(filters.begin(), filters.end(), covers)) return;
    const auto neighbour = [&](const CanFilter& one) {
        return one.extended == added.extended && one.mask == added.mask && std::has_single_bit(one.id ^ added.id);
    };
    for (;;) {
        const auto one = std::find_if(filters.begin(), filters.end(), neighbour);
        if (one == filters.end()) break;
        added.mask &= ~(one->id ^ added.id);
        added.id &= added.mask;
        filters.erase(one);
    }
    filters.push_back(added);
}

}  // namespace

std::uint32_t id_of(const Family& family, const CanMessage& message, std::uint32_t address, std::size_t part) noexcept {
    return message.id + message.per_address * above_first(family, address) +
           message.per_part * static_cast<std::uint32_t>(part);
}

CanFrame frame_of(const Family& family, const CanQuestion& question, std::uint32_t address) noexcept {
    return {question.id + question.per_address * above_first(family, address), question.extended, question.size,
            question.data};
}

CanPicture::CanPicture(const Family& family, std::uint32_t address) : family_(&family), address_(address) {
    std::size_t slots = 0;
    for (const CanMessage& message : family.can->messages) {
        first_.push_back(slots);
        slots += message.parts;
    }
    slots_.resize(slots);
    marks_.resize(family.can->marks.size());
    cut_.resize(family.can->messages.size());
}

/// Whether the id is one of this message; `part` is told where the id tells it.
bool CanPicture::fits(const CanMessage& message, const CanFrame& frame, std::size_t& part) const noexcept {
    if (message.extended != frame.extended) return false;
    const std::uint32_t base = id_of(*family_, message, address_, 0);
    if (message.per_part == 0) return ((frame.id ^ base) & message.mask) == 0;
    if (frame.id < base || (frame.id - base) % message.per_part != 0) return false;
    part = (frame.id - base) / message.per_part;
    return part < message.parts;
}

bool CanPicture::listens_to(const CanFrame& frame) const noexcept {
    const CanLink& link = *family_->can;
    std::size_t part = 0;
    return std::any_of(link.marks.begin(), link.marks.end(),
                       [&](const CanMark& mark) { return mark.filter.matches(frame); }) ||
           std::any_of(link.messages.begin(), link.messages.end(),
                       [&](const CanMessage& message) { return fits(message, frame, part); });
}

CanPicture::Taken CanPicture::take(const CanFrame& frame, Clock::time_point when) {
    const CanLink& link = *family_->can;
    for (std::size_t i = 0; i < link.marks.size(); ++i)
        if (link.marks[i].filter.matches(frame)) marks_[i] = when;
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        std::size_t part = 0;
        if (!fits(message, frame, part)) continue;
        if (frame.size < message.layout.size) {
            ++too_short_;
            cut_[i] = when;
            return Taken::too_short;
        }
        if (link.ours && !link.ours(message, address_, frame)) continue;
        if (message.parts > 1 && message.per_part == 0) {
            const int told = link.part_of(message, frame);
            if (told < 0 || told >= message.parts) {
                ++impossible_;
                return Taken::impossible;
            }
            part = static_cast<std::size_t>(told);
        }
        if (link.senders && other_sender(message, frame, when)) break;
        store(i, part, frame, when);
        return Taken::taken;
    }
    ++foreign_;
    return Taken::foreign;
}

/// True if somebody else than the sender we listen to sent it, and that one is alive. A sender that has not shown to be
/// a battery gives way to one that does.
bool CanPicture::other_sender(const CanMessage& message, const CanFrame& frame, Clock::time_point when) {
    const auto sender = static_cast<std::uint8_t>(frame.id & 0xFF);
    if (taken_ > 0 && sender != sender_) {
        if (when - last_ < sender_patience && (sender_proven_ || !message.proves)) return true;
        clear();
    }
    sender_ = sender;
    sender_proven_ |= message.proves;
    return false;
}

void CanPicture::store(std::size_t message, std::size_t part, const CanFrame& frame, Clock::time_point when) {
    Slot& slot = slots_[first_[message] + part];
    if (family_->can->messages[message].cyclic) {
        if (slot.now.known && slot.now.cycle == cycle_) {  // seen already: the battery has begun its next cycle
            ++cycle_;
            in_cycle_before_ = std::exchange(in_cycle_, 0);
        }
        ++in_cycle_;
        slot.before = slot.now;
    }
    slot.now = {frame.data, frame.size, true, cycle_, when};
    if (taken_++ == 0) since_ = when;
    last_ = when;
}

void CanPicture::begin_poll() {
    const CanLink& link = *family_->can;
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        if (message.asked_by == unasked || link.questions[message.asked_by].when != When::every_poll) continue;
        for (std::size_t part = 0; part < message.parts; ++part) slots_[first_[i] + part] = {};
    }
    impossible_ = 0;
}

void CanPicture::clear() {
    std::fill(slots_.begin(), slots_.end(), Slot{});
    std::fill(marks_.begin(), marks_.end(), Clock::time_point{});
    std::fill(cut_.begin(), cut_.end(), Clock::time_point{});
    cycle_ = 1;
    in_cycle_ = in_cycle_before_ = 0;
    taken_ = too_short_ = impossible_ = foreign_ = 0;
    sender_proven_ = false;
}

const CanPicture::Entry* CanPicture::find(std::size_t index, std::size_t part, Clock::time_point now) const {
    const CanMessage& message = family_->can->messages[index];
    if (part >= message.parts) return nullptr;
    const auto counts = [&](const Entry& entry) {
        return entry.known && (message.valid.count() == 0 || now - entry.when <= message.valid);
    };
    const Slot& slot = slots_[first_[index] + part];
    const Entry* entry = &slot.now;
    if (message.cyclic) {
        // A cycle counts once it is as full as the one before it was; until then that one does. What it lacks, because
        // a frame was lost or comes less often, is what was told last.
        const std::uint64_t cycle = in_cycle_ >= in_cycle_before_ ? cycle_ : cycle_ - 1;
        if (entry->cycle > cycle && counts(slot.before)) entry = &slot.before;
    }
    return counts(*entry) ? entry : nullptr;
}

bool CanPicture::answered(When when, Clock::time_point now) const {
    const CanLink& link = *family_->can;
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        if (message.asked_by == unasked || link.questions[message.asked_by].when != when) continue;
        if (message.need != Need::optional && message.parts == 1 && !find(i, 0, now)) return false;
    }
    return true;
}

bool CanPicture::keeps_pace(Clock::time_point since, Clock::time_point now) const {
    const auto& messages = family_->can->messages;
    for (std::size_t i = 0; i < messages.size(); ++i) {
        if (!frequent(messages[i])) continue;
        const Entry* const entry = find(i, 0, now);
        if (entry ? entry->when < since : messages[i].need != Need::optional) return false;
    }
    return true;
}

/// Whether all messages are there without which nothing can be said.
Result<void> CanPicture::complete(const Asking& asking, Clock::time_point now) const {
    const CanLink& link = *family_->can;
    for (std::size_t i = 0; i < marks_.size(); ++i)
        if (link.marks[i].rival && marks_[i] != Clock::time_point{} && now - marks_[i] < std::chrono::seconds{10})
            return fail(ErrorClass::unexpected, std::string(link.marks[i].means) + " (" +
                                                    id_text(link.marks[i].filter.id, link.marks[i].filter.extended) +
                                                    ")");
    if (taken_ == 0) {
        if (too_short_ > 0) return fail(ErrorClass::malformed, "its frames have fewer data bytes than they must have");
        if (impossible_ > 0) return fail(ErrorClass::malformed, "its frames have numbers that cannot be");
        if (foreign_ > 0) return fail(ErrorClass::unexpected, "only frames of others were seen");
        return fail(ErrorClass::truncated, "no frame was seen");
    }
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        const bool needed = message.need == Need::always || (message.need == Need::mandatory && !asking.recorded);
        if (!needed || message.parts > 1 || find(i, 0, now)) continue;
        const bool cut = cut_[i] != Clock::time_point{} && now - cut_[i] < message.valid;
        return fail(ErrorClass::truncated,
                    "frame " + id_text(id_of(*family_, message, address_, 0), message.extended) + " (" +
                        std::string(message.meaning) + ") " +
                        (cut ? "is too short: it has fewer data bytes than it must have" : "is missing or late"));
    }
    return {};
}

Result<void> CanPicture::read(const Asking& asking, Clock::time_point now, Reading& reading) const {
    reading = {};
    if (auto all = complete(asking, now); !all) return all;
    const CanLink& link = *family_->can;
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        for (std::size_t part = 0; part < message.parts; ++part) {
            const Entry* const entry = find(i, part, now);
            if (!entry) continue;
            const auto data = std::span(entry->data).first(entry->size);
            decode(message.layout, data, reading);
            if (!message.take) continue;
            if (const std::string_view why = message.take(part, asking, data, reading); !why.empty())
                return fail(ErrorClass::implausible, std::string(message.name) + ": " + std::string(why));
        }
    }
    for (const Alarm alarm : family_->never_raised) reading.alarms.known(alarm);
    if (const std::string_view why = settle_soc(reading); !why.empty())
        return fail(ErrorClass::implausible, std::string(why));
    if (!link.finish) return {};
    const Verdict verdict = link.finish(CanView(*this, now), asking, reading);
    if (!verdict.why.empty()) return fail(verdict.cls, std::string(verdict.why));
    return {};
}

std::span<const std::uint8_t> CanView::find(std::size_t message, std::size_t part) const {
    const auto* const entry = picture_.find(message, part, now_);
    return entry ? std::span(entry->data).first(entry->size) : std::span<const std::uint8_t>{};
}

std::optional<milliseconds> CanView::since_mark(std::size_t mark) const {
    const Clock::time_point seen = picture_.marks_[mark];
    if (seen == Clock::time_point{}) return std::nullopt;
    return std::chrono::duration_cast<milliseconds>(now_ - seen);
}

void add_filters(const Family& family, std::uint32_t address, std::vector<CanFilter>& filters, Frames which) {
    for (const CanMessage& message : family.can->messages) {
        if (which == Frames::rare && frequent(message)) continue;
        for (std::size_t part = 0; part < (message.per_part == 0 ? 1U : message.parts); ++part)
            add_filter({id_of(family, message, address, part), message.mask, message.extended}, filters);
    }
    for (const CanMark& mark : family.can->marks) add_filter(mark.filter, filters);
}

void add_frames(const Family& family, std::size_t index, const Asking& asking, const Reading& state,
                std::vector<CanFrame>& out) {
    const CanMessage& message = family.can->messages[index];
    for (std::size_t part = 0; part < message.parts; ++part) {
        CanFrame frame{id_of(family, message, asking.address, part), message.extended, message.size, {}};
        encode(message.layout, state, frame.data);
        if (message.encode && !message.encode(part, asking, state, frame)) continue;
        if (family.can->stamp) family.can->stamp(asking.address, frame);
        out.push_back(frame);
    }
}

std::vector<Heard> listen(const Family& family, std::span<const std::uint32_t> addresses,
                          std::span<const CanFrame> frames, const Options& options) {
    const std::uint32_t standard[] = {address_among(family, frames)};
    std::vector<Heard> heard;
    // One moment for all: a recording without times tells no age.
    const Clock::time_point moment{std::chrono::hours{1}};
    for (const std::uint32_t address : addresses.empty() ? std::span<const std::uint32_t>(standard) : addresses) {
        if (auto usable = check_address(family, address); !usable) {
            heard.push_back({address, tl::unexpected(usable.error())});
            continue;
        }
        CanPicture picture(family, address);
        // Who of several senders is listened to may only turn out at the end.
        for (int pass = 0; pass < (family.can->senders ? 2 : 1); ++pass)
            for (const CanFrame& frame : frames) picture.take(frame, moment);
        Asking asking{.address = address, .alone = addresses.size() <= 1, .options = options, .recorded = true};
        Reading reading;
        if (auto read = picture.read(asking, moment, reading); !read)
            heard.push_back({address, tl::unexpected(read.error())});
        else
            heard.push_back({address, std::move(reading)});
    }
    return heard;
}

}  // namespace bmsd::bms
