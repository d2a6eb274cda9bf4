#include "engine/station.hpp"

#include <algorithm>

namespace bmsd::engine {

std::chrono::milliseconds back_off(unsigned failures) noexcept {
    using namespace std::chrono_literals;
    constexpr unsigned patience = 3;
    if (failures < patience) return 0ms;
    return std::min<std::chrono::milliseconds>(1000ms * (1 << std::min(failures - patience, 10U)), 10s);
}

}  // namespace bmsd::engine
