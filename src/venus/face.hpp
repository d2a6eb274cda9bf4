// The face for Venus OS: every battery as a com.victronenergy.battery service.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "model/battery.hpp"
#include "venus/battery_service.hpp"

namespace bmsd::venus {

/// Shows batteries on D-Bus. Never blocks; a bus that is not there is tried again.
class Face : public Sink {
public:
    Face(asio::any_io_executor executor, FaceSettings settings);

    void appeared(const Battery& battery) override;
    void updated(const Battery& battery) override;
    void removed(const Battery& battery) override;

    /// Shows these from now on; the engine follows them by itself.
    void set_parameters(const control::Parameters& parameters);

    /// The services, in order of appearance.
    [[nodiscard]] const std::vector<std::unique_ptr<BatteryService>>& services() const noexcept { return services_; }

private:
    /// The only place that decides on device instances: in order of appearance, kept while we run.
    [[nodiscard]] std::int32_t instance_of(const Identity& identity);

    asio::any_io_executor executor_;
    FaceSettings settings_;
    std::map<std::string, std::int32_t> instances_;  ///< by battery id
    std::vector<std::unique_ptr<BatteryService>> services_;
};

}  // namespace bmsd::venus
