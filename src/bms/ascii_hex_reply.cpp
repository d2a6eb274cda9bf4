#include "bms/ascii_hex_reply.hpp"

#include <algorithm>

#include "framing/ascii_hex.hpp"

namespace bmsd::bms {
namespace {

namespace ascii_hex = framing::ascii_hex;
using State = ascii_hex::Found::State;

ErrorClass class_of(State state) {
    switch (state) {
        case State::nothing:
        case State::cut: return ErrorClass::truncated;
        case State::wrong_length:
        case State::wrong_checksum: return ErrorClass::checksum;
        default: return ErrorClass::malformed;
    }
}

/// Why a sound frame is not the answer; empty if it is, or a refusal. `info`: the bytes of an answer.
std::string_view foreign(const AsciiHexDialect& dialect, const Request& request, const Asking& asking,
                         const ascii_hex::Found& found, Bytes& info) {
    const ascii_hex::Head& head = found.head;
    const bool answers = head.cid2 == 0 || !refusal_of(head.cid2).empty();
    if (head.version != dialect.version || head.cid1 != dialect.cid1)
        return "a frame of another protocol of this kind came";
    if (head.address != asking.address) return answers ? "another battery answered" : dialect.other_master;
    if (!answers)
        return head.cid2 == request.selector ? "only our own request came back: the adapter echoes, the BMS is silent"
                                             : dialect.other_master;
    if (head.cid2 != 0) return {};
    unpack_ascii_hex(found.info, info);
    return dialect.fits(request, info) ? std::string_view{} : "an answer to another request came, perhaps a late one";
}

}  // namespace

std::string_view refusal_of(std::uint8_t return_code) noexcept {
    switch (return_code) {
        case 0x01: return "the BMS does not know this version of the protocol (return code 01)";
        case 0x02: return "the BMS received a wrong checksum (return code 02)";
        case 0x03: return "the BMS received a wrong length checksum (return code 03)";
        case 0x04: return "the BMS does not know this command (return code 04)";
        case 0x05: return "the BMS does not accept the format of the command (return code 05)";
        case 0x06: return "the BMS does not accept the data of the command (return code 06)";
        case 0x90: return "the master pack knows no pack with this address (return code 90)";
        case 0x91: return "the master pack cannot reach this pack (return code 91)";
        default: return {};
    }
}

Reply examine_ascii_hex(const AsciiHexDialect& dialect, const Request& request, const Asking& asking,
                        std::span<const std::uint8_t> received) {
    Reply best{Reply::Progress::waiting, ascii_hex::overhead, {}, ErrorClass::truncated, "no answer"};
    for (std::size_t from = 0;;) {
        const ascii_hex::Found found = ascii_hex::find_frame(received, from);
        if (found.state != State::frame) {
            best.missing = found.missing;
            // Noise behind a frame of somebody else says less than the frame.
            if (from > 0 && found.state <= State::malformed) return best;
            best.fault = class_of(found.state);
            best.why = found.why;
            return best;
        }
        Bytes info;
        const std::string_view why = foreign(dialect, request, asking, found, info);
        if (why.empty() && found.head.cid2 != 0)
            return {Reply::Progress::failed, 0, {}, ErrorClass::refused, refusal_of(found.head.cid2)};
        const std::string_view flaw = why.empty() && dialect.flaw ? dialect.flaw(request, info) : std::string_view{};
        if (why.empty() && flaw.empty()) return {Reply::Progress::complete, 0, found.info, {}, {}};
        best.fault = flaw.empty() ? ErrorClass::unexpected : ErrorClass::malformed;
        best.why = flaw.empty() ? why : flaw;
        from = found.end;
    }
}

Reply unsolicited_ascii_hex(const AsciiHexDialect& dialect, std::span<const std::uint8_t> received) {
    for (std::size_t from = 0;;) {
        const ascii_hex::Found found = ascii_hex::find_frame(received, from);
        if (found.state != State::frame) return {};
        if (found.head.version == dialect.version && found.head.cid1 == dialect.cid1)
            return {Reply::Progress::failed, 0, {}, ErrorClass::unexpected, dialect.other_master};
        from = found.end;
    }
}

void unpack_ascii_hex(std::span<const std::uint8_t> payload, Bytes& plain) {
    plain.clear();
    ascii_hex::unhex(plain, payload.first(std::min(payload.size(), 2 * max_frame)));
}

}  // namespace bmsd::bms
