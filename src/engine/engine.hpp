// All ports in one event loop.
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include "engine/can_port.hpp"
#include "engine/port.hpp"

namespace bmsd::engine {

/// Runs ports and tells sinks. Lives in one thread.
class Engine : public Desk {
public:
    /// `parameters` must outlive the engine; when they change, the next poll follows them. Errors of the configuration
    /// are shown with every battery; if `config_blocks`, none may be charged or discharged.
    Engine(asio::io_context& io, const control::Parameters& parameters, bool port_as_id, bool config_error,
           bool config_blocks, Report report);

    /// Faces to be told; they must outlive the engine. Before start().
    void add_sink(Sink& sink) { sinks_.push_back(&sink); }

    /// Where detections are kept; it must outlive the engine. Before start().
    void set_memory(Memory& memory) { context_.memory = &memory; }
    /// Where the state of batteries is kept; it must outlive the engine. Before start().
    void set_memory(BatteryMemory& memory) {
        context_.batteries = &memory;
        registry_.set_memory(memory);
    }

    /// What other devices say about the batteries, asked with every poll. Before start().
    void set_surroundings(std::function<control::Surroundings()> now) { context_.surroundings = std::move(now); }

    /// Adds a port; after start() it runs at once.
    void add_port(PortSettings settings, std::unique_ptr<link::ByteLink> link);
    void add_port(PortSettings settings, std::unique_ptr<link::CanSocket> socket);

    /// Starts all ports. `all_failed` is called once if no port could be opened at the first attempt.
    void start(std::function<void()> all_failed);

    /// Ends a port after start(): its device is closed, the sinks are told that its batteries are gone. `gone` is
    /// called when that is done and the device may be opened again; at once if there is no such port.
    void remove_port(const std::string& name, std::function<void()> gone);

    Result<void> give(const Battery& battery, Order order, double value) override;
    void refuse(const Battery& battery, std::string_view what, const std::string& why) override;

    /// What the configuration is worth now; `trouble`: the worst that is wrong with it, for people.
    void set_config_state(bool error, bool blocks, const std::string& trouble = {});

    /// Hands the state of every battery that is known to the memory.
    void keep_states() const;

    /// Keeps their states and tells the sinks that every battery is gone; the loop may be stopped then.
    void stop();

    [[nodiscard]] const std::vector<std::unique_ptr<BasePort>>& ports() const noexcept { return ports_; }

private:
    /// A port on its way out.
    struct Leaving {
        std::unique_ptr<BasePort> port;
        std::function<void()> gone;
    };

    /// Looks after silent batteries from now on.
    void watch();
    void note_first_open();
    void add(std::unique_ptr<BasePort> port);
    void spawn(BasePort& port);
    void ended(const BasePort& port, std::exception_ptr error);

    asio::io_context& io_;
    Registry registry_;
    std::vector<Sink*> sinks_;
    Context context_;
    std::vector<std::unique_ptr<BasePort>> ports_;
    std::vector<Leaving> leaving_;
    std::map<const BasePort*, asio::cancellation_signal> running_;  ///< every port whose coroutine runs
    std::function<void()> all_failed_;
    bool started_ = false;
    Timer watch_;
};

}  // namespace bmsd::engine
