#include "framing/modbus.hpp"

#include <algorithm>

#include "framing/checksum.hpp"

namespace bmsd::framing::modbus {
namespace {

constexpr std::uint8_t refusal_bit = 0x80;  // added to the function by an exception
constexpr std::size_t short_frame = 8;      // read requests, write_single and all acknowledges
constexpr std::size_t exception_size = 5;

constexpr bool reads(Function function) noexcept {
    return function == Function::read_holding || function == Function::read_input;
}

std::uint8_t answering_unit(const Question& question) noexcept {
    return question.answers_as.value_or(question.unit);
}

void push_word(Frame& frame, std::uint16_t word) noexcept {
    frame.push_back(static_cast<std::uint8_t>(word >> 8));
    frame.push_back(static_cast<std::uint8_t>(word & 0xFF));
}

void push_crc(Frame& frame) noexcept {
    const auto crc = crc16_modbus({frame.begin(), frame.end()});
    frame.push_back(static_cast<std::uint8_t>(crc & 0xFF));
    frame.push_back(static_cast<std::uint8_t>(crc >> 8));
}

/// `unit function first count`: the beginning of a request, and of the acknowledge of a write.
Frame head(std::uint8_t unit, const Question& question) noexcept {
    Frame frame;
    frame.push_back(unit);
    frame.push_back(static_cast<std::uint8_t>(question.function));
    push_word(frame, question.first);
    push_word(frame, question.count);
    return frame;
}

/// What the answer begins with.
Frame head_of_answer(const Question& question) noexcept {
    if (!reads(question.function)) return head(answering_unit(question), question);
    Frame frame;
    frame.push_back(answering_unit(question));
    frame.push_back(static_cast<std::uint8_t>(question.function));
    frame.push_back(static_cast<std::uint8_t>(2 * question.count));
    return frame;
}

bool begins_with(std::span<const std::uint8_t> bytes, const Frame& mark) noexcept {
    const std::size_t size = std::min(bytes.size(), mark.size());
    return std::equal(mark.begin(), mark.begin() + size, bytes.begin());
}

/// Bytes of the frame with a right CRC at the beginning of `rest`, whoever sent it; 0: there is none.
std::size_t sound_frame(std::span<const std::uint8_t> rest) noexcept {
    const auto sound = [&](std::size_t size) {
        return size <= rest.size() && has_crc16_modbus(rest.first(size)) ? size : 0;
    };
    if (rest.size() < exception_size) return 0;
    if (rest[1] & refusal_bit) return sound(exception_size);
    const auto function = static_cast<Function>(rest[1]);
    if (reads(function)) {
        const std::size_t as_answer = sound(std::size_t{rest[2]} + 5);
        return as_answer ? as_answer : sound(short_frame);
    }
    if (function == Function::write_single) return sound(short_frame);
    if (function != Function::write_multiple) return 0;
    const std::size_t as_acknowledge = sound(short_frame);
    return as_acknowledge || rest.size() < 7 ? as_acknowledge : sound(std::size_t{rest[6]} + 9);
}

/// Why a sound frame is not the answer.
Found::State state_of(const Question& question, std::span<const std::uint8_t> frame) noexcept {
    return begins_with(frame, head(question.unit, question)) ? Found::State::echo : Found::State::foreign;
}

std::string_view why_foreign(const Question& question, std::span<const std::uint8_t> frame) noexcept {
    if (frame.size() == short_frame && reads(static_cast<Function>(frame[1])))
        return "another master asks questions on this bus";
    return frame[0] == answering_unit(question) ? "an answer to another request came, perhaps a late one"
                                                : "another unit on the bus answered";
}

}  // namespace

Frame request(const Question& question, std::span<const std::uint8_t> values) noexcept {
    Frame frame = head(question.unit, question);
    if (question.function == Function::write_multiple) {
        frame.push_back(static_cast<std::uint8_t>(values.size()));
        for (const std::uint8_t byte : values) frame.push_back(byte);
    }
    push_crc(frame);
    return frame;
}

Frame answer(const Question& question, std::span<const std::uint8_t> data) noexcept {
    Frame frame;
    if (reads(question.function)) {
        frame.push_back(answering_unit(question));
        frame.push_back(static_cast<std::uint8_t>(question.function));
        frame.push_back(static_cast<std::uint8_t>(data.size()));
        for (const std::uint8_t byte : data) frame.push_back(byte);
    } else {
        frame = head(answering_unit(question), question);
    }
    push_crc(frame);
    return frame;
}

Frame exception(const Question& question, std::uint8_t code) noexcept {
    Frame frame;
    frame.push_back(answering_unit(question));
    frame.push_back(static_cast<std::uint8_t>(question.function) | refusal_bit);
    frame.push_back(code);
    push_crc(frame);
    return frame;
}

std::optional<Question> parse_request(std::span<const std::uint8_t> bytes) noexcept {
    if (bytes.size() < short_frame || !has_crc16_modbus(bytes)) return std::nullopt;
    const auto function = static_cast<Function>(bytes[1]);
    const bool several = function == Function::write_multiple;
    if (!several && !reads(function) && function != Function::write_single) return std::nullopt;
    if (bytes.size() != (several ? std::size_t{bytes[6]} + 9 : short_frame)) return std::nullopt;
    const auto word = [&](std::size_t at) { return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]); };
    return Question{.unit = bytes[0], .function = function, .first = word(2), .count = word(4), .answers_as = {}};
}

