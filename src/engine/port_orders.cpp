// What people want changed: taken at once or refused at once, sent to the BMS with the next poll.
#include <cmath>

#include "engine/order.hpp"
#include "engine/port.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;

/// Why an order was not followed is shown for so long.
constexpr auto trouble_shown = 5min;
/// A BMS that ignored "100 %" so often is not told again.
constexpr unsigned most_in_vain = 2;
/// From here on a state of charge needs no correction, %.
constexpr double as_good_as_full = 99.95;

const char* text_of(Order order) {
    switch (order) {
        case Order::charging: return "switching charging";
        case Order::discharging: return "switching discharging";
        case Order::balancer: return "switching the balancer";
        case Order::soc: return "setting the state of charge";
        case Order::clear_history: break;
    }
    return "clearing the history";
}

tl::unexpected<Error> refuse(std::string why) {
    return tl::unexpected(Error{ErrorClass::refused, std::move(why)});
}

bool in_range(Order order, double value) {
    const bool whole = value == std::trunc(value);
    switch (order) {
        case Order::soc: return value >= 0 && value <= 100;
        case Order::clear_history: return whole && value >= 1 && value <= 7;
        default: return value == 0 || value == 1;
    }
}

}  // namespace

std::optional<Result<void>> BasePort::give(const Battery& battery, Order order, double value) {
    for (Station& station : stations_) {
        if (station.battery.get() != &battery) continue;
        const Result<void> accepted = accept(station, order, value);
        if (!accepted) complain_of_order(station, order, accepted.error().detail);
        return accepted;
    }
    return std::nullopt;
}

Result<void> BasePort::accept(Station& station, Order order, double value) {
    if (!in_range(order, value)) return refuse("the value is out of range");
    // What we keep ourselves needs no BMS.
    if (order == Order::clear_history) {
        station.controller.clear_history(static_cast<int>(value));
        return {};
    }
    if (order == Order::soc && context_.parameters.count_soc) {
        station.controller.set_soc(value);
        return {};
    }
    const Result<PendingOrder*> pending = leave_to_bms(station, order, value);
    if (!pending) return tl::unexpected(pending.error());
    return {};
}

/// The order is sent with the next poll, unless something speaks against it.
Result<PendingOrder*> BasePort::leave_to_bms(Station& station, Order order, double value) {
    const bms::Control* control = find_control(*station.family, control_name(order));
    if (!control) return refuse("this BMS cannot do it");
    if (control->untested)
        return refuse("nobody has seen it work on hardware; `bmsd control-bms` does it with --untested");
    if (!station.appeared || station.failures > 0) return refuse("the battery does not answer");
    if (station.pending) return refuse("the order before it is not done yet");
    Clock::time_point& next = station.next_order[static_cast<std::size_t>(order)];
    if (Clock::now() < next) return refuse("it may be used every " + duration_text(control->pause) + " only");
    if (control->forbids)
        if (const std::string_view why = control->forbids(station.battery->reading, value); !why.empty())
            return refuse(std::string(why));
    bool& off = station.battery->orders.off[static_cast<std::size_t>(order)];
    station.pending = PendingOrder{order, control, value, off};
    next = Clock::now() + control->pause;
    if (control->setting == bms::Setting::on_off) off = value == 0;
    return &*station.pending;
}

/// AUTO_RESET_SOC: with the begin of float the BMS is told that it is full, where that is known to work.
void BasePort::tell_full(Station& station) {
    const unsigned wanted = station.controller.full_writes();
    const bool float_began = wanted > station.full_seen;
    station.full_seen = wanted;
    if (!float_began || station.full_in_vain >= most_in_vain) return;
    const bms::Control* control = find_control(*station.family, control_name(Order::soc));
    if (!control || control->untested || station.battery->reading.soc_percent >= as_good_as_full) return;
    if (const Result<PendingOrder*> pending = leave_to_bms(station, Order::soc, 100))
        (*pending)->automatic = true;
    else
        complain_of_order(station, Order::soc, pending.error().detail);
}

void BasePort::told_full(Station& station, bool followed) {
    station.full_in_vain = followed ? 0 : station.full_in_vain + 1;
    if (station.full_in_vain != most_in_vain) return;
    context_.report(Severity::warning, place_of(station.battery->identity) +
                                           ": the BMS does not follow when it is told that it is full: it is not told "
                                           "again before the next start (AUTO_RESET_SOC = False stops this for good)");
}

void BasePort::complain_of_order(Station& station, Order order, const std::string& why) {
    station.battery->orders.trouble = std::string(text_of(order)) + ": " + why;
    station.forget_trouble = Clock::now() + trouble_shown;
    context_.report(Severity::warning, place_of(station.battery->identity) + ": " + station.battery->orders.trouble);
}

/// Sends an accepted order, and looks whether the BMS follows it.
Task<void> Port::obey(Station& station) {
    const PendingOrder pending = *station.pending;
    const Result<Done> done = co_await carry_out(dialogue_, {*family_, station.address.value, settings_.options},
                                                 *pending.control, pending.value, local_time_s());
    station.pending.reset();
    Battery& battery = *station.battery;
    if (pending.automatic && done) told_full(station, done->seen);
    if (!done) {
        battery.orders.off[static_cast<std::size_t>(pending.order)] = pending.was_off;
        complain_of_order(station, pending.order, done.error().detail);
        co_return;
    }
    battery.orders.trouble.clear();
    context_.report(Severity::info, place_of(battery.identity) + ": " + text_of(pending.order) +
                                        (pending.automatic ? " to 100 % as float began: done" : ": done") +
                                        (done->seen ? ", and the BMS shows it" : "; the BMS does not show it (yet)"));
}

}  // namespace bmsd::engine
