// A configuration from a stranger: any text gives values that agree with each other, and problems that say where.
#include <algorithm>
#include <string_view>

#include "app/config_keys.hpp"
#include "app/config_ports.hpp"
#include "require.hpp"

namespace {

using namespace bmsd;
using test::require;

/// What the engine and the control logic rely on.
void check_values(app::Config& config) {
    require(config.control.min_cell_v < config.control.max_cell_v, "MIN is below MAX");
    require(config.control.float_cell_v <= config.control.max_cell_v, "float is not above MAX");
    require(config.control.charge.max_a > 0 && config.control.charge.max_a <= 10000, "a charge limit");
    for (const control::Curve* curve : {&config.control.charge.cell_v, &config.control.discharge.temperature_c}) {
        require(curve->x.size() == curve->fraction.size() && curve->x.size() >= 2, "a curve is a curve");
        for (const double fraction : curve->fraction) require(fraction >= 0 && fraction <= 1, "a fraction");
    }
    const auto& measured = config.control.current_measured_a;
    require(std::is_sorted(measured.begin(), measured.end()), "a correction does not turn the current round");
    for (const std::string& port : app::configured_ports(config))
        require(!app::engine_settings(config, port).families.empty(), "somebody is asked for");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    int lines = 1;
    for (std::size_t i = 0; i < size; ++i)
        if (text[i] == '\n' || (text[i] == '\r' && !text.substr(i).starts_with("\r\n"))) ++lines;
    app::Parsed parsed = app::parse_config(text);
    int last = 0;
    for (const app::Problem& problem : parsed.problems) {
        require(!problem.text.empty(), "a problem says what is wrong");
        require(problem.line >= last && problem.line <= lines, "problems are in the order of existing lines");
        require(app::to_string(problem, "x").find('\n') == std::string::npos, "a message is one line");
        last = problem.line;
    }
    check_values(parsed.config);
    // What was understood can be written down and is understood again.
    for (const app::Group& group : app::key_groups())
        for (const app::Key& key : group.keys)
            require(app::value_text(slot_of(key, parsed.config)).size() <= (1U << 20), "a value can be written down");
    return 0;
}
