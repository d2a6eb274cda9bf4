#include "link/host_lookup.hpp"

#include <system_error>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <sys/eventfd.h>
#include <unistd.h>

#include "link/last_error.hpp"

namespace bmsd::link {
namespace {

using Resolver = asio::ip::tcp::resolver;
using namespace std::chrono_literals;

/// An answer that came while nobody waited is for the next attempt, which a name server that takes longer than an
/// attempt would fail as well. Longer than the pause between two of them; what is older may have changed.
constexpr auto kept_for = 10s;

/// Asks the C library, on this thread.
Endpoints ask_c_library(const std::string& host, Resolver::flags flags, error_code& error) {
    asio::io_context unused;  // nothing waits
    Resolver resolver(unused);
    Endpoints endpoints;
    for (const auto& entry : resolver.resolve(host, "", flags, error)) endpoints.push_back(entry.endpoint());
    return endpoints;
}

/// Whether an attempt that begins now must ask again.
bool is_over(const HostLookup& lookup) {
    return lookup.done && (lookup.taken || lookup.error || Clock::now() - lookup.at > kept_for);
}

}  // namespace

std::optional<Endpoints> endpoints_of_number(const std::string& host, error_code& error) {
    Endpoints endpoints = ask_c_library(host, Resolver::numeric_host, error);
    // No name has a colon: then it is an IPv6 address with a mistake, or with an interface that is not there.
    if (!error || host.find(':') != std::string::npos) return endpoints;
    error.clear();
    return std::nullopt;
}

HostLookup::HostLookup() : answered(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

HostLookup::~HostLookup() {
    if (answered >= 0) ::close(answered);
}

HostLookups::HostLookups()
    : HostLookups(
          [](const std::string& host, error_code& error) { return ask_c_library(host, Resolver::flags(), error); }) {}

std::shared_ptr<HostLookup> HostLookups::find(const std::string& host, error_code& error) {
    std::erase_if(lookups_, [](const auto& one) { return is_over(*one.second); });
    if (const auto running = lookups_.find(host); running != lookups_.end()) return running->second;
    const auto lookup = std::make_shared<HostLookup>();
    if (lookup->answered < 0) {
        error = last_error();
        return nullptr;
    }
    try {
        // It tells by a descriptor, not by the loop: that may be gone, and with it the program.
        std::thread([lookup, host, ask = ask_] {
            lookup->endpoints = ask(host, lookup->error);
            lookup->at = Clock::now();
            lookup->done = true;
            static_cast<void>(::eventfd_write(lookup->answered, 1));
        }).detach();
    } catch (const std::system_error& failed) {
        error = failed.code();
        return nullptr;
    }
    return lookups_[host] = lookup;
}

HostLookups& host_lookups() {
    static HostLookups all;
    return all;
}

}  // namespace bmsd::link
