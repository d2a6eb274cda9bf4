#include "fleet/report.hpp"

#include <algorithm>
#include <iomanip>
#include <sstream>

#include <boost/json.hpp>

namespace bmsd::bench {
namespace {

std::string shown(double value, const std::string& unit) {
    std::ostringstream out;
    out << std::setprecision(4) << value;
    if (!unit.empty()) out << " " << unit;
    return out.str();
}

std::string target(const Line& line) {
    if (line.at_most) return "<= " + shown(*line.at_most, line.unit);
    if (line.at_least) return ">= " + shown(*line.at_least, line.unit);
    return {};
}

std::string verdict(const Line& line) {
    if (!line.at_most && !line.at_least) return {};
    return line.reached() ? "ok" : "MISSED";
}

}  // namespace

bool all_reached(const Report& report) {
    return std::all_of(report.begin(), report.end(), [](const Line& line) { return line.reached(); });
}

void print_table(std::ostream& out, const Report& report) {
    for (const Line& line : report) {
        std::string name = line.name;
        std::replace(name.begin(), name.end(), '_', ' ');
        out << std::left << std::setw(40) << name;
        if (verdict(line).empty())
            out << shown(line.value, line.unit) << "\n";
        else
            out << std::setw(16) << shown(line.value, line.unit) << std::setw(14) << target(line) << verdict(line)
                << "\n";
    }
}

void print_json(std::ostream& out, const Report& report) {
    boost::json::object all;
    for (const Line& line : report) {
        boost::json::object one{{"value", line.value}, {"unit", line.unit}};
        if (line.at_most) one["at_most"] = *line.at_most;
        if (line.at_least) one["at_least"] = *line.at_least;
        if (line.at_most || line.at_least) one["reached"] = line.reached();
        all[line.name] = std::move(one);
    }
    out << boost::json::serialize(all) << "\n";
}

}  // namespace bmsd::bench
