// What a stranger keeps in Venus OS' settings for a battery: any dictionary gives a state that is kept as it is.
// Input: per setting its name (an index), the type of its variant, the size of its content, then the content.
#include <algorithm>
#include <cstring>
#include <span>
#include <string>

#include "app/venus_state.hpp"
#include "connection.hpp"
#include "require.hpp"
#include "venus/dictionary.hpp"

namespace {

using namespace bmsd;
using test::require;

constexpr const char* names[] = {"AllowMaxVoltage",     "MaxVoltageStartTime", "SocCalc",
                                 "SocResetLastReached", "HistoryValues",       "LastSeen",
                                 "CustomName",          "ClassAndVrmInstance"};

/// One entry from the front of `input`; false if there is none, or D-Bus has no such value.
bool append_entry(sd_bus_message* message, std::span<const std::uint8_t>& input) {
    if (input.size() < 3) return false;
    const char* const name = names[input[0] % std::size(names)];
    const std::uint8_t type = input[1];
    const auto content = input.subspan(3, std::min<std::size_t>(input[2], input.size() - 3));
    input = input.subspan(3 + content.size());
    return sd_bus_message_open_container(message, 'e', "sv") >= 0 &&
           sd_bus_message_append_basic(message, 's', name) >= 0 && test::append_variant(message, type, content) &&
           sd_bus_message_close_container(message) >= 0;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const venus::Message message = test::new_message();
    std::span<const std::uint8_t> input(data, size);
    if (sd_bus_message_open_container(message.get(), 'a', "{sv}") < 0) std::abort();
    while (!input.empty())
        if (!append_entry(message.get(), input)) return 0;
    if (sd_bus_message_close_container(message.get()) < 0 || sd_bus_message_seal(message.get(), 1, 0) < 0) return 0;

    venus::SettingValues values;
    venus::each_entry(message.get(), [&](const std::string& name, const venus::Value& value) { values[name] = value; });
    const app::BatteryState state = app::from_settings(values);
    const auto kept = app::battery_state(app::to_json(state, "B1"), "B1");
    require(kept.has_value(), "what Venus OS keeps, bmsd can keep");
    if (!state.control) return 0;
    const venus::SettingValues stored = app::to_settings(*state.control);
    require(app::to_settings(*app::from_settings(stored).control) == stored, "what is stored stays what it is");
    return 0;
}
