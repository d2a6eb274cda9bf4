#include "model/battery.hpp"

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

}  // namespace bmsd
