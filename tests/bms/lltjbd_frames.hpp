// What the tests of the JBD protocol share: its requests and controls by name, and frames built by hand.
#pragma once

#include <stdexcept>

#include "bms/catalog.hpp"
#include "recorded.hpp"

namespace bmsd::tests::jbd {

inline const bms::Family& family() {
    return *bms::find_family("LltJbd");
}
inline const bms::Request& request(std::string_view name) {
    for (const auto& list : {family().requests, family().on_demand})
        for (const bms::Request& one : list)
            if (one.name == name) return one;
    throw std::invalid_argument("no such request");
}
inline const bms::Control& control(std::string_view name) {
    for (const bms::Control& one : family().controls)
        if (one.name == name) return one;
    throw std::invalid_argument("no such control");
}

/// The frame of an answer, built by hand from dossier section 3.
inline ByteList frame(std::uint8_t reg, const ByteList& data, std::uint8_t status = 0) {
    ByteList bytes = joined(hex("DD 00 00 00"), data);
    bytes[1] = reg;
    bytes[2] = status;
    bytes[3] = static_cast<std::uint8_t>(data.size());
    unsigned sum = 0;
    for (std::size_t i = 2; i < bytes.size(); ++i) sum += bytes[i];
    const unsigned checksum = (0x10000 - sum) & 0xFFFF;
    for (const unsigned byte : {checksum >> 8, checksum & 0xFF, 0x77U})
        bytes.push_back(static_cast<std::uint8_t>(byte));
    return bytes;
}

/// The bytes of a request; none if it must not be sent.
inline ByteList built(const bms::Request& one, const bms::Asking& asking = {}) {
    Bytes bytes;
    family().build(one, asking, bytes);
    return {bytes.begin(), bytes.end()};
}

}  // namespace bmsd::tests::jbd
