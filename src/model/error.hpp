// What can go wrong between a battery and us, told by consequence.
#pragma once

#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace bmsd {

/// Classes of failure of a dialogue; the words are part of the `decode` contract.
enum class ErrorClass {
    checksum,     ///< a frame arrived whole, its checksum does not fit: retry
    truncated,    ///< nothing, or less than a frame, arrived in time: retry
    malformed,    ///< bytes that cannot be a frame of this family: retry
    unexpected,   ///< a sound frame that does not belong to this request: discard
    refused,      ///< the BMS answered "no": do not insist
    implausible,  ///< a sound frame with impossible content: discard
    config,       ///< the user must change something: do not send
};

/// The contract's word for a class, e.g. "checksum".
[[nodiscard]] std::string_view to_string(ErrorClass cls) noexcept;

/// A failure: its class, and a sentence saying what happened and where.
struct Error {
    ErrorClass cls = ErrorClass::truncated;
    std::string detail;
};

template <class T>
using Result = tl::expected<T, Error>;

}  // namespace bmsd
