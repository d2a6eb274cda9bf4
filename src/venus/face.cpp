#include "venus/face.hpp"

#include <algorithm>

namespace bmsd::venus {

Face::Face(asio::any_io_executor executor, FaceSettings settings)
    : executor_(std::move(executor)), settings_(std::move(settings)) {}

std::int32_t Face::instance_of(const Identity& identity) {
    const auto next = static_cast<std::int32_t>(instances_.size()) + 1;
    return instances_.try_emplace(identity.id, next).first->second;
}

void Face::appeared(const Battery& battery) {
    removed(battery);
    services_.push_back(std::make_unique<BatteryService>(executor_, settings_, battery, instance_of(battery.identity)));
}

void Face::updated(const Battery& battery) {
    for (const auto& service : services_)
        if (&service->battery() == &battery) return service->update();
}

void Face::set_parameters(const control::Parameters& parameters) {
    settings_.parameters = parameters;
    for (const auto& service : services_) service->update();
}

void Face::removed(const Battery& battery) {
    std::erase_if(services_, [&](const auto& service) { return &service->battery() == &battery; });
}

}  // namespace bmsd::venus
