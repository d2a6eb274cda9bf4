#include "bms/jbd_controls.hpp"

#include <cmath>

namespace bmsd::bms::jbd {
namespace {

/// Both FETs are written together, so the state of the other one must be known, and who switched it off.
std::string_view forbids_fet(const Reading& known, const Flag& own, const Flag& other) {
    if (!own || !other) return "the state of the two MOSFETs is not known yet";
    if (known.fet_software_lock == true && own == false && other == false && known.alarms.any())
        return "both MOSFETs are off and a protection is active: which of them software switched off cannot be told, "
               "and both are written together; wait until the alarm is over";
    return {};
}

/// A FET that was ordered on stays off as long as a protection acts: then the effect cannot be seen yet.
Flag shows_fet(const Reading& after, const Flag& fet, double value) {
    if (!fet) return std::nullopt;
    const bool on = value != 0;
    if (on && fet == false && after.alarms.any()) return std::nullopt;
    return *fet == on;
}

}  // namespace

std::string_view forbids_charge(const Reading& known, double) {
    return forbids_fet(known, known.charge_fet, known.discharge_fet);
}

std::string_view forbids_discharge(const Reading& known, double) {
    return forbids_fet(known, known.discharge_fet, known.charge_fet);
}

Flag shows_charge(const Reading& after, double value) {
    return shows_fet(after, after.charge_fet, value);
}

Flag shows_discharge(const Reading& after, double value) {
    return shows_fet(after, after.discharge_fet, value);
}

Flag shows_balance(const Reading& after, double value) {
    if (!after.balance_fet) return std::nullopt;
    return *after.balance_fet == (value != 0);
}

std::string_view finish_balance_check(const Request&, const Asking& asking, std::span<const std::uint8_t> payload,
                                      Reading&) {
    const bool permitted = (get(payload, 0, Wire::u16be) & balancer_bit) != 0;
    return permitted == (asking.value != 0) ? std::string_view{} : "the BMS did not take the balancer switch";
}

std::string_view forbids_soc(const Reading& known, double value) {
    if (!(value >= 0 && value <= 100)) return "a state of charge is 0 to 100 %";
    if (!known.capacity_ah || *known.capacity_ah <= 0) return "the capacity is not known yet";
    if (*known.capacity_ah * value > 0xFFFF) return "the BMS cannot be told more than 655.35 Ah";
    return {};
}

Flag shows_soc(const Reading& after, double value) {
    if (!after.soc_percent) return std::nullopt;
    constexpr double tolerance = 1.5;  // the BMS tells whole percent, and current may flow
    return std::abs(*after.soc_percent - value) <= tolerance;
}

std::string_view forbids_clear(const Reading& known, double) {
    return known.alarms.any() ? std::string_view{} : "no alarm is raised";
}

Flag shows_clear(const Reading& after, double) {
    return !after.alarms.any();
}

}  // namespace bmsd::bms::jbd
