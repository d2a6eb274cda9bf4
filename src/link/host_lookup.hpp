// Who a host on the network is. The C library waits for name servers as long as it likes, and nothing interrupts it: so
// it is asked on threads that nobody waits for.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

#include "link/link.hpp"

namespace bmsd::link {

/// Where a host is reached, what to try first in front; the port is still 0.
using Endpoints = std::vector<asio::ip::tcp::endpoint>;

/// Those of a host given as a number, or why it can be none; absent: a name, which must be looked up. Never waits.
[[nodiscard]] std::optional<Endpoints> endpoints_of_number(const std::string& host, error_code& error);

/// A question and its answer. Belongs to the thread that asks and to all who wait: each may end before the others.
struct HostLookup {
    HostLookup();
    ~HostLookup();
    HostLookup(const HostLookup&) = delete;
    HostLookup& operator=(const HostLookup&) = delete;

    const int answered;              ///< a descriptor that can be read once the answer is there; -1: none was left
    std::atomic<bool> done = false;  ///< the thread is over: the next three do not change any more
    Endpoints endpoints;
    error_code error;
    Clock::time_point at;
    bool taken = false;  ///< somebody has used the answer; the thread does not look at it
};

/// The questions of this program. Used on the loop's thread only; what runs on others knows nothing of it.
class HostLookups {
public:
    /// Takes as long as it likes. Called on a thread of its own, with a copy of whatever it holds.
    using Ask = std::function<Endpoints(const std::string& host, error_code& error)>;

    /// Asks the C library.
    HostLookups();
    explicit HostLookups(Ask ask) : ask_(std::move(ask)) {}

    /// The question for this host: one that is on its way, or whose answer nobody has used yet, else a new one. So a
    /// silent name server costs one thread for each name. Null with an error if none can be asked.
    [[nodiscard]] std::shared_ptr<HostLookup> find(const std::string& host, error_code& error);

private:
    Ask ask_;
    std::map<std::string, std::shared_ptr<HostLookup>> lookups_;
};

/// Those that all links share.
[[nodiscard]] HostLookups& host_lookups();

}  // namespace bmsd::link
