// The ports that the engine runs, and how they follow a configuration that changes.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "loop/loop.hpp"

namespace bmsd::app {

class PortKeeper {
public:
    /// The engine and the executor outlive it.
    PortKeeper(Executor executor, engine::Engine& engine, Report report)
        : executor_(std::move(executor)), engine_(engine), report_(std::move(report)) {}

    /// Makes the engine run these ports and no others. A port whose settings are as they were is not touched; one with
    /// other settings is closed and opened again. A name that no link understands is reported and left out.
    void follow(const std::vector<engine::PortSettings>& wanted);

private:
    void open(const engine::PortSettings& settings);
    void close(const std::string& name);

    Executor executor_;
    engine::Engine& engine_;
    Report report_;
    std::map<std::string, engine::PortSettings> wanted_;
    std::set<std::string> closing_;  ///< these are opened again, if they are still wanted, when they are closed
};

}  // namespace bmsd::app
