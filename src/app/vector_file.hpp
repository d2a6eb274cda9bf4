// A recorded dialogue with one battery, or with several on one bus, as a JSON file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bms/can.hpp"
#include "model/error.hpp"

namespace bmsd::app {

/// Larger files are refused: a recorded dialogue has some kilobytes.
inline constexpr std::size_t max_vector_file = 4U << 20;

/// What a vector file holds.
struct VectorFile {
    const bms::Family* family = nullptr;   ///< never null once parsed
    std::vector<std::uint32_t> addresses;  ///< as configured; empty: the family's standard one
    bool several = false;                  ///< the file lists its addresses, and so does the output
    std::vector<bms::Exchange> exchanges;  ///< in order
    std::vector<CanFrame> frames;          ///< in order; what was recorded on a CAN bus
    bms::Options options;                  ///< keys of the configuration that the case needs
};

/// Parses the text of a vector file. Errors: malformed (names the key and what it should hold), config (a BMS
/// that is not known).
[[nodiscard]] Result<VectorFile> parse_vector_file(std::string_view text);

/// What the file says of each of its addresses.
[[nodiscard]] std::vector<bms::Heard> listen(const VectorFile& file);

/// Reads and parses a file. Errors: as above, and config if it cannot be read.
[[nodiscard]] Result<VectorFile> read_vector_file(const std::string& path);

}  // namespace bmsd::app
