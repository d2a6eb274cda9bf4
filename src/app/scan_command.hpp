// `bmsd scan`: what answers on which port, what is wrong on a bus that does not answer cleanly, and what to write into
// the configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace bmsd::app {

struct ScanOptions {
    std::vector<std::string> ports;          ///< empty: every serial port and CAN interface of this computer
    std::string type;                        ///< BMS_TYPE; empty: all
    std::vector<std::uint32_t> addresses;    ///< empty: all that each family has
    std::optional<std::uint32_t> baud = {};  ///< of serial ports; absent: each family's rates
    bool json = false;
};

/// Progress goes to standard error, the findings to standard output. Exit code: 0 a battery was found on every port, 1
/// on some port none was found or it cannot be used, 2 the command line is wrong or there is no port.
int scan(const ScanOptions& options);

}  // namespace bmsd::app
