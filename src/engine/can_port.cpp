#include "engine/can_port.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/redirect_error.hpp>

#include "loop/loop.hpp"

namespace bmsd::engine {
namespace {

using namespace std::chrono_literals;
using bms::When;

/// Polls begin on this grid, as each wake-up costs. The buffer of the socket holds more than a full bus brings in
/// between.
constexpr auto tick = 200ms;
/// Frames are fetched at least so often, also where nothing else is to be done: if only few of them pass.
constexpr auto longest_rest = 1s;
/// Questions have at least so long to be answered.
constexpr auto answer_time = tick / 2;
/// So long every frame is let in where nobody has to be asked: see frequent().
constexpr auto listening_time = 120ms;
/// Frames that come all the time are let in only around a poll, if the next one is so far away.
constexpr auto worth_tuning = 3 * tick;
/// So long a new battery is listened to all the time: there are some that are slower than the documents say. So long
/// after that showed it is listened to all the time again.
constexpr auto getting_to_know = 3s;
constexpr auto slowness_remembered = 60s;
/// A full queue of the interface has room again after about this.
constexpr auto queue_pause = 10ms;
constexpr std::size_t outbox_limit = 256;
/// More ids than batteries have: somebody makes them up.
constexpr std::size_t most_routes = 1024;

/// The grid is the same for all ports, so that they share their wake-ups.
Clock::time_point next_tick(Clock::time_point after) {
    const auto since_epoch = after.time_since_epoch();
    return Clock::time_point(since_epoch - since_epoch % Clock::duration(tick) + tick);
}

}  // namespace

std::string bus_advice(const link::CanErrors& errors) {
    constexpr const char* check =
        ": nobody acknowledges what is sent; check that the battery is on, the plug (CAN-H and CAN-L not swapped), the "
        "120 ohm at both ends, and the bitrate";
    switch (errors.state) {
        case link::CanBusState::off:
            return "the controller has switched itself off (bus-off): bitrate wrong, CAN-H and CAN-L swapped or short "
                   "circuited; it stays off unless the interface has restart-ms (`bmsd can-setup` shows how)";
        case link::CanBusState::passive: return "the controller is error-passive" + std::string(check);
        case link::CanBusState::warning:
            return "the controller counts many errors (error-warning)" + std::string(check);
        case link::CanBusState::active: break;
    }
    if (errors.no_ack > 0) return "no acknowledge" + std::string(check);
    return {};
}

CanPort::Ear::Ear(const bms::Family& family, Address where, std::size_t station_index)
    : picture(family, where.value), address(std::move(where)), station(station_index) {
    beat.resize(family.can->questions.size());
}

CanPort::CanPort(Executor executor, PortSettings settings, std::unique_ptr<link::CanSocket> socket, Context& context)
    : BasePort(std::move(settings), context), timer_(std::move(executor)), socket_(std::move(socket)) {
    outbox_.reserve(outbox_limit);
    expect_batteries();
}

bms::Asking CanPort::asking(const Ear& ear, const Reading* known) const {
    bms::Asking asking;
    asking.address = ear.address.value;
    asking.alone = ears_.size() <= 1;
    asking.known = known;
    asking.options = settings_.options;
    return asking;
}

// ---- life ----------------------------------------------------------------------------------------

Task<void> CanPort::sleep_until(Clock::time_point when) {
    timer_.expires_at(when);
    link::error_code error;
    co_await timer_.async_wait(asio::redirect_error(use_task, error));
    if (error) throw boost::system::system_error(error);  // the port is being removed
}

Task<void> CanPort::run() {
    recall();
    try {
        for (;;) {
            co_await open();
            co_await serve();
            socket_->close();
            // An interface that opens and fails at once must not keep us busy.
            co_await sleep_until(*opened_at_ + first_pause);
        }
    } catch (const boost::system::system_error&) {
        socket_->close();
    }
}

Task<void> CanPort::open() {
    for (auto pause = first_pause;; pause *= 2) {
        const Result<void> outcome = socket_->open(all_);
        listening_ = bms::Frames::all;
        if (opened(outcome)) co_return;
        watch_silence();
        pause = std::min(pause, slowest_reopen(outcome.error()));
        co_await sleep_until(Clock::now() + pause);
    }
}

/// A frame that passes the filter costs more than all that is done with it, and of most only the last before a reading
/// counts.
void CanPort::listen_to(bms::Frames which) {
    if (listening_ == which || !tunable()) return;
    // What cannot be set is tried again at the next poll; what is wrong, the next read tells.
    if (!socket_->listen(which == bms::Frames::all ? all_ : rare_)) listening_ = which;
}

/// Until the interface goes down or away.
Task<void> CanPort::serve() {
    for (Ear& ear : ears_) {
        ear.picture.clear();
        ear.agreed = 0;
        ear.next_poll = {};
        std::fill(ear.beat.begin(), ear.beat.end(), Clock::time_point{});
    }
    outbox_.clear();
    frames_ = 0;
    polled_ = false;
    told_state_ = link::CanBusState::active;
    told_no_ack_ = 0;
    for (;;) {
        link::error_code error;
        if (!receive(error)) {
            tell_unusable("the interface is down or gone (" + error.message() + ")");
            co_return;
        }
        const auto now = Clock::now();
        watch_bus();
        read(now);
        send_due(now);
        flush();
        auto next = next_look(now);
        if (listening_ == bms::Frames::all && tunable()) next = std::min(next, next_tick(now));
        co_await sleep_until(outbox_.empty() ? next : std::min(next, now + queue_pause));
    }
}

/// When something is to be done again.
Clock::time_point CanPort::next_look(Clock::time_point now) const {
    if (polled_) return read_at_;
    auto due = now + longest_rest - tick;
    for (const Ear& ear : ears_) {
        due = std::min(due, ear.next_poll);
        if (ear.station == nobody || settings_.options.listen_only) continue;
        const auto& questions = ear.picture.family().can->questions;
        for (std::size_t i = 0; i < questions.size(); ++i)
            if (questions[i].when == When::sometimes) due = std::min(due, ear.beat[i] + questions[i].period - tick / 2);
    }
    return next_tick(std::max(due, now));
}

// ---- receiving -----------------------------------------------------------------------------------

/// False when the interface is no longer there.
bool CanPort::receive(link::error_code& error) {
    // Bounded: a bus that never pauses must not hold up the loop.
    for (int round = 0; round < 64; ++round) {
        const std::size_t count = socket_->read(inbox_, error);
        for (std::size_t i = 0; i < count; ++i) hear(inbox_[i]);
        if (error) return false;
        if (count < inbox_.size()) break;
    }
    return true;
}

void CanPort::hear(const link::CanReceived& received) {
    ++frames_;
    bool ours = false;
    const std::uint64_t listening = listeners(received.frame);
    for (std::size_t i = 0; i < ears_.size(); ++i) {
        bms::CanPicture& picture = ears_[i].picture;
        // Who has heard nothing yet hears everything: what is foreign explains why.
        if (picture.taken() > 0 && !(listening >> i & 1)) continue;
        if (picture.take(received.frame, received.when) == bms::CanPicture::Taken::taken) ours = true;
    }
    if (!ours) meet(received.frame);
    if (!received.from_here || ours || told_local_) return;
    told_local_ = true;
    context_.report(Severity::warning,
                    name() +
                        ": another program on this computer sends on this interface too (on Venus OS its own "
                        "can-bus-bms driver); if both show the battery, switch one of them off");
}

/// Most frames are of one battery only: the others are not bothered.
std::uint64_t CanPort::listeners(const CanFrame& frame) {
    const std::uint32_t key = frame.id | (frame.extended ? std::uint32_t{1} << 31 : 0);
    if (const auto known = routes_.find(key); known != routes_.end()) return known->second;
    std::uint64_t ears = 0;
    for (std::size_t i = 0; i < ears_.size(); ++i)
        if (ears_[i].picture.listens_to(frame)) ears |= std::uint64_t{1} << i;
    if (routes_.size() >= most_routes) routes_.clear();
    return routes_[key] = ears;
}

// ---- sending -------------------------------------------------------------------------------------

bool CanPort::asks(const bms::Family& family) const {
    return !settings_.options.listen_only &&
           std::any_of(family.can->questions.begin(), family.can->questions.end(),
                       [](const bms::CanQuestion& question) { return question.when == When::every_poll; });
}

void CanPort::ask(Ear& ear, When when, Clock::time_point now) {
    const bms::Family& family = ear.picture.family();
    for (const bms::CanQuestion& question : family.can->questions)
        if (question.when == when && (!question.wanted || question.wanted(bms::CanView(ear.picture, now))))
            send(frame_of(family, question, ear.address.value));
}

/// What keeps a battery awake, as often as it wants it; only a battery that was recognised, or named, gets it.
void CanPort::send_due(Clock::time_point now) {
    if (settings_.options.listen_only) return;
    for (Ear& ear : ears_) {
        const bms::Family& family = ear.picture.family();
        for (std::size_t i = 0; i < family.can->questions.size(); ++i) {
            const bms::CanQuestion& question = family.can->questions[i];
            if (question.when != When::sometimes || ear.station == nobody) continue;
            if (now - ear.beat[i] < question.period - tick / 2) continue;
            if (question.wanted && !question.wanted(bms::CanView(ear.picture, now))) continue;
            ear.beat[i] = now;
            send(frame_of(family, question, ear.address.value));
        }
    }
}

void CanPort::send(const CanFrame& frame) {
    if (outbox_.size() < outbox_limit) outbox_.push_back(frame);
}

void CanPort::flush() {
    std::size_t sent = 0;
    while (sent < outbox_.size()) {
        const link::error_code error = socket_->write(outbox_[sent]);
        if (error.value() == ENOBUFS) break;
        ++sent;  // what fails otherwise shows when reading, too
    }
    outbox_.erase(outbox_.begin(), outbox_.begin() + static_cast<std::ptrdiff_t>(sent));
}

// ---- reading -------------------------------------------------------------------------------------

/// On a steady grid: first the questions, a moment later what came of them and of what is told unasked.
void CanPort::read(Clock::time_point now) {
    if (!polled_) {
        bool due = false, asked = false;
        for (Ear& ear : ears_) {
            if (now < ear.next_poll) continue;
            due = true;
            if (!asks(ear.picture.family())) continue;
            asked = true;
            ear.picture.begin_poll();
            if (!identified(ear)) ask(ear, When::identify, now);
            ask(ear, When::every_poll, now);
        }
        polled_ = due;
        polled_at_ = now;
        read_at_ = asked ? next_tick(now + answer_time) : now + listening_time;
        if (due) listen_to(bms::Frames::all);
        return;
    }
    if (now < read_at_) return;
    polled_ = false;
    for (std::size_t i = 0; i < ears_.size(); ++i) {
        Ear& ear = ears_[i];
        if (polled_at_ < ear.next_poll) continue;
        const auto step = settings_.poll.value_or(ear.picture.family().timing.poll);
        // On the grid of the ticks, half a tick early: a poll that was a little late does not shift the next.
        ear.next_poll = polled_at_ + step - tick / 2;
        ear.station == nobody ? weigh(ear, now) : read_station(ear, now);
    }
    settle(now);
    watch_silence();
    tell_nothing_found(now);
    if (next_look(now) - now >= worth_tuning && all_keep_pace(now)) listen_to(bms::Frames::rare);
}

/// Whether nothing is missed of a battery by listening around its polls only. Of who is silent nothing can be missed;
/// who is not believed yet may be none. Remembers who is slower.
bool CanPort::all_keep_pace(Clock::time_point now) {
    bool all = !stations_.empty() && now - *opened_at_ >= getting_to_know;
    for (Ear& ear : ears_) {
        const bms::CanPicture& picture = ear.picture;
        if (picture.taken() == 0 || now - picture.last() > patience) continue;
        if (ear.station != nobody && !picture.keeps_pace(polled_at_, now)) ear.slow_until = now + slowness_remembered;
        if (now < ear.slow_until || bms::CanView(picture, now).listening() < getting_to_know) all = false;
    }
    return all;
}

/// Who tells a serial number unasked does so every second or two; a battery must not change its name after the start.
bool CanPort::says_who_it_is(const Ear& ear, const Reading& reading, unsigned rounds, Clock::time_point now) {
    const bms::Family& family = ear.picture.family();
    if (asks(family)) return ear.picture.answered(When::identify, now) || rounds >= identify_patience;
    return !family.identity || !family.identity(reading).empty() || rounds >= unasked_patience;
}

/// What the one before said last, it says no more.
void CanPort::doubt_identity(Station& station) {
    BasePort::doubt_identity(station);
    for (Ear& ear : ears_)
        if (ear.station != nobody && &stations_[ear.station] == &station) ear.picture.clear();
}

void CanPort::read_station(Ear& ear, Clock::time_point now) {
    Station& station = stations_[ear.station];
    Counters& counters = station.battery->link.counters;
    if (asks(ear.picture.family())) ++counters.requests;
    auto outcome = ear.picture.read(asking(ear, &station.battery->reading), now, station.scratch);
    if (!outcome) {
        // The slowest frames take their time after the start.
        if (now - *opened_at_ < patience && !station.appeared) return;
        if (const std::string advice = bus_advice(socket_->errors()); !advice.empty() && ear.picture.taken() == 0)
            outcome.error().detail = advice;
        ++(outcome.error().cls == ErrorClass::truncated ? counters.timeouts : counters.refused);
        return failed(station, outcome.error());
    }
    ++counters.good;
    if (!station.identified) station.identified = says_who_it_is(ear, station.scratch, ++station.identify_rounds, now);
    station.battery->reading = std::move(station.scratch);
    succeeded(station, Clock::now() - polled_at_);
}

/// Error frames: one line when it gets worse, one when it is good again.
void CanPort::watch_bus() {
    const link::CanErrors& errors = socket_->errors();
    if (errors.state == told_state_ && (errors.no_ack > 0) == (told_no_ack_ > 0)) return;
    const bool worse = errors.state > told_state_ || (errors.no_ack > 0 && told_no_ack_ == 0);
    told_state_ = errors.state;
    told_no_ack_ = errors.no_ack;
    const std::string advice = bus_advice(errors);
    if (worse)
        context_.report(Severity::warning, name() + ": " + advice);
    else
        context_.report(Severity::info,
                        name() + ": the controller is " + std::string(to_string(errors.state)) + " again");
}

}  // namespace bmsd::engine
