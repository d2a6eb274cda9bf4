#include "app/reading_json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "bms/layout.hpp"
#include "model/quantities.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

constexpr int cell_decimals = 4;
constexpr int temperature_decimals = 3;
constexpr int power_decimals = 3;

double rounded(double value, int decimals) {
    const double unit = std::pow(10.0, decimals);
    return std::round(value * unit) / unit + 0.0;  // + 0.0: no negative zero
}

template <class List>
void add_list(json::object& out, std::string_view name, const List& list, int decimals) {
    if (list.empty()) return;
    json::array& values = out[name].emplace_array();
    for (const Number& value : list)
        if (value)
            values.emplace_back(rounded(*value, decimals));
        else
            values.emplace_back(nullptr);
}

json::object alarms_json(const Alarms& alarms) {
    json::object out;
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const auto alarm = static_cast<Alarm>(i);
        if (const auto level = alarms[alarm]) out[to_string(alarm)] = static_cast<int>(*level);
    }
    return out;
}

void write(const json::value& value, std::string& out);

void write(const json::object& object, std::string& out) {
    out += '{';
    for (const auto& [key, value] : object) {
        if (out.back() != '{') out += ',';
        out += json::serialize(key) + ':';
        write(value, out);
    }
    out += '}';
}

void write(const json::array& array, std::string& out) {
    out += '[';
    for (const json::value& value : array) {
        if (out.back() != '[') out += ',';
        write(value, out);
    }
    out += ']';
}

void write(double value, std::string& out) {
    std::array<char, 512> digits{};  // the largest double has 309 digits
    const auto [end, error] =
        std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
    out.append(digits.data(), error == std::errc{} ? end : digits.data());
}

void write(const json::value& value, std::string& out) {
    if (const auto* object = value.if_object())
        write(*object, out);
    else if (const auto* array = value.if_array())
        write(*array, out);
    else if (const auto* number = value.if_double())
        write(*number, out);
    else
        out += json::serialize(value);
}

}  // namespace

json::object reading_json(const Reading& reading) {
    json::object out;
    for (const NumberQuantity& quantity : number_quantities()) {
        if (const Number& value = reading.*quantity.member)
            out[quantity.name] = rounded(*value, quantity.decimals);
        else if (quantity.member == &Reading::power_w && reading.voltage_v && reading.current_a)
            out[quantity.name] = rounded(*reading.voltage_v * *reading.current_a, power_decimals);
    }
    for (const FlagQuantity& quantity : flag_quantities())
        if (const Flag& value = reading.*quantity.member) out[quantity.name] = *value;
    for (const TextQuantity& quantity : text_quantities())
        if (const Text& value = reading.*quantity.member) out[quantity.name] = *value;
    for (const CellsMember member : {&Reading::cell_voltages_v, &Reading::cell_resistances_ohm})
        add_list(out, name_of(member), reading.*member, cell_decimals);
    if (!reading.cell_balancing.empty())
        out["cell_balancing"] = json::array(reading.cell_balancing.begin(), reading.cell_balancing.end());
    add_list(out, "temperatures_c", reading.temperatures_c, temperature_decimals);
    if (auto alarms = alarms_json(reading.alarms); !alarms.empty()) out["alarms"] = std::move(alarms);
    return out;
}

json::object error_json(const Error& error) {
    // A detail may quote a file name or a file, which need not be UTF-8; JSON must be.
    const std::span bytes(reinterpret_cast<const std::uint8_t*>(error.detail.data()), error.detail.size());
    return {{"error", to_string(error.cls)}, {"detail", bms::text(bytes)}};
}

std::string to_text(const json::value& value) {
    std::string out;
    write(value, out);
    return out;
}

}  // namespace bmsd::app
