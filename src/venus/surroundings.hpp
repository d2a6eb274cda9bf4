// What other devices on the bus say about our batteries: a shunt, and the energy manager's lower limit.
#pragma once

#include <optional>

#include "control/measured.hpp"
#include "venus/remote_items.hpp"

namespace bmsd::venus {

/// EXTERNAL_SENSOR_DBUS_...; an empty path is not followed.
struct ExternalSensor {
    std::string service, current_path, soc_path;
};

class Surroundings {
public:
    Surroundings(Executor executor, const std::string& address, const ExternalSensor& sensor, Report report);

    /// As of now; what is silent is absent.
    [[nodiscard]] control::Surroundings now() const;

private:
    [[nodiscard]] Number low_soc() const;

    std::optional<std::size_t> current_, soc_;  ///< places in sensor_
    RemoteItems sensor_;
    RemoteItems manager_;
};

}  // namespace bmsd::venus
