#include "engine/port.hpp"

#include <algorithm>
#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "control/control.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;
using bms::When;

/// Ladder of recovery, counted in failed polls without any good answer on the port.
constexpr unsigned reopen_after = 8;
/// A port that does not open is tried again after the first pause, then less often.
constexpr std::chrono::seconds first_pause{1};
constexpr std::chrono::seconds slowest_reopen{5};
/// A battery that comes and goes is reported no more often than this.
constexpr std::chrono::seconds between_reports{60};
/// A battery that answers polls but not its identification appears without it after so many polls.
constexpr int identify_patience = 5;
/// A question of minor importance that was not answered is asked again after this.
constexpr std::chrono::milliseconds unanswered_again = 10s;
/// Below this, waiting for more bytes is cheaper than a timer of our own.
constexpr std::chrono::nanoseconds worth_sleeping = 2ms;
/// Silence between two rounds of asking an unknown port.
constexpr std::chrono::seconds between_detections{5};

}  // namespace

Port::Port(asio::any_io_executor executor, PortSettings settings, std::unique_ptr<link::ByteLink> link,
           Context& context)
    : settings_(std::move(settings)), link_(std::move(link)), context_(context), timer_(std::move(executor)) {
    rate_ = settings_.families.front()->serial.rates.front();
    // A known family can be shown as "not answering" from the start.
    if (settings_.families.size() == 1) {
        family_ = settings_.families.front();
        make_stations(*family_);
    }
}

std::chrono::milliseconds Port::interval() const {
    return settings_.poll.value_or(family_->timing.poll);
}

bms::Asking Port::asking(const Station& station, const Reading& known) const {
    return {station.address.value, stations_.size() <= 1, &known};
}

