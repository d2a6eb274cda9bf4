// What may be changed in a Daly BMS, whichever protocol carries it. Facts: dossier daly §8, §12, §13.
#pragma once

#include <cmath>
#include <span>
#include <string_view>

#include "bms/family.hpp"

namespace bmsd::bms::daly_controls {

/// What a person must know before a MOSFET is switched.
inline constexpr std::string_view may_cut_supply =
    "if this computer is fed by the battery alone, it may lose its supply, and only the vendor's program turns it on "
    "again";

/// Why a MOSFET must not be switched now; empty: it may.
inline std::string_view forbids_switching(const Reading& known, double) {
    return known.charge_fet && known.discharge_fet ? "" : "the state of the MOSFETs is not known yet";
}

/// Why the state of charge must not be set to this value (%); empty: it may.
inline std::string_view forbids_soc(const Reading& known, double value) {
    if (!(value >= 0 && value <= 100)) return "the state of charge must be 0..100 %";
    return known.soc_percent ? "" : "the battery has not told its state of charge yet";
}

/// Whether a switch is as it was set; absent: the battery does not tell.
inline Flag shows(const Flag& state, double value) {
    if (!state) return std::nullopt;
    return *state == (value != 0);
}
inline Flag shows_charge(const Reading& after, double value) {
    return shows(after.charge_fet, value);
}
inline Flag shows_discharge(const Reading& after, double value) {
    return shows(after.discharge_fet, value);
}
inline Flag shows_balance(const Reading& after, double value) {
    return shows(after.balance_fet, value);
}
/// Whether the state of charge is the one that was set, but for what was moved since.
inline Flag shows_soc(const Reading& after, double value) {
    if (!after.soc_percent) return std::nullopt;
    return std::abs(*after.soc_percent - value) <= 1;
}

/// The switches and the state of charge, set by these steps; `untested`: see Control.
constexpr Control charge(std::span<const Request> steps, bool untested) {
    return {.name = "charge",
            .meaning = "charge MOSFET on or off",
            .steps = steps,
            .forbids = forbids_switching,
            .shows = shows_charge,
            .warning = may_cut_supply,
            .untested = untested};
}
constexpr Control discharge(std::span<const Request> steps, bool untested) {
    return {.name = "discharge",
            .meaning = "discharge MOSFET on or off",
            .steps = steps,
            .forbids = forbids_switching,
            .shows = shows_discharge,
            .warning = may_cut_supply,
            .untested = untested};
}
constexpr Control soc(std::string_view meaning, std::span<const Request> steps, bool untested) {
    return {.name = "soc",
            .meaning = meaning,
            .setting = Setting::percent,
            .steps = steps,
            .forbids = forbids_soc,
            .shows = shows_soc,
            .pause = seconds{60},
            .untested = untested};
}

/// For Guide::vendor_app.
inline constexpr std::string_view sleep_time =
    "- \"Sleep time\" (seconds): 65535, or the BMS falls asleep when no current flows and answers nobody.\n";

}  // namespace bmsd::bms::daly_controls
