// The recorded dialogues of the families, and hearing one answer as the daemon does.
#pragma once

#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "bms/transaction.hpp"

namespace bmsd::bms {

/// How GoogleTest names a family.
inline void PrintTo(const Family* family, std::ostream* out) {
    *out << family->type;
}

}  // namespace bmsd::bms

namespace bmsd::tests {

using ByteList = std::vector<std::uint8_t>;

/// One sound answer taken from a vector file.
struct Recorded {
    std::string file;
    const bms::Request* request = nullptr;
    std::uint32_t address = 0;
    ByteList bytes;
    Reading known;    ///< what the answers before it in its file said; some cannot be read without (cell count)
    Reading reading;  ///< the same after this answer

    /// Asked by an engine that knows what the file has told so far.
    [[nodiscard]] bms::Asking asking(bool alone) const { return {address, alone, &known}; }
};

/// All vector files of a family, sorted.
[[nodiscard]] std::vector<std::string> vector_files(const bms::Family& family);

/// Every different answer in them that decodes, each once.
[[nodiscard]] std::vector<Recorded> good_answers(const bms::Family& family);

/// The answers among them that are good even if several batteries are on the bus.
[[nodiscard]] std::vector<Recorded> good_answers_among_several(const bms::Family& family);

/// Feeds `bytes` in pieces of at most `piece` bytes, then lets the battery be silent. What `asking` knows is where the
/// reading starts from.
[[nodiscard]] Result<Reading> hear(const bms::Family& family, const bms::Request& request, const bms::Asking& asking,
                                   std::span<const std::uint8_t> bytes, std::size_t piece = max_frame);

/// Bytes of hex text with blanks.
[[nodiscard]] ByteList hex(std::string_view text);

/// `first` followed by `second`.
[[nodiscard]] ByteList joined(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second);

}  // namespace bmsd::tests