std::string_view meaning_of_exception(std::uint8_t code) noexcept {
    switch (code) {
        case 1: return "Modbus exception 1: illegal function";
        case 2: return "Modbus exception 2: illegal data address";
        case 3: return "Modbus exception 3: illegal data value";
        case 4: return "Modbus exception 4: device failure";
        case 5: return "Modbus exception 5: acknowledged, still working on it";
        case 6: return "Modbus exception 6: device busy";
        case 7: return "Modbus exception 7: negative acknowledge";
        case 8: return "Modbus exception 8: memory parity error";
        case 10: return "Modbus exception 10: gateway path unavailable";
        case 11: return "Modbus exception 11: the device behind the gateway does not respond";
        default: return "a Modbus exception with an unknown code";
    }
}

Found examine(const Question& question, std::span<const std::uint8_t> received) noexcept {
    using enum Found::State;
    const Frame mark = head_of_answer(question);
    const std::size_t whole = reads(question.function) ? mark.size() + std::size_t{mark.begin()[2]} + 2 : short_frame;
    Found best{nothing, whole, {}, 0, "no answer"};
    const auto saw = [&](Found::State state, std::string_view why) {
        if (state > best.state) best.state = state, best.why = why;
    };
    if (!received.empty()) saw(garbage, "bytes arrived, but no sound Modbus frame of the asked unit among them");

    for (std::size_t at = 0; at < received.size();) {
        const auto rest = received.subspan(at);
        const bool ours = begins_with(rest, mark);
        if (const std::size_t size = sound_frame(rest)) {
            const auto frame = rest.first(size);
            if (ours && size == whole)
                return {
                    complete, 0, reads(question.function) ? frame.subspan(3, size - 5) : frame.subspan(2, 4), 0, {}};
            if (frame[0] == answering_unit(question) &&
                frame[1] == (static_cast<std::uint8_t>(question.function) | refusal_bit))
                return {refused, 0, {}, frame[2], meaning_of_exception(frame[2])};
            if (state_of(question, frame) == echo)
                saw(echo, "only our own request came back: the adapter echoes, the BMS is silent");
            else
                saw(foreign, why_foreign(question, frame));
            at += size;
            continue;
        }
        if (ours && rest.size() < whole) {
            best.missing = std::min(best.missing, whole - rest.size());
            saw(cut, "the answer is cut short");
        } else if (ours) {
            saw(checksum, "the CRC of the answer is wrong");
        }
        ++at;
    }
    return best;
}

}  // namespace bmsd::framing::modbus
