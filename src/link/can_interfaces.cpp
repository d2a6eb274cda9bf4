// What the kernel knows of CAN interfaces: names from /sys, bitrate and state over netlink.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <linux/can/netlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link/can.hpp"

namespace bmsd::link {
namespace {

namespace fs = std::filesystem;

/// Of /sys/class/net/*/type; ARPHRD_CAN, whose header does not go together with <net/if.h>.
constexpr int device_type = 280;

template <class Value>
Value read_number(const fs::path& path, Value otherwise, int base = 10) {
    std::ifstream file(path);
    std::string text;
    if (!(file >> text)) return otherwise;
    try {
        return static_cast<Value>(std::stoull(text, nullptr, base));
    } catch (const std::exception&) {
        return otherwise;
    }
}

/// Calls `take(type, data)` for each attribute; stops at one that does not fit.
template <class Take>
void each_attribute(std::span<const std::uint8_t> bytes, const Take& take) {
    while (bytes.size() >= sizeof(rtattr)) {
        rtattr head;
        std::memcpy(&head, bytes.data(), sizeof head);
        if (head.rta_len < sizeof head || head.rta_len > bytes.size()) return;
        take(head.rta_type & NLA_TYPE_MASK, bytes.subspan(sizeof head, head.rta_len - sizeof head));
        bytes = bytes.subspan(std::min<std::size_t>(RTA_ALIGN(head.rta_len), bytes.size()));
    }
}

std::uint32_t first_u32(std::span<const std::uint8_t> data) noexcept {
    std::uint32_t value = 0;
    if (data.size() >= sizeof value) std::memcpy(&value, data.data(), sizeof value);
    return value;
}

void take_can(int type, std::span<const std::uint8_t> data, CanInterface& out) {
    const std::uint32_t value = first_u32(data);  // of a bittiming: the bitrate
    if (type == IFLA_CAN_BITTIMING && value != 0) out.bitrate = value;
    if (type == IFLA_CAN_STATE && value <= CAN_STATE_BUS_OFF) out.state = static_cast<CanBusState>(value);
    if (type == IFLA_CAN_RESTART_MS) out.restart_ms = value;
}

/// Asks the kernel about one link.
void ask_kernel(unsigned index, CanInterface& out) {
    const int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return;
    struct {
        nlmsghdr head;
        ifinfomsg link;
    } request{};
    request.head.nlmsg_len = sizeof request;
    request.head.nlmsg_type = RTM_GETLINK;
    request.head.nlmsg_flags = NLM_F_REQUEST;
    request.link.ifi_family = AF_UNSPEC;
    request.link.ifi_index = static_cast<int>(index);
    std::array<std::uint8_t, 16384> answer;
    timeval patience{1, 0};
    static_cast<void>(::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience));
    if (::send(fd, &request, sizeof request, 0) == sizeof request) {
        const ssize_t count = ::recv(fd, answer.data(), answer.size(), 0);
        if (count > 0)
            static_cast<void>(parse_link_message(std::span(answer).first(static_cast<std::size_t>(count)), out));
    }
    ::close(fd);
}

}  // namespace

bool parse_link_message(std::span<const std::uint8_t> message, CanInterface& out) noexcept {
    nlmsghdr head;
    constexpr std::size_t attributes_at = sizeof(nlmsghdr) + sizeof(ifinfomsg);
    if (message.size() < attributes_at) return false;
    std::memcpy(&head, message.data(), sizeof head);
    if (head.nlmsg_type != RTM_NEWLINK || head.nlmsg_len < attributes_at || head.nlmsg_len > message.size())
        return false;
    each_attribute(message.first(head.nlmsg_len).subspan(attributes_at), [&](int type, auto data) {
        if (type != IFLA_LINKINFO) return;
        each_attribute(data, [&](int kind, auto inner) {
            if (kind == IFLA_INFO_KIND) out.is_virtual = inner.size() >= 4 && std::memcmp(inner.data(), "vcan", 4) == 0;
            if (kind == IFLA_INFO_DATA)
                each_attribute(inner, [&](int what, auto value) { take_can(what, value, out); });
        });
    });
    return true;
}

std::vector<CanInterface> can_interfaces(const std::string& root) {
    std::vector<CanInterface> all;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root + "/sys/class/net", error)) {
        if (read_number(entry.path() / "type", 0) != device_type) continue;
        CanInterface one;
        one.name = entry.path().filename();
        one.up = (read_number(entry.path() / "flags", 0U, 16) & IFF_UP) != 0;
        one.received = read_number(entry.path() / "statistics/rx_packets", std::uint64_t{0});
        one.sent = read_number(entry.path() / "statistics/tx_packets", std::uint64_t{0});
        if (root.empty()) ask_kernel(::if_nametoindex(one.name.c_str()), one);
        if (!one.up) one.state.reset();
        all.push_back(std::move(one));
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return all;
}

std::string trouble_with(const std::string& name, const std::vector<CanInterface>& known) {
    const auto at = std::find_if(known.begin(), known.end(), [&](const CanInterface& one) { return one.name == name; });
    if (at != known.end()) {
        if (at->up) return {};
        const std::string up = "ip link set " + name + " up";
        if (at->is_virtual) return "the interface is down; as root: " + up;
        return "the interface is down; as root: " + up + " type can bitrate " +
               std::to_string(at->bitrate.value_or(250000)) + " (`bmsd can-setup " + name + "` says more)";
    }
    if (::if_nametoindex(name.c_str()) != 0) return "this is a network interface, but not one for CAN";
    std::string names;
    for (const CanInterface& one : known) names += (names.empty() ? "" : ", ") + one.name;
    return "there is no such interface; " +
           (names.empty() ? std::string("this computer has no CAN interface at all") : "there are " + names);
}

}  // namespace bmsd::link
