// A scenario from a stranger: refused with a reason, or run to numbers that can be written down.
#include <cstdint>
#include <string_view>

#include "app/reading_json.hpp"
#include "app/scenario_run.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bmsd;
    using test::require;
    constexpr int most_cycles = 50;  // more of them are only slower
    const auto scenario = app::parse_scenario({reinterpret_cast<const char*>(data), size});
    if (!scenario) {
        require(!scenario.error().detail.empty(), "an error says what happened");
        return 0;
    }
    app::ScenarioRun run(*scenario, scenario->config);
    for (int cycle = 0; cycle < most_cycles && run.next(); ++cycle) boost::json::parse(app::to_text(run.outputs()));
    return 0;
}
