#include "engine/port.hpp"

#include <algorithm>
#include <utility>

#include "bms/plausible.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;
using bms::When;

/// Ladder of recovery, counted in failed polls without any good answer on the port.
constexpr unsigned reopen_after = 8;
/// So many readings of one poll are compared with each other before the middle counts.
constexpr std::size_t usual_voters = 3;
/// Somebody whose values never stand still (a load that pulses) is believed after so many polls all the same.
constexpr unsigned contradictions_believed = 5;
/// A question that may stay unanswered, and was not answered, is asked again after this: not every board knows it.
constexpr std::chrono::milliseconds unanswered_again = 30s;
/// Silence between two rounds of asking an unknown port: at first, and in the long run.
constexpr std::chrono::seconds between_detections{5};
constexpr std::chrono::seconds slowest_detection{30};
/// So long other places are asked before the one that fell silent is asked again.
constexpr std::chrono::seconds elsewhere_at_a_time{5};

}  // namespace

Port::Port(Executor executor, PortSettings settings, std::unique_ptr<link::ByteLink> link, Context& context)
    : BasePort(std::move(settings), context), dialogue_(std::move(executor), std::move(link)) {
    dialogue_.on_unsolicited = [this](std::string_view why) { tell_unsolicited(why); };
    const bms::Family& first = *settings_.families.front();
    rate_ = settings_.baud.value_or(first.serial.rates.front());
    // A battery of a known type can be shown as "not answering" from the start.
    const bool one_type = std::all_of(settings_.families.begin(), settings_.families.end(),
                                      [&](const bms::Family* other) { return other->type == first.type; });
    for (const bms::Family* family : settings_.families) {
        auto shown = shown_addresses(*family);
        if (!one_type || shown.empty()) continue;  // a dialect may have none of the addresses
        family_ = family;
        make_stations(*family, std::move(shown));
        break;
    }
    const bool one_place = !first.addresses.used || !settings_.addresses.empty() || first.addresses.factory.empty();
    found_ = settings_.families.size() == 1 && (settings_.baud || first.serial.rates.size() == 1) && one_place &&
             !stations_.empty();
    searched_ = !found_;
}

/// Bytes that nobody asked for and that name their sender.
void Port::tell_unsolicited(std::string_view why) {
    if (why == unsolicited_told_) return;
    unsolicited_told_ = why;
    for (Station& station : stations_) station.battery->link.trouble = why;
    context_.report(Severity::warning, name() + ": " + std::string(why));
}

bms::Asking Port::asking(const Station& station, const Reading& known) const {
    return {station.address.value, stations_.size() <= 1, &known, settings_.options};
}

// ---- life ----------------------------------------------------------------------------------------

Task<void> Port::run() {
    for (;;) {
        co_await open();
        if (!found_) co_await detect();
        if (found_) co_await serve();
        if (found_ && searched_ && works() && all_lost()) co_await look_elsewhere();
        if (dialogue_.device_error()) tell_gone();
        dialogue_.link().close();
        // A port that opens and fails at once must not keep us busy.
        co_await dialogue_.sleep_until(*opened_at_ + first_pause);
    }
}

void Port::tell_gone() {
    const std::string why = "the device is gone (" + dialogue_.device_error().message() + ")";
    if (!found_)
        for (Station& station : stations_) station.battery->link.trouble = why;
    const bool network = dialogue_.link().byte_time() == Clock::duration{0};
    tell_unusable(why, network ? "; many serve one client only: is another one connected?" : "");
}

Task<void> Port::open() {
    for (auto pause = first_pause;; pause *= 2) {
        const Result<void> outcome = co_await dialogue_.open(rate_);
        if (opened(outcome)) co_return;
        watch_silence();
        pause = std::min(pause, slowest_reopen(outcome.error()));
        co_await dialogue_.sleep_until(Clock::now() + pause);
    }
}

