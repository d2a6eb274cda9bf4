// The signal ItemsChanged, written as it goes over the wire.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "venus/value.hpp"

namespace bmsd::venus {

/// Writes `ItemsChanged a{sa{sv}}` (D-Bus specification, "Message Format"), for reuse without allocations. It is what
/// every poll sends: built with sd-bus it would cost more than all the rest of a poll.
class ItemsSignal {
public:
    ItemsSignal();

    /// Forgets what was written.
    void begin();
    /// Appends `{path: {"Value": value, "Text": text}}`, the text as the format says; path and texts must be UTF-8.
    void add(std::string_view path, const Value& value, const Format& format);
    [[nodiscard]] bool empty() const noexcept { return size_ == first_item_; }
    /// The whole message; valid until begin().
    [[nodiscard]] std::span<const char> finish();

private:
    void add_measured(std::string_view path, double value, const Format& format);
    /// Room for so many more bytes; a poll writes hundreds of small pieces, and asks for each of them only once.
    [[nodiscard]] char* grow(std::size_t bytes) {
        if (size_ + bytes > out_.size()) enlarge(bytes);
        char* const room = out_.data() + size_;
        size_ += bytes;
        return room;
    }
    void enlarge(std::size_t bytes);
    /// The bytes of something without padding.
    template <class Piece>
    void put(const Piece& piece) {
        std::memcpy(grow(sizeof piece), &piece, sizeof piece);
    }
    /// The first multiple of `to`, a power of two, that is not below `place`.
    [[nodiscard]] static constexpr std::size_t aligned(std::size_t place, std::size_t to) noexcept {
        return (place + to - 1) & ~(to - 1);
    }
    /// Zeros up to a multiple of `to`, a power of two up to 8: as many as may be needed at once, in one store.
    void align(std::size_t to) {
        const std::size_t end = aligned(size_, to);
        put(std::uint64_t{0});
        size_ = end;
    }
    void number(std::uint32_t value) {
        align(sizeof value);
        put(value);
    }
    void real(double value);
    void text(std::string_view value);
    void signature(std::string_view value);
    void field(char code, std::string_view type, std::string_view value);
    void variant(const Value& value);
    /// Begins an array whose elements are aligned to `to`; returns what end_array() needs.
    [[nodiscard]] std::size_t begin_array(std::size_t to);
    void end_array(std::size_t begin, std::size_t to);
    void patch(std::size_t at, std::uint32_t value);

    std::vector<char> out_;
    std::size_t size_ = 0;        ///< bytes of out_ that are written
    std::size_t body_ = 0;        ///< where the body begins
    std::size_t first_item_ = 0;  ///< where its first item begins
    std::uint32_t serial_ = 0;
};

}  // namespace bmsd::venus
