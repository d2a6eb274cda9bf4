// What was measured, what was asked for, and whether it was reached.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

namespace bmsd::bench {

/// One measured quantity.
struct Line {
    std::string name;  ///< also the key in JSON
    double value = 0;
    std::string unit;
    std::optional<double> at_most = {};
    std::optional<double> at_least = {};

    [[nodiscard]] bool reached() const { return !(at_most && value > *at_most) && !(at_least && value < *at_least); }
};

using Report = std::vector<Line>;

[[nodiscard]] bool all_reached(const Report& report);
void print_table(std::ostream& out, const Report& report);
void print_json(std::ostream& out, const Report& report);

}  // namespace bmsd::bench
