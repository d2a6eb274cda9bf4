// What people want changed: taken at once or refused at once, sent to the BMS with the next poll.
#include <cmath>

#include "engine/order.hpp"
#include "engine/port.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;

/// Why an order was not followed is shown for so long.
constexpr auto trouble_shown = 5min;

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

Result<void> refuse(std::string why) {
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
    const bms::Control* control = find_control(*station.family, control_name(order));
    if (!control) return refuse("this BMS cannot do it");
    if (control->untested)
        return refuse("nobody has seen it work on hardware; `bmsd control-bms` does it with --untested");
    if (!station.appeared || station.failures > 0) return refuse("the battery does not answer");
    if (station.pending) return refuse("the order before it is not done yet");
    if (Clock::now() < station.next_order)
        return refuse("it may be used every " + duration_text(control->pause) + " only");
    if (control->forbids)
        if (const std::string_view why = control->forbids(station.battery->reading, value); !why.empty())
            return refuse(std::string(why));
    bool& off = station.battery->orders.off[static_cast<std::size_t>(order)];
    station.pending = PendingOrder{order, control, value, off};
    station.next_order = Clock::now() + control->pause;
    if (control->setting == bms::Setting::on_off) off = value == 0;
    return {};
}

void BasePort::complain_of_order(Station& station, Order order, const std::string& why) {
    station.battery->orders.trouble = std::string(text_of(order)) + ": " + why;
    station.forget_trouble = Clock::now() + trouble_shown;
    context_.report(Severity::warning, place_of(station.battery->identity) + ": " + station.battery->orders.trouble);
}

/// Sends an accepted order, and looks whether the BMS follows it.
asio::awaitable<void> Port::obey(Station& station) {
    const PendingOrder pending = *station.pending;
    const Result<Done> done = co_await carry_out(dialogue_, {*family_, station.address.value, settings_.options},
                                                 *pending.control, pending.value, local_time_s());
    station.pending.reset();
    Battery& battery = *station.battery;
    if (!done) {
        battery.orders.off[static_cast<std::size_t>(pending.order)] = pending.was_off;
        complain_of_order(station, pending.order, done.error().detail);
        co_return;
    }
    battery.orders.trouble.clear();
    context_.report(Severity::info, place_of(battery.identity) + ": " + text_of(pending.order) + ": done" +
                                        (done->seen ? ", and the BMS shows it" : "; the BMS does not show it (yet)"));
}

}  // namespace bmsd::engine
