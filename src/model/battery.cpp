#include "model/battery.hpp"

#include <cmath>

namespace bmsd {

std::string_view to_string(LinkState state) noexcept {
    switch (state) {
        case LinkState::starting: return "starting";
        case LinkState::fresh: return "fresh";
        case LinkState::stale: return "stale";
        case LinkState::lost: return "lost";
    }
    return "unknown";
}

std::string_view to_string(Order order) noexcept {
    switch (order) {
        case Order::charging: return "switching charging";
        case Order::discharging: return "switching discharging";
        case Order::balancer: return "switching the balancer";
        case Order::soc: return "setting the state of charge";
        case Order::clear_history: break;
    }
    return "clearing the history";
}

Result<void> check_value(Order order, double value) {
    const auto must = [](bool right, const char* range) -> Result<void> {
        if (right) return {};
        return tl::unexpected(Error{ErrorClass::refused, std::string("the value must be ") + range});
    };
    switch (order) {
        case Order::soc: return must(value >= 0 && value <= 100, "0 to 100 %");
        case Order::clear_history: return must(value == std::trunc(value) && value >= 1 && value <= 7, "1 to 7");
        default: return must(value == 0 || value == 1, "0 or 1");
    }
}

}  // namespace bmsd
