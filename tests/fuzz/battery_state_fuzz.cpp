// Any bytes as the state of a battery: refused, or a state that is written and read back as the same.
#include <cstdint>
#include <string_view>

#include "app/battery_state.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bmsd::app;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto state = battery_state(text, "B1");
    if (!state) return 0;
    const auto again = battery_state(to_json(*state, "B1"), "B1");
    bmsd::test::require(again && *again == *state, "a state comes back as it was written");
    return 0;
}