/// Asks for every candidate in turn until one is believed; returns with found_ still false if the device fails before.
Task<void> Port::detect() {
    const std::vector<Candidate> all = all_candidates();
    const std::vector<Found> places = places_of(all);
    std::vector<Found> remembered;
    if (context_.memory)
        for (const Found& last : context_.memory->recall(name()))
            if (std::count(places.begin(), places.end(), last) > 0) remembered.push_back(last);

    Detector detector(dialogue_, settings_.options);
    if (places.empty()) {
        context_.report(Severity::error, name() +
                                             ": nobody can be asked: no BMS that is looked for has an address of "
                                             "BATTERY_ADDRESSES; `bmsd check-config` says which they have");
        for (;;) co_await dialogue_.sleep_until(Clock::now() + slowest_detection);
    }
    auto pause = between_detections;
    for (bool told = false;; told = true) {
        if (co_await search(remembered, detector)) co_return;
        detector.forget();
        if (co_await search(places, detector)) co_return;
        if (dialogue_.device_error()) co_return;
        std::string why = explain(diagnose(detector.evidence(), {}), detector.evidence());
        const std::string& refusal = detector.evidence().refusal;
        if (why.empty()) why = refusal.empty() ? "no answer" : "what is answered cannot be: " + refusal;
        if (!told) report_unknown(all, why);
        for (Station& station : stations_) {
            ++station.failures;
            station.battery->link.trouble = why;
        }
        watch_silence();
        co_await dialogue_.sleep_until(Clock::now() + pause);
        pause = std::min(2 * pause, slowest_detection);
    }
}

std::vector<Candidate> Port::all_candidates() const {
    return candidates(settings_.families, settings_.baud, dialogue_.link().byte_time() > 0ns);
}

std::vector<Found> Port::places_of(std::span<const Candidate> all) const {
    std::vector<Found> places;
    for (const Candidate& candidate : all)
        for (const Address& address : addresses_of(*candidate.family)) places.push_back({candidate, address.value});
    return places;
}

bool Port::all_lost() const {
    return std::all_of(stations_.begin(), stations_.end(), [](const Station& station) {
        return station.battery->link.state == LinkState::lost || station.battery->link.state == LinkState::starting;
    });
}

/// Whom the settings leave open may have been exchanged for another make, or for one at another rate or address. A few
/// places each time, and whoever was here in between: that one is only asleep more often than not.
Task<void> Port::look_elsewhere() {
    Detector detector(dialogue_, settings_.options);
    const std::vector<Found> places = places_of(all_candidates());
    const auto until = Clock::now() + elsewhere_at_a_time;
    for (std::size_t count = 0; count < places.size() && Clock::now() < until; ++count) {
        const Found& place = places[elsewhere_++ % places.size()];
        if (co_await search({&place, 1}, detector) || !works()) co_return;
        watch_silence();
    }
}

Task<bool> Port::search(std::span<const Found> among, Detector& detector) {
    for (const Found& place : among) {
        if (!co_await detector.tune(place.candidate)) co_return false;
        const auto began = Clock::now();
        const auto first = co_await detector.ask(*place.candidate.family, place.address, Extent::everything);
        if (dialogue_.device_error()) co_return false;
        if (!first) continue;
        settle(place);
        for (Station& station : stations_)
            if (station.address.value == place.address) take_over(station, detector, *first, Clock::now() - began);
        co_return true;
    }
    co_return false;
}

void Port::settle(const Found& found) {
    found_ = true;
    rate_ = found.candidate.rate;
    const bms::Family& family = *found.candidate.family;
    auto addresses = shown_addresses(family);
    if (settings_.addresses.empty() && family.addresses.used) addresses = {Address{found.address, ""}};
    const bool as_shown = family_ == &family && stations_.size() == addresses.size() &&
                          stations_.front().address.value == addresses.front().value;
    if (!as_shown) {
        remove_all();
        family_ = &family;
        make_stations(*family_, std::move(addresses));
    }
    if (context_.memory) context_.memory->remember(name(), {found});
    const auto place = family_->addresses.used ? std::optional(found.address) : std::nullopt;
    context_.report(Severity::info, place_of(name(), place) + ": a BMS of type " + std::string(family_->type) +
                                        " answers" +
                                        (rate_ != 0 ? " at " + std::to_string(rate_) + " baud" : std::string()));
}

/// What the search has read is the battery's first poll.
void Port::take_over(Station& station, const Detector& detector, const Reading& reading, Clock::duration took) {
    const auto now = Clock::now();
    station.complete = true;
    for (std::size_t i = 0; i < family_->requests.size(); ++i) note(station, i, !detector.unanswered(i), false, now);
    station.battery->reading = station.scratch = reading;
    settle_identity(station);
    succeeded(station, took);
}

void Port::report_unknown(std::span<const Candidate> among, const std::string& why) {
    std::string asked;
    std::string_view last;
    for (const Candidate& candidate : among) {
        if (candidate.family->type == last) continue;
        last = candidate.family->type;
        asked.append(asked.empty() ? "" : ", ").append(last);
    }
    const auto longest = longest_search(among, [&](const bms::Family& family) { return addresses_of(family).size(); });
    context_.report(Severity::warning,
                    name() + ": no known BMS answers (asked for " + asked + ", which takes up to " +
                        duration_text(std::chrono::ceil<std::chrono::seconds>(longest)) + "): " + why +
                        "; or name the BMS in BMS_TYPE and its address in BATTERY_ADDRESSES; asking again and again");
}

