#include "link/tcp.hpp"

#include <memory>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/last_error.hpp"
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

/// What the deadline of an attempt ends. Its coroutine owns it, and may be gone before the deadline is.
struct TcpLink::Attempt {
    explicit Attempt(const Executor& executor) : socket(executor), answer(executor), deadline(executor) {}

    static std::shared_ptr<Attempt> begin(const Executor& executor) {
        auto attempt = std::make_shared<Attempt>(executor);
        attempt->deadline.expires_after(connect_timeout);
        attempt->deadline.async_wait([weak = std::weak_ptr(attempt)](error_code cancelled) {
            const auto still = weak.lock();
            if (cancelled || !still) return;
            still->late = true;
            error_code ignored;
            static_cast<void>(still->answer.close(ignored));
            static_cast<void>(still->socket.close(ignored));
        });
        return attempt;
    }

    tcp::socket socket;
    Descriptor answer;  ///< can be read once it is known who the host is
    Timer deadline;
    bool late = false;
};

Task<Result<void>> TcpLink::open(std::uint32_t) {
    close();
    const auto attempt = Attempt::begin(executor());
    error_code error;
    const Endpoints endpoints = co_await find_host(*attempt, error);
    if (attempt->late)
        co_return fail(name(),
                       "no answer within 5 s to who the host is; is the name server reachable? Else give the "
                       "host's number");
    if (error)
        co_return fail(name(), "the host is not known (" + error.message() + "); check the name or give its number");
    tcp::socket& socket = attempt->socket;
    co_await asio::async_connect(socket, endpoints, asio::redirect_error(use_task, error));
    if (attempt->late)
        co_return fail(name(), "no connection within 5 s; is the gateway switched on and in this network?");
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

/// Nothing, with or without an error, if that is not known in time.
Task<Endpoints> TcpLink::find_host(Attempt& attempt, error_code& error) {
    std::optional<Endpoints> found = endpoints_of_number(host_, error);
    if (!found) {
        const auto lookup = lookups_.find(host_, error);
        if (!lookup) co_return Endpoints{};
        // Others may wait for the same answer, and the loop watches no descriptor twice.
        const int own = ::fcntl(lookup->answered, F_DUPFD_CLOEXEC, 0);
        if (own < 0)
            error = last_error();
        else
            attempt.answer.assign(own, error);
        if (own >= 0 && error) ::close(own);
        if (!error) co_await attempt.answer.async_wait(Descriptor::wait_read, asio::redirect_error(use_task, error));
        // Too late: the answer is for the next attempt. What the other thread has written is ours once `done` is seen.
        if (error || attempt.late || !lookup->done) co_return Endpoints{};
        lookup->taken = true;
        error = lookup->error;
        found = lookup->endpoints;
    }
    for (tcp::endpoint& endpoint : *found) endpoint.port(port_);
    co_return std::move(*found);
}

ssize_t TcpLink::put(std::span<const std::uint8_t> bytes) const noexcept {
    // A gateway that has gone is an error of this request, not the end of the program.
    return ::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace bmsd::link
