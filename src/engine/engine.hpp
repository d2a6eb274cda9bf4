// All ports in one event loop.
#pragma once

#include <memory>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "engine/port.hpp"

namespace bmsd::engine {

/// Runs ports and tells sinks. Lives in one thread.
class Engine {
public:
    /// `parameters` must outlive the engine. Errors of the configuration are shown with every battery; if
    /// `config_blocks`, none may be charged or discharged.
    Engine(asio::io_context& io, const control::Parameters& parameters, bool port_as_id, bool config_error,
           bool config_blocks, Report report);

    /// Faces to be told; they must outlive the engine. Before start().
    void add_sink(Sink& sink) { sinks_.push_back(&sink); }

    /// Adds a port; before start().
    void add_port(PortSettings settings, std::unique_ptr<link::ByteLink> link);

    /// Starts all ports. `all_failed` is called once if no port could be opened at the first attempt.
    void start(std::function<void()> all_failed);

    /// Tells the sinks that every battery is gone; the loop may be stopped then.
    void stop();

    [[nodiscard]] const std::vector<std::unique_ptr<Port>>& ports() const noexcept { return ports_; }

private:
    void note_first_open();

    asio::io_context& io_;
    Registry registry_;
    std::vector<Sink*> sinks_;
    Context context_;
    std::vector<std::unique_ptr<Port>> ports_;
    std::function<void()> all_failed_;
};

}  // namespace bmsd::engine
