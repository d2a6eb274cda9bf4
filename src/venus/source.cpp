#include "venus/source.hpp"

#include <algorithm>
#include <cmath>

#include "control/silence.hpp"
#include "venus/names.hpp"

namespace bmsd::venus {
namespace {

std::string cell_name(std::size_t number) {
    return number == 0 ? std::string{} : "C" + std::to_string(number);
}

/// Since when it is silent, and when its limits go to zero.
std::string lost_text(const Battery& battery, const control::Parameters& parameters) {
    const std::chrono::seconds threshold = control::tolerated_silence(battery, parameters);
    const auto left = std::max(threshold - battery.link.silent, std::chrono::seconds(0));
    return "Lost for: " + duration_text(battery.link.silent) + " | Disconnect in: " + duration_text(left) +
           " | Threshold: " + duration_text(threshold);
}

std::string connected_text(const Link& link) {
    if (link.errors < 2) return "Connected";  // one is an everyday event
    return "Connected (" + std::to_string(link.errors) + " errors in the last " + duration_text(link.errors_for) + ")";
}

std::string link_text(const Battery& battery, const control::Parameters& parameters) {
    std::string text = battery.online                              ? connected_text(battery.link)
                       : battery.link.state == LinkState::starting ? "Initializing..."
                                                                   : lost_text(battery, parameters);
    if (const std::string& lost = battery.summary.lost_inputs; !lost.empty()) text += " | No value from: " + lost;
    for (const std::string* trouble : {&battery.link.trouble, &battery.orders.trouble, &battery.config_trouble})
        if (!trouble->empty()) text += " | " + *trouble;
    return text;
}

/// TIME_TO_SOC_VALUE_TYPE: "2520", "42m" or "2520 [42m]".
std::string time_text(double seconds, int format) {
    const std::string number = std::to_string(std::llround(seconds));
    const std::string words = duration_text(std::chrono::seconds(std::llround(seconds)));
    if (format == 1) return number;
    return format == 2 ? words : number + " [" + words + "]";
}

}  // namespace

Source::Source(const Battery& shown, const control::Parameters& chosen, std::int32_t instance, bool explain)
    : battery(shown),
      parameters(chosen),
      device_instance(instance),
      serial(serial_text(shown.identity)),
      product_name(venus::product_name(shown.identity)),
      connection(connection_text(shown.identity)),
      explain_(explain) {
    refresh();
}

void Source::refresh() {
    link = link_text(battery, parameters);
    refresh_times();
    lowest_cell = cell_name(battery.summary.min_cell);
    highest_cell = cell_name(battery.summary.max_cell);
    if (explain_) explain();
}

void Source::explain() {
    const Limits& limits = battery.limits;
    reasons = "CVL: " + limits.cvl_reason + "\nCCL: " + limits.ccl_reason + "\nDCL: " + limits.dcl_reason;
    const bool floats = limits.charge_mode.starts_with("Float");
    to_bulk = floats ? limits.next_mode : "";
    to_float = floats ? "" : limits.next_mode;
}

/// The times are renewed once a minute: so are their texts.
void Source::refresh_times() {
    const auto& estimated = battery.summary.time_to_soc_s;
    for (std::size_t i = 0; i < times.size(); ++i) {
        const Number now = i < estimated.size() ? estimated[i] : std::nullopt;
        TimeToSoc& shown = times[i];
        if (shown.shown_s == now) continue;
        shown.shown_s = now;
        shown.text = now ? time_text(*now, parameters.times.to_soc_format) : "";
    }
}

}  // namespace bmsd::venus
