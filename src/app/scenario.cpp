#include "app/scenario.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "app/history_json.hpp"
#include "app/json_errors.hpp"
#include "model/quantities.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

/// A number, null for absent, "NaN" for what is none; false if it is neither.
bool take_number(const json::value& value, Number& out) {
    if (value.is_null()) return out.reset(), true;
    if (value.is_string() && same_word(value.get_string(), "nan"))
        return out = std::numeric_limits<double>::quiet_NaN(), true;
    if (!value.is_number()) return false;
    return out = value.to_number<double>(), true;
}

/// true, false, 1, 0, null.
bool take_flag(const json::value& value, Flag& out) {
    if (value.is_null()) return out.reset(), true;
    if (value.is_bool()) return out = value.get_bool(), true;
    if (!value.is_number()) return false;
    return out = value.to_number<double>() != 0, true;
}

template <class List>
bool take_numbers(const json::value& value, List& out) {
    out.clear();
    if (value.is_null()) return true;
    if (!value.is_array()) return false;
    for (const json::value& item : value.get_array()) {
        Number number;
        if (out.size() == out.capacity() || !take_number(item, number)) return false;
        out.push_back(number);
    }
    return true;
}

bool take_balancing(const json::value& value, CellFlags& out) {
    out.clear();
    if (value.is_null()) return true;
    if (!value.is_array()) return false;
    for (const json::value& item : value.get_array()) {
        Flag flag;
        if (out.size() == out.capacity() || !take_flag(item, flag)) return false;
        out.push_back(flag.value_or(false));
    }
    return true;
}

bool take_alarms(const json::value& value, Alarms& out) {
    out = {};
    if (value.is_null()) return true;
    if (!value.is_object()) return false;
    for (const auto& [name, level] : value.get_object()) {
        const std::string_view wanted = name;
        bool known = false;
        for (std::size_t i = 0; i < alarm_count; ++i) {
            const auto alarm = static_cast<Alarm>(i);
            if (to_string(alarm) != wanted) continue;
            Number number;
            if (!take_number(level, number) || (number && !(*number >= 0 && *number <= 2))) return false;
            out.set(alarm, number ? std::optional(static_cast<Level>(*number)) : std::nullopt);
            known = true;
        }
        if (!known) return false;
    }
    return true;
}

constexpr std::string_view number_or_null = "a number or null";

/// What a key of "in" should hold if its value cannot be taken; empty if it was. `known` tells whether there is such
/// a key.
std::string_view take(std::string_view key, const json::value& value, ScenarioInput& input, bool& known) {
    known = true;
    for (const NumberQuantity& quantity : number_quantities())
        if (quantity.name == key) return take_number(value, input.reading.*quantity.member) ? "" : number_or_null;
    for (const FlagQuantity& quantity : flag_quantities())
        if (quantity.name == key) return take_flag(value, input.reading.*quantity.member) ? "" : "true, false or null";
    if (key == "cell_voltages_v")
        return take_numbers(value, input.reading.cell_voltages_v) ? "" : "a list of up to 64 numbers or nulls";
    if (key == "temperatures_c")
        return take_numbers(value, input.reading.temperatures_c) ? "" : "a list of up to 16 numbers or nulls";
    if (key == "cell_balancing")
        return take_balancing(value, input.reading.cell_balancing) ? "" : "a list of true and false, or null";
    if (key == "alarms")
        return take_alarms(value, input.reading.alarms) ? "" : "known alarms with the levels 0, 1, 2 or null";
    if (key == "external_current_a") return take_number(value, input.around.external_current_a) ? "" : number_or_null;
    if (key == "external_soc_percent")
        return take_number(value, input.around.external_soc_percent) ? "" : number_or_null;
    if (key == "reset_soc_to") return take_number(value, input.set_soc) ? "" : number_or_null;
    if (key == "history_clear") {
        Number what;
        if (!take_number(value, what) || !(what.value_or(0) >= 0 && what.value_or(0) <= 7)) return "0 to 7";
        input.clear_history = static_cast<int>(what.value_or(0));
        return "";
    }
    if (key == "online") {
        Flag online;
        if (!take_flag(value, online) || !online) return "true or false";
        input.online = *online;
        return "";
    }
    known = false;
    return "";
}

