// What people want changed: taken at once or refused at once, sent to the BMS with the next poll.
#include <algorithm>

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

/// What is done, e.g. "switching charging off".
std::string deed(const PendingOrder& order) {
    std::string text(to_string(order.order));
    if (order.control->setting == bms::Setting::on_off) text += order.value != 0 ? " on" : " off";
    return order.automatic ? text + " to 100 % as float began" : text;
}

tl::unexpected<Error> refuse(std::string why) {
    return tl::unexpected(Error{ErrorClass::refused, std::move(why)});
}

}  // namespace

std::optional<Result<void>> BasePort::give(const Battery& battery, Order order, double value) {
    Station* const station = station_of(battery);
    if (!station) return std::nullopt;
    const Result<void> accepted = accept(*station, order, value);
    if (!accepted) tell_refusal(*station, to_string(order), accepted.error().detail);
    return accepted;
}

void BasePort::tell_refusal(const Battery& battery, std::string_view what, const std::string& why) {
    if (Station* const station = station_of(battery)) tell_refusal(*station, what, why);
}

Result<void> BasePort::accept(Station& station, Order order, double value) {
    if (auto checked = check_value(order, value); !checked) return checked;
    // What we keep ourselves needs no BMS.
    if (order == Order::clear_history) {
        station.controller.clear_history(static_cast<int>(value));
        return {};
    }
    if (order == Order::soc && context_.parameters.count_soc) {
        station.controller.set_soc(value);
        return {};
    }
    return leave_to_bms(station, order, value, false);
}

/// The order is sent with one of the next polls, unless something speaks against it.
Result<void> BasePort::leave_to_bms(Station& station, Order order, double value, bool automatic) {
    const bms::Control* control = find_control(*station.family, control_name(order));
    if (!control) return refuse("this BMS cannot do it");
    if (control->untested)
        return refuse("nobody has seen it work on hardware; `bmsd control-bms` does it with --untested");
    if (!station.appeared || station.failures > 0) return refuse("the battery does not answer");
    if (control->forbids)
        if (const std::string_view why = control->forbids(station.battery->reading, value); !why.empty())
            return refuse(std::string(why));
    bool& off = station.battery->orders.off[static_cast<std::size_t>(order)];
    const PendingOrder pending{order, control, value, off, automatic};
    put_down(station, pending);
    if (control->setting == bms::Setting::on_off) off = value == 0;
    const auto wait = station.next_order[static_cast<std::size_t>(order)] - Clock::now();
    if (wait > 0s)
        context_.report(Severity::info, place_of(station.battery->identity) + ": " + deed(pending) + " waits " +
                                            duration_text(std::chrono::ceil<std::chrono::seconds>(wait)) +
                                            ": it may be used every " + duration_text(control->pause) + " only");
    return {};
}

/// A newer order takes the place of one of its kind that was not sent yet.
void BasePort::put_down(Station& station, PendingOrder order) {
    for (PendingOrder& other : station.pending)
        if (other.order == order.order) {
            order.was_off = other.was_off;
            other = order;
            return;
        }
    station.pending.push_back(order);
}

/// What was ordered before the battery was lost must not come as a surprise when it is back.
void BasePort::drop_orders(Station& station) {
    while (!station.pending.empty()) {
        const PendingOrder order = station.pending.back();
        station.pending.pop_back();
        take_back(station, order, "the battery was lost before it could be told");
    }
}

std::optional<PendingOrder> BasePort::take_order(Station& station) {
    const auto now = Clock::now();
    for (auto order = station.pending.begin(); order != station.pending.end(); ++order) {
        Clock::time_point& next = station.next_order[static_cast<std::size_t>(order->order)];
        if (now < next) continue;
        const PendingOrder taken = *order;
        next = now + taken.control->pause;
        station.pending.erase(order);
        return taken;
    }
    return std::nullopt;
}

void BasePort::take_back(Station& station, const PendingOrder& order, const std::string& why) {
    bool& off = station.battery->orders.off[static_cast<std::size_t>(order.order)];
    const auto newer = std::find_if(station.pending.begin(), station.pending.end(),
                                    [&](const PendingOrder& other) { return other.order == order.order; });
    (newer != station.pending.end() ? newer->was_off : off) = order.was_off;
    tell_refusal(station, to_string(order.order), why);
}

/// AUTO_RESET_SOC: with the begin of float the BMS is told that it is full, where that is known to work.
void BasePort::tell_full(Station& station) {
    const unsigned wanted = station.controller.full_writes();
    const bool float_began = wanted > station.full_seen;
    station.full_seen = wanted;
    if (!float_began || station.full_in_vain >= most_in_vain) return;
    const bms::Control* control = find_control(*station.family, control_name(Order::soc));
    if (!control || control->untested || station.battery->reading.soc_percent >= as_good_as_full) return;
    // What a person wants set, or has set lately, counts more.
    if (Clock::now() < station.next_order[static_cast<std::size_t>(Order::soc)]) return;
    if (std::any_of(station.pending.begin(), station.pending.end(),
                    [](const PendingOrder& pending) { return pending.order == Order::soc; }))
        return;
    if (const Result<void> left = leave_to_bms(station, Order::soc, 100, true); !left)
        tell_refusal(station, to_string(Order::soc), left.error().detail);
}

void BasePort::told_full(Station& station, bool followed) {
    station.full_in_vain = followed ? 0 : station.full_in_vain + 1;
    if (station.full_in_vain != most_in_vain) return;
    context_.report(Severity::warning, place_of(station.battery->identity) +
                                           ": the BMS does not follow when it is told that it is full: it is not told "
                                           "again before the next start (AUTO_RESET_SOC = False stops this for good)");
}

void BasePort::tell_refusal(Station& station, std::string_view what, const std::string& why) {
    station.battery->orders.trouble = std::string(what) + ": " + why;
    station.forget_trouble = Clock::now() + trouble_shown;
    context_.report(Severity::warning, place_of(station.battery->identity) + ": " + station.battery->orders.trouble);
}

/// Sends the accepted order whose turn it is, and looks whether the BMS follows it. One per poll: who presses buttons
/// all the time must not keep the port from polling.
Task<void> Port::obey(Station& station) {
    const std::optional<PendingOrder> order = take_order(station);
    if (!order) co_return;
    const Result<Done> done = co_await carry_out(dialogue_, {*family_, station.address.value, settings_.options},
                                                 *order->control, order->value, local_time_s());
    if (order->automatic && done) told_full(station, done->seen);
    if (!done) {
        take_back(station, *order, done.error().detail);
        co_return;
    }
    Battery& battery = *station.battery;
    battery.orders.trouble.clear();
    context_.report(Severity::info, place_of(battery.identity) + ": " + deed(*order) + ": done" +
                                        (done->seen ? ", and the BMS shows it" : "; the BMS does not show it (yet)"));
}

}  // namespace bmsd::engine
