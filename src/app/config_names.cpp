#include "app/config_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "bms/catalog.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

using Kind = Problem::Kind;

constexpr std::array<std::string_view, 4> log_levels = {"DEBUG", "INFO", "WARNING", "ERROR"};

/// Types of the reference (dossier config §3.1). Those that the catalogue does not have are no spelling mistakes.
constexpr std::array<std::string_view, 30> reference_types = {
    "Daly",          "Daren485",     "Ecs",        "EG4_Lifepower", "EG4_LL",    "Felicity",
    "HeltecModbus",  "HLPdataBMS4S", "Jkbms",      "Jkbms_pb",      "KS48100",   "LltJbd",
    "LltJbd_Up16s",  "Pace",         "Renogy",     "Seplos",        "Seplosv3",  "ANT",
    "Sinowealth",    "Daly_Can",     "Jkbms_Can",  "LltJbd_Can",    "RV_C_Can",  "Ubms_Can",
    "Kilovault_Ble", "LiTime_Ble",   "LltJbd_Ble", "Xdzn_Ble",      "Jkbms_Ble", "Lifepower"};

bool is_of_reference(std::string_view type) {
    constexpr std::string_view generic_ble = "aiobmsble_";
    if (type.size() > generic_ble.size() && same_word(type.substr(0, generic_ble.size()), generic_ble)) return true;
    return std::any_of(reference_types.begin(), reference_types.end(),
                       [&](std::string_view known) { return same_word(known, type); });
}

/// The families of one name; a remark if there are none.
std::optional<Remark> read_type(std::string_view name, std::vector<const bms::Family*>& out) {
    const std::string shown = quoted(name);
    // The reference renamed it (dossier config §4).
    const auto found =
        bms::find_families(same_word(name, "Lifepower") && !bms::find_family(name) ? "EG4_Lifepower" : name);
    for (const bms::Family* family : found)
        if (std::find(out.begin(), out.end(), family) == out.end()) out.push_back(family);
    if (!found.empty()) return {};
    if (same_word(name, "MNB"))
        return Remark{Kind::warning, "MNB is wired by SPI, not to a serial port: it cannot be read"};
    if (is_of_reference(name)) return Remark{Kind::warning, "the BMS type " + shown + " is not in this version"};
    if (const std::string_view separator = wrong_separator(name); !separator.empty())
        return Remark{Kind::error,
                      shown + " is no BMS type; several are separated by commas, not by " + std::string(separator)};
    return Remark{Kind::error, "there is no BMS type " + shown + "; did you mean " +
                                   std::string(bms::nearest_type(name)) + "? (`bmsd list` shows all)"};
}

/// Address in one or two hexadecimal digits, with or without 0x; the reference knows no decimal ones.
std::optional<Remark> read_address(std::string_view item, std::uint32_t& out) {
    const std::string shown = quoted(item);
    const auto no_address = [&](const std::string& why) { return Remark{Kind::error, shown + " is no address" + why}; };
    if (const std::string_view separator = wrong_separator(item); !separator.empty())
        return no_address("; several are separated by commas, not by " + std::string(separator) +
                          ": for example 0x01, 0x02");
    std::string_view digits = item;
    if (digits.starts_with("0x") || digits.starts_with("0X")) digits.remove_prefix(2);
    const auto stranger = digits.find_first_not_of("0123456789abcdefABCDEF");
    if (digits.empty() || stranger != std::string_view::npos)
        return no_address((digits.empty()
                               ? std::string("; digits are missing")
                               : ": '" + std::string(digits.substr(stranger, 1)) + "' is no hexadecimal digit") +
                          "; write hexadecimal numbers such as 0x01, 0x02");
    if (digits.size() > 2) return no_address(": the largest is 0xff");
    std::from_chars(digits.data(), digits.data() + digits.size(), out, 16);
    return {};
}

}  // namespace

std::string_view wrong_separator(std::string_view item) {
    if (item.find(';') != std::string_view::npos) return "a semicolon";
    if (item.find('/') != std::string_view::npos) return "a slash";
    if (item.find_first_of(" \t") != std::string_view::npos) return "a blank";
    return {};
}

std::vector<std::string_view> list_items(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = text.find_first_of(",\n");
        if (const auto item = trim(text.substr(0, end)); !item.empty()) out.push_back(item);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return out;
}

std::string_view log_level_text(LogLevel level) noexcept {
    return log_levels[static_cast<std::size_t>(level)];
}

std::optional<Remark> read_log_level(std::string_view text, LogLevel& out) {
    for (std::size_t i = 0; i < log_levels.size(); ++i)
        if (same_word(log_levels[i], text)) {
            out = static_cast<LogLevel>(i);
            return {};
        }
    return Remark{Kind::error, quoted(text) + " is no log level"};
}

std::optional<Remark> read_types(std::string_view text, std::vector<const bms::Family*>& out) {
    std::vector<const bms::Family*> families;
    std::string missing;
    const auto names = list_items(text);
    for (const std::string_view name : names) {
        const auto remark = read_type(name, families);
        if (!remark) continue;
        if (remark->kind == Kind::error) return remark;
        missing += (missing.empty() ? "" : "; ") + remark->text;
    }
    if (!missing.empty() && families.empty()) return Remark{Kind::error, missing + " (`bmsd list` shows all)"};
    out = std::move(families);
    if (!missing.empty()) return Remark{Kind::warning, missing + "; only the others are looked for"};
    return {};
}

std::optional<Remark> read_addresses(std::string_view text, std::vector<engine::Address>& out) {
    std::vector<engine::Address> addresses;
    std::optional<Remark> hint;
    for (const std::string_view item : list_items(text)) {
        std::uint32_t number = 0;
        if (auto remark = read_address(item, number)) return remark;
        for (const engine::Address& other : addresses)
            if (other.value == number)
                return Remark{Kind::error, "the address " + address_id(number) + " is listed twice"};
        // "10" is sixteen: who counts in tens must be told.
        const bool looks_decimal = item.size() == 2 && item.find_first_not_of("0123456789") == std::string_view::npos;
        if (looks_decimal && number >= 0x10)
            hint = Remark{Kind::note, quoted(item) + " is read as hexadecimal " + address_id(number)};
        // The spelling of the user becomes part of the service name, if it is a full one.
        const bool full = item.size() == 4 && item.starts_with("0x");
        addresses.push_back({number, full ? std::string(item) : address_id(number)});
    }
    out = std::move(addresses);
    return hint;
}

}  // namespace bmsd::app
