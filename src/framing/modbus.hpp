// Modbus RTU as the master sees it: requests, and the answer to one of them among received bytes. No I/O, no clock:
// the silences that separate frames on the wire are the business of who reads it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace bmsd::framing::modbus {

/// The functions that batteries use.
enum class Function : std::uint8_t {
    read_holding = 0x03,
    read_input = 0x04,
    write_single = 0x06,
    write_multiple = 0x10,
};

/// What a unit is asked or told.
struct Question {
    std::uint8_t unit = 0;  ///< asked
    Function function = Function::read_holding;
    std::uint16_t first = 0;  ///< register number on the wire
    std::uint16_t count = 1;  ///< registers, reading at most 127; write_single: the value instead
    /// Who answers, where a BMS signs with another number than it is called by.
    std::optional<std::uint8_t> answers_as = {};
};

/// One frame with its CRC, in place.
class Frame {
public:
    static constexpr std::size_t capacity = 3 + 255 + 2;

    void push_back(std::uint8_t byte) noexcept {
        if (size_ < capacity) bytes_[size_++] = byte;
    }
    [[nodiscard]] const std::uint8_t* begin() const noexcept { return bytes_.data(); }
    [[nodiscard]] const std::uint8_t* end() const noexcept { return bytes_.data() + size_; }
    [[nodiscard]] std::size_t size() const noexcept { return size_; }

private:
    std::array<std::uint8_t, capacity> bytes_{};
    std::size_t size_ = 0;
};

/// The bytes that ask `question`. `values`, two bytes per register, are sent by write_multiple only.
[[nodiscard]] Frame request(const Question& question, std::span<const std::uint8_t> values = {}) noexcept;

/// The frame that answers (for simulated batteries): reading, with `data` of at most 255 bytes; writing, the
/// acknowledge, which holds no data.
[[nodiscard]] Frame answer(const Question& question, std::span<const std::uint8_t> data = {}) noexcept;
/// The frame that refuses with this exception code.
[[nodiscard]] Frame exception(const Question& question, std::uint8_t code) noexcept;

/// What these bytes ask, if they are exactly one sound request to read or to write; without the values of several
/// registers.
[[nodiscard]] std::optional<Question> parse_request(std::span<const std::uint8_t> bytes) noexcept;

/// Standard meaning of an exception code, e.g. 2: "illegal data address"; unknown ones are called so.
[[nodiscard]] std::string_view meaning_of_exception(std::uint8_t code) noexcept;

/// What received bytes hold of an answer.
struct Found {
    /// Up to `checksum` more bytes may still bring the answer; of what was seen the last in this list is told.
    enum class State : std::uint8_t {
        nothing,   ///< no byte
        garbage,   ///< bytes, but nothing sound, and not the beginning of the answer
        echo,      ///< only our own request came back
        foreign,   ///< a sound frame of another unit, another function, another size, or of another master
        cut,       ///< the beginning of the answer; `missing` bytes of it are still to come
        checksum,  ///< an answer arrived whole, but its CRC is wrong
        refused,   ///< by a Modbus exception; `code`
        complete,  ///< `data`
    };
    State state = State::nothing;
    std::size_t missing = 0;  ///< at least so many bytes of the answer are still to come
    std::span<const std::uint8_t> data =
        {};                     ///< reading: the registers, high byte first; writing: what was acknowledged
    std::uint8_t code = 0;      ///< of the exception
    std::string_view why = {};  ///< the state in words; static text
};

/// Looks for the answer to `question` in everything that came since it was asked. Total. Garbage, an echo and other
/// units' frames may stand in front. A read answer does not tell its registers: a late one of the same size cannot
/// be recognised. The acknowledge of write_single is the same bytes as its echo: read back what was written.
[[nodiscard]] Found examine(const Question& question, std::span<const std::uint8_t> received) noexcept;

}  // namespace bmsd::framing::modbus
