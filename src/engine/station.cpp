#include "engine/station.hpp"

#include <algorithm>

namespace bmsd::engine {

using namespace std::chrono_literals;

namespace {

constexpr auto noise_remembered = 1h;
constexpr auto heavy_noise_remembered = 10min;

}  // namespace

void Noise::damaged(Clock::time_point now) noexcept {
    if (now < again_until_) heavy_until_ = now + heavy_noise_remembered;
    again_until_ = now + heavy_noise_remembered;
    contradicted(now);
}

void Noise::contradicted(Clock::time_point now) noexcept {
    noisy_until_ = now + noise_remembered;
}

Noise::Level Noise::level(Clock::time_point now) const noexcept {
    return now < heavy_until_ ? Level::heavy : now < noisy_until_ ? Level::noisy : Level::quiet;
}

std::chrono::milliseconds back_off(unsigned failures) noexcept {
    constexpr unsigned patience = 3;
    if (failures < patience) return 0ms;
    return std::min<std::chrono::milliseconds>(1000ms * (1 << std::min(failures - patience, 10U)), 10s);
}

}  // namespace bmsd::engine
