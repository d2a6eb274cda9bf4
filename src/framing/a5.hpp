// Daly's frames: A5, address, command, 08, eight bytes of data, sum. Both ways the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bmsd::framing::a5 {

inline constexpr std::size_t data_size = 8;
inline constexpr std::size_t frame_size = 13;

/// One frame among received bytes.
struct Frame {
    std::uint8_t address = 0;
    std::uint8_t command = 0;
    std::span<const std::uint8_t> data = {};  ///< eight bytes; empty: there is no frame
};

/// Writes the frame with these data (shorter ones are filled with 0) to `out`.
void write(std::uint8_t address, std::uint8_t command, std::span<const std::uint8_t> data,
           std::span<std::uint8_t, frame_size> out) noexcept;

/// Walks over the sound frames among received bytes; whatever is damaged is stepped over. Total.
class Frames {
public:
    enum class Damage : std::uint8_t { none, checksum, length };

    explicit Frames(std::span<const std::uint8_t> received) noexcept : received_(received) {}

    /// The next sound frame; without data at the end of the bytes.
    [[nodiscard]] Frame next() noexcept;
    /// Where the frame that next() gave ends.
    [[nodiscard]] std::size_t end() const noexcept { return at_; }
    /// After the last frame: bytes of one that is cut short.
    [[nodiscard]] std::size_t cut() const noexcept { return received_.size() - at_; }
    /// The last damage that was stepped over.
    [[nodiscard]] Damage damage() const noexcept { return damage_; }

private:
    [[nodiscard]] bool torn(std::span<const std::uint8_t> frame) const noexcept;

    std::span<const std::uint8_t> received_;
    std::size_t at_ = 0;
    Damage damage_ = Damage::none;
};

}  // namespace bmsd::framing::a5
