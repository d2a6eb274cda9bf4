#include "app/battery_state.hpp"

#include <cmath>

#include <boost/json.hpp>

#include "app/check_sum.hpp"
#include "app/history_json.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

constexpr std::string_view kind = "state of a battery";
/// Raised when an older program could misunderstand the file.
constexpr std::int64_t version = 1;

// The same walk over the members writes and reads: a number cannot be forgotten on one side.

template <class Walk>
void walk_inputs(Walk& walk, decltype(control::Persistent::inputs)& inputs) {
    walk.number("highest_cell_v", inputs.highest_cell_v);
    walk.number("lowest_cell_v", inputs.lowest_cell_v);
    constexpr std::array<std::string_view, control::selectable_sensors> sensors = {
        "temperature_1_c", "temperature_2_c", "temperature_3_c", "temperature_4_c"};
    for (std::size_t i = 0; i < sensors.size(); ++i) walk.number(sensors[i], inputs.temperatures_c[i]);
    walk.number("mosfet_c", inputs.mosfet_c);
    walk.number("soc_percent", inputs.soc_percent);
}

template <class Walk>
void walk_control(Walk& walk, control::Persistent& state) {
    walk.flag("allow_max_voltage", state.voltage.allow_max_voltage);
    walk.number("absorption_began_s", state.voltage.absorption_began_s);
    walk.number("soc_reset_reached_s", state.voltage.soc_reset_reached_s);
    walk.number("soc_percent", state.soc_percent);
    walk.number("discharged_ah", state.discharged_ah);
    walk.number("charged_wh", state.charged_wh);
    walk.number("discharged_wh", state.discharged_wh);
    walk.number("finished_discharges", state.history.finished_discharges);
    walk.flag("full_discharge_armed", state.history.full_discharge_armed);
}

template <class Walk>
void walk_history(Walk& walk, History& history) {
    for (const HistoryQuantity& quantity : history_quantities()) walk.number(quantity.stored, history.*quantity.member);
}

class Writer {
public:
    explicit Writer(json::object& out) : out_(out) {}
    void number(std::string_view name, const Number& value) {
        if (value && std::isfinite(*value)) out_[name] = *value;
    }
    void flag(std::string_view name, bool value) { out_[name] = value; }

private:
    json::object& out_;
};

/// What is absent keeps its default; what is there must be right.
class Reader {
public:
    Reader(const json::object* in, std::string& wrong) : in_(in), wrong_(wrong) {}
    void number(std::string_view name, Number& value) {
        const json::value* found = find(name);
        if (!found) return;
        boost::system::error_code error;
        const double number = found->to_number<double>(error);
        if (error || !std::isfinite(number))
            wrong_ = std::string(name) + " is no number";
        else if (std::abs(number) > largest_stored)
            wrong_ = std::string(name) + " is too large";
        else
            value = number;
    }
    void number(std::string_view name, double& value) {
        Number read = value;
        number(name, read);
        value = *read;
    }
    void flag(std::string_view name, bool& value) {
        const json::value* found = find(name);
        if (!found) return;
        if (found->is_bool())
            value = found->get_bool();
        else
            wrong_ = std::string(name) + " is neither true nor false";
    }

private:
    const json::value* find(std::string_view name) const { return in_ ? in_->if_contains(name) : nullptr; }

    const json::object* in_;
    std::string& wrong_;
};

const json::object* object_in(const json::object& parent, std::string_view name) {
    const json::value* found = parent.if_contains(name);
    return found ? found->if_object() : nullptr;
}

/// Ranges that the rest of the program relies on.
std::string out_of_range(const control::Persistent& state) {
    const auto percent = [](const Number& value) { return !value || (*value >= 0 && *value <= 100); };
    if (!percent(state.soc_percent) || !percent(state.inputs.soc_percent)) return "a state of charge is outside 0..100";
    if (state.discharged_ah < 0 || state.charged_wh < 0 || state.discharged_wh < 0) return "an amount is negative";
    return {};
}

std::optional<std::string> text_in(const json::object& parent, std::string_view name) {
    const json::value* found = parent.if_contains(name);
    if (!found || !found->is_string()) return std::nullopt;
    return std::string(found->get_string());
}

