#include "engine/base_port.hpp"

#include <utility>

#include "control/silence.hpp"
#include "engine/order.hpp"

namespace bmsd::engine {

using namespace std::chrono_literals;

namespace {

/// Failed polls are shown until none has failed for so long (battery-logic §10).
constexpr std::chrono::seconds errors_shown{60};
/// A family's doubt about its readings is told when it lasts for so many polls (dossier daly §5.2).
constexpr unsigned doubtful_polls = 10;
/// A port that is opened again sooner than so long after the last time may fail at once again.
constexpr auto lasting = 10s;
/// Two batteries have one name once they have answered in turn so often; a plug that was moved and is back at once
/// answers so once.
constexpr unsigned rivalries_of_twins = 2;

Moment moment() {
    return {Clock::now(), std::chrono::system_clock::now()};
}

}  // namespace

Station& BasePort::add_station(const bms::Family& family, Address address) {
    Station& station = stations_.emplace_back();
    station.family = &family;
    station.address = std::move(address);
    station.last_good = Clock::now();
    Identity& identity = station.battery->identity;
    identity.type = family.type;
    identity.label = family.label;
    identity.port = settings_.name;
    if (family.addresses.used) identity.address = station.address.value;
    identity.address_text = station.address.text;
    for (std::size_t i = 0; i < order_count; ++i)
        station.battery->orders.taken[i] = find_control(family, control_name(static_cast<Order>(i))) != nullptr;
    station.battery->traits = {family.cell_step_v, family.low_soc_by_threshold, family.voltage_limits,
                               family.cells_untold, family.current_limits};
    station.battery->config_error = context_.config_error;
    station.battery->config_trouble = context_.config_trouble;
    station.battery->config_blocks = context_.config_blocks;
    return station;
}

/// Where batteries of this family are expected: as configured, else at the standard address.
std::vector<Address> BasePort::shown_addresses(const bms::Family& family) const {
    if (!family.addresses.used) return {Address{}};
    std::vector<Address> usable;
    for (const Address& address : settings_.addresses)
        if (bms::check_address(family, address.value))
            usable.push_back(address);  // others: told with the configuration
    if (settings_.addresses.empty()) usable.push_back({family.addresses.standard, ""});
    return usable;
}

std::chrono::milliseconds BasePort::interval(const Station& station) const {
    return settings_.poll.value_or(station.family->timing.poll);
}

bool BasePort::opened(const Result<void>& outcome) {
    const bool first = !first_open_;
    for (Station& station : stations_) doubt_identity(station);
    // That an adapter is away is known when it had to be given up; who holds it now, or forbids it, is not.
    const bool news = !outcome && (!complained_ || (!reason_told_ && outcome.error().cls != ErrorClass::truncated));
    if (news) context_.report(Severity::error, outcome.error().detail);
    reason_told_ = reason_told_ || (!outcome && outcome.error().cls != ErrorClass::truncated);
    if (first) {
        first_open_ = outcome;
        context_.opened();
    }
    if (outcome) {
        const auto now = Clock::now();
        shaky_ = complained_ && opened_at_ && now - *opened_at_ < lasting;
        opened_at_ = now;
        if (!shaky_) tell_usable();
        if (!first) ++reopens_;
        for (Station& station : stations_) station.battery->link.counters.reopens = reopens_;
        failed_in_row_ = 0;
        return true;
    }
    complained_ = true;
    for (Station& station : stations_) station.battery->link.trouble = outcome.error().detail;
    return false;
}

void BasePort::tell_unusable(const std::string& why, const char* hint) {
    if (std::exchange(complained_, true)) return;
    context_.report(Severity::warning, name() + ": " + why + "; waiting for it to come back" + hint);
}

void BasePort::tell_usable() {
    reason_told_ = false;
    if (std::exchange(complained_, false)) context_.report(Severity::info, name() + ": the port is there again");
}

void BasePort::doubt_identity(Station& station) {
    station.identified = false;
    station.identify_rounds = 0;
}

void BasePort::judge(Station& station, const Error* error) {
    std::string& trouble = station.battery->link.trouble;
    if (error)
        trouble = error->detail;
    else
        trouble.clear();
}

// ---- consequences --------------------------------------------------------------------------------

void BasePort::succeeded(Station& station, Clock::duration took) {
    Battery& battery = *station.battery;
    const auto now = Clock::now();
    const bool was_silent = station.told;
    const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now - station.last_good);
    station.last_good = now;
    station.next_try = {};
    station.failures = 0;
    station.told = false;
    failed_in_row_ = 0;
    if (std::exchange(shaky_, false)) tell_usable();
    ++battery.link.polls;
    battery.link.poll_time = std::chrono::duration_cast<std::chrono::milliseconds>(took);
    battery.link.silent = 0s;
    if (now - station.last_error > errors_shown) battery.link.errors = 0;
    battery.link.errors_for = std::chrono::duration_cast<std::chrono::seconds>(now - station.first_error);
    judge(station, nullptr);
    if (!battery.orders.trouble.empty() && now >= station.forget_trouble) battery.orders.trouble.clear();
    weigh_doubt(station);
    if (station.identified) replace_if_other(station);
    const bool appears = station.identified && !station.appeared;
    if (appears) take_up(station);
    const auto mode_changes = battery.limits.mode_changes, limitation_changes = battery.limits.limitation_changes;
    station.controller.step(battery, context_.parameters, moment(), interval(station),
                            context_.surroundings ? context_.surroundings() : control::Surroundings{});
    report_decisions(station, mode_changes, limitation_changes);
    if (battery.summary.lost_inputs != station.lost_told) tell_lost_inputs(station);
    tell_full(station);

