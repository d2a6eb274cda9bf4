// `bmsd scan can0` and `bmsd can-setup`.
#pragma once

#include <string>
#include <vector>

#include <boost/json.hpp>

#include "bms/family.hpp"
#include "link/can.hpp"

namespace bmsd::app {

/// A CAN interface that was looked over.
struct CanLooked {
    std::string text;    ///< for a person
    std::string config;  ///< lines of a configuration about it; empty if nothing was found
    boost::json::object json;
    bool found = false;  ///< a battery
};

/// Listens on a CAN interface for some seconds; those who speak only when asked are asked. `addresses` empty: all.
[[nodiscard]] CanLooked look_at_can(const std::string& interface, const std::vector<const bms::Family*>& families,
                                    const std::vector<std::uint32_t>& addresses);

/// The commands that prepare an interface, for a person and for a program; `bitrate` 0: for both usual ones.
[[nodiscard]] std::string can_setup_text(const link::CanInterface& interface, unsigned bitrate);
[[nodiscard]] boost::json::object can_setup_json(const link::CanInterface& interface, unsigned bitrate);

/// Prints them. Nothing is changed. Exit code 0, or 2 if there is no such interface.
int can_setup(const std::string& interface, unsigned bitrate, bool as_json);

}  // namespace bmsd::app
