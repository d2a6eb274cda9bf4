// The answer to a request in frames of the YD/T 1363 kind, as a family reports it.
#pragma once

#include "bms/family.hpp"

namespace bmsd::bms {

/// What distinguishes one family of this kind from the others.
struct AsciiHexDialect {
    std::uint8_t version;
    std::uint8_t cid1;
    /// Whether these bytes of INFO can answer the request: the frame does not tell which one it answers.
    bool (*fits)(const Request&, std::span<const std::uint8_t> info);
    /// What is wrong with the lengths inside an INFO that fits; empty: nothing. Null: there are none.
    std::string_view (*flaw)(const Request&, std::span<const std::uint8_t> info);
    std::string_view other_master;  ///< what a request of somebody else on the bus means, and what to do
};

/// Why the BMS refused, by its return code (CID2 of an answer); empty if it is none, but a command, or 00.
[[nodiscard]] std::string_view refusal_of(std::uint8_t return_code) noexcept;

/// Family::examine of such a dialect. The payload is the INFO as characters; the command is the request's selector.
[[nodiscard]] Reply examine_ascii_hex(const AsciiHexDialect& dialect, const Request& request, const Asking& asking,
                                      std::span<const std::uint8_t> received);

/// Family::unsolicited of such a dialect: a sound frame of it that nobody here asked for comes from another master.
[[nodiscard]] Reply unsolicited_ascii_hex(const AsciiHexDialect& dialect, std::span<const std::uint8_t> received);

/// Family::unpack: the bytes that the characters of the payload spell.
void unpack_ascii_hex(std::span<const std::uint8_t> payload, Bytes& plain);

}  // namespace bmsd::bms