    if (was_silent)
        context_.report(Severity::info, place_of(battery.identity) + ": answers again after " + duration_text(silence));
    if (!station.identified) return;
    if (appears) return appear(station);
    for (Sink* sink : context_.sinks) sink->updated(battery);
}

/// A single poll may mix what was measured before and after a change; what lasts is a mistake in the configuration.
void BasePort::weigh_doubt(Station& station) {
    if (!station.family->doubt || station.doubt_told) return;
    const std::string_view doubt = station.family->doubt(station.battery->reading);
    station.doubtful = doubt.empty() ? 0 : station.doubtful + 1;
    if (station.doubtful < doubtful_polls) return;
    station.doubt_told = true;
    context_.report(Severity::warning, place_of(station.battery->identity) + ": " + std::string(doubt));
}

/// What limited the currents and says nothing any more: what it said last must not count for nothing in silence.
void BasePort::tell_lost_inputs(Station& station) {
    station.lost_told = station.battery->summary.lost_inputs;
    const std::string place = place_of(station.battery->identity);
    if (station.lost_told.empty())
        return context_.report(Severity::info, place + ": all sensors tell their values again");
    context_.report(Severity::warning, place + ": no value any more from: " + station.lost_told +
                                           "; unless another sensor stands in, a quarter of what its last value "
                                           "allowed is allowed; check the sensor and its plug at the BMS");
}

/// Another battery, or another state of this one: nothing that was decided holds.
void BasePort::begin_anew(Station& station) {
    station.controller = {};
    station.battery->summary.lost_inputs.clear();
    station.lost_told.clear();
}

/// What changed in the treatment of the battery: modes are news, the rule behind a current limit is a detail.
void BasePort::report_decisions(const Station& station, std::uint32_t mode_changes, std::uint32_t limitation_changes) {
    const Battery& battery = *station.battery;
    const Limits& limits = battery.limits;
    if (limits.mode_changes != mode_changes)
        context_.report(Severity::info, place_of(battery.identity) + ": " + limits.charge_mode + "; " +
                                            limits.cvl_reason + "; next: " + limits.next_mode);
    if (limits.limitation_changes != limitation_changes)
        context_.report(Severity::debug, place_of(battery.identity) + ": charging: " + limits.ccl_reason +
                                             "; discharging: " + limits.dcl_reason);
}

void BasePort::failed(Station& station, const Error& error) {
    Battery& battery = *station.battery;
    ++station.failures;
    ++failed_in_row_;
    judge(station, &error);
    const auto now = Clock::now();
    if (battery.link.errors++ == 0) station.first_error = now;
    battery.link.errors_for = std::chrono::duration_cast<std::chrono::seconds>(now - station.first_error);
    station.last_error = now;
    // Alone on its port it holds nobody up.
    if (stations_.size() > 1) station.next_try = now + back_off(station.failures);
    // One failed poll is an everyday event; three in a row are news.
    if (station.failures >= 3 && !station.told && now >= station.next_report) {
        station.told = true;
        station.next_report = now + between_reports;
        context_.report(Severity::warning, place_of(battery.identity) + ": no usable answer: " + battery.link.trouble);
    }
}

std::chrono::milliseconds BasePort::renewed_within(const Station& station) const {
    return std::max(interval(station), std::chrono::duration_cast<std::chrono::milliseconds>(round_time_));
}

Clock::time_point BasePort::next_watch(Clock::time_point now) const {
    auto next = Clock::time_point::max();
    for (const Station& station : stations_) {
        const auto old_from = station.last_good + control::stale_limit(renewed_within(station));
        const LinkState state = station.battery->link.state;
        if (now <= old_from)
            next = std::min(next, old_from + 1ms);
        else if (state == LinkState::fresh || state == LinkState::stale)
            next = now;
    }
    return next;
}

