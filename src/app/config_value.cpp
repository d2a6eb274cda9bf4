#include "app/config_value.hpp"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "app/config_names.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

/// What is wrong with a value; nothing if it could be read.
using Complaint = std::optional<Remark>;

Remark wrong(std::string text) {
    return {Problem::Kind::error, std::move(text)};
}

// ---- numbers -------------------------------------------------------------------------------------
std::string number_text(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%.10g", value);
    return text;
}

std::string range_text(const Range& range) {
    const bool low = std::isfinite(range.low), high = std::isfinite(range.high);
    if (!low && !high) return {};
    if (!high) return (range.low_excluded ? "above " : "at least ") + number_text(range.low);
    if (!low) return "at most " + number_text(range.high);
    if (range.low_excluded) return "above " + number_text(range.low) + " up to " + number_text(range.high);
    return number_text(range.low) + " to " + number_text(range.high);
}

Complaint read_number(std::string_view text, const Range& range, bool whole, double& out) {
    // std::from_chars takes no plus sign, people do.
    const std::string_view digits = text.starts_with('+') && !text.starts_with("+-") ? text.substr(1) : text;
    double value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (text.empty()) return wrong("there is no value");
    if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(value)) {
        if (text.find(',') != std::string_view::npos)
            return wrong(quoted(text) + " is not a number; decimals are separated by a point");
        if (text.find_first_of(";#") != std::string_view::npos)
            return wrong(quoted(text) + " is not a number; a comment needs a line of its own");
        return wrong(quoted(text) + " is not a number");
    }
    if (whole && value != std::floor(value)) return wrong(quoted(text) + " is not a whole number");
    if (value < range.low || value > range.high || (range.low_excluded && value == range.low))
        return wrong(quoted(text) + " is outside the allowed range");
    // Whatever fits no int is outside every range that a key of whole numbers has.
    if (whole && std::abs(value) > 1e9) return wrong(quoted(text) + " is outside the allowed range");
    out = value;
    return {};
}

template <class T>
Complaint read_whole(std::string_view text, const Range& range, T& out) {
    double number = 0;
    auto remark = read_number(text, range, true, number);
    if (!remark) out = T(static_cast<int>(number));
    return remark;
}

template <class T>
Complaint read_numbers(std::string_view text, const Range& range, bool whole, std::vector<T>& out) {
    std::vector<T> numbers;
    for (const std::string_view item : list_items(text)) {
        double number = 0;
        const bool of_numbers = item.find_first_not_of("0123456789.+-; \t") == std::string_view::npos;
        if (const auto separator = wrong_separator(item); of_numbers && !separator.empty())
            return wrong(quoted(item) + " is not a number; several are separated by commas, not by " +
                         std::string(separator));
        if (auto remark = read_number(item, range, whole, number)) return remark;
        numbers.push_back(static_cast<T>(number));
    }
    out = std::move(numbers);
    return {};
}

// ---- reading -------------------------------------------------------------------------------------
struct Reader {
    std::string_view text;
    const Range& range;

    Complaint operator()(bool* out) const {
        for (const std::string_view yes : {"true", "yes", "on", "1"})
            if (same_word(text, yes)) return *out = true, Complaint{};
        for (const std::string_view no : {"false", "no", "off", "0"})
            if (same_word(text, no)) return *out = false, Complaint{};
        return wrong(quoted(text) + " is neither True nor False");
    }
    Complaint operator()(int* out) const { return read_whole(text, range, *out); }
    Complaint operator()(double* out) const { return read_number(text, range, false, *out); }
    Complaint operator()(std::chrono::seconds* out) const { return read_whole(text, range, *out); }
    Complaint operator()(std::chrono::minutes* out) const { return read_whole(text, range, *out); }
    Complaint operator()(std::optional<int>* out) const {
        if (text.empty()) return out->reset(), Complaint{};
        int number = 0;
        auto remark = read_whole(text, range, number);
        if (!remark) *out = number;
        return remark;
    }
    Complaint operator()(std::optional<double>* out) const {
        if (text.empty()) return out->reset(), Complaint{};
        double number = 0;
        auto remark = read_number(text, range, false, number);
        if (!remark) *out = number;
        return remark;
    }
    Complaint operator()(Sign out) const {
        int number = 0;
        if (read_whole(text, Range{-1, 1}, number) || number == 0) return wrong(quoted(text) + " is neither 1 nor -1");
        *out.inverted = number < 0;
        return {};
    }
    Complaint operator()(std::string* out) const { return *out = text, Complaint{}; }
    Complaint operator()(std::vector<std::string>* out) const {
        const auto list = list_items(text);
        out->assign(list.begin(), list.end());
        return {};
    }
    Complaint operator()(std::vector<int>* out) const { return read_numbers(text, range, true, *out); }
    Complaint operator()(std::vector<double>* out) const { return read_numbers(text, range, false, *out); }
    Complaint operator()(LogLevel* out) const { return read_log_level(text, *out); }
    Complaint operator()(std::vector<const bms::Family*>* out) const { return read_types(text, *out); }
    Complaint operator()(std::vector<engine::Address>* out) const { return read_addresses(text, *out); }
};