/// The known key that is spelt most like `key`.
std::string nearest_input(std::string_view key) {
    NearestWord nearest(key);
    for (const std::string_view name :
         {"cell_voltages_v", "temperatures_c", "cell_balancing", "alarms", "external_current_a", "external_soc_percent",
          "reset_soc_to", "history_clear", "online"})
        nearest.consider(name);
    for (const NumberQuantity& quantity : number_quantities()) nearest.consider(quantity.name);
    for (const FlagQuantity& quantity : flag_quantities()) nearest.consider(quantity.name);
    return std::string(nearest.best());
}

/// Reads the members of the file.
class Parser {
public:
    explicit Parser(const json::object& file) : file_(file) {}

    Result<Scenario> parse() {
        read_numbers();
        read_config();
        read_restored();
        read_low_soc();
        read_steps();
        if (!wrong_.empty()) return malformed(wrong_);
        return std::move(out_);
    }

private:
    void fault(std::string what) {
        if (wrong_.empty()) wrong_ = std::move(what);
    }

    /// A number of the file itself; `standard` if it is not there.
    double number(const char* key, Number standard, double low, double high) {
        const json::value* value = file_.if_contains(key);
        Number out = standard;
        if (!value && !standard) fault("key " + in_quotes(key) + " is missing");
        if (value && (!take_number(*value, out) || !out || !(*out >= low && *out <= high)))
            fault("key " + in_quotes(key) + ": write a number from " + trimmed(low) + " to " + trimmed(high));
        return out.value_or(low);
    }
    static std::string trimmed(double value) {
        char text[32];
        std::snprintf(text, sizeof text, "%g", value);
        return text;
    }

    void read_numbers() {
        constexpr double longest_s = 1e9;
        out_.dt_s = number("dt_s", 1.0, 0.01, 3600);
        out_.end_s = number("end_t", std::nullopt, 0, longest_s);
        out_.epoch_s = number("epoch_s", 1700000000.0, 0, 8e9);  // clocks count nanoseconds in 63 bits
        out_.first.cell_count = number("cell_count", std::nullopt, 1, static_cast<double>(max_cells));
        if (file_.contains("capacity_ah")) out_.first.capacity_ah = number("capacity_ah", std::nullopt, 0, 5000);
        if (out_.end_s / out_.dt_s > max_scenario_cycles)
            fault("keys \"end_t\" and \"dt_s\": that is more than ten million cycles; write a shorter series");
    }

    void read_config() {
        std::string text = "[DEFAULT]\n";
        if (const json::value* config = file_.if_contains("config")) {
            if (!config->is_object()) return fault("key \"config\": write an object of configuration keys");
            for (const auto& [key, value] : config->get_object()) {
                if (value.is_structured() || value.is_null())
                    return fault("key \"config\": " + std::string(key) + " must be a text or a number");
                text += std::string(key) + " = " +
                        (value.is_string() ? std::string(value.get_string()) : json::serialize(value)) + "\n";
            }
        }
        out_.config = parse_config(text);
        // Lines of a text that nobody has seen.
        for (Problem& problem : out_.config.problems) problem.line = 0;
        for (const Problem& problem : out_.config.problems)
            if (problem.kind == Problem::Kind::fatal) fault("key \"config\": " + problem.key + ": " + problem.text);
    }

    void read_restored() {
        const json::value* value = file_.if_contains("restored");
        if (!value || value->is_null()) return;
        if (!value->is_object()) return fault("key \"restored\": write an object");
        for (const auto& [key, item] : value->get_object()) {
            Number number;
            Flag flag;
            if (key == "allow_max_voltage" && take_flag(item, flag)) {
                out_.restored.voltage.allow_max_voltage = flag.value_or(true);
            } else if (key == "max_voltage_start_t" && take_number(item, number)) {
                if (number) out_.restored.voltage.absorption_began_s = out_.epoch_s + *number;
            } else if (key == "soc_reset_last_reached_t" && take_number(item, number)) {
                if (number) out_.restored.voltage.soc_reset_reached_s = out_.epoch_s + *number;
            } else if (key == "soc_calc_percent" && take_number(item, number)) {
                out_.restored.soc_percent = number;
            } else if (key == "history" && item.is_object()) {
                if (const std::string bad = read_history(item.get_object(), out_.restored.history.values); !bad.empty())
                    return fault("key \"restored\": history: " + bad);
            } else {
                return fault("key \"restored\": " + std::string(key) +
                             " is not known or not of its kind; known are allow_max_voltage, max_voltage_start_t, "
                             "soc_reset_last_reached_t, soc_calc_percent, history");
            }
        }
    }

