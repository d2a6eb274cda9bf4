#include "engine/station.hpp"

#include <algorithm>

namespace bmsd::engine {

std::chrono::milliseconds back_off(unsigned failures) noexcept {
    using namespace std::chrono_literals;
    constexpr unsigned patience = 3;
    if (failures < patience) return 0ms;
    return std::min<std::chrono::milliseconds>(1000ms * (1 << std::min(failures - patience, 10U)), 10s);
}

std::string duration_text(std::chrono::seconds duration) {
    struct Unit {
        long seconds;
        char letter;
    };
    constexpr Unit units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    long rest = static_cast<long>(duration.count());
    // The biggest unit that is not zero and the next smaller one.
    for (std::size_t i = 0; i < std::size(units); ++i) {
        if (rest < units[i].seconds && i + 1 < std::size(units)) continue;
        std::string out = std::to_string(rest / units[i].seconds) + units[i].letter;
        rest %= units[i].seconds;
        if (i + 1 < std::size(units) && rest >= units[i + 1].seconds)
            out += " " + std::to_string(rest / units[i + 1].seconds) + units[i + 1].letter;
        return out;
    }
    return "0s";
}

}  // namespace bmsd::engine
