#include "app/live_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <unistd.h>

#include "engine/registry.hpp"
#include "engine/station.hpp"

namespace bmsd::app {
namespace {

using namespace std::chrono_literals;

constexpr auto fastest_refresh = 500ms;
constexpr auto plain_refresh = 10s;

constexpr const char* red = "\x1b[31m";
constexpr const char* yellow = "\x1b[33m";
constexpr const char* green = "\x1b[32m";
constexpr const char* bold = "\x1b[1m";
constexpr const char* normal = "\x1b[0m";
constexpr const char* clear_below = "\x1b[J";
// Without automatic wrapping a long line is cut at the edge, and the picture keeps its number of lines.
constexpr const char* begin_picture = "\x1b[?7l\x1b[?25l";
constexpr const char* end_picture = "\x1b[?7h\x1b[?25h";

/// Width on screen of UTF-8 text without wide characters.
std::size_t columns(const std::string& text) {
    std::size_t count = 0;
    for (const char c : text)
        if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++count;
    return count;
}

std::string padded(std::string text, std::size_t width, bool right = false) {
    const std::size_t have = columns(text);
    if (have >= width) return text;
    return right ? std::string(width - have, ' ') + text : text + std::string(width - have, ' ');
}

std::string number(const Number& value, int decimals, const char* unit) {
    if (!value) return "-";
    char text[48];
    std::snprintf(text, sizeof text, "%.*f %s", decimals, *value, unit);
    return text;
}

std::string cell(const Number& voltage, std::size_t index) {
    if (!voltage) return "-";
    char text[48];
    std::snprintf(text, sizeof text, "%.3f V C%zu", *voltage, index);
    return text;
}

/// Coldest and warmest sensor, and the MOSFET.
std::string temperatures(const Battery& battery) {
    std::string out;
    char text[48];
    const Summary& summary = battery.summary;
    if (summary.min_temperature_c && summary.max_temperature_c) {
        std::snprintf(text, sizeof text, "%.1f..%.1f °C", *summary.min_temperature_c, *summary.max_temperature_c);
        out = text;
    }
    if (const Number& mosfet = battery.summary.mosfet_temperature_c) {
        std::snprintf(text, sizeof text, "%sFET %.0f °C", out.empty() ? "" : " ", *mosfet);
        out += text;
    }
    return out.empty() ? "-" : out;
}

std::string alarms(const Alarms& alarms) {
    std::string out;
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const auto alarm = static_cast<Alarm>(i);
        const auto level = alarms[alarm];
        if (!level || *level == Level::ok) continue;
        out += (out.empty() ? "" : ", ") + std::string(to_string(alarm)) + (*level == Level::alarm ? "!" : "");
    }
    return out.empty() ? "none" : out;
}

std::string link_text(const Link& link) {
    std::string out(to_string(link.state));
    if (link.state != LinkState::fresh) out += " " + engine::duration_text(link.silent);
    return out;
}

struct Column {
    const char* title;
    std::size_t width;
    bool right;
};
constexpr Column layout[] = {
    {"battery", 18, false},    {"voltage", 8, true},       {"current", 9, true},        {"SoC", 5, true},
    {"lowest cell", 11, true}, {"highest cell", 12, true}, {"temperatures", 24, false}, {"alarms", 6, false},
    {"link", 6, false},        {"poll", 6, true}};

std::string row(const std::string (&cells)[std::size(layout)]) {
    std::string out;
    for (std::size_t i = 0; i < std::size(layout); ++i)
        out += (i ? "  " : "") + padded(cells[i], layout[i].width, layout[i].right);
    return out;
}

}  // namespace

std::string table_text(const std::map<std::string, const Battery*>& batteries, bool coloured) {
    const auto in = [&](const char* colour, const std::string& text) {
        return coloured ? colour + text + normal : text;
    };
    const char* line_end = "\n";
    std::string titles[std::size(layout)];
    for (std::size_t i = 0; i < std::size(layout); ++i) titles[i] = layout[i].title;
    std::string out = in(bold, row(titles)) + line_end;
    for (const auto& [place, battery] : batteries) {
        const bool online = battery->online;
        const bool fresh = battery->link.state == LinkState::fresh;
        const Identity& who = battery->identity;
        const std::string name = who.id.empty() ? place : who.address ? who.id + " " + who.address_text : who.id;
        const std::string cells[] = {
            name,
            online ? number(battery->summary.voltage_v, 2, "V") : "-",
            online ? number(battery->summary.current_a, 2, "A") : "-",
            number(battery->summary.soc_percent, 0, "%"),
            cell(battery->summary.min_cell_v, battery->summary.min_cell),
            cell(battery->summary.max_cell_v, battery->summary.max_cell),
            temperatures(*battery),
            alarms(battery->alarms),
            link_text(battery->link),
            std::to_string(battery->link.poll_time.count()) + " ms",
        };
        const std::string line = row(cells);
        out += (battery->alarms.any() ? in(yellow, line) : !fresh ? in(red, line) : in(green, line)) + line_end;
        if (!battery->link.trouble.empty()) out += "    " + battery->link.trouble + line_end;
    }
    return out;
}

LiveTable::LiveTable(boost::asio::io_context& io, std::function<void()> lost)
    : timer_(io), lost_(std::move(lost)), terminal_(::isatty(STDOUT_FILENO) == 1) {}

LiveTable::~LiveTable() {
    std::fflush(stdout);
}

bool LiveTable::is_hung_up() const {
    return terminal_ && ::isatty(STDOUT_FILENO) != 1;
}

void LiveTable::removed(const Battery& battery) {
    batteries_.erase(engine::place_of(battery.identity));
}

void LiveTable::changed(const Battery& battery) {
    batteries_[engine::place_of(battery.identity)] = &battery;
    if (pending_) return;
    pending_ = true;
    timer_.expires_at(last_ + (terminal_ ? Clock::duration(fastest_refresh) : Clock::duration(plain_refresh)));
    timer_.async_wait([this](boost::system::error_code cancelled) {
        if (!cancelled) draw();
    });
}

void LiveTable::draw() {
    pending_ = false;
    last_ = Clock::now();
    std::string out = table_text(batteries_, terminal_);
    const auto lines = static_cast<std::size_t>(std::count(out.begin(), out.end(), '\n'));
    if (terminal_) {
        const std::string back = drawn_lines_ > 0 ? "\x1b[" + std::to_string(drawn_lines_) + "F" : "";
        out = begin_picture + back + clear_below + out + end_picture;
    }
    drawn_lines_ = lines;
    if (std::fwrite(out.data(), 1, out.size(), stdout) == out.size() && std::fflush(stdout) == 0) return;
    if (errno != EAGAIN) return lost_();
    std::clearerr(stdout);  // a terminal that is stopped: the next picture comes later
}

}  // namespace bmsd::app
