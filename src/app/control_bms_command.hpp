// `bmsd control-bms`: a person changes something in a BMS.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "app/state_dir.hpp"

namespace bmsd::app {

struct ControlBmsOptions {
    std::string port;
    std::string control;                        ///< "charge", "soc" ...; empty: say what this battery offers
    std::string value;                          ///< "on", "off", "80"; empty where the control takes none
    std::string type;                           ///< BMS_TYPE; empty: whichever answers
    std::optional<std::uint32_t> address{};     ///< absent: the family's standard one
    std::optional<std::uint32_t> baud{};        ///< absent: the family's rates
    std::string state_dir = usual_state_dir();  ///< where the last use of each control is kept
    bool yes = false;                           ///< do not ask
    bool untested = false;                      ///< allow what no source has seen succeed on hardware
    bool json = false;
};

/// Shows the battery, asks, sends, reads back. Exit code: 0 done (or listed), 1 it was refused or failed, 2 the command
/// line is wrong or nobody confirmed.
int control_bms(const ControlBmsOptions& options);

}  // namespace bmsd::app
