#include "framing/lifepower.hpp"

#include "framing/checksum.hpp"

namespace bmsd::framing::lifepower {

std::uint8_t checksum(std::span<const std::uint8_t> bytes) noexcept {
    std::uint8_t parity = 0;
    for (const std::uint8_t byte : bytes) parity ^= byte;
    return parity ^ sum8(bytes);
}

std::size_t next_start(std::span<const std::uint8_t> bytes, std::size_t from) noexcept {
    while (from < bytes.size() && bytes[from] != start_7e && bytes[from] != start_7c) ++from;
    return from;
}

Look look_at(std::span<const std::uint8_t> rest) noexcept {
    if (rest.size() <= at_length) return {Look::State::cut, least_answer};
    const std::size_t size = head_size + rest[at_length] + tail_size;
    if (rest.size() < size) return {Look::State::cut, size};
    if (rest[size - 1] != end_mark) return {Look::State::no_end, size};
    if (rest[size - tail_size] != checksum(rest.first(size - tail_size))) return {Look::State::mismatch, size};
    return {Look::State::sound, size};
}

}  // namespace bmsd::framing::lifepower
