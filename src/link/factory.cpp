#include "link/factory.hpp"

#include "link/serial.hpp"
#include "link/tcp.hpp"

namespace bmsd::link {
namespace {

tl::unexpected<Error> fail(std::string detail) {
    return tl::unexpected(Error{ErrorClass::config, std::move(detail)});
}

bool is_tcp_port(const std::string& text) {
    return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos &&
           std::stoi(text) >= 1 && std::stoi(text) <= 65535;
}

constexpr std::string_view tcp = "tcp://";

struct Gateway {
    std::string host;
    std::uint16_t port;
};

Result<Gateway> gateway(const std::string& port) {
    std::string host = port.substr(tcp.size());
    const auto colon = host.rfind(':');
    const std::string service = colon == std::string::npos ? "" : host.substr(colon + 1);
    if (colon == std::string::npos || colon == 0 || !is_tcp_port(service))
        return fail(port + ": write tcp://host:port, for example tcp://192.168.1.20:502");
    host.resize(colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    return Gateway{std::move(host), static_cast<std::uint16_t>(std::stoi(service))};
}

}  // namespace

Result<void> check_name(const std::string& port) {
    if (port.starts_with(tcp)) return gateway(port).map([](const Gateway&) {});
    if (const auto scheme = port.find("://"); scheme != std::string::npos)
        return fail(port + ": links of the kind " + port.substr(0, scheme) +
                    ":// are not known; known are serial ports and tcp://host:port");
    if (port.empty()) return fail("a port has an empty name");
    return {};
}

Result<std::unique_ptr<ByteLink>> make_link(Executor executor, const std::string& port) {
    if (auto checked = check_name(port); !checked) return tl::unexpected(std::move(checked.error()));
    if (!port.starts_with(tcp)) return std::make_unique<SerialLink>(std::move(executor), port);
    Gateway to = *gateway(port);
    return std::make_unique<TcpLink>(std::move(executor), port, std::move(to.host), to.port);
}

}  // namespace bmsd::link
