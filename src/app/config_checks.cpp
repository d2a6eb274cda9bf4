#include "app/config_checks.hpp"

#include <algorithm>
#include <cctype>
#include <functional>

#include "app/config_value.hpp"
#include "model/battery.hpp"
#include "model/words.hpp"
#include "venus/names.hpp"

namespace bmsd::app {
namespace {

using Kind = Problem::Kind;
using control::CurrentRules;
using control::Parameters;

/// A curve and the keys that make it.
struct CurveKeys {
    const char* enable;
    const char* x;
    const char* fraction;
    CurrentRules Parameters::*direction;
    bool CurrentRules::*enabled;
    control::Curve CurrentRules::*curve;
};

constexpr CurveKeys curves[] = {
    {"CCCM_CV_ENABLE", "CELL_VOLTAGES_WHILE_CHARGING", "MAX_CHARGE_CURRENT_CV_FRACTION", &Parameters::charge,
     &CurrentRules::by_cell, &CurrentRules::cell_v},
    {"DCCM_CV_ENABLE", "CELL_VOLTAGES_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_CV_FRACTION", &Parameters::discharge,
     &CurrentRules::by_cell, &CurrentRules::cell_v},
    {"CCCM_T_ENABLE", "TEMPERATURES_WHILE_CHARGING", "MAX_CHARGE_CURRENT_T_FRACTION", &Parameters::charge,
     &CurrentRules::by_temperature, &CurrentRules::temperature_c},
    {"DCCM_T_ENABLE", "TEMPERATURES_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_T_FRACTION", &Parameters::discharge,
     &CurrentRules::by_temperature, &CurrentRules::temperature_c},
    {"CCCM_T_MOSFET_ENABLE", "MOSFET_TEMPERATURES_WHILE_CHARGING", "MAX_CHARGE_CURRENT_T_MOSFET_FRACTION",
     &Parameters::charge, &CurrentRules::by_mosfet, &CurrentRules::mosfet_c},
    {"DCCM_T_MOSFET_ENABLE", "MOSFET_TEMPERATURES_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_T_MOSFET_FRACTION",
     &Parameters::discharge, &CurrentRules::by_mosfet, &CurrentRules::mosfet_c},
    {"CCCM_SOC_ENABLE", "SOC_WHILE_CHARGING", "MAX_CHARGE_CURRENT_SOC_FRACTION", &Parameters::charge,
     &CurrentRules::by_soc, &CurrentRules::soc_percent},
    {"DCCM_SOC_ENABLE", "SOC_WHILE_DISCHARGING", "MAX_DISCHARGE_CURRENT_SOC_FRACTION", &Parameters::discharge,
     &CurrentRules::by_soc, &CurrentRules::soc_percent},
};

template <class T>
bool strictly_monotonic(const std::vector<T>& list) {
    return std::adjacent_find(list.begin(), list.end(), std::less_equal<T>()) == list.end() ||
           std::adjacent_find(list.begin(), list.end(), std::greater_equal<T>()) == list.end();
}

/// "C8:47:8C:00:00:00"
bool is_mac(const std::string& text) {
    if (text.size() != 17) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool colon = i % 3 == 2;
        if (colon ? text[i] != ':' : std::isxdigit(static_cast<unsigned char>(text[i])) == 0) return false;
    }
    return true;
}

std::string text_of(double value) {
    return value_text(&value);
}

class ControlCheck {
public:
    ControlCheck(Config& config, const Lines& lines, std::vector<Problem>& problems)
        : config_(config), c_(config.control), lines_(lines), problems_(problems) {}