asio::awaitable<void> Port::sleep_until(Clock::time_point when) {
    if (when <= Clock::now()) co_return;
    timer_.expires_at(when);
    link::error_code ignored;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

// ---- life ----------------------------------------------------------------------------------------

asio::awaitable<void> Port::run() {
    for (;;) {
        co_await open();
        if (first_open_ && !*first_open_ && first_open_->error().cls == ErrorClass::config && !link_->is_open())
            co_return;  // only the user can help; the reason was reported
        const auto opened = Clock::now();
        if (!family_) co_await detect();
        if (family_) co_await serve();
        link_->close();
        // A port that opens and fails at once must not keep us busy.
        co_await sleep_until(opened + first_pause);
    }
}

asio::awaitable<void> Port::open() {
    for (auto pause = first_pause;; pause = std::min<std::chrono::seconds>(pause * 2, slowest_reopen)) {
        const Result<void> opened = co_await link_->open(rate_);
        const bool first = !first_open_;
        if (!opened && !complained_) context_.report(Severity::error, opened.error().detail);
        if (first) {
            first_open_ = opened;
            context_.opened();
        }
        if (opened) {
            if (complained_) context_.report(Severity::info, name() + ": the port is there again");
            complained_ = false;
            if (!first) ++reopens_;
            for (Station& station : stations_) {
                station.identified = false;
                station.battery->link.counters.reopens = reopens_;
            }
            device_error_ = {};
            failed_in_row_ = 0;
            co_return;
        }
        complained_ = true;
        if (first && opened.error().cls == ErrorClass::config) co_return;
        for (Station& station : stations_) station.battery->link.trouble = opened.error().detail;
        watch_silence();
        co_await sleep_until(Clock::now() + pause);
    }
}

/// Asks for every candidate in turn, at each of its rates, until one answers; leaves family_ null if the device
/// fails before.
asio::awaitable<void> Port::detect() {
    for (bool told = false;; told = true) {
        for (const bms::Family* candidate : settings_.families)
            for (const std::uint32_t rate : candidate->serial.rates) {
                const bool answered = co_await try_family(*candidate, rate);
                if (answered) co_return;
                stations_.clear();
                family_ = nullptr;
                if (device_error_) co_return;
            }
        if (!told) report_unknown();
        co_await sleep_until(Clock::now() + between_detections);
    }
}

/// Asks for one family at one rate.
asio::awaitable<bool> Port::try_family(const bms::Family& family, std::uint32_t rate) {
    const bool has_rates = link_->byte_time() > std::chrono::nanoseconds{0};
    if (has_rates && rate != rate_) {
        rate_ = rate;
        const Result<void> opened = co_await link_->open(rate);
        if (!opened) {
            device_error_ = asio::error::bad_descriptor;
            co_return false;
        }
    }
    family_ = &family;
    make_stations(family);
    for (Station& station : stations_) {
        const Outcome answered = co_await ask_once(station, family.probe, station.scratch);
        if (answered) {
            context_.report(Severity::info, name() + ": a BMS of type " + std::string(family.type) + " answers at " +
                                                place_of(station.battery->identity));
            co_return true;
        }
        if (device_error_) co_return false;
    }
    co_return false;
}

void Port::report_unknown() {
    std::string asked;
    for (const bms::Family* candidate : settings_.families)
        asked += (asked.empty() ? "" : ", ") + std::string(candidate->type);
    context_.report(Severity::warning,
                    name() + ": no known BMS answers (asked for " + asked +
                        "); check power, wiring (A and B swapped?) and addresses, or name the BMS in "
                        "BMS_TYPE; asking again every few seconds");
}

void Port::make_stations(const bms::Family& family) {
    stations_.clear();
    std::vector<Address> addresses = settings_.addresses;
    if (!family.addresses.used || addresses.empty())
        addresses = {Address{family.addresses.used ? family.addresses.standard : 0, ""}};
    for (Address& address : addresses) {
        if (!bms::check_address(family, address.value)) continue;  // reported with the configuration
        Station& station = stations_.emplace_back();
        station.address = std::move(address);
        station.due.resize(family.requests.size());
        station.pace.resize(family.requests.size());
        station.last_good = Clock::now();
        Identity& identity = station.battery->identity;
        identity.type = family.type;
        identity.label = family.label;
        identity.port = settings_.name;
        if (family.addresses.used) identity.address = station.address.value;
        identity.address_text = station.address.text;
        station.battery->config_error = context_.config_error;
        station.battery->config_blocks = context_.config_blocks;
    }
}

/// Polls all batteries on a steady grid until the device fails or the port must be opened again.
/// The grid is the same for all ports with this interval, so that they share their wake-ups.
asio::awaitable<void> Port::serve() {
    const Clock::duration step = interval();
    for (;;) {
        const bool go_on = co_await round();
        watch_silence();
        if (!go_on) co_return;
        const auto now = Clock::now();
        if (step > Clock::duration::zero()) {
            const auto since_epoch = now.time_since_epoch();
            co_await sleep_until(Clock::time_point(since_epoch - since_epoch % step + step));
        }
    }
}

/// One poll of every battery that is due; false if the port must be opened again.
asio::awaitable<bool> Port::round() {
    bool asked = false;
    for (Station& station : stations_) {
        if (Clock::now() < station.next_try) continue;
        asked = true;
        co_await sleep_until(quiet_until_);  // waiting for the bus is not this battery's time
        const auto began = Clock::now();
        const Outcome outcome = co_await poll(station);
        if (outcome)
            succeeded(station, began);
        else
            failed(station, outcome.error());
        if (device_error_) {
            if (!complained_)
                context_.report(Severity::warning, name() + ": the device is gone (" + device_error_.message() +
                                                       "); waiting for it to come back");
            complained_ = true;
            co_return false;
        }
    }
    if (!asked) {
        // Back to back with every battery silent: wait for the first one's turn.
        auto first = stations_.front().next_try;
        for (const Station& station : stations_) first = std::min(first, station.next_try);
        co_await sleep_until(std::min(first, Clock::now() + 1s));
    }
    // Stale bytes and dead descriptors survive anything but closing the port.
    if (failed_in_row_ >= reopen_after * stations_.size()) {
        context_.report(Severity::debug, name() + ": opening the port again, nothing answers");
        co_return false;
    }
    co_return true;
}

// ---- one battery ---------------------------------------------------------------------------------

/// Reads everything that is due into the scratch reading, which replaces the battery's own only when all of
/// it is there: values of different polls are never mixed.
asio::awaitable<Port::Outcome> Port::poll(Station& station) {
    const bool identifying = !station.identified;
    Reading& reading = station.scratch;
    reading = {};
    // A silent battery must not cost the others on its bus more than one time-out.
    if (identifying)
        if (Outcome alive = co_await ask(station, family_->probe, reading); !alive) co_return alive;

    reading = identifying ? Reading{} : station.battery->reading;
    bms::begin_poll(reading);
    bool complete = true;
    for (std::size_t i = 0; i < family_->requests.size(); ++i) {
        const bms::Request& request = family_->requests[i];
        if (!identifying && request.when == When::identify) continue;
        if (request.wanted && !request.wanted(reading)) continue;
        if (!identifying && request.when == When::sometimes && Clock::now() < station.due[i]) continue;
        const Outcome answered = co_await ask(station, i, reading);
        if (!answered && (device_error_ || (request.mandatory && request.when == When::every_poll))) co_return answered;
        if (!answered && request.mandatory) complete = false;
        if (request.when == When::sometimes)
            station.due[i] = Clock::now() + (answered ? std::chrono::milliseconds(request.period) : unanswered_again);
    }
    std::swap(station.battery->reading, reading);
    if (identifying) settle_identity(station, complete);
    co_return Outcome{};
}

/// A BMS that answers polls but not its identification is better shown without it than not at all.
void Port::settle_identity(Station& station, bool complete) {
    if (!complete && ++station.identify_rounds < identify_patience) return;
    if (!complete)
        context_.report(Severity::warning, place_of(station.battery->identity) +
                                               ": the BMS does not tell its serial number; it is named after its port");
    station.identify_rounds = 0;
    station.identified = true;
}

asio::awaitable<Port::Outcome> Port::ask(Station& station, std::size_t request, Reading& reading) {
    Outcome first = co_await ask_once(station, request, reading);
    // A battery that is silent anyway gets no second chance within the same poll.
    const unsigned retries = station.failures == 0 ? family_->timing.retries : 0;
    for (unsigned retry = 0; retry < retries && !first && !device_error_; ++retry) {
        if (first.error().cls == ErrorClass::refused) break;
        Outcome again = co_await ask_once(station, request, reading);
        if (again) co_return again;
    }
    co_return first;  // the first reason tells more than the silence after it
}

asio::awaitable<Port::Outcome> Port::ask_once(Station& station, std::size_t index, Reading& reading) {
    const bms::Request& request = family_->requests[index];
    Counters& counters = station.battery->link.counters;
    co_await sleep_until(quiet_until_);
    drain(station);

    const bms::Asking who = asking(station, reading);
    family_->build(request, who, request_);
    transaction_.start(*family_, request, who);
    ++counters.requests;
    if (const auto error = co_await link_->write(request_)) {
        device_error_ = error;
        co_return tl::unexpected(Error{ErrorClass::truncated, "the request cannot be sent: " + error.message()});
    }
    co_await collect(station.pace[index], link_->byte_time() * static_cast<long>(request_.size()), request.timeout);
    quiet_until_ = Clock::now() + family_->timing.gap;
    if (device_error_)
        co_return tl::unexpected(Error{ErrorClass::truncated, "the device is gone: " + device_error_.message()});

    Outcome result = transaction_.finish(reading);
    if (result) {
        ++counters.good;
    } else {
        station.pace[index].forget();
        count(station, result.error());
    }
    co_return result;
}

/// Receives until the answer is complete, the BMS pauses too long within it, or nothing comes at all.
asio::awaitable<void> Port::collect(Pace& pace, std::chrono::nanoseconds request_time,
                                    std::chrono::milliseconds timeout) {
    const auto sent = Clock::now();
    const auto first_byte = sent + request_time + timeout + link_->latency();
    // Somebody who talks without pause must not hold the port for ever.
    const auto latest = first_byte + link_->byte_time() * static_cast<long>(max_frame) + 1s;
    const auto pause = family_->timing.between_bytes + link_->latency();
    const bool by_pace = pace.expected() > pace.expected().zero();
    if (by_pace) co_await sleep_until(std::min(sent + pace.expected(), first_byte));

    bool first_look = true;
    auto deadline = first_byte;
    while (transaction_.reply().progress == bms::Reply::Progress::waiting && !transaction_.room().empty()) {
        link::error_code error;
        const std::size_t count = co_await link_->read(transaction_.room(), std::min(deadline, latest), error);
        if (error && error != asio::error::timed_out) device_error_ = error;
        if (count == 0) co_return;
        const bms::Reply& reply = transaction_.received(count);
        const auto now = Clock::now();
        if (reply.progress != bms::Reply::Progress::waiting) {
            if (by_pace && first_look)
                pace.early();
            else
                pace.late(now - sent);
            co_return;
        }
        first_look = false;
        // What is missing cannot be here before the wire has carried it.
        const auto on_the_wire = link_->byte_time() * static_cast<long>(reply.missing);
        if (on_the_wire > worth_sleeping) co_await sleep_until(std::min(now + on_the_wire, latest));
        deadline = Clock::now() + pause;
    }
}

/// Whatever lies in the port before a request is not its answer.
void Port::drain(Station& station) {
    std::array<std::uint8_t, max_frame> sample;
    const std::size_t bytes = link_->drain(sample);
    // Padding behind the last answer is no news (JK PB sends one or two bytes).
    if (bytes <= 2) return;
    unsolicited_bytes_ += bytes;
    station.battery->link.counters.unsolicited_bytes += bytes;
    if (!family_->unsolicited) return;
    const auto heard = family_->unsolicited(asking(station, station.battery->reading),
                                            std::span(sample).first(std::min(bytes, sample.size())));
    if (heard.progress == bms::Reply::Progress::failed && station.battery->link.trouble != heard.why) {
        station.battery->link.trouble = heard.why;
        context_.report(Severity::warning, name() + ": " + std::string(heard.why));
    }
}

// ---- consequences --------------------------------------------------------------------------------

void Port::count(Station& station, const Error& error) {
    Counters& counters = station.battery->link.counters;
    switch (error.cls) {
        case ErrorClass::checksum: ++counters.checksum_errors; break;
        case ErrorClass::unexpected: ++counters.foreign_address; break;
        case ErrorClass::refused:
        case ErrorClass::implausible: ++counters.refused; break;
        default: ++(transaction_.bytes().empty() ? counters.timeouts : counters.short_answers);
    }
}

void Port::succeeded(Station& station, Clock::time_point began) {
    Battery& battery = *station.battery;
    const auto now = Clock::now();
    const bool was_silent = station.told;
    const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now - station.last_good);
    station.last_good = now;
    station.next_try = {};
    station.failures = 0;
    station.told = false;
    failed_in_row_ = 0;
    ++battery.link.polls;
    battery.link.poll_time = std::chrono::duration_cast<std::chrono::milliseconds>(now - began);
    battery.link.silent = 0s;
    battery.link.trouble.clear();
    battery.summary = control::summarise(battery.reading, context_.parameters);
    control::set_limits(battery, context_.parameters);
    battery.cable_alarm = Level::ok;
    control::apply_silence(battery, context_.parameters, 0ms, interval());

    if (was_silent)
        context_.report(Severity::info, place_of(battery.identity) + ": answers again after " + duration_text(silence));
    if (!station.identified) return;
    replace_if_other(station);
    if (!station.appeared) return appear(station);
    for (Sink* sink : context_.sinks) sink->updated(battery);
}