/// Where batteries of this family are looked for.
std::vector<Address> Port::addresses_of(const bms::Family& family) const {
    std::vector<Address> all = shown_addresses(family);
    if (family.addresses.used && settings_.addresses.empty())
        for (const std::uint32_t address : family.addresses.factory) all.push_back({address, ""});
    return all;
}

void Port::make_stations(const bms::Family& family, std::vector<Address> addresses) {
    stations_.clear();
    heard_.resize(is_weak(family) ? bms::most_voters : usual_voters);
    for (Address& address : addresses) {
        Station& station = add_station(family, std::move(address));
        station.due.resize(family.requests.size());
        station.pace.resize(family.requests.size());
    }
}

/// Polls all batteries on a steady grid until the device fails or the port must be opened again.
/// The grid is the same for all ports with this interval, so that they share their wake-ups.
Task<void> Port::serve() {
    const Clock::duration step = settings_.poll.value_or(family_->timing.poll);
    for (;;) {
        const bool go_on = co_await round();
        watch_silence();
        if (!go_on) co_return;
        const auto now = Clock::now();
        if (step > Clock::duration::zero()) {
            const auto since_epoch = now.time_since_epoch();
            co_await dialogue_.sleep_until(Clock::time_point(since_epoch - since_epoch % step + step));
        }
    }
}

/// One poll of every battery that is due; false if the port must be opened again.
Task<bool> Port::round() {
    bool asked = false, all_answered = true, silence = false;
    const auto round_began = Clock::now();
    for (std::size_t next = 0; next < stations_.size();) {
        // Behind each silence somebody who answers has his turn: none must wait for all that are silent.
        Station* const waiting = silence ? longest_waiting() : nullptr;
        Station& station = waiting ? *waiting : stations_[next++];
        const auto now = Clock::now();
        if (now < station.next_try) all_answered = false;
        if (now < station.next_try || (station.failures == 0 && station.last_good > round_began && !waiting)) continue;
        asked = true;
        if (!dialogue_.is_quiet()) co_await dialogue_.quiet();  // waiting for the bus is not this battery's time
        const auto began = Clock::now();
        const bool identify = !station.identified;  // it may be doubted while it is asked
        Outcome outcome = co_await read_all(station, identify);
        if (outcome && !passes(station)) outcome = co_await confirm(station);
        if (outcome) {
            silence = falls_silent_ = false;
            station.contradictions = 0;
            station.battery->reading = station.scratch;  // copied, as texts then keep their memory in both
            if (identify) settle_identity(station);
            succeeded(station, dialogue_.answered() - began);
            if (station.identified && !station.pending.empty()) co_await obey(station);
        } else {
            all_answered = false;
            silence = !dialogue_.heard();
            falls_silent_ = silence && (falls_silent_ || station.failures == 0);
            station.scratch = station.battery->reading;  // as the next poll begins: begin_reading()
            failed(station, outcome.error());
        }
        if (dialogue_.device_error()) co_return false;
    }
    if (all_answered) round_time_ = Clock::now() - round_began;
    if (!asked) {
        // Back to back with every battery silent: wait for the first one's turn.
        auto first = stations_.front().next_try;
        for (const Station& station : stations_) first = std::min(first, station.next_try);
        co_await dialogue_.sleep_until(std::min(first, Clock::now() + 1s));
    }
    // Stale bytes and dead descriptors survive anything but closing the port.
    if (failed_in_row_ >= reopen_after * stations_.size()) {
        context_.report(Severity::debug, name() + ": opening the port again, nothing answers");
        co_return false;
    }
    co_return true;
}

/// Of the batteries that answer the one that should have been polled again, and has waited for it longest; null: none.
Station* Port::longest_waiting() noexcept {
    Station* found = nullptr;
    const auto now = Clock::now();
    for (Station& station : stations_) {
        const bool due = station.battery->link.polls > 0 && station.failures == 0 &&
                         now - station.last_good > renewed_within(station);
        if (due && (!found || station.last_good < found->last_good)) found = &station;
    }
    return found;
}

// ---- one battery ---------------------------------------------------------------------------------