    /// Dossier config §5, 1 to 3.
    void check_voltages() {
        const Parameters defaults;
        if (!(c_.min_cell_v < c_.max_cell_v)) {
            add(Kind::safety, "MIN_CELL_VOLTAGE", "must be below MAX_CELL_VOLTAGE; the defaults of both are used");
            c_.min_cell_v = defaults.min_cell_v;
            c_.max_cell_v = defaults.max_cell_v;
        }
        if (c_.float_cell_v > c_.max_cell_v || c_.float_cell_v <= c_.min_cell_v) {
            c_.float_cell_v = std::clamp(c_.float_cell_v, c_.min_cell_v, c_.max_cell_v);
            add(Kind::error, "FLOAT_CELL_VOLTAGE",
                "must lie between MIN_CELL_VOLTAGE and MAX_CELL_VOLTAGE; " + text_of(c_.float_cell_v) + " is used");
        }
        if (c_.voltage.soc_reset_after_days && c_.voltage.soc_reset_cell_v < c_.max_cell_v) {
            c_.voltage.soc_reset_cell_v = c_.max_cell_v;
            add(Kind::error, "SOC_RESET_CELL_VOLTAGE",
                "must not be below MAX_CELL_VOLTAGE; " + text_of(c_.max_cell_v) + " is used");
        }
        if (c_.voltage.soc_reset_after_days && !c_.voltage.managed) {
            c_.voltage.soc_reset_after_days.reset();
            add(Kind::error, "SOC_RESET_AFTER_DAYS",
                "needs CVCM_ENABLE = True, or it would never end; it counts as empty");
        }
    }

    /// §5, 4 to 6: the window in which a silent battery goes on.
    void check_block_window() {
        if (c_.block_on_disconnect) return;
        if (c_.block_min_cell_v < c_.min_cell_v) {
            c_.block_min_cell_v = c_.min_cell_v;
            add(Kind::error, "BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
                "must not be below MIN_CELL_VOLTAGE; " + text_of(c_.min_cell_v) + " is used");
        }
        if (c_.block_max_cell_v > c_.max_cell_v) {
            c_.block_max_cell_v = c_.max_cell_v;
            add(Kind::error, "BLOCK_ON_DISCONNECT_VOLTAGE_MAX",
                "must not be above MAX_CELL_VOLTAGE; " + text_of(c_.max_cell_v) + " is used");
        }
        if (c_.block_min_cell_v < c_.block_max_cell_v) return;
        c_.block_on_disconnect = true;
        add(Kind::error, "BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
            "must be below BLOCK_ON_DISCONNECT_VOLTAGE_MAX; BLOCK_ON_DISCONNECT counts as True");
    }

    /// Lists that belong together; one that is wrong makes both fall back.
    void check_curves() {
        const Parameters defaults;
        for (const CurveKeys& keys : curves) {
            control::Curve& curve = c_.*keys.direction.*keys.curve;
            if (!check_pair(keys.x, curve.x, keys.fraction, curve.fraction, false))
                curve = defaults.*keys.direction.*keys.curve;
            const auto& fractions = curve.fraction;
            // §5, 11 and 13; a curve that is switched off limits nothing.
            if (c_.*keys.direction.*keys.enabled &&
                std::find(fractions.begin(), fractions.end(), 1.0) == fractions.end())
                add(Kind::error, keys.fraction, "no value is 1: the battery never gets its full current");
        }
        if (!check_pair("CURRENT_REPORTED_BY_BMS", c_.current_reported_a, "CURRENT_MEASURED_BY_USER",
                        c_.current_measured_a, true)) {
            c_.current_reported_a = defaults.current_reported_a;
            c_.current_measured_a = defaults.current_measured_a;
        }
    }

