// Running a coroutine of a link from a test.
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "loop/loop.hpp"

namespace bmsd::test {

/// Runs a coroutine to its end.
template <class T>
T finish(boost::asio::io_context& io, Task<T> task) {
    auto result = boost::asio::co_spawn(io, std::move(task), boost::asio::use_future);
    io.restart();
    io.run();
    return result.get();
}

}  // namespace bmsd::test
