// What a person may change in a JBD BMS. Never written: calibration (AD..D7), the balance test (E2), passwords (07,
// 09). Facts: dossier lltjbd §8.
#pragma once

#include <array>

#include "bms/jbd.hpp"

namespace bmsd::bms::jbd {

[[nodiscard]] std::string_view forbids_charge(const Reading& known, double value);
[[nodiscard]] std::string_view forbids_discharge(const Reading& known, double value);
[[nodiscard]] std::string_view forbids_soc(const Reading& known, double value);
[[nodiscard]] std::string_view forbids_clear(const Reading& known, double value);
[[nodiscard]] Flag shows_charge(const Reading& after, double value);
[[nodiscard]] Flag shows_discharge(const Reading& after, double value);
[[nodiscard]] Flag shows_balance(const Reading& after, double value);
[[nodiscard]] Flag shows_soc(const Reading& after, double value);
[[nodiscard]] Flag shows_clear(const Reading& after, double value);
/// Compares the switches that were read again with what was to be set.
[[nodiscard]] std::string_view finish_balance_check(const Request& request, const Asking& asking,
                                                    std::span<const std::uint8_t> payload, Reading& reading);

/// A write; `data` as in write().
constexpr Request write_step(std::string_view name, std::uint8_t at, std::uint16_t data) {
    return {.name = name,
            .meaning = "step of a control",
            .when = When::on_demand,
            .selector = write(at, data),
            .answer_size = 7,
            .timeout = answer_within};
}
/// A read of the switches.
constexpr Request read_switches(std::string_view name, std::span<const FlagRow> flags, Finish finish = nullptr) {
    return {.name = name,
            .meaning = "step of a control",
            .when = When::on_demand,
            .selector = read(switches_register),
            .answer_size = 7 + 2,
            .timeout = answer_within,
            .layout = {.size = 2, .flags = flags},
            .finish = finish};
}

inline constexpr std::array switches_flags = {FlagRow{&Reading::balance_fet, 0, Wire::u16be, balancer_bit}};

inline constexpr Request enter = write_step("enter-factory-mode", enter_register, 0x5678);
inline constexpr Request leave_and_save = write_step("leave-factory-mode-and-save", leave_register, 0x2828);
inline constexpr Request leave = write_step("leave-factory-mode", leave_register, 0x0000);

/// Leaving is harmless outside factory mode, and the vendor's app does so after switching a FET: whatever happened, and
/// even if "save" was not acknowledged, the BMS is back in its normal mode afterwards.
inline constexpr std::array left = {leave};

inline constexpr std::array charge_steps = {write_step("charge-fet", fets_register, charge_bit)};
inline constexpr std::array discharge_steps = {write_step("discharge-fet", fets_register, discharge_bit)};
inline constexpr std::array balance_steps = {
    enter,
    read_switches("switches-before", switches_flags),
    write_step("switches", switches_register, balancer_bit),
    read_switches("switches-after", switches_flags, finish_balance_check),
    leave_and_save,
};
// The remaining capacity is a running count, no setting of the EEPROM: nothing has to be saved for it.
inline constexpr std::array soc_steps = {enter, write_step("remaining-capacity", remaining_register, 0)};
inline constexpr std::array clear_steps = {write_step("clear-alarms", order_register, 0x0400)};

inline constexpr std::array controls = {
    Control{.name = "charge",
            .meaning = "charge MOSFET",
            .setting = Setting::on_off,
            .steps = charge_steps,
            .finally = left,
            .forbids = forbids_charge,
            .shows = shows_charge},
    Control{.name = "discharge",
            .meaning = "discharge MOSFET",
            .setting = Setting::on_off,
            .steps = discharge_steps,
            .finally = left,
            .forbids = forbids_discharge,
            .shows = shows_discharge,
            .warning = "off, nothing is supplied from this battery any more, perhaps not even this computer"},
    Control{.name = "balance",
            .meaning = "whether the BMS may balance cells",
            .setting = Setting::on_off,
            .steps = balance_steps,
            .finally = left,
            .shows = shows_balance,
            .pause = seconds{60},
            .warning = "enters the factory mode of the BMS and saves its settings; this resets its protection counters",
            .untested = true},  // recordings show the write, but none leaves with "save"
    Control{.name = "soc",
            .meaning = "state of charge, by way of the remaining capacity",
            .setting = Setting::percent,
            .steps = soc_steps,
            .finally = left,
            .forbids = forbids_soc,
            .shows = shows_soc,
            .pause = seconds{60},
            .warning = "enters the factory mode of the BMS",
            .untested = true},
    Control{.name = "clear-alarms",
            .meaning = "clear the alarms",
            .setting = Setting::action,
            .steps = clear_steps,
            .forbids = forbids_clear,
            .shows = shows_clear,
            .pause = seconds{60},
            .untested = true},
};

}  // namespace bmsd::bms::jbd