void Port::failed(Station& station, const Error& error) {
    Battery& battery = *station.battery;
    ++station.failures;
    ++failed_in_row_;
    battery.link.trouble = error.detail;
    const auto now = Clock::now();
    // Alone on its port it holds nobody up.
    if (stations_.size() > 1) station.next_try = now + back_off(station.failures);
    // One failed poll is an everyday event; three in a row are news.
    if (station.failures >= 3 && !station.told && now >= station.next_report) {
        station.told = true;
        station.next_report = now + between_reports;
        context_.report(Severity::warning, place_of(battery.identity) + ": no usable answer (" + error.detail + ")");
    }
}

void Port::watch_silence() {
    const auto now = Clock::now();
    for (Station& station : stations_) {
        Battery& battery = *station.battery;
        const auto silent = std::chrono::duration_cast<std::chrono::milliseconds>(now - station.last_good);
        if (station.failures == 0 && link_->is_open() && !device_error_) continue;
        const LinkState before = battery.link.state;
        control::apply_silence(battery, context_.parameters, silent, interval());
        battery.link.silent = std::chrono::duration_cast<std::chrono::seconds>(silent);
        if (battery.link.state != before && battery.link.state == LinkState::lost)
            context_.report(Severity::error, place_of(battery.identity) + ": lost, silent for " +
                                                 duration_text(battery.link.silent) + " (" + battery.link.trouble +
                                                 ")");
        for (Sink* sink : context_.sinks) station.appeared ? sink->updated(battery) : sink->waiting(battery);
    }
}