// ---- writing -------------------------------------------------------------------------------------
template <class T, class Show>
std::string joined(const std::vector<T>& list, Show show) {
    std::string out;
    for (const T& item : list) out += (out.empty() ? "" : ", ") + std::string(show(item));
    return out;
}

struct Writing {
    std::string operator()(const bool* value) const { return *value ? "True" : "False"; }
    std::string operator()(const int* value) const { return std::to_string(*value); }
    std::string operator()(const double* value) const { return number_text(*value); }
    std::string operator()(const std::chrono::seconds* value) const { return std::to_string(value->count()); }
    std::string operator()(const std::chrono::minutes* value) const { return std::to_string(value->count()); }
    std::string operator()(const std::optional<int>* value) const { return *value ? std::to_string(**value) : ""; }
    std::string operator()(const std::optional<double>* value) const { return *value ? number_text(**value) : ""; }
    std::string operator()(Sign value) const { return *value.inverted ? "-1" : "1"; }
    std::string operator()(const std::string* value) const { return *value; }
    std::string operator()(const std::vector<std::string>* value) const {
        return joined(*value, [](const std::string& item) { return item; });
    }
    std::string operator()(const std::vector<int>* value) const {
        return joined(*value, [](int item) { return std::to_string(item); });
    }
    std::string operator()(const std::vector<double>* value) const { return joined(*value, number_text); }
    std::string operator()(const LogLevel* value) const { return std::string(log_level_text(*value)); }
    std::string operator()(const std::vector<const bms::Family*>* value) const {
        return joined(*value, [](const bms::Family* item) { return item->key; });
    }
    std::string operator()(const std::vector<engine::Address>* value) const {
        return joined(*value, [](const engine::Address& item) { return item.text; });
    }
};

// ---- describing ----------------------------------------------------------------------------------
struct Typing {
    std::string_view operator()(const bool*) const { return "switch"; }
    std::string_view operator()(const int*) const { return "whole number"; }
    std::string_view operator()(const double*) const { return "number"; }
    std::string_view operator()(const std::chrono::seconds*) const { return "whole number"; }
    std::string_view operator()(const std::chrono::minutes*) const { return "whole number"; }
    std::string_view operator()(const std::optional<int>*) const { return "whole number or empty"; }
    std::string_view operator()(const std::optional<double>*) const { return "number or empty"; }
    std::string_view operator()(Sign) const { return "1 or -1"; }
    std::string_view operator()(const std::string*) const { return "text"; }
    std::string_view operator()(const std::vector<std::string>*) const { return "list"; }
    std::string_view operator()(const std::vector<int>*) const { return "list of whole numbers"; }
    std::string_view operator()(const std::vector<double>*) const { return "list of numbers"; }
    std::string_view operator()(const LogLevel*) const { return "word"; }
    std::string_view operator()(const std::vector<const bms::Family*>*) const { return "list of types"; }
    std::string_view operator()(const std::vector<engine::Address>*) const { return "list of addresses"; }
};

}  // namespace

std::optional<Remark> read_value(const Slot& slot, std::string_view text, const Range& range) {
    return std::visit(Reader{text, range}, slot);
}

std::string value_text(const Slot& slot) {
    return std::visit(Writing{}, slot);
}

std::string_view type_text(const Slot& slot) {
    return std::visit(Typing{}, slot);
}

std::string allowed_text(const Slot& slot, const Range& range, std::string_view unit) {
    if (std::holds_alternative<bool*>(slot)) return "True or False";
    if (std::holds_alternative<Sign>(slot)) return "1 or -1";
    if (std::holds_alternative<LogLevel*>(slot)) return "ERROR, WARNING, INFO or DEBUG";
    if (std::holds_alternative<std::vector<const bms::Family*>*>(slot)) return "types that `bmsd list` shows";
    if (std::holds_alternative<std::vector<engine::Address>*>(slot)) return "0x00 to 0xff, separated by commas";
    std::string text = range_text(range);
    if (!text.empty() && !unit.empty()) text += " " + std::string(unit);
    return text;
}

}  // namespace bmsd::app
