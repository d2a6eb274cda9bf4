#include "framing/dd77.hpp"

#include <algorithm>

#include "framing/checksum.hpp"

namespace bmsd::framing {

std::uint16_t checksum_dd77(std::span<const std::uint8_t> covered) noexcept {
    return static_cast<std::uint16_t>(0x10000 - sum16(covered));
}

Dd77 find_dd77(std::span<const std::uint8_t> bytes, std::size_t from) noexcept {
    Dd77 result;
    // The first beginning tells the story; later ones may be its content.
    const auto report = [&](Dd77::Fault fault, std::size_t missing = dd77_overhead) {
        if (result.fault == Dd77::Fault::none)
            result.fault = fault, result.missing = missing;
        else
            result.missing = std::min(result.missing, missing);
    };
    for (std::size_t at = from; at < bytes.size(); ++at) {
        if (bytes[at] != dd77_start) continue;
        const auto rest = bytes.subspan(at);
        if (rest.size() < dd77_head) {
            report(Dd77::Fault::cut, dd77_overhead - rest.size());
            break;
        }
        const std::size_t total = rest[3] + dd77_overhead;
        if (rest.size() < total) {
            report(Dd77::Fault::cut, total - rest.size());
            continue;  // its length may be damaged: a sound frame may still follow inside
        }
        const auto covered = rest.subspan(2, total - 5);
        const std::uint16_t sum = checksum_dd77(covered);
        if (rest[total - 1] != dd77_end)
            report(Dd77::Fault::end);
        else if (rest[total - 3] != (sum >> 8) || rest[total - 2] != (sum & 0xFF))
            report(Dd77::Fault::checksum);
        else
            return {rest.first(total), 0, Dd77::Fault::none};
    }
    return result;
}

}  // namespace bmsd::framing
