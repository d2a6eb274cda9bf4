// Any bytes as what was found on the ports: refused, or something that is written and read back as the same.
#include <cstdint>
#include <string>
#include <string_view>

#include "app/detections.hpp"
#include "bms/catalog.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bmsd;
    using test::require;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto found = app::detections(text);
    if (!found) return 0;
    for (const auto& [port, places] : *found)
        for (const engine::Found& place : places) {
            require(place.candidate.family != nullptr, "a place has a family");
            require(bms::check_address(*place.candidate.family, place.address).has_value(), "that may be asked there");
        }
    const auto again = app::detections(app::to_json(*found));
    require(again && *again == *found, "what was found comes back as it was written");
    return 0;
}