    /// §5, 9, 10 and 12: a curve that ends the current before the voltage is there. Judged by the last point in the
    /// direction of the voltage, whichever way the list runs.
    void check_reach() {
        const auto end_of = [](const control::Curve& curve, bool highest) {
            const bool first = (curve.x.front() > curve.x.back()) == highest;
            return std::pair(first ? curve.x.front() : curve.x.back(),
                             first ? curve.fraction.front() : curve.fraction.back());
        };
        const auto [charged_at, charge] = end_of(c_.charge.cell_v, true);
        if (c_.charge.by_cell && charge == 0 && charged_at < c_.max_cell_v)
            add(Kind::error, "CELL_VOLTAGES_WHILE_CHARGING",
                "charging ends at " + text_of(charged_at) + " V: MAX_CELL_VOLTAGE is never reached");
        if (c_.charge.by_cell && charge == 0 && c_.voltage.soc_reset_after_days &&
            charged_at < c_.voltage.soc_reset_cell_v)
            add(Kind::error, "CELL_VOLTAGES_WHILE_CHARGING",
                "charging ends at " + text_of(charged_at) + " V: SOC_RESET_CELL_VOLTAGE is never reached");
        const auto [discharged_at, discharge] = end_of(c_.discharge.cell_v, false);
        if (c_.discharge.by_cell && discharge == 0 && discharged_at > c_.min_cell_v)
            add(Kind::error, "CELL_VOLTAGES_WHILE_DISCHARGING",
                "discharging ends at " + text_of(discharged_at) + " V: MIN_CELL_VOLTAGE is never reached");
    }

    void check_sensors() {
        struct AdjustKey {
            const char* key;
            control::Adjust& value;
        };
        for (const AdjustKey& adjust : {AdjustKey{"TEMPERATURE_1_ADJUST", c_.temperature_adjust[0]},
                                        {"TEMPERATURE_2_ADJUST", c_.temperature_adjust[1]},
                                        {"TEMPERATURE_3_ADJUST", c_.temperature_adjust[2]},
                                        {"TEMPERATURE_4_ADJUST", c_.temperature_adjust[3]},
                                        {"TEMPERATURE_MOS_ADJUST", c_.mosfet_adjust}})
            if (adjust.value.size() != 2 || !(adjust.value[1] > 0)) {
                adjust.value = {0, 1};
                add(Kind::safety, adjust.key, "takes two numbers, an offset and a slope above 0; 0, 1 is used");
            }
        if (!c_.temperature_sources.empty()) return;
        c_.temperature_sources = Parameters().temperature_sources;
        add(Kind::safety, "TEMPERATURE_SOURCE_BATTERY", "the list is empty; 1, 2, 3, 4 is used");
    }

    /// Each point has a path of its own, below /TimeToSoC.
    void check_points() {
        std::vector<int>& points = c_.times.to_soc_percent;
        std::vector<int> once;
        for (const int point : points)
            if (std::find(once.begin(), once.end(), point) == once.end())
                once.push_back(point);
            else
                add(Kind::warning, "TIME_TO_SOC_POINTS", "has " + std::to_string(point) + " twice; once is enough");
        if (once.size() > max_soc_points) {
            add(Kind::warning, "TIME_TO_SOC_POINTS",
                "has more than " + std::to_string(max_soc_points) + " points; those behind " +
                    std::to_string(once[max_soc_points - 1]) + " are not shown");
            once.resize(max_soc_points);
        }
        points = std::move(once);
    }

    /// Links that are checked before anything follows them.
    void check_links() {
        for (const std::string& battery : config_.bluetooth.batteries)
            if (const auto blank = battery.find_last_of(" \t");
                blank == std::string::npos || !is_mac(battery.substr(blank + 1)))
                add(Kind::error, "BLUETOOTH_BMS",
                    "takes a type and an address for each battery, for example Jkbms_Ble C8:47:8C:00:00:00");
        const ExternalSensorConfig& sensor = config_.external_sensor;
        const bool paths = !sensor.current_path.empty() || !sensor.soc_path.empty();
        if (sensor.service.empty() == paths)
            add(Kind::warning, "EXTERNAL_SENSOR_DBUS_DEVICE",
                paths ? "is missing: the paths alone are not followed" : "is not followed without a path");
        const auto check = [&](const char* key, const std::string& text, bool valid, const char* what) {
            if (text.empty() || valid) return;
            const bool comment = text.find_first_of(";#") != std::string::npos;
            add(Kind::warning, key,
                std::string("is no ") + what + " on D-Bus: it cannot be followed" +
                    (comment ? "; a comment needs a line of its own" : ""));
        };
        check("EXTERNAL_SENSOR_DBUS_DEVICE", sensor.service, venus::is_service_name(sensor.service),
              "name of a service, as com.victronenergy.battery.ttyS1 is,");
        for (const auto& [key, path] : {std::pair{"EXTERNAL_SENSOR_DBUS_PATH_CURRENT", &sensor.current_path},
                                        std::pair{"EXTERNAL_SENSOR_DBUS_PATH_SOC", &sensor.soc_path}})
            check(key, *path, venus::is_object_path(*path), "path, as /Dc/0/Current is,");
    }

