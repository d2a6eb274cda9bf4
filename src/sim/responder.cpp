#include "sim/responder.hpp"

#include <algorithm>

namespace bmsd::sim {
namespace {

/// Another battery of the same make whose state differs.
PackOptions twin_of(PackOptions options) {
    options.number ^= 0x80000000U;
    options.soc_percent = options.soc_percent > 50 ? options.soc_percent - 20 : options.soc_percent + 20;
    return options;
}

}  // namespace

Responder::Responder(const bms::Family& family, std::uint32_t address, const PackOptions& pack,
                     std::span<const Fault> faults, double speed)
    : family_(family), address_(address), pack_(pack), faults_(faults, address), speed_(speed) {
    if (faults_.planned(FaultKind::duplicate)) twin_.emplace(twin_of(pack));
}

std::optional<std::chrono::milliseconds> Responder::answer(const bms::Request& request, Clock::time_point now,
                                                           Bytes& out) {
    advance(now);
    if (faults_.strikes(FaultKind::sleep) || faults_.strikes(FaultKind::silence)) return std::nullopt;

    const std::uint32_t signed_by = faults_.strikes(FaultKind::foreign) ? another_address() : address_;
    bms::answer(family_, request, {.address = signed_by, .known = &pack_.reading()}, pack_.reading(), out);
    if (twin_ && faults_.strikes(FaultKind::duplicate)) {
        Bytes other;
        bms::answer(family_, request, {.address = address_, .known = &twin_->reading()}, twin_->reading(), other);
        collide(out, other, collisions_++);
    }
    if (faults_.strikes(FaultKind::checksum)) spoil(out);
    if (faults_.strikes(FaultKind::truncate)) cut(out);
    if (faults_.strikes(FaultKind::garbage)) prepend_garbage(out);
    const Fault* const late = faults_.strikes(FaultKind::late);
    return late ? late->time : std::chrono::milliseconds{0};
}

bool Responder::obey(const bms::Control& control, const bms::Request& step, const bms::Asking& asking,
                     Clock::time_point now, Bytes& out) {
    advance(now);
    if (faults_.strikes(FaultKind::silence)) return false;
    bms::answer(family_, step, asking, pack_.reading(), out);
    struct Switch {
        std::string_view control;
        FlagMember flag;
    };
    constexpr Switch switches[] = {
        {"charge", &Reading::charge_fet}, {"discharge", &Reading::discharge_fet}, {"balance", &Reading::balance_fet}};
    for (const Switch& one : switches)
        if (one.control == control.name) pack_.set(one.flag, asking.value != 0);
    if (control.setting == bms::Setting::percent) pack_.set_soc(asking.value);
    return true;
}

void Responder::broadcast(Clock::time_point now, Bytes& out) {
    advance(now);
    bms::answer(family_, family_.requests[family_.probe], {0}, pack_.reading(), out);
}

void Responder::advance(Clock::time_point now) {
    const auto before = lived_until_.value_or(now);
    lived_until_ = std::max(before, now);
    const auto elapsed = speed_ * std::chrono::duration<double>(*lived_until_ - before);
    pack_.step(elapsed);
    if (twin_) twin_->step(elapsed);
}

std::uint32_t Responder::another_address() const noexcept {
    const auto& known = family_.addresses;
    if (!known.used) return address_;
    return address_ < known.last ? address_ + 1 : known.first;
}

}  // namespace bmsd::sim
