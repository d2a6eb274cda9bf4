#include "engine/engine.hpp"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace bmsd::engine {

Engine::Engine(asio::io_context& io, const control::Parameters& parameters, bool port_as_id, bool config_error,
               bool config_blocks, Report report)
    : io_(io), registry_(port_as_id), context_{parameters, registry_,    sinks_,       std::move(report),
                                               {},         config_error, config_blocks} {
    context_.opened = [this] { note_first_open(); };
}

void Engine::add_port(PortSettings settings, std::unique_ptr<link::ByteLink> link) {
    ports_.push_back(std::make_unique<Port>(io_.get_executor(), std::move(settings), std::move(link), context_));
}

void Engine::start(std::function<void()> all_failed) {
    all_failed_ = std::move(all_failed);
    for (const auto& port : ports_)
        asio::co_spawn(io_, port->run(), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);  // a programmer's mistake: end, do not limp
        });
}

void Engine::note_first_open() {
    const bool none = std::all_of(ports_.begin(), ports_.end(),
                                  [](const auto& port) { return port->first_open() && !*port->first_open(); });
    if (none && all_failed_) all_failed_();
}

void Engine::stop() {
    for (const auto& port : ports_) port->remove_all();
}

}  // namespace bmsd::engine
