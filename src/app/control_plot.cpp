#include "app/control_plot.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "model/words.hpp"

namespace bmsd::app {
namespace {

// Layout, in pixels.
constexpr double width = 960, left = 70, right = 130, top = 30;
constexpr double plot_width = width - left - right;
constexpr double panel_height = 130, panel_gap = 34;
constexpr double mode_height = 26;
constexpr double columns_at_most = plot_width;
constexpr std::size_t panel_count = 4;

struct Line {
    const char* name;
    const char* colour;
    std::vector<Number> values;
    bool dashed = false;
};

struct Panel {
    const char* title;
    std::vector<Line> lines;
    int decimals;
};

struct Scale {
    double low = 0, high = 1;
    double step = 1;
};

std::string print(const char* format, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, value);
    return text;
}
/// A coordinate: tenths of a pixel are more than enough.
std::string at(double value) {
    return print("%.1f", value);
}

/// 1, 2 or 5 times a power of ten, so that `span` has about `parts` of them.
double round_step(double span, double parts) {
    const double raw = std::max(span, 1e-9) / parts;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    for (const double factor : {1.0, 2.0, 5.0})
        if (raw <= factor * power) return factor * power;
    return 10 * power;
}

Scale scale_of(const Panel& panel) {
    double low = 1e300, high = -1e300;
    for (const Line& line : panel.lines)
        for (const Number& value : line.values)
            if (value) low = std::min(low, *value), high = std::max(high, *value);
    if (low > high) return {};
    const double least = std::pow(10, -panel.decimals);
    const double step = std::max(least, round_step(std::max(high - low, 2 * least), 4));
    Scale scale{std::floor(low / step) * step, std::ceil(high / step) * step, step};
    if (scale.high - scale.low < step) scale.high = scale.low + step;
    return scale;
}

/// Seconds between marks of the time axis.
double time_step(double end_s) {
    constexpr std::array steps = {10.0,   30.0,   60.0,   120.0,   300.0,   600.0,
                                  1800.0, 3600.0, 7200.0, 21600.0, 43200.0, 86400.0};
    for (const double step : steps)
        if (end_s / step <= 10) return step;
    return round_step(end_s, 10);
}

std::string text_at(double x, double y, const char* anchor, const std::string& text, const char* more = "") {
    return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + anchor + "\"" + more + ">" + text +
           "</text>\n";
}

const char* colour_of(const std::string& mode) {
    if (mode.find("OVP") != std::string::npos) return "#f4b183";
    if (mode.starts_with("Bulk")) return "#c6dbef";
    if (mode.starts_with("Absorption")) return "#ffe699";
    if (mode.starts_with("Float")) return "#c7e9c0";
    return "#e0e0e0";
}

/// The first word says enough in a picture: "Bulk", "Absorption", "Float", and whether a cell is too high.
std::string short_mode(const std::string& mode) {
    std::string word = mode.substr(0, mode.find_first_of(" ("));
    return mode.find("OVP") != std::string::npos ? word + " (OVP)" : word;
}

/// The picture while it is drawn, from top to bottom.
class Drawing {
public:
    Drawing(double end_s, std::size_t panels)
        : end_s_(std::max(end_s, 1e-9)),
          tick_s_(time_step(end_s_)),
          bottom_(top + static_cast<double>(panels) * (panel_height + panel_gap)) {
        out_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + at(width) + " " +
               at(bottom_ + mode_height + 46) +
               "\" font-family=\"sans-serif\" font-size=\"11\">\n"
               "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    }

    void add_time(double time_s, const std::string& mode) {
        times_s_.push_back(time_s);
        modes_.push_back(mode);
    }

    void add(const Panel& panel) {
        const Scale scale = scale_of(panel);
        out_ += text_at(left, y_ - 6, "start", panel.title, " font-weight=\"bold\"");
        draw_grid(scale, panel.decimals);
        double legend = y_ + 12;
        for (const Line& line : panel.lines) {
            const std::string style = std::string(" fill=\"none\" stroke=\"") + line.colour +
                                      "\" stroke-width=\"1.5\"" + (line.dashed ? " stroke-dasharray=\"5 3\"" : "");
            out_ += "<path d=\"" + path_of(line, scale) + "\"" + style + "/>\n";
            const double key = left + plot_width + 10;
            out_ += "<path d=\"M" + at(key) + " " + at(legend - 4) + "h18\"" + style + "/>\n";
            out_ += text_at(key + 24, legend, "start", line.name);
            legend += 16;
        }
        y_ += panel_height + panel_gap;
    }

    /// Adds the modes and the axis of time.
    std::string finish() {
        draw_modes();
        const double axis = bottom_ + mode_height + 16;
        for (double t = 0; t <= end_s_ + 1e-9; t += tick_s_)
            out_ += text_at(x_of(t), axis, "middle", duration_text(std::chrono::seconds(std::lround(t))));
        out_ += text_at(left + plot_width + 26, axis, "start", "time");
        draw_mode_legend(axis + 18);
        return std::move(out_) + "</svg>\n";
    }

private:
    [[nodiscard]] double x_of(double time_s) const { return left + plot_width * time_s / end_s_; }
    [[nodiscard]] double y_of(double value, const Scale& scale) const {
        return y_ + panel_height * (1 - (value - scale.low) / (scale.high - scale.low));
    }

    void draw_grid(const Scale& scale, int most_decimals) {
        const long marks = std::lround((scale.high - scale.low) / scale.step);
        const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(scale.step) - 1e-9)), 0, most_decimals);
        for (long i = 0; i <= marks; ++i) {
            const double value = scale.low + static_cast<double>(i) * scale.step;
            char text[32];
            std::snprintf(text, sizeof text, "%.*f", decimals, std::abs(value) < 1e-9 ? 0.0 : value);
            const double y = y_of(value, scale);
            out_ += "<path d=\"M" + at(left) + " " + at(y) + "h" + at(plot_width) + "\" stroke=\"#dddddd\"/>\n";
            out_ += text_at(left - 6, y + 4, "end", text);
        }
        for (double t = 0; t <= end_s_ + 1e-9; t += tick_s_)
            out_ += "<path d=\"M" + at(x_of(t)) + " " + at(y_) + "v" + at(panel_height) + "\" stroke=\"#eeeeee\"/>\n";
    }

    /// Values hold until they change: steps, and only where something changes.
    [[nodiscard]] std::string path_of(const Line& line, const Scale& scale) const {
        std::string path, last;
        for (std::size_t i = 0; i < line.values.size(); ++i) {
            if (!line.values[i]) {
                last.clear();
                continue;
            }
            const std::string x = at(x_of(times_s_[i])), y = at(y_of(*line.values[i], scale));
            if (last.empty())
                path += "M" + x + " " + y;
            else if (y != last || i + 1 == line.values.size())
                path += "H" + x + "V" + y;
            last = y;
        }
        return path;
    }

    void draw_modes() {
        out_ += text_at(left, bottom_ - 6, "start", "Charge mode", " font-weight=\"bold\"");
        for (std::size_t i = 0; i < modes_.size();) {
            std::size_t after = i;
            while (after < modes_.size() && modes_[after] == modes_[i]) ++after;
            const double from = x_of(times_s_[i]);
            const double until = after < modes_.size() ? x_of(times_s_[after]) : left + plot_width;
            out_ += "<rect x=\"" + at(from) + "\" y=\"" + at(bottom_) + "\" width=\"" + at(until - from) +
                    "\" height=\"" + at(mode_height) + "\" fill=\"" + colour_of(modes_[i]) + "\"/>\n";
            constexpr double letter = 6.5;
            if (until - from > letter * static_cast<double>(modes_[i].size()))
                out_ += text_at((from + until) / 2, bottom_ + 17, "middle", modes_[i]);
            i = after;
        }
    }

    void draw_mode_legend(double y) {
        double x = left;
        for (const char* mode : {"Bulk", "Absorption", "Float", "(OVP) a cell is too high"}) {
            out_ += "<rect x=\"" + at(x) + "\" y=\"" + at(y - 9) + "\" width=\"12\" height=\"10\" fill=\"" +
                    colour_of(mode) + "\"/>\n";
            out_ += text_at(x + 17, y, "start", mode);
            x += 110;
        }
    }

    double end_s_, tick_s_;
    double bottom_;
    double y_ = top;
    std::vector<double> times_s_;
    std::vector<std::string> modes_;
    std::string out_;
};

}  // namespace

