// A run of the control logic as a picture.
#pragma once

#include <string>
#include <vector>

#include "model/battery.hpp"

namespace bmsd::app {

/// Draws cells, voltages, currents, state of charge and mode over time, as an SVG file.
class ControlPlot {
public:
    explicit ControlPlot(double end_s) : end_s_(end_s) {}

    /// Adds a cycle; times ascend.
    void add(double time_s, const Battery& battery);

    [[nodiscard]] std::string svg() const;
    /// Writes the file; what is wrong, empty if nothing.
    [[nodiscard]] std::string save(const std::string& path) const;

private:
    /// Cycles that share a column of the picture: extremes are kept, or a spike of one cycle would vanish.
    struct Column {
        double time_s = 0;
        Number lowest_cell_v, highest_cell_v;
        Number pack_v, cvl_v, current_a, ccl_a, dcl_a, soc_percent;
        std::string mode;
    };

    double end_s_;
    double column_s_ = 0;
    std::vector<Column> columns_;
};

}  // namespace bmsd::app