void Port::appear(Station& station) {
    Battery& battery = *station.battery;
    battery.identity.id = context_.registry.claim(*family_, battery, context_.report);
    battery.identity.hardware =
        family_->hardware ? family_->hardware(battery.reading) : battery.reading.hardware_version.value_or("");
    station.appeared = true;
    context_.report(Severity::info, place_of(battery.identity) + ": " + battery.identity.label + " " +
                                        battery.identity.id + " answers");
    for (Sink* sink : context_.sinks) sink->appeared(battery);
}

/// After the port was opened again another battery may answer in this one's place.
void Port::replace_if_other(Station& station) {
    Battery& battery = *station.battery;
    if (!station.appeared || !family_->identity) return;
    const std::string serial = family_->identity(battery.reading);
    if (serial.empty() || battery.identity.id.starts_with(serial) || context_.registry.uses_ports()) return;
    context_.report(Severity::warning,
                    place_of(battery.identity) + ": battery " + serial + " answers in place of " + battery.identity.id);
    for (Sink* sink : context_.sinks) sink->removed(battery);
    context_.registry.release(battery.identity.id);
    station.appeared = false;
}

void Port::remove_all() {
    for (Station& station : stations_)
        if (station.appeared) {
            for (Sink* sink : context_.sinks) sink->removed(*station.battery);
            context_.registry.release(station.battery->identity.id);
            station.appeared = false;
        }
}

}  // namespace bmsd::engine
