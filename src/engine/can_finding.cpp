// Who is on a CAN bus: whom a port listens for, and who is believed to be a battery.
#include <algorithm>
#include <utility>

#include "bms/plausible.hpp"
#include "engine/can_port.hpp"
#include "model/words.hpp"

namespace bmsd::engine {
namespace {

using bms::Certainty;

/// What is plausible in so many rounds in a row is believed; of who was there the last time one is enough.
constexpr unsigned rounds_to_believe = 2;

bool overlap(const bms::Family& one, const bms::Family& other) {
    std::vector<CanFilter> first, second;
    bms::add_filters(one, one.addresses.standard, first);
    bms::add_filters(other, other.addresses.standard, second);
    return std::any_of(first.begin(), first.end(), [&](const CanFilter& a) {
        return std::any_of(second.begin(), second.end(), [&](const CanFilter& b) {
            return a.extended == b.extended && ((a.id ^ b.id) & a.mask & b.mask) == 0;
        });
    });
}

}  // namespace

/// Batteries of a named type are shown as waiting from the start; all others have to show what they are.
void CanPort::expect_batteries() {
    const bms::Family& first = *settings_.families.front();
    const bool one_type = std::all_of(settings_.families.begin(), settings_.families.end(),
                                      [&](const bms::Family* other) { return other->type == first.type; });
    for (const bms::Family* family : settings_.families) {
        const bool shown = settings_.named && one_type;
        for (Address& address : shown_addresses(*family)) listen_for(*family, std::move(address), shown);
        if (!family->addresses.used || !settings_.addresses.empty()) continue;
        for (const std::uint32_t address : family->addresses.factory) listen_for(*family, {address, ""}, false);
    }
}

/// When the port begins, not when it is made: the memory may come later.
void CanPort::recall() {
    if (!context_.memory || !settings_.addresses.empty()) return;
    for (const Found& last : context_.memory->recall(name())) {
        const auto& wanted = settings_.families;
        if (std::count(wanted.begin(), wanted.end(), last.candidate.family) == 0) continue;
        remembered_.push_back(last);
        listen_for(*last.candidate.family, {last.address, ""}, false);
    }
}

void CanPort::listen_for(const bms::Family& family, Address address, bool shown) {
    const auto same = [&](const Ear& ear) {
        return &ear.picture.family() == &family && ear.address.value == address.value;
    };
    if (ears_.size() >= most_ears || std::any_of(ears_.begin(), ears_.end(), same)) return;
    ears_.emplace_back(family, address, shown ? make_station(family, address) : nobody);
    routes_.clear();
    bms::add_filters(family, address.value, all_);
    bms::add_filters(family, address.value, rare_, bms::Frames::rare);
}

/// The spelling of the address becomes part of the battery's name: on one interface no two may have the same. The name
/// of the interface alone is that of whom was found there first, also at later starts.
std::size_t CanPort::make_station(const bms::Family& family, Address address) {
    const Found self{{&family, 0}, address.value};
    const auto taken = [&] {
        const bool alone = named_by_port(address.value, address.text);
        if (alone && !remembered_.empty() && remembered_.front() != self) return true;
        return std::any_of(stations_.begin(), stations_.end(), [&](const Station& other) {
            const bool other_alone = named_by_port(other.address.value, other.address.text);
            return alone ? other_alone : other.address.text == address.text;
        });
    };
    if (taken()) address.text = family.addresses.used ? address_id(address.value) : std::string(family.key);
    if (taken()) address.text = std::string(family.key);
    if (taken()) address.text += "_" + address_id(address.value);
    add_station(family, std::move(address));
    return stations_.size() - 1;
}

/// An address of which nobody was heard yet.
void CanPort::meet(const CanFrame& frame) {
    if (!settings_.addresses.empty()) return;
    for (const bms::Family* family : settings_.families) {
        if (!family->can->address_of) continue;
        const auto address = family->can->address_of(frame);
        if (!address || !bms::check_address(*family, *address)) continue;
        listen_for(*family, {*address, ""}, false);
    }
}

/// Whether somebody who may be a battery speaks as one: complete, plausible, and the same twice.
void CanPort::weigh(Ear& ear, Clock::time_point now) {
    const bool complete = ear.picture.taken() > 0 && ear.picture.read(asking(ear, nullptr), now, scratch_) &&
                          bms::no_battery(scratch_).empty();
    const bool agrees = complete && (ear.agreed == 0 || bms::consistent(ear.reading, scratch_));
    ear.agreed = agrees ? ear.agreed + 1 : 0;
    if (complete) std::swap(ear.reading, scratch_);
}

/// Takes those who are believed for batteries; of several families that explain the same frames the surer one.
void CanPort::settle(Clock::time_point now) {
    const auto believed = [&](const Ear& ear) { return ear.agreed >= (remembers(ear) ? 1 : rounds_to_believe); };
    const auto certainty = [&](const Ear& ear) {
        auto* const judge = ear.picture.family().can->certainty;
        return judge ? judge(bms::CanView(ear.picture, now), ear.reading) : Certainty::certain;
    };
    for (Ear& ear : ears_) {
        if (ear.station != nobody || !believed(ear)) continue;
        const Certainty own = certainty(ear);
        std::string rivals;
        bool surer = false;
        for (const Ear& other : ears_) {
            const bms::Family& family = other.picture.family();
            if (&other == &ear || &family == &ear.picture.family() || !believed(other)) continue;
            if (!overlap(family, ear.picture.family())) continue;
            surer = surer || other.station != nobody || certainty(other) > own;
            if (certainty(other) == own) rivals.append(", ").append(family.type);
        }
        if (surer) continue;
        const bool named_alone = settings_.named && rivals.empty();
        if (rivals.empty() && (own != Certainty::none || named_alone)) {
            become_station(ear);
            continue;
        }
        if (told_ambiguous_ || now - *opened_at_ < patience) continue;
        told_ambiguous_ = true;
        context_.report(Severity::warning, name() + ": the frames on this bus fit " +
                                               std::string(ear.picture.family().type) + rivals +
                                               ", and other makes send the same: write which one it is, for example "
                                               "BMS_TYPE = " +
                                               std::string(ear.picture.family().type));
    }
}

void CanPort::become_station(Ear& ear) {
    const bms::Family& family = ear.picture.family();
    ear.station = make_station(family, ear.address);
    context_.report(Severity::info, place_of(stations_.back().battery->identity) + ": a BMS of type " +
                                        std::string(family.type) + " is on this bus");
    if (remembers(ear)) return;
    remembered_.push_back(found(ear));  // who is not there at this start may be at the next
    if (context_.memory) context_.memory->remember(name(), remembered_);
}

Found CanPort::found(const Ear& ear) const {
    return {{&ear.picture.family(), 0}, ear.picture.address()};
}

bool CanPort::remembers(const Ear& ear) const {
    return std::count(remembered_.begin(), remembered_.end(), found(ear)) > 0;
}

void CanPort::tell_nothing_found(Clock::time_point now) {
    if (told_nothing_ || told_ambiguous_ || !stations_.empty() || now - *opened_at_ < patience) return;
    told_nothing_ = true;
    std::string types;
    for (const bms::Family* family : settings_.families)
        if (types.find(family->type) == std::string::npos) types.append(types.empty() ? "" : ", ").append(family->type);
    const std::string advice = bus_advice(socket_->errors());
    context_.report(Severity::warning,
                    name() + ": no known BMS speaks on this bus (listening for " + types + "): " +
                        (!advice.empty() ? advice
                         : frames_ == 0  ? std::string("no frame that one of them sends was seen")
                                         : "frames came, but not all that one of them sends, or from an address that "
                                           "is not in BATTERY_ADDRESSES") +
                        "; `bmsd scan " + name() + "` shows what is on the bus; listening on");
}

}  // namespace bmsd::engine
