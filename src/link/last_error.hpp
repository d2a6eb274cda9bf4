// The error of the last system call, as Asio's functions report theirs.
#pragma once

#include <cerrno>

#include <boost/system/error_code.hpp>

namespace bmsd::link {

/// `errno` as an error code.
inline boost::system::error_code last_error() noexcept {
    return {errno, boost::system::system_category()};
}

}  // namespace bmsd::link
