// A simulated bus running in its own thread, and a client that talks to it.
#pragma once

#include <chrono>
#include <csignal>
#include <cstdint>
#include <span>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bms/catalog.hpp"
#include "bms/transaction.hpp"
#include "sim/bus.hpp"

namespace bmsd::sim::testing_peer {

using std::chrono::milliseconds;
using Octets = std::vector<std::uint8_t>;

/// Long enough for any answer on a busy machine.
inline constexpr milliseconds patience{10000};
/// How long silence is waited for.
inline constexpr milliseconds silence{150};

/// Reads from `fd` until `count` bytes are there or `limit` is over.
inline Octets collect(int fd, std::size_t count, milliseconds limit = patience) {
    Octets all;
    const auto deadline = Clock::now() + limit;
    while (all.size() < count) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
        pollfd ready{fd, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) break;
        std::uint8_t buffer[4096];
        const auto got = ::read(fd, buffer, std::min(sizeof buffer, count - all.size()));
        if (got <= 0) break;
        all.insert(all.end(), buffer, buffer + got);
    }
    return all;
}

inline bool send_all(int fd, std::span<const std::uint8_t> bytes) {
    return ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
}

inline const bms::Request& request_of(const bms::Family& family, std::string_view name) {
    for (const bms::Request& request : family.requests)
        if (request.name == name) return request;
    throw std::invalid_argument("no such request");
}

/// As asked by whom knows `known` of the battery.
inline Octets question(const bms::Family& family, const bms::Request& request, std::uint32_t address,
                       const Reading* known = nullptr) {
    Bytes bytes;
    family.build(request, {.address = address, .known = known}, bytes);
    return {bytes.begin(), bytes.end()};
}

/// What the daemon would make of `bytes` as the answer to `request`.
inline Result<void> decode_answer(const bms::Family& family, const bms::Request& request, std::uint32_t address,
                                  std::span<const std::uint8_t> bytes, Reading& reading, bool alone = false) {
    bms::Transaction transaction;
    transaction.start(family, request, {address, alone, &reading});
    const auto room = transaction.room();
    const auto count = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), count, room.begin());
    transaction.received(count);
    return transaction.finish(reading);
}

/// The bus; start() when its batteries are on it.
class Peer {
public:
    explicit Peer(BusOptions options) : bus_(io_.get_executor(), std::move(options)), stream_(io_) {
        int ends[2];
        std::signal(SIGPIPE, SIG_IGN);  // the bus may still speak when the client has left
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("socketpair");
        client_ = ends[0];
        stream_.assign(ends[1]);
    }
    ~Peer() {
        ::shutdown(client_, SHUT_RDWR);
        if (thread_.joinable()) thread_.join();
        ::close(client_);
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    Bus& bus() { return bus_; }
    [[nodiscard]] int client() const { return client_; }

    void start() {
        asio::co_spawn(io_, bus_.serve(stream_), asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    /// Runs in the thread of the bus.
    template <class Action>
    void in_bus(Action action) {
        asio::post(io_, std::move(action));
    }

    /// Sends a request, as whom knows `known` of the battery, and returns up to `count` bytes of what comes within
    /// `limit`.
    Octets ask(const bms::Family& family, const bms::Request& request, std::uint32_t address, std::size_t count,
               milliseconds limit = patience, const Reading* known = nullptr) {
        if (!send_all(client_, question(family, request, address, known))) throw std::runtime_error("send");
        return collect(client_, count, limit);
    }

private:
    asio::io_context io_{1};
    Bus bus_;
    Bus::Stream stream_;
    int client_ = -1;
    std::thread thread_;
};

}  // namespace bmsd::sim::testing_peer
