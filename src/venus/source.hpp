// Everything the values of one battery service are made from.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "control/parameters.hpp"
#include "model/battery.hpp"

namespace bmsd::venus {

/// A text per state of charge whose time is estimated.
struct TimeToSoc {
    Number shown_s;    ///< what `text` says
    std::string text;  ///< empty: nothing to say
};

/// A battery and what goes with it. Texts are kept here so that items can look at them without copying.
/// The references must outlive it.
struct Source {
    /// `explain`: the texts on what limits the battery are wanted.
    Source(const Battery& shown, const control::Parameters& chosen, std::int32_t instance, bool explain = false);
    /// Renews the texts that follow from the battery; before a round over the rows.
    void refresh();

    const Battery& battery;
    const control::Parameters& parameters;
    std::int32_t device_instance;
    std::string custom_name;
    std::string serial, product_name, connection;   ///< fixed for the life of the service
    std::string link, lowest_cell, highest_cell;    ///< by refresh()
    std::array<TimeToSoc, max_soc_points> times{};  ///< by refresh()
    /// What decides on the limits, and what leads to the next mode; by refresh(), empty if not wanted.
    std::string reasons, to_bulk, to_float;
    std::string json;                 ///< all values as one text; empty: not wanted
    std::int32_t reset_soc_to = 100;  ///< %, until somebody applies it

private:
    void refresh_times();
    void explain();

    bool explain_;
};

}  // namespace bmsd::venus
