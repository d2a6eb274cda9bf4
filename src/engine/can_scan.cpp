#include "engine/can_scan.hpp"

#include <algorithm>

#include "bms/plausible.hpp"
#include "engine/can_port.hpp"

namespace bmsd::engine {
namespace {

/// More different ids are noise, not a bus.
constexpr std::size_t most_ids = 512;
/// Families with more addresses are listened to where somebody speaks.
constexpr std::uint32_t most_addresses = 16;

}  // namespace

CanScan::CanScan(const std::vector<const bms::Family*>& families, const std::vector<std::uint32_t>& addresses,
                 const bms::Options& options)
    : families_(families), all_addresses_(addresses.empty()), options_(options) {
    for (const bms::Family* family : families_) {
        const bms::Addresses& known = family->addresses;
        if (!known.used) {
            listen_for(*family, known.standard);
        } else if (!addresses.empty()) {
            for (const std::uint32_t address : addresses)
                if (bms::check_address(*family, address)) listen_for(*family, address);
        } else if (known.last - known.first < most_addresses) {
            for (std::uint32_t address = known.first; address <= known.last; ++address) listen_for(*family, address);
        }
    }
}

void CanScan::listen_for(const bms::Family& family, std::uint32_t address) {
    const auto same = [&](const bms::CanPicture& one) { return &one.family() == &family && one.address() == address; };
    if (std::none_of(pictures_.begin(), pictures_.end(), same)) pictures_.emplace_back(family, address);
}

void CanScan::hear(const link::CanReceived& received) {
    const CanFrame& frame = received.frame;
    ++frames_;
    from_here_ = from_here_ || received.from_here;
    for (const bms::Family* family : families_)
        if (family->can->address_of && all_addresses_)
            if (const auto address = family->can->address_of(frame)) listen_for(*family, *address);
    for (bms::CanPicture& picture : pictures_) picture.take(frame, received.when);
    const auto key = std::make_pair(frame.extended, frame.id);
    if (ids_.size() >= most_ids && !ids_.contains(key)) return;
    Count& count = ids_[key];
    if (count.frames++ == 0) count.known_as = known_as(frame);
}

std::string CanScan::known_as(const CanFrame& frame) const {
    std::string names;
    for (const bms::Family* family : families_) {
        for (const bms::CanMark& mark : family->can->marks)
            if (mark.filter.matches(frame) && !mark.rival && names.find(mark.means) == std::string::npos)
                names.append(names.empty() ? "" : "; ").append(mark.means);
        bool found = false;
        for (const bms::CanPicture& picture : pictures_) {
            if (&picture.family() != family || found) continue;
            bms::CanPicture alone(*family, picture.address());
            if (alone.take(frame, {}) != bms::CanPicture::Taken::taken) continue;
            found = true;
            names.append(names.empty() ? "" : "; ").append(family->type);
        }
    }
    return names;
}

std::vector<CanFrame> CanScan::next_questions(Clock::time_point) {
    std::vector<CanFrame> frames;
    if (options_.listen_only) return frames;
    for (; asked_ < pictures_.size() && frames.empty(); ++asked_) {
        const bms::CanPicture& picture = pictures_[asked_];
        for (const bms::CanQuestion& question : picture.family().can->questions)
            if (question.when == bms::When::every_poll || question.when == bms::When::identify)
                frames.push_back(frame_of(picture.family(), question, picture.address()));
    }
    return frames;
}

CanScanResult CanScan::result(Clock::time_point now, std::chrono::duration<double> listened,
                              const link::CanErrors& errors) const {
    CanScanResult out;
    out.frames = frames_;
    out.from_here = from_here_;
    for (const bms::CanPicture& picture : pictures_) {
        if (picture.taken() == 0) continue;
        const bms::Family& family = picture.family();
        bms::Asking asking;
        asking.address = picture.address();
        asking.options = options_;
        Reading reading;
        if (const auto read = picture.read(asking, now, reading); !read) {
            out.partial.push_back({&family, picture.address(), read.error().detail});
            continue;
        }
        if (const std::string_view why = bms::no_battery(reading); !why.empty()) {
            out.partial.push_back({&family, picture.address(), std::string(why)});
            continue;
        }
        auto* const judge = family.can->certainty;
        const auto certainty = judge ? judge(bms::CanView(picture, now), reading) : bms::Certainty::certain;
        out.batteries.push_back({&family, picture.address(), certainty, std::move(reading)});
    }
    for (const auto& [key, count] : ids_)
        out.ids.push_back({key.second, key.first, count.frames,
                           static_cast<double>(count.frames) / std::max(listened.count(), 0.001), count.known_as});
    if (out.batteries.empty()) out.trouble = likely_mistake(out, errors);
    return out;
}

std::string CanScan::likely_mistake(const CanScanResult& result, const link::CanErrors& errors) const {
    if (std::string advice = bus_advice(errors); !advice.empty()) return advice;
    if (errors.protocol > 0 && frames_ == 0)
        return "only damaged frames arrive: wrong bitrate (`bmsd can-setup` tries 250 and 500 kbit/s), or CAN-H and "
               "CAN-L swapped";
    if (frames_ == 0)
        return "silence, no frame at all: is the battery on and awake, is it the CAN socket and not RS485, is the "
               "bitrate right, are CAN-H and CAN-L not swapped, is the line terminated with 120 ohm at both ends?";
    if (!result.partial.empty())
        return "frames of " + std::string(result.partial.front().family->type) + " came, but " +
               result.partial.front().why + "; is another protocol chosen in the vendor's app?";
    const bool only_hosts = std::all_of(result.ids.begin(), result.ids.end(), [](const CanScanResult::Id& id) {
        return !id.extended && (id.id == 0x305 || id.id == 0x307);
    });
    if (only_hosts)
        return "only an inverter or GX talks (0x305, 0x307): the battery is silent, or its CAN is switched off in the "
               "vendor's app";
    return "frames arrive, but none of a known BMS: is another protocol chosen in the vendor's app, or is this the bus "
           "of other devices?";
}

}  // namespace bmsd::engine
