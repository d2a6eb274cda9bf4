#include "app/list_command.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include <boost/json.hpp>

#include "app/complain.hpp"
#include "app/reading_json.hpp"
#include "bms/can.hpp"
#include "bms/catalog.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using bms::Family;

std::string joined(std::span<const std::string_view> words) {
    std::string out;
    for (const std::string_view word : words) out.append(out.empty() ? "" : ", ").append(word);
    return out;
}

// ---- as a table ----------------------------------------------------------------------------------
using TableLine = std::array<std::string, 5>;

TableLine table_line(const Family& family) {
    std::string rates;
    const auto in_kilo = [](std::uint32_t rate) { return std::to_string(rate / 1000) + "k"; };
    if (family.can)
        for (const std::uint32_t rate : family.can->bitrates) rates += (rates.empty() ? "" : "/") + in_kilo(rate);
    for (const std::uint32_t rate : family.serial.rates) rates += (rates.empty() ? "" : "/") + std::to_string(rate);
    const std::string link = rates.empty() ? "Bluetooth" : (family.can ? "CAN " : "serial ") + rates;
    const auto& addresses = family.addresses;
    return {std::string(family.type), link,
            addresses.used ? address_text(addresses.first) + ".." + address_text(addresses.last) : "none",
            joined(family.aliases), joined(family.sold_as)};
}

/// Columns as wide as their longest entry; the last one runs free.
void print(const std::vector<TableLine>& lines) {
    std::array<std::size_t, 5> widths{};
    for (const TableLine& line : lines)
        for (std::size_t i = 0; i + 1 < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size() + 2);
    for (const TableLine& line : lines) {
        std::string text;
        for (std::size_t i = 0; i < line.size(); ++i) {
            text += line[i];
            if (line[i].size() < widths[i]) text.append(widths[i] - line[i].size(), ' ');
        }
        std::printf("%s\n", text.c_str());
    }
}

// ---- as JSON -------------------------------------------------------------------------------------
json::array words_json(std::span<const std::string_view> words) {
    return json::array(words.begin(), words.end());
}

json::value addresses_json(const bms::Addresses& addresses) {
    if (!addresses.used) return nullptr;
    json::array refused;
    for (const bms::RefusedAddress& entry : addresses.refused)
        refused.push_back(json::object{{"address", entry.address}, {"why", entry.why}});
    json::array usual;
    for (const bms::AddressRange& range : addresses.usual)
        usual.push_back(json::object{{"first", range.first}, {"last", range.last}});
    return {{"first", addresses.first},
            {"last", addresses.last},
            {"standard", addresses.standard},
            {"meaning", addresses.meaning},
            {"factory", json::array(addresses.factory.begin(), addresses.factory.end())},
            {"usual", std::move(usual)},
            {"refused", std::move(refused)}};
}

json::array bitrates_json(const Family& family) {
    if (!family.can) return {};
    return json::array(family.can->bitrates.begin(), family.can->bitrates.end());
}

json::object family_json(const Family& family) {
    return {{"type", family.type},
            {"key", family.key},
            {"label", family.label},
            {"aliases", words_json(family.aliases)},
            {"sold_as", words_json(family.sold_as)},
            {"baud", json::array(family.serial.rates.begin(), family.serial.rates.end())},
            {"can_bitrates", bitrates_json(family)},
            {"addresses", addresses_json(family.addresses)}};
}

json::object guide_json(const Family& family) {
    const bms::Guide& guide = family.guide;
    json::object out{{"type", family.type},
                     {"key", family.key},
                     {"sold_as", words_json(family.sold_as)},
                     {"rs485", guide.rs485},
                     {"uart", guide.uart},
                     {"can", guide.can},
                     {"connector", guide.connector},
                     {"addresses", guide.addresses},
                     {"dip_switches", guide.dip_switches},
                     {"vendor_app", guide.vendor_app},
                     {"notes", guide.notes},
                     {"config", bms::config_lines(family)},
                     {"text", bms::guide_text(family)}};
    return out;
}

}  // namespace

int list(bool as_json) {
    if (as_json) {
        json::array families;
        for (const Family* family : bms::catalog()) families.push_back(family_json(*family));
        std::printf("%s\n", to_text(families).c_str());
        return 0;
    }
    std::vector<TableLine> lines{{"BMS_TYPE", "link", "addresses", "also understood", "sold as"}};
    for (const Family* family : bms::catalog()) lines.push_back(table_line(*family));
    print(lines);
    return 0;
}

int describe(const std::string& name, bool as_json) {
    const Family* family = bms::find_family(name);
    if (!family) return complain("bmsd", bms::unknown_type(name), as_json);
    std::string text = bms::describe(*family);
    if (as_json) {
        json::object out = family_json(*family);
        out["guide"] = guide_json(*family);
        out["datasheet"] = text;
        text = to_text(out) + '\n';
    }
    std::fputs(text.c_str(), stdout);
    return 0;
}

std::string guide_page(const Family& family) {
    return "## " + std::string(family.label) + " (BMS_TYPE = " + std::string(family.type) + ")\n\n" +
           bms::guide_text(family);
}

int guide(const std::string& name, bool as_json) {
    std::vector<const Family*> families(bms::catalog().begin(), bms::catalog().end());
    if (!name.empty()) {
        families = {bms::find_family(name)};
        if (!families.front()) return complain("bmsd", bms::unknown_type(name), as_json);
    }
    json::array list;
    for (const Family* family : families) {
        if (as_json)
            list.push_back(guide_json(*family));
        else
            std::printf("%s%s", family == families.front() ? "" : "\n", guide_page(*family).c_str());
    }
    if (as_json) std::printf("%s\n", to_text(list).c_str());
    return 0;
}

}  // namespace bmsd::app
