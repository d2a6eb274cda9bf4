#include "engine/engine.hpp"

#include <algorithm>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

namespace bmsd::engine {
namespace {

/// Batteries for which there is no special time, and ports that are added, are looked after so often.
constexpr std::chrono::seconds seldom{10};

}  // namespace

Engine::Engine(asio::io_context& io, const control::Parameters& parameters, bool port_as_id, bool config_error,
               bool config_blocks, Report report)
    : io_(io),
      registry_(port_as_id),
      context_{parameters, registry_, sinks_, std::move(report), {}, config_error, config_blocks},
      watch_(io.get_executor()) {
    context_.opened = [this] { note_first_open(); };
}

void Engine::add_port(PortSettings settings, std::unique_ptr<link::ByteLink> link) {
    add(std::make_unique<Port>(io_.get_executor(), std::move(settings), std::move(link), context_));
}

void Engine::add_port(PortSettings settings, std::unique_ptr<link::CanSocket> socket) {
    add(std::make_unique<CanPort>(io_.get_executor(), std::move(settings), std::move(socket), context_));
}

void Engine::add(std::unique_ptr<BasePort> port) {
    registry_.add_port(port->name());
    ports_.push_back(std::move(port));
    if (!started_) return;
    all_failed_ = nullptr;  // that was about the start
    spawn(*ports_.back());
}

void Engine::start(std::function<void()> all_failed) {
    all_failed_ = std::move(all_failed);
    started_ = true;
    for (const auto& port : ports_) spawn(*port);
    watch();
}

/// On full seconds, as most polls: while all answer it costs no wake-up.
void Engine::watch() {
    constexpr std::chrono::seconds step{1};
    const auto now = Clock::now();
    auto next = now + seldom;
    for (const auto& port : ports_) next = std::min(next, port->next_watch(now));
    const auto since_epoch = next.time_since_epoch();
    watch_.expires_at(Clock::time_point(since_epoch - since_epoch % step + step));
    watch_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled) return;
        for (const auto& port : ports_) port->watch_silence();
        watch();
    });
}

void Engine::spawn(BasePort& port) {
    asio::co_spawn(io_, port.run(),
                   asio::bind_cancellation_slot(running_[&port].slot(), [this, &port](std::exception_ptr error) {
                       // Not in here: the coroutine still looks at the signal that ended it.
                       asio::post(io_, [this, &port, error] { ended(port, error); });
                   }));
}

void Engine::remove_port(const std::string& name, std::function<void()> gone) {
    const auto at = std::find_if(ports_.begin(), ports_.end(), [&](const auto& port) { return port->name() == name; });
    if (at == ports_.end()) return gone();
    BasePort& port = **at;
    port.expect_end();
    leaving_.push_back({std::move(*at), std::move(gone)});
    ports_.erase(at);
    // What the port waits for ends; until its coroutine has noticed, its batteries stay as they are.
    if (const auto running = running_.find(&port); running != running_.end())
        running->second.emit(asio::cancellation_type::terminal);
    else
        asio::post(io_, [this, &port] { ended(port, nullptr); });
}

/// The coroutine of a port is over: it was removed.
void Engine::ended(const BasePort& port, std::exception_ptr error) {
    running_.erase(&port);
    const auto at =
        std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& one) { return one.port.get() == &port; });
    if (at == leaving_.end()) {
        if (error) std::rethrow_exception(error);  // a programmer's mistake: end, do not limp
        return;
    }
    Leaving left = std::move(*at);
    leaving_.erase(at);
    left.port->remove_all();
    left.port.reset();  // closes the device, which may be opened again at once
    left.gone();
}

void Engine::set_config_state(bool error, bool blocks, const std::string& trouble) {
    context_.config_error = error;
    context_.config_blocks = blocks;
    context_.config_trouble = trouble;
    for (const auto& port : ports_) port->set_config_state(error, blocks, trouble);
}

void Engine::note_first_open() {
    const bool none = std::all_of(ports_.begin(), ports_.end(),
                                  [](const auto& port) { return port->first_open() && !*port->first_open(); });
    if (none && all_failed_) all_failed_();
}

Result<void> Engine::give(const Battery& battery, Order order, double value) {
    for (const auto& port : ports_)
        if (auto given = port->give(battery, order, value)) return *given;
    return tl::unexpected(Error{ErrorClass::refused, "the battery is gone"});
}

void Engine::refuse(const Battery& battery, std::string_view what, const std::string& why) {
    for (const auto& port : ports_) port->tell_refusal(battery, what, why);
}

void Engine::keep_states() const {
    for (const auto& port : ports_) port->keep_states();
}

void Engine::stop() {
    watch_.cancel();
    for (const auto& port : ports_) port->remove_all();
    for (const Leaving& leaving : leaving_) leaving.port->remove_all();
}

}  // namespace bmsd::engine
