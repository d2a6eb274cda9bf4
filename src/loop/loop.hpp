// The event loop: Asio, with the one kind of executor this program has.
#pragma once

#include <chrono>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace bmsd {

namespace asio = boost::asio;

/// Runs handlers on the loop's only thread. Asio's default can be any executor, and asks by virtual calls which one it
/// is, in every sleep.
using Executor = asio::io_context::executor_type;

/// What a coroutine of the loop returns.
template <typename T>
using Task = asio::awaitable<T, Executor>;

/// Completion token: `co_await operation(use_task)`.
inline constexpr asio::use_awaitable_t<Executor> use_task;

using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

/// A descriptor that the loop watches, and owns unless it is released.
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

}  // namespace bmsd