/// What a checksum let pass would last for one reading only: a surprising one, and on a noisy line each that says
/// something new, counts once another one of the same poll says the same: two of three, or three of five.
Task<Port::Outcome> Port::confirm(Station& station) {
    std::size_t enough = usual_voters;
    bool complete = station.complete;
    for (std::size_t count = 1;; ++count) {
        if (is_untrustworthy(station)) enough = bms::most_voters;
        heard_[count - 1] = station.scratch;
        const auto heard = std::span<const Reading>(heard_).first(count);
        if (count == enough) {
            station.complete = complete;  // what one of them lacks, the middle may lack
            co_return outvote(station, heard);
        }
        // Who it is need not be told again if it is who it was.
        const bool known = complete && bms::same_texts(station.scratch, station.battery->reading);
        station.scratch = station.battery->reading;
        // All that may have surprised, but not what nobody answers.
        for (std::size_t i = 0; i < station.due.size(); ++i)
            if (station.pace[i].size() > 0) station.due[i] = {};
        if (Outcome read = co_await read_all(station, !station.identified && !known); !read) co_return read;
        const auto agreeing =
            std::count_if(heard.begin(), heard.end(), [&](const Reading& one) { return agrees(station, one); });
        if (static_cast<std::size_t>(agreeing) >= enough / 2) co_return Outcome{};  // with this one most of all
        if (!bms::jump(heard.back(), station.scratch).empty()) station.noise.contradicted(Clock::now());
        if (!is_first(station) && passes(station)) co_return Outcome{};
        complete = complete && station.complete;
    }
}

/// Of readings that contradict each other the middle counts, if it is none that surprises or most of them differ from
/// it by a digit or two only: else two may be damaged. Somebody whose values never stand still is believed in the end.
Port::Outcome Port::outvote(Station& station, std::span<const Reading> heard) {
    station.scratch = bms::middle(heard);
    const auto near = std::count_if(heard.begin(), heard.end(),
                                    [&](const Reading& one) { return bms::repeats(one, station.scratch); });
    const bool most_agree = station.complete && 2 * near > std::ssize(heard);
    std::string_view why = most_agree ? std::string_view{} : bms::jump(station.battery->reading, station.scratch);
    if (why.empty()) why = bms::newly_implausible(station.battery->reading, station.scratch);
    if (why.empty() || station.contradictions + 1 >= contradictions_believed) return Outcome{};
    ++station.contradictions;
    return tl::unexpected(
        Error{ErrorClass::implausible, "readings in a row contradict each other (" + std::string(why) + ")"});
}

/// Whether the reading of this poll goes together with another one: the worse the line, the closer. That a line is
/// quiet says little where half of the damage is not noticed.
bool Port::agrees(const Station& station, const Reading& other) {
    if (is_untrustworthy(station)) return other == station.scratch;
    switch (station.noise.level(Clock::now())) {
        case Noise::Level::quiet:
            return is_weak(*station.family) ? bms::repeats(other, station.scratch)
                                            : bms::jump(other, station.scratch).empty();
        case Noise::Level::noisy: return bms::repeats(other, station.scratch);
        case Noise::Level::heavy: break;
    }
    return bms::same(other, station.scratch);
}

/// Whether the damage that is noticed is but half of all. Then two of three readings are often damaged, at times in the
/// same way, but hardly ever three of five; and one that is damaged may look like the poll before.
bool Port::is_untrustworthy(const Station& station) {
    return is_weak(*station.family) && station.noise.level(Clock::now()) == Noise::Level::heavy;
}

/// Whether no poll of it worked yet.
bool Port::is_first(const Station& station) {
    return station.battery->link.polls == 0;
}

/// Whether it needs nobody to confirm it. The very first one is compared with the answer to the probe.
bool Port::passes(const Station& station) const {
    if (is_untrustworthy(station)) return false;
    if (!bms::newly_implausible(station.battery->reading, station.scratch).empty()) return false;
    if (!is_first(station)) return agrees(station, station.battery->reading);
    return is_weak(*station.family) ? bms::confirms(station.scratch, probed_)
                                    : bms::jump(probed_, station.scratch).empty();
}

/// What was known stands in the scratch reading already, but nothing counts of a battery that is to be identified. A
/// plain function: the frame of a coroutine would keep room for one more reading.
void Port::begin_reading(Station& station, bool identify) {
    if (identify) station.scratch = Reading{};
    bms::begin_poll(station.scratch);
}

