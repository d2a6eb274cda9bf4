#include "app/venus_state.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <boost/json.hpp>

#include "app/history_json.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

/// Times are whole numbers of 32 bits there.
constexpr double last_time_s = std::numeric_limits<std::int32_t>::max();

/// As the Python driver writes whole numbers and others.
std::string number_text(double number) {
    if (number == std::trunc(number) && std::abs(number) < 1e15) return std::to_string(std::llround(number));
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number);
    return {text, end.ptr};
}

Number number_in(const venus::SettingValues& values, std::string_view name) {
    const auto found = values.find(name);
    if (found == values.end()) return std::nullopt;
    const auto number = venus::convert(found->second, venus::Kind::real);
    if (!number || !std::holds_alternative<double>(*number)) return std::nullopt;
    const double real = std::get<double>(*number);
    return std::abs(real) <= largest_stored ? Number(real) : std::nullopt;
}

History history_in(const venus::SettingValues& values) {
    const auto found = values.find("HistoryValues");
    const auto* text = found == values.end() ? nullptr : std::get_if<std::string>(&found->second);
    boost::system::error_code error;
    const json::value parsed = text ? json::parse(*text, error) : json::value{};
    History history;
    if (error || !parsed.is_object()) return {};
    static_cast<void>(read_history(parsed.get_object(), history));  // what makes no sense is left out
    return history;
}

}  // namespace

venus::SettingValues to_settings(const control::Persistent& state) {
    json::object history{{"clear", 0}};
    for (const HistoryQuantity& quantity : history_quantities())
        if (const Number& value = state.history.values.*quantity.member) history[quantity.stored] = *value;
    const Number& began = state.voltage.absorption_began_s;
    return {{"AllowMaxVoltage", static_cast<std::int32_t>(state.voltage.allow_max_voltage)},
            {"MaxVoltageStartTime", began ? number_text(*began) : std::string{}},
            {"SocCalc", state.soc_percent ? number_text(*state.soc_percent) : std::string{}},
            {"SocResetLastReached",
             static_cast<std::int32_t>(std::clamp(state.voltage.soc_reset_reached_s, 0.0, last_time_s))},
            {"HistoryValues", history.size() == 1 ? std::string{} : json::serialize(history)}};
}

BatteryState from_settings(const venus::SettingValues& values) {
    BatteryState state;
    if (values.empty()) return state;
    control::Persistent& control = state.control.emplace();
    control.voltage.allow_max_voltage = number_in(values, "AllowMaxVoltage") != 0.0;
    control.voltage.absorption_began_s = number_in(values, "MaxVoltageStartTime");
    control.voltage.soc_reset_reached_s = number_in(values, "SocResetLastReached").value_or(0);
    const Number soc = number_in(values, "SocCalc");
    if (soc && *soc >= 0 && *soc <= 100) control.soc_percent = soc;
    control.history.values = history_in(values);
    const Number seen = number_in(values, "LastSeen");
    if (seen && *seen >= 0) state.last_seen = std::llround(*seen);
    if (const auto name = values.find("CustomName"); name != values.end())
        if (const auto* text = std::get_if<std::string>(&name->second))
            state.name = cut_text(*text, longest_custom_name);
    if (const auto instance = values.find("ClassAndVrmInstance"); instance != values.end())
        state.device_instance = venus::instance_of(instance->second);
    return state;
}

}  // namespace bmsd::app
