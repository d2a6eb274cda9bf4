#include "app/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "app/config_keys.hpp"
#include "app/ini.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

/// No configuration a person writes is larger.
constexpr std::size_t largest_file = 1 << 20;

std::string number_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

/// What is wrong with a number; empty if nothing.
std::string understand_number(const std::string& text, const Range& range, bool whole, double& out) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
        return "'" + text + "' is not a number" +
               (text.find(',') != std::string::npos ? "; decimals are separated by a point" : "");
    if (whole && value != std::floor(value)) return "'" + text + "' is not a whole number";
    if (value < range.low || value > range.high || (range.low_excluded && value == range.low))
        return "'" + text + "' is outside the allowed range " + (range.low_excluded ? "above " : "") +
               number_text(range.low) + ".." + number_text(range.high);
    out = value;
    return {};
}

std::string understand_bool(const std::string& text, bool& out) {
    for (const std::string_view yes : {"true", "yes", "on", "1"})
        if (same_word(text, yes)) return out = true, std::string{};
    for (const std::string_view no : {"false", "no", "off", "0"})
        if (same_word(text, no)) return out = false, std::string{};
    return "'" + text + "' is neither True nor False";
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> out;
    std::stringstream stream(text);
    for (std::string item; std::getline(stream, item, ',');)
        if (const auto trimmed = trim(item); !trimmed.empty()) out.emplace_back(trimmed);
    return out;
}

/// Stores a value where its key says; what is wrong with it, empty if nothing.
struct Store {
    Config& config;
    const std::string& value;
    const Range& range;

    std::string operator()(Place<bool> place) const { return understand_bool(value, place(config)); }
    std::string operator()(Place<double> place) const { return understand_number(value, range, false, place(config)); }
    std::string operator()(Place<std::string> place) const { return place(config) = value, std::string{}; }
    std::string operator()(Place<std::vector<std::string>> place) const {
        return place(config) = split_list(value), std::string{};
    }
    std::string operator()(Understand understand) const { return understand(config, value); }
    std::string operator()(Place<int> place) const {
        double number = 0;
        std::string wrong = understand_number(value, range, true, number);
        if (wrong.empty()) place(config) = static_cast<int>(number);
        return wrong;
    }
    std::string operator()(Place<std::chrono::minutes> place) const {
        double number = 0;
        std::string wrong = understand_number(value, range, true, number);
        if (wrong.empty()) place(config) = std::chrono::minutes(static_cast<int>(number));
        return wrong;
    }
    std::string operator()(Place<std::optional<double>> place) const {
        if (value.empty()) return place(config).reset(), std::string{};
        double number = 0;
        std::string wrong = understand_number(value, range, false, number);
        if (wrong.empty()) place(config) = number;
        return wrong;
    }
};

class Reader {
public:
    explicit Reader(Parsed& parsed) : parsed_(parsed) {}

    void take(const IniLine& line) {
        using Kind = Problem::Kind;
        if (line.kind == IniLine::Kind::section) {
            section_ = line.name;
            if (section_ != "DEFAULT")
                add(Kind::error, line, "the section [" + section_ + "] is not known; everything goes below [DEFAULT]");
            return;
        }
        if (line.kind == IniLine::Kind::junk)
            return add(Kind::error, line, "this line is neither a comment nor KEY = value");
        if (section_.empty() && !told_headless_) {
            add(Kind::error, line, "the first line must be [DEFAULT]; the lines below are read all the same");
            told_headless_ = true;
        }
        if (!section_.empty() && section_ != "DEFAULT") return;
        if (line.indented)
            add(Kind::warning, line,
                "the line is indented; the Python driver would take it for the end of the line above");
        entry(line);
    }