    /// The settings of the energy manager, as its service answers (battery-logic §7).
    void read_low_soc() {
        const json::value* settings = file_.if_contains("dbus_settings");
        if (!settings || !settings->is_object()) return;
        const auto text = [&](const char* path, const char* name) -> std::optional<double> {
            const json::value* value = settings->get_object().if_contains(path);
            for (const char* part : {"Settings", "CGwacs"}) value = member(value, part);
            if (std::string_view(path).ends_with("BatteryLife")) value = member(value, "BatteryLife");
            value = member(value, name);
            if (!value || !value->is_string()) return std::nullopt;
            return std::atof(value->get_string().c_str());
        };
        const auto life = [&](const char* name) { return text("/Settings/CGwacs/BatteryLife", name); };
        constexpr double keep_charged = 9;
        const auto state = life("State"), minimum = life("MinimumSocLimit"), limit = life("SocLimit");
        if (text("/Settings/CGwacs/Hub4Mode", "Hub4Mode") != 1.0 || !state || *state == keep_charged) return;
        if (!minimum || !limit) return;
        out_.low_soc_percent = std::trunc(*state >= 10 && *state <= 12 ? *minimum : *limit);
    }
    static const json::value* member(const json::value* value, const char* name) {
        return value && value->is_object() ? value->get_object().if_contains(name) : nullptr;
    }

    void read_steps() {
        const json::value* steps = file_.if_contains("steps");
        if (!steps || !steps->is_array() || steps->get_array().empty())
            return fault("key \"steps\": write a list of {\"t\": seconds, \"in\": {...}}");
        ScenarioInput probe;
        for (const json::value& item : steps->get_array()) {
            const std::string place = "steps[" + std::to_string(out_.steps.size()) + "]";
            if (!item.is_object()) return fault(place + ": write an object");
            const json::object& step = item.get_object();
            Number t;
            if (!step.contains("t") || !take_number(step.at("t"), t) || !t)
                return fault(place + ": key \"t\": write the time in seconds");
            if (!out_.steps.empty() && *t < out_.steps.back().t_s)
                return fault(place + ": key \"t\": the times must ascend, " + trimmed(*t) + " is below the one before");
            const json::value* in = step.if_contains("in");
            if (in && !in->is_object()) return fault(place + ": key \"in\": write an object");
            ScenarioStep& kept = out_.steps.emplace_back();
            kept.t_s = *t;
            if (in) kept.in = in->get_object();
            if (const std::string bad = apply(kept.in, probe); !bad.empty()) return fault(place + ": " + bad);
        }
    }

    const json::object& file_;
    Scenario out_;
    std::string wrong_;
};

}  // namespace

std::string apply(const json::object& in, ScenarioInput& input) {
    for (const auto& [key, value] : in) {
        bool known = false;
        const std::string_view wanted = take(key, value, input, known);
        if (!known)
            return "key " + in_quotes(key) + " is not known; did you mean " + in_quotes(nearest_input(key)) + "?";
        if (!wanted.empty()) return "key " + in_quotes(key) + ": write " + std::string(wanted);
    }
    return {};
}

Result<Scenario> parse_scenario(std::string_view text) {
    if (text.empty()) return malformed("the file is empty");
    json::error_code error;
    const json::value file = json::parse({text.data(), text.size()}, error);
    if (error) return malformed("this is no JSON (" + error.message() + ")");
    if (!file.is_object())
        return malformed("the file must hold one object with the keys \"end_t\", \"cell_count\", \"steps\"");
    return Parser(file.get_object()).parse();
}

Result<Scenario> read_scenario(const std::string& path) {
    const auto config = [](const char* what) { return tl::unexpected(Error{ErrorClass::config, what}); };
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return config("there is no such file; name a scenario (JSON)");
    if (std::filesystem::is_directory(path, error)) return config("this is a directory; name the file in it");
    if (std::filesystem::file_size(path, error) > max_scenario_file) return config("the file is larger than 32 MB");
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    if (!file) return config("the file cannot be read; check its permissions");
    return parse_scenario(text);
}

}  // namespace bmsd::app