/// Reads everything that is due into the scratch reading, which replaces the battery's own only when all of
/// it is there: values of different polls are never mixed. `identify`: also who it is, once it has answered its probe.
Task<Port::Outcome> Port::read_all(Station& station, bool identify) {
    Reading& reading = station.scratch;
    begin_reading(station, identify);
    // A silent battery must not cost the others on its bus more than one time-out.
    if (identify) {
        Outcome alive = co_await ask(station, family_->probe, reading);
        if (!alive) alive = co_await insist(station, family_->probe, reading, std::move(alive));
        if (!alive) co_return alive;
        if (is_first(station)) probed_ = reading;
        begin_reading(station, identify);
    }
    station.complete = true;
    auto now = Clock::now();
    for (std::size_t i = 0; i < family_->requests.size(); ++i) {
        const bms::Request& request = family_->requests[i];
        if (!identify && request.when == When::identify) continue;
        if (request.wanted && !request.wanted(reading)) continue;
        if (!identify && now < station.due[i]) continue;
        const bool usual = station.pace[i].size() > 0;
        Outcome answered = co_await ask(station, i, reading);
        if (!answered) answered = co_await insist(station, i, reading, std::move(answered));
        if (!answered && (dialogue_.device_error() || (request.mandatory && request.when == When::every_poll)))
            co_return answered;
        now = Clock::now();
        note(station, i, answered.has_value(), usual, now);
    }
    co_return Outcome{};
}

/// What follows from an answer, or from its lack where that fails no poll. `usual`: it was answered the last time; on a
/// noisy line it has come damaged then, and is asked again in the next poll.
void Port::note(Station& station, std::size_t index, bool answered, bool usual, Clock::time_point now) {
    const bms::Request& request = family_->requests[index];
    if (!answered && request.mandatory) station.complete = false;
    const bool damaged = usual && station.noise.level(now) != Noise::Level::quiet;
    if (answered ? request.when == When::sometimes : !damaged)
        station.due[index] = now + (answered ? std::chrono::milliseconds(request.period) : unanswered_again);
}

/// A BMS that answers polls but not its identification is better shown without it than not at all.
void Port::settle_identity(Station& station) {
    if (!station.complete && ++station.identify_rounds < identify_patience) return;
    if (!station.complete) {
        const std::string other = family_->identity ? family_->identity(station.battery->reading) : "";
        context_.report(Severity::warning, place_of(station.battery->identity) +
                                               ": the BMS does not tell its serial number; it is named after " +
                                               (other.empty() ? "its port" : "what else it tells: " + other));
    }
    station.identify_rounds = 0;
    station.identified = true;
}

Task<Port::Outcome> Port::ask(Station& station, std::size_t index, Reading& reading) {
    return dialogue_.ask(*family_, family_->requests[index], asking(station, reading), station.pace[index],
                         {station.battery->link.counters, station.evidence}, reading);
}

/// Asks again what was not answered, if that is of any use.
Task<Port::Outcome> Port::insist(Station& station, std::size_t request, Reading& reading, Outcome first) {
    // A battery that is silent anyway gets no second chance within the same poll; nor does one behind another that has
    // just fallen silent: it may be the cable of all, and whoever is left must not wait for all of them.
    const unsigned retries = station.failures == 0 && !falls_silent_ ? family_->timing.retries : 0;
    if (dialogue_.otherwise()) co_return co_await ask(station, request, reading);
    if (first.error().cls == ErrorClass::refused) co_return first;
    for (unsigned retry = 0; !dialogue_.device_error(); ++retry) {
        if (dialogue_.heard()) station.noise.damaged(Clock::now());  // silence has other reasons
        if (retry == retries) break;
        Outcome again = co_await ask(station, request, reading);
        if (again) co_return again;
    }
    co_return first;  // the first reason tells more than the silence after it
}

// ---- consequences --------------------------------------------------------------------------------

/// What explains the troubles of this address, if it has any, in the link's text; `error` of a failed poll says more.
void Port::judge(Station& station, const Error* error) {
    std::string& trouble = station.battery->link.trouble;
    // What was met before the first answer, in a search or while the port could not be opened, is no part of the
    // evidence.
    if (!error && station.evidence.clean() && station.mistake == Mistake::none) return trouble.clear();
    Evidence others;
    for (const Station& other : stations_)
        if (&other != &station) others.count_in(other.evidence);
    const Mistake before = std::exchange(station.mistake, diagnose(station.evidence, others));
    // Numbers that change with every poll would be a new text for every face: it is made when the mistake changes.
    if (station.mistake == Mistake::none || (!error && station.mistake == Mistake::echo))
        trouble = error ? error->detail : "";
    else if (station.mistake != before || trouble.empty())
        trouble = explain(station.mistake, station.evidence) +
                  (error && station.mistake != Mistake::refused ? "; last: " + error->detail : "");
    const bool news = station.mistake != before && station.mistake != Mistake::none && !error;
    if (!news || Clock::now() < station.next_report) return;
    station.next_report = Clock::now() + between_reports;
    context_.report(station.mistake == Mistake::echo ? Severity::info : Severity::warning,
                    place_of(station.battery->identity) + ": " + explain(station.mistake, station.evidence));
}

}  // namespace bmsd::engine