void BasePort::watch_silence() {
    const auto now = Clock::now();
    for (Station& station : stations_) {
        Battery& battery = *station.battery;
        const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(now - station.last_good);
        const auto interval = renewed_within(station);
        // One whose turn has not come is silent, too, if the others take so long.
        if (station.failures == 0 && works() && silent <= control::stale_limit(interval)) continue;
        const LinkState before = battery.link.state;
        station.controller.silent(battery, context_.parameters, now, silent, interval);
        battery.link.silent = std::chrono::duration_cast<std::chrono::seconds>(silent);
        if (station.identified && !battery.online) doubt_identity(station);
        if (battery.link.state != before && battery.link.state == LinkState::lost) {
            context_.report(Severity::error, place_of(battery.identity) + ": lost, silent for " +
                                                 duration_text(battery.link.silent) + " (" + battery.link.trouble +
                                                 ")");
            drop_orders(station);
        }
        for (Sink* sink : context_.sinks) station.appeared ? sink->updated(battery) : sink->waiting(battery);
    }
}

/// Who it is, is known now: its treatment goes on where it was left.
void BasePort::take_up(Station& station) {
    Battery& battery = *station.battery;
    const bms::Family& family = *station.family;
    // A state of charge that we count ourselves can always be set.
    if (context_.parameters.count_soc) battery.orders.taken[static_cast<std::size_t>(Order::soc)] = true;
    station.serial = context_.registry.wanted(family, battery);
    battery.identity.id = context_.registry.claim(family, battery, context_.report, [this, &battery] {
        Station* const holder = station_of(battery);  // stations move, batteries do not
        return holder && yields(*holder);
    });
    battery.identity.hardware =
        family.hardware ? family.hardware(battery.reading) : battery.reading.hardware_version.value_or("");
    battery.identity.former_id = former_id(family, battery);
    if (!context_.batteries) return;
    context_.batteries->meet(battery.identity);
    const auto stored = context_.batteries->recall(battery.identity.id);
    if (!stored) return;
    begin_anew(station);
    station.controller.restore(*stored, context_.parameters, moment());
}

void BasePort::appear(Station& station) {
    Battery& battery = *station.battery;
    station.appeared = true;
    context_.report(Severity::info, place_of(battery.identity) + ": " + battery.identity.label + " " +
                                        battery.identity.id + " answers");
    for (Sink* sink : context_.sinks) sink->appeared(battery);
}

/// After a silence, or when the port was opened again, another battery may answer in this one's place; and one that
/// came while its name was still in use elsewhere takes it once that proves to be left over.
void BasePort::replace_if_other(Station& station) {
    Battery& battery = *station.battery;
    const std::string serial = context_.registry.wanted(*station.family, battery);
    if (!station.appeared || serial.empty()) return;
    const bool same = serial == station.serial;
    if (same && std::exchange(station.rivalled, false) && ++station.rivalries == rivalries_of_twins)
        context_.registry.bind(battery.identity.id, battery.identity);
    if (same && (battery.identity.id == serial || !context_.registry.is_free(serial, battery.identity))) return;
    context_.report(Severity::warning,
                    place_of(battery.identity) + ": battery " + serial +
                        (same ? " is no longer elsewhere, and not shown as " : " answers in place of ") +
                        battery.identity.id + (same ? " any more" : ""));
    let_go(station);
}

Station* BasePort::station_of(const Battery& battery) noexcept {
    const auto found = std::find_if(stations_.begin(), stations_.end(),
                                    [&](const Station& station) { return station.battery.get() == &battery; });
    return found == stations_.end() ? nullptr : &*found;
}

/// Another battery claims the name of this one. Until this one has said again who it is, they are taken for the same
/// one, which has moved; two that both answer are two, and the registry knows them.
bool BasePort::yields(Station& station) {
    if (station.identified) {
        station.rivalled = true;
        return false;
    }
    const Identity& identity = station.battery->identity;
    context_.report(Severity::info, place_of(identity) + ": battery " + identity.id + " answers elsewhere now");
    let_go(station);
    return true;
}

/// Whoever answers here next is shown afresh; nothing that was decided or ordered was meant for him.
void BasePort::let_go(Station& station) {
    give_up(station);
    begin_anew(station);
    station.battery->identity.id.clear();
    station.rivalled = false;
    station.rivalries = 0;
    station.pending.clear();
    station.next_order = {};
    station.full_in_vain = 0;
    station.doubtful = 0;
    station.doubt_told = false;
    station.battery->orders.off = {};
}

void BasePort::keep_state(const Station& station) const {
    if (context_.batteries && station.appeared)
        context_.batteries->keep(station.battery->identity.id, station.controller.persist(moment()));
}

void BasePort::keep_states() const {
    for (const Station& station : stations_) keep_state(station);
}

void BasePort::give_up(Station& station) {
    keep_state(station);
    // Also one that never answered: a face may show it as waiting.
    for (Sink* sink : context_.sinks) sink->removed(*station.battery);
    if (station.appeared) context_.registry.release(station.battery->identity.id);
    station.appeared = false;
}

void BasePort::remove_all() {
    for (Station& station : stations_) give_up(station);
}

void BasePort::set_config_state(bool error, bool blocks, const std::string& trouble) {
    for (Station& station : stations_) {
        station.battery->config_error = error;
        station.battery->config_trouble = trouble;
        station.battery->config_blocks = blocks;
    }
}

}  // namespace bmsd::engine
