// CAN without a CAN bus: frames over a socket pair, error frames, what the kernel says of interfaces.
#include "link/can.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <linux/can.h>
#include <linux/can/error.h>
#include <linux/can/netlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace bmsd;
using link::CanBusState;
using link::CanErrors;

namespace {

struct Pair {
    Pair() { EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0); }
    int ends[2] = {-1, -1};
};

void attribute(std::vector<std::uint8_t>& out, int type, std::span<const std::uint8_t> data) {
    rtattr head{static_cast<unsigned short>(sizeof head + data.size()), static_cast<unsigned short>(type)};
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&head);
    out.insert(out.end(), bytes, bytes + sizeof head);
    out.insert(out.end(), data.begin(), data.end());
    while (out.size() % RTA_ALIGNTO != 0) out.push_back(0);
}

template <class Value>
std::vector<std::uint8_t> raw(const Value& value) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&value);
    return {bytes, bytes + sizeof value};
}

/// What the kernel says of a CAN link.
std::vector<std::uint8_t> link_message(std::uint32_t bitrate, std::uint32_t state, std::uint32_t restart) {
    std::vector<std::uint8_t> data, info, out(sizeof(nlmsghdr) + sizeof(ifinfomsg));
    can_bittiming timing{};
    timing.bitrate = bitrate;
    attribute(data, IFLA_CAN_BITTIMING, raw(timing));
    attribute(data, IFLA_CAN_STATE, raw(state));
    attribute(data, IFLA_CAN_RESTART_MS, raw(restart));
    attribute(info, IFLA_INFO_KIND, raw(std::array<char, 4>{'c', 'a', 'n', 0}));
    attribute(info, IFLA_INFO_DATA, data);
    attribute(out, IFLA_LINKINFO, info);
    nlmsghdr head{};
    head.nlmsg_type = RTM_NEWLINK;
    head.nlmsg_len = static_cast<std::uint32_t>(out.size());
    std::memcpy(out.data(), &head, sizeof head);
    return out;
}

}  // namespace

TEST(CanSocket, SendsAndReceivesBothFormats) {
    Pair pair;
    link::CanSocket one("can0", pair.ends[0]), other("can0", pair.ends[1]);
    ASSERT_TRUE(one.open({}));
    ASSERT_TRUE(other.open({}));
    const CanFrame standard{0x351, false, 6, {1, 2, 3, 4, 5, 6}},
        extended{0x18F128F4, true, 8, {8, 7, 6, 5, 4, 3, 2, 1}};
    EXPECT_FALSE(one.write(standard));
    EXPECT_FALSE(one.write(extended));
    std::array<link::CanReceived, 8> inbox;
    link::error_code error;
    ASSERT_EQ(other.read(inbox, error), 2u);
    EXPECT_EQ(inbox[0].frame, standard);
    EXPECT_EQ(inbox[1].frame, extended);
    EXPECT_EQ(other.read(inbox, error), 0u);
    EXPECT_FALSE(error) << "nothing there is no error";
}

TEST(CanSocket, LeavesOutRemoteRequestsAndWhatIsNoFrame) {
    Pair pair;
    link::CanSocket socket("can0", pair.ends[0]);
    ASSERT_TRUE(socket.open({}));
    can_frame remote{};
    remote.can_id = 0x351 | CAN_RTR_FLAG;
    can_frame too_long{};
    too_long.can_dlc = 9;
    ASSERT_GT(::send(pair.ends[1], &remote, sizeof remote, 0), 0);
    ASSERT_GT(::send(pair.ends[1], &too_long, sizeof too_long, 0), 0);
    ASSERT_GT(::send(pair.ends[1], "abc", 3, 0), 0);
    std::array<link::CanReceived, 8> inbox;
    link::error_code error;
    EXPECT_EQ(socket.read(inbox, error), 0u);
    EXPECT_FALSE(error);
    ::close(pair.ends[1]);
    EXPECT_EQ(socket.read(inbox, error), 0u);
    EXPECT_TRUE(error) << "the other end is gone";
}

TEST(CanSocket, ReceivesWhatPassesItsFiltersAndErrorFrames) {
    Pair pair;
    link::CanSocket one("can0", pair.ends[0]), other("can0", pair.ends[1]);
    const CanFilter standard{0x2F4, can_id_mask, false}, masked{0x18F12800, 0x1FFFFF00, true};
    ASSERT_TRUE(one.open(std::array{standard, masked}));
    ASSERT_TRUE(other.open({}));
    const auto heard = [&] {
        for (const CanFrame& frame : {CanFrame{0x2F4, false, 8, {}}, CanFrame{0x2F4, true, 8, {}},
                                      CanFrame{0x2F5, false, 8, {}}, CanFrame{0x18F12834, true, 8, {}}})
            EXPECT_FALSE(other.write(frame));
        std::array<link::CanReceived, 8> into;
        link::error_code error;
        std::vector<std::uint32_t> ids;
        for (const auto& received : std::span(into).first(one.read(into, error))) ids.push_back(received.frame.id);
        EXPECT_FALSE(error);
        return ids;
    };
    EXPECT_EQ(heard(), (std::vector<std::uint32_t>{0x2F4, 0x18F12834}));
    EXPECT_FALSE(one.listen(std::array{masked}));
    EXPECT_EQ(heard(), (std::vector<std::uint32_t>{0x18F12834}));
    can_frame bad{};
    bad.can_id = CAN_ERR_FLAG | CAN_ERR_ACK;
    bad.can_dlc = CAN_ERR_DLC;
    ASSERT_EQ(::write(pair.ends[1], &bad, sizeof bad), static_cast<ssize_t>(sizeof bad));
    EXPECT_EQ(heard(), (std::vector<std::uint32_t>{0x18F12834}));
    EXPECT_EQ(one.errors().no_ack, 1U);
    EXPECT_FALSE(one.listen(std::vector(513, masked))) << "more than the kernel takes: everything";
    EXPECT_EQ(heard().size(), 4U);
}