    /// Relations between keys; a bad pair falls back to the defaults of both.
    void check_relations() {
        auto& c = parsed_.config.control;
        const control::Parameters defaults;
        if (!(c.min_cell_v < c.max_cell_v)) {
            relation("MIN_CELL_VOLTAGE", "must be below MAX_CELL_VOLTAGE");
            c.min_cell_v = defaults.min_cell_v;
            c.max_cell_v = defaults.max_cell_v;
        }
        if (c.float_cell_v > c.max_cell_v || c.float_cell_v < c.min_cell_v) {
            relation("FLOAT_CELL_VOLTAGE", "must lie between MIN_CELL_VOLTAGE and MAX_CELL_VOLTAGE");
            c.float_cell_v = std::clamp(c.float_cell_v, c.min_cell_v, c.max_cell_v);
        }
        if (!c.block_on_disconnect && !(c.block_min_cell_v < c.block_max_cell_v)) {
            relation("BLOCK_ON_DISCONNECT_VOLTAGE_MIN",
                     "must be below BLOCK_ON_DISCONNECT_VOLTAGE_MAX; blocking on disconnect instead");
            c.block_on_disconnect = true;
        }
    }

private:
    void entry(const IniLine& line) {
        using Kind = Problem::Kind;
        const Key* key = find_key(line.name);
        if (!key) {
            const auto silent = keys_without_effect();
            if (std::any_of(silent.begin(), silent.end(), [&](auto name) { return same_word(name, line.name); }))
                return add(Kind::note, line, "has no effect in this version");
            return add(Kind::error, line,
                       "there is no such key; did you mean " + std::string(nearest_key(line.name)) + "?");
        }
        const bool by_new_name = same_word(key->name, line.name);
        if (!seen_.insert(std::string(key->name) + (by_new_name ? "" : " (old)")).second)
            return add(Kind::error, line, "the key is there twice; this line is ignored");
        if (!by_new_name) {
            if (seen_.count(std::string(key->name))) return;  // the new name wins
            add(Kind::note, line, "is now called " + std::string(key->name));
        }
        const std::string wrong = std::visit(Store{parsed_.config, line.value, key->range}, key->target);
        if (wrong.empty()) return;
        // Without a known type or address nothing sensible can be asked.
        const bool fatal = key->name == "BMS_TYPE" || key->name == "BATTERY_ADDRESSES";
        add(fatal         ? Kind::fatal
            : key->safety ? Kind::safety
                          : Kind::error,
            line, wrong + (fatal ? "" : "; the default is used"));
    }

    void add(Problem::Kind kind, const IniLine& line, std::string text) {
        parsed_.problems.push_back({kind, line.number, line.name, std::move(text)});
    }
    void relation(const char* key, const char* text) {
        parsed_.problems.push_back({Problem::Kind::safety, 0, key, text});
    }

    Parsed& parsed_;
    std::string section_;
    bool told_headless_ = false;
    std::set<std::string> seen_;
};

}  // namespace

std::string to_string(const Problem& problem, const std::string& file) {
    std::string out = file;
    if (problem.line > 0) out += " line " + std::to_string(problem.line);
    if (!problem.key.empty()) out += ": " + problem.key;
    return out + ": " + problem.text;
}

bool Parsed::has(Problem::Kind at_least) const noexcept {
    return std::any_of(problems.begin(), problems.end(),
                       [&](const Problem& problem) { return problem.kind >= at_least; });
}

Parsed parse_config(std::string_view text) {
    Parsed parsed;
    Reader reader(parsed);
    for (const IniLine& line : read_ini(text)) reader.take(line);
    reader.check_relations();
    return parsed;
}

Parsed read_config(const std::string& path) {
    const auto fatal = [](std::string text) {
        Parsed parsed;
        parsed.problems.push_back({Problem::Kind::fatal, 0, "", std::move(text)});
        return parsed;
    };
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) return fatal("there is no such file; name one with --config");
    if (std::filesystem::is_directory(status)) return fatal("this is a directory; name the file in it");
    std::ifstream file(path, std::ios::binary);
    if (!file) return fatal("the file cannot be read; check its permissions");
    std::string text(largest_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > largest_file) return fatal("the file is too large for a configuration");
    if (text.find('\0') != std::string::npos) return fatal("this is not a text file");
    return parse_config(text);
}

}  // namespace bmsd::app
