// Compiled once per fault; each must stop the compiler with its reason. Without a fault it must compile.
#include "bms/soundness.hpp"

namespace bmsd::bms {
namespace {

#if FAULT == 1
constexpr Row rows[] = {{&Reading::voltage_v, 7, Wire::u16be}};
#elif FAULT == 2
constexpr Row rows[] = {{&Reading::voltage_v, 0, Wire::u16be}, {&Reading::voltage_v, 2, Wire::u16be}};
#elif FAULT == 3
constexpr Row rows[] = {{&Reading::voltage_v, 0, Wire::u16be, 0}};
#elif FAULT == 4
constexpr Row rows[] = {{&Reading::voltage_v, 0, Wire::u16be, 1, 0, {}, 0x83}};
#else
constexpr Row rows[] = {{&Reading::voltage_v, 6, Wire::u16be}};
#endif

#if FAULT == 5
constexpr AlarmBit alarms[] = {{Alarm::low_soc, static_cast<Level>(3), 0, Wire::u8, 0}};
#elif FAULT == 6
constexpr AlarmBit alarms[] = {{Alarm::low_soc, Level::alarm, 0, Wire::u8, 8}};
#else
constexpr AlarmBit alarms[] = {{Alarm::low_soc, Level::alarm, 0, Wire::u8, 7}};
#endif

#if FAULT == 7
constexpr CellRow cells[] = {{&Reading::cell_voltages_v, 0, Wire::u16be, 0.001, 5, 2}};
#else
constexpr CellRow cells[] = {{&Reading::cell_voltages_v, 0, Wire::u16be, 0.001, 4, 2}};
#endif

constexpr std::uint32_t rates[] = {9600};
constexpr Request requests[] = {
    {.name = "all", .answer_size = 8, .layout = {.size = 8, .rows = rows, .cells = cells, .alarms = alarms}}};

void build(const Request&, const Asking&, Bytes&) {}
Reply examine(const Request&, const Asking&, std::span<const std::uint8_t>) {
    return {};
}
void wrap(const Request&, const Asking&, std::span<const std::uint8_t>, Bytes&) {}

constexpr Family family {
    .key = "test", .type = "Test", .label = "Test", .serial = {rates}, .requests = requests,
#if FAULT == 8
    .build = nullptr,
#else
    .build = build,
#endif
    .examine = examine, .wrap = wrap
};
static_assert(sound(family));

}  // namespace
}  // namespace bmsd::bms