    /// §5, 7 and 8, and the order of the low limits.
    void check_rest() {
        if (c_.count_soc && !config_.external_sensor.soc_path.empty())
            add(Kind::error, "SOC_CALCULATION", "contradicts EXTERNAL_SENSOR_DBUS_PATH_SOC, which is used");
        constexpr double hardly_ever_v = 0.101;
        if (c_.voltage.bulk_soc_percent.value_or(0) <= 0 && c_.voltage.bulk_diff_v.value_or(10) >= hardly_ever_v)
            add(Kind::warning, "SWITCH_TO_BULK_SOC_THRESHOLD",
                "with this and SWITCH_TO_BULK_CELL_VOLTAGE_DIFF a battery never goes from float back to bulk");
        if (c_.soc_low_alarm_percent > c_.soc_low_warning_percent)
            add(Kind::warning, "SOC_LOW_ALARM", "is above SOC_LOW_WARNING: the alarm comes before the warning");
    }

private:
    /// Whether two lists fit; says what does not.
    bool check_pair(const char* x_key, const std::vector<double>& x, const char* y_key, const std::vector<double>& y,
                    bool ascending) {
        const auto falls_back = [&](const char* key, const std::string& wrong) {
            add(Kind::safety, key, wrong + "; the defaults of both are used");
            return false;
        };
        // The line that the file has.
        const bool only_y = lines_.of(default_section, x_key) == 0 && lines_.of(default_section, y_key) != 0;
        const char* blamed = only_y ? y_key : x_key;
        if (x.size() != y.size())
            return falls_back(blamed, only_y ? unequal(y.size(), x_key, x.size()) : unequal(x.size(), y_key, y.size()));
        if (x.size() < 2) return falls_back(blamed, "needs at least two points");
        if (!strictly_monotonic(x) || (ascending && x.front() > x.back()))
            return falls_back(blamed, ascending ? "must ascend" : "must ascend or descend, no value twice");
        // Reversed, the corrected current would turn charging into discharging.
        if (ascending && !std::is_sorted(y.begin(), y.end()))
            return falls_back(y_key,
                              "must ascend (INVERT_CURRENT_MEASUREMENT = -1 turns the sign of a Daly, and on CAN)");
        return true;
    }

    std::string unequal(std::size_t values, const char* other_key, std::size_t others) const {
        return "has " + std::to_string(values) + " values, " + other_key + " has " + std::to_string(others) +
               (lines_.of(default_section, other_key) == 0 ? " by default: write both" : "");
    }

    void add(Kind kind, const char* key, std::string text) {
        const std::string& value = lines_.value_of(default_section, key);
        problems_.push_back({.kind = kind,
                             .line = lines_.of(default_section, key),
                             .key = key,
                             .text = value.empty() ? std::move(text) : quoted(value) + " " + text,
                             .value = value,
                             .section = default_section});
    }

    Config& config_;
    Parameters& c_;
    const Lines& lines_;
    std::vector<Problem>& problems_;
};

}  // namespace

void check_control(Config& config, const Lines& lines, std::vector<Problem>& problems) {
    ControlCheck check(config, lines, problems);
    check.check_voltages();
    check.check_block_window();
    check.check_curves();
    check.check_reach();
    check.check_sensors();
    check.check_points();
    check.check_links();
    check.check_rest();
}

}  // namespace bmsd::app