/// Why this is no state of this battery; empty if it is one.
std::string why_foreign(const json::object& root, std::string_view id) {
    if (text_in(root, "bmsd") != kind) return "it is no state of a battery";
    const json::value* number = root.if_contains("version");
    const std::int64_t* written = number ? number->if_int64() : nullptr;
    if (!written) return "it names no version";
    if (*written != version) return "it is of version " + std::to_string(*written) + ", another bmsd wrote it";
    if (text_in(root, "battery") != id) return "it belongs to another battery";
    return {};
}

/// The last member of the file, behind all others.
std::string check_member(std::string_view others) {
    return ",\"check\":\"" + check_sum(others) + "\"}\n";
}

/// False if the text ends with a check that is not its own. Without one, as older versions wrote it, it is taken as it
/// is.
bool unchanged(std::string_view text) {
    const std::size_t length = check_member({}).size();
    if (text.size() < length) return true;
    const auto others = text.substr(0, text.size() - length), last = text.substr(others.size());
    return !last.starts_with(",\"check\":") || last == check_member(others);
}

}  // namespace

std::string to_json(const BatteryState& state, std::string_view id) {
    json::object root{{"bmsd", kind}, {"version", version}, {"battery", id}};
    if (!state.name.empty()) root["name"] = state.name;
    if (state.name_unwritten) root["name_unwritten"] = true;
    if (state.device_instance) root["device_instance"] = *state.device_instance;
    if (state.last_seen) root["last_seen"] = *state.last_seen;
    if (!state.place.empty()) root["place"] = state.place;
    if (state.control) {
        control::Persistent control = *state.control;
        json::object decided, inputs, history;
        Writer writer(decided), input_writer(inputs), history_writer(history);
        walk_control(writer, control);
        walk_inputs(input_writer, control.inputs);
        walk_history(history_writer, control.history.values);
        decided["inputs"] = std::move(inputs);
        decided["history"] = std::move(history);
        root["control"] = std::move(decided);
    }
    std::string text = json::serialize(root);
    text.pop_back();  // the brace
    return text + check_member(text);
}

Result<BatteryState> battery_state(std::string_view text, std::string_view id) {
    const auto fail = [](std::string why) { return tl::unexpected(Error{ErrorClass::config, std::move(why)}); };
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return fail("it is damaged (" + (error ? error.message() : "no object") + ")");
    if (!unchanged(text)) return fail("it is damaged, or was edited without removing \"check\"");
    const json::object& root = value.get_object();
    if (std::string why = why_foreign(root, id); !why.empty()) return fail(std::move(why));

    BatteryState state;
    // One that is too long costs nothing else.
    state.name = cut_text(text_in(root, "name").value_or(""), longest_custom_name);
    if (const json::value* unwritten = root.if_contains("name_unwritten")) {
        // Nothing else depends on it either.
        state.name_unwritten = unwritten->is_bool() && unwritten->get_bool();
    }
    if (const json::value* instance = root.if_contains("device_instance")) {
        const std::int64_t* number = instance->if_int64();
        if (!number || *number < 0 || *number > INT32_MAX) return fail("device_instance is no such number");
        state.device_instance = static_cast<std::int32_t>(*number);
    }
    if (const json::value* seen = root.if_contains("last_seen")) {
        // Of a clock that was wrong; nothing else in the file depends on it.
        if (const std::int64_t* number = seen->if_int64(); number && *number >= 0) state.last_seen = *number;
    }
    state.place = text_in(root, "place").value_or("");
    if (const json::object* decided = object_in(root, "control")) {
        std::string wrong;
        control::Persistent control;
        Reader reader(decided, wrong), inputs(object_in(*decided, "inputs"), wrong),
            history(object_in(*decided, "history"), wrong);
        walk_control(reader, control);
        walk_inputs(inputs, control.inputs);
        walk_history(history, control.history.values);
        if (wrong.empty()) wrong = out_of_range(control);
        if (!wrong.empty()) return fail(std::move(wrong));
        state.control = control;
    }
    return state;
}

}  // namespace bmsd::app
