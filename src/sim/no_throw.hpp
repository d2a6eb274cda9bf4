// How the simulator waits: an error is a value, it is not thrown.
#pragma once

#include <boost/asio/as_tuple.hpp>

#include "loop/loop.hpp"

namespace bmsd::sim {

/// Completion token: `auto [error, ...] = co_await ...(no_throw)`.
inline constexpr auto no_throw = boost::asio::as_tuple(use_task);

}  // namespace bmsd::sim
