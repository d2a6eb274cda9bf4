#include "framing/a5.hpp"

#include <algorithm>

#include "framing/checksum.hpp"

namespace bmsd::framing::a5 {
namespace {

constexpr std::uint8_t start = 0xA5;
constexpr std::size_t head_size = 4;

}  // namespace

void write(std::uint8_t address, std::uint8_t command, std::span<const std::uint8_t> data,
           std::span<std::uint8_t, frame_size> out) noexcept {
    out[0] = start;
    out[1] = address;
    out[2] = command;
    out[3] = data_size;
    for (std::size_t i = 0; i < data_size; ++i) out[head_size + i] = i < data.size() ? data[i] : 0;
    out[frame_size - 1] = sum8(out.first(frame_size - 1));
}

/// Bytes were lost, and the weak sum fits by chance: the same head begins again inside the frame.
bool Frames::torn(std::span<const std::uint8_t> frame) const noexcept {
    const auto head = frame.first(head_size);
    const auto inside = frame.subspan(1);
    return std::search(inside.begin(), inside.end(), head.begin(), head.end()) != inside.end();
}

Frame Frames::next() noexcept {
    while (at_ < received_.size()) {
        const auto rest = received_.subspan(at_);
        if (rest[0] != start) {
            ++at_;
            continue;
        }
        if (rest.size() < frame_size) break;
        const auto frame = rest.first(frame_size);
        const bool sum_fits = sum8(frame.first(frame_size - 1)) == frame[frame_size - 1];
        if (frame[3] != data_size || !sum_fits || torn(frame)) {
            damage_ = frame[3] == data_size ? Damage::checksum : Damage::length;
            ++at_;
            continue;
        }
        at_ += frame_size;
        return {frame[1], frame[2], frame.subspan(head_size, data_size)};
    }
    return {};
}

}  // namespace bmsd::framing::a5