void ControlPlot::add(double time_s, const Battery& battery) {
    if (column_s_ == 0) column_s_ = std::max(end_s_ / columns_at_most, 1e-9);
    const bool same = !columns_.empty() && time_s < columns_.back().time_s + column_s_ - 1e-9;
    const Summary& summary = battery.summary;
    const Limits& limits = battery.limits;
    if (!same) columns_.emplace_back().time_s = time_s;
    Column& column = columns_.back();
    const auto least = [](Number& kept, const Number& value) {
        kept = kept && value ? std::min(*kept, *value) : value;
    };
    const auto most = [](Number& kept, const Number& value) { kept = kept && value ? std::max(*kept, *value) : value; };
    least(column.lowest_cell_v, summary.min_cell_v);
    most(column.highest_cell_v, summary.max_cell_v);
    least(column.cvl_v, limits.cvl_v);
    least(column.ccl_a, limits.ccl_a);
    least(column.dcl_a, limits.dcl_a);
    column.pack_v = battery.online ? summary.voltage_v : std::nullopt;
    column.current_a = battery.online ? summary.current_a : std::nullopt;
    column.soc_percent = summary.soc_percent;
    column.mode = short_mode(limits.charge_mode);
}

std::string ControlPlot::svg() const {
    const auto line = [&](const char* name, const char* colour, Number Column::*member, bool dashed = false) {
        Line out{name, colour, {}, dashed};
        for (const Column& column : columns_) out.values.push_back(column.*member);
        return out;
    };
    Drawing drawing(end_s_, panel_count);
    for (const Column& column : columns_) drawing.add_time(column.time_s, column.mode);
    drawing.add({"Cells, V",
                 {line("highest cell", "#d62728", &Column::highest_cell_v),
                  line("lowest cell", "#1f77b4", &Column::lowest_cell_v)},
                 3});
    drawing.add(
        {"Battery, V", {line("CVL", "#2ca02c", &Column::cvl_v, true), line("battery", "#444444", &Column::pack_v)}, 2});
    drawing.add({"Current, A",
                 {line("CCL", "#2ca02c", &Column::ccl_a, true), line("DCL", "#9467bd", &Column::dcl_a, true),
                  line("current", "#444444", &Column::current_a)},
                 1});
    drawing.add({"State of charge, %", {line("SoC", "#ff7f0e", &Column::soc_percent)}, 1});
    return drawing.finish();
}

std::string ControlPlot::save(const std::string& path) const {
    std::ofstream file(path, std::ios::binary);
    file << svg();
    file.close();
    return file ? "" : "the picture cannot be written; name a file in a folder that exists and that you may write to";
}

}  // namespace bmsd::app
