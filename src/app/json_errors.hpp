// Errors in the JSON files that users write or record: vectors and scenarios.
#pragma once

#include <string>
#include <string_view>

#include "model/error.hpp"

namespace bmsd::app {

/// The text as it stands in such a file.
inline std::string in_quotes(std::string_view text) {
    return '"' + std::string(text) + '"';
}

/// An error of class malformed.
inline tl::unexpected<Error> malformed(const std::string& what) {
    return tl::unexpected(Error{ErrorClass::malformed, what});
}

}  // namespace bmsd::app
