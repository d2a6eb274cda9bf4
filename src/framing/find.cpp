#include "framing/find.hpp"

#include <algorithm>

namespace bmsd::framing {

std::size_t find_mark(std::span<const std::uint8_t> bytes, std::span<const std::uint8_t> mark,
                      std::size_t from) noexcept {
    for (std::size_t at = from; at < bytes.size(); ++at) {
        const std::size_t length = std::min(mark.size(), bytes.size() - at);
        if (std::equal(mark.begin(), mark.begin() + static_cast<std::ptrdiff_t>(length),
                       bytes.begin() + static_cast<std::ptrdiff_t>(at)))
            return at;
    }
    return bytes.size();
}

}  // namespace bmsd::framing
