#include "link/tcp.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <sys/socket.h>

#include "loop/loop.hpp"

namespace bmsd::link {
namespace {

using asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto connect_timeout = 5s;

tl::unexpected<Error> fail(const std::string& name, const std::string& why) {
    return tl::unexpected(Error{ErrorClass::truncated, name + ": " + why});
}

}  // namespace

Task<Result<void>> TcpLink::open(std::uint32_t) {
    close();
    tcp::resolver resolver(executor());
    tcp::socket socket(executor());
    bool late = false;
    const std::uint64_t wait = ++wait_;
    Timer deadline(executor(), connect_timeout);
    deadline.async_wait([&, wait](error_code cancelled) {
        if (cancelled || wait != wait_) return;  // all else is gone once wait_ has moved on
        late = true;
        resolver.cancel();
        error_code ignored;
        static_cast<void>(socket.close(ignored));
    });
    error_code error;
    const auto endpoints = co_await resolver.async_resolve(host_, service_, asio::redirect_error(use_task, error));
    const bool known = !error;
    if (known) co_await asio::async_connect(socket, endpoints, asio::redirect_error(use_task, error));
    ++wait_;
    deadline.cancel();
    if (!known && late)
        co_return fail(name(),
                       "no answer within 5 s to who the host is; is the name server reachable? Else give the "
                       "host's number");
    if (!known)
        co_return fail(name(), "the host is not known (" + error.message() + "); check the name or give its number");
    if (late) co_return fail(name(), "no connection within 5 s; is the gateway switched on and in this network?");
    if (error)
        co_return fail(
            name(), "no connection (" + error.message() + "); check host and port, and that no other client holds it");
    error_code ignored;
    static_cast<void>(socket.set_option(tcp::no_delay(true), ignored));
    static_cast<void>(socket.set_option(asio::socket_base::keep_alive(true), ignored));
    static_cast<void>(socket.native_non_blocking(true, ignored));
    if (const error_code adopted = adopt(socket.release()))
        co_return fail(name(), "cannot be watched (" + adopted.message() + ")");
    co_return Result<void>{};
}

ssize_t TcpLink::put(std::span<const std::uint8_t> bytes) const noexcept {
    // A gateway that has gone is an error of this request, not the end of the program.
    return ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace bmsd::link