TEST(CanSocket, HearsEachOfManyIdsAndNoneBetweenThem) {
    Pair pair;
    link::CanSocket one("can0", pair.ends[0]), other("can0", pair.ends[1]);
    std::vector<CanFilter> filters;
    for (std::uint32_t id = 0; id < 300; ++id) filters.push_back({2 * id, can_id_mask, false});
    for (std::uint32_t id = 0; id < 100; ++id) filters.push_back({0x18F12800 + (2 * id), 0x1FFFFFFF, true});
    ASSERT_TRUE(one.open(filters));
    ASSERT_TRUE(other.open({}));
    const auto heard = [&](const CanFrame& frame) {
        EXPECT_FALSE(other.write(frame));
        std::array<link::CanReceived, 2> into;
        link::error_code error;
        return one.read(into, error) == 1 && into[0].frame == frame;
    };
    for (std::uint32_t id = 0; id < 700; ++id) EXPECT_EQ(heard({id, false, 8, {}}), id < 600 && id % 2 == 0) << id;
    for (std::uint32_t id = 0; id < 250; ++id)
        EXPECT_EQ(heard({0x18F12800 + id, true, 8, {}}), id < 200 && id % 2 == 0) << id;
}

TEST(CanErrors, FollowTheStateOfTheController) {
    CanErrors errors;
    std::array<std::uint8_t, 8> data{};
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_ACK, data);
    EXPECT_EQ(errors.no_ack, 1u);
    EXPECT_EQ(errors.state, CanBusState::active);
    data[1] = CAN_ERR_CRTL_TX_WARNING;
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_CRTL, data);
    EXPECT_EQ(errors.state, CanBusState::warning);
    data[1] = CAN_ERR_CRTL_TX_PASSIVE;
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_CRTL, data);
    EXPECT_EQ(errors.state, CanBusState::passive);
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_BUSOFF, data);
    EXPECT_EQ(errors.state, CanBusState::off);
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_RESTARTED, data);
    EXPECT_EQ(errors.state, CanBusState::active);
    data[1] = CAN_ERR_CRTL_RX_OVERFLOW;
    link::note_error(errors, CAN_ERR_FLAG | CAN_ERR_CRTL, data);
    EXPECT_EQ(errors.overruns, 1u);
    EXPECT_EQ(errors.frames, 6u);
}

TEST(CanInterfaces, ReadsBitrateStateAndRestart) {
    link::CanInterface one;
    ASSERT_TRUE(link::parse_link_message(link_message(500000, CAN_STATE_ERROR_PASSIVE, 100), one));
    EXPECT_EQ(one.bitrate, 500000u);
    EXPECT_EQ(one.state, CanBusState::passive);
    EXPECT_EQ(one.restart_ms, 100u);
    EXPECT_FALSE(one.is_virtual);
    link::CanInterface unset;
    ASSERT_TRUE(link::parse_link_message(link_message(0, CAN_STATE_STOPPED, 0), unset));
    EXPECT_FALSE(unset.bitrate);
    EXPECT_FALSE(unset.state) << "a stopped controller has no state on a bus";
}

TEST(CanInterfaces, SurvivesEveryCutMessage) {
    const auto whole = link_message(250000, CAN_STATE_ERROR_ACTIVE, 0);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        link::CanInterface one;
        EXPECT_FALSE(link::parse_link_message(std::span(whole).first(size), one)) << size;
    }
}

TEST(CanInterfaces, SayWhyOneCannotBeUsed) {
    const auto root = std::filesystem::temp_directory_path() / ("bmsd-can-" + std::to_string(::getpid()));
    const auto add = [&](const std::string& name, const char* type, const char* flags) {
        const auto folder = root / "sys/class/net" / name;
        std::filesystem::create_directories(folder);
        std::ofstream(folder / "type") << type << '\n';
        std::ofstream(folder / "flags") << flags << '\n';
    };
    add("can0", "280", "0x40080");
    add("can1", "280", "0x40081");
    add("eth0", "1", "0x1003");
    const auto all = link::can_interfaces(root);
    std::filesystem::remove_all(root);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(link::trouble_with("can1", all), "");
    EXPECT_NE(link::trouble_with("can0", all).find("ip link set can0 up type can bitrate"), std::string::npos);
    EXPECT_NE(link::trouble_with("can7", all).find("there are can0, can1"), std::string::npos);
    EXPECT_NE(link::trouble_with("lo", all).find("not one for CAN"), std::string::npos);
    EXPECT_NE(link::trouble_with("can7", {}).find("no CAN interface at all"), std::string::npos);
}
