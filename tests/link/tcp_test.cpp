#include "link/tcp.hpp"

#include <array>

#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include "finish.hpp"
#include "link/replay.hpp"

using namespace bmsd;
using test::finish;
using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

Task<std::string> read_text(link::ByteLink& link, link::error_code& error) {
    std::array<std::uint8_t, 64> buffer;
    const std::size_t count = co_await link.read(buffer, Clock::now() + 2s, error);
    co_return std::string(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(count));
}

/// A gateway on this machine, and the link to it.
struct Gateway {
    asio::io_context gateway_io{1};
    tcp::acceptor acceptor{gateway_io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
    asio::io_context io{1};
    link::TcpLink link{io.get_executor(), "tcp://127.0.0.1", "127.0.0.1", acceptor.local_endpoint().port()};
};

}  // namespace

TEST(TcpLink, TalksToAGatewayAndNoticesThatItLeft) {
    Gateway gateway;
    ASSERT_TRUE(finish(gateway.io, gateway.link.open(0)));
    tcp::socket peer = gateway.acceptor.accept();

    const std::array<std::uint8_t, 3> request = {0, 10, 255};
    EXPECT_FALSE(finish(gateway.io, gateway.link.write(request)));
    std::array<std::uint8_t, 3> arrived{};
    asio::read(peer, asio::buffer(arrived));
    EXPECT_EQ(arrived, request);

    asio::write(peer, asio::buffer("answer", 6));
    link::error_code error;
    EXPECT_EQ(finish(gateway.io, read_text(gateway.link, error)), "answer");
    peer.close();
    EXPECT_EQ(finish(gateway.io, read_text(gateway.link, error)), "");
    EXPECT_EQ(error, asio::error::eof);
}

TEST(TcpLink, WritingToAGatewayThatResetTheConnectionIsAnErrorAndNoSignal) {
    Gateway gateway;
    ASSERT_TRUE(finish(gateway.io, gateway.link.open(0)));
    {
        tcp::socket peer = gateway.acceptor.accept();
        peer.set_option(asio::socket_base::linger(true, 0));
        peer.close();
    }
    const std::array<std::uint8_t, 3> request = {0, 10, 255};
    EXPECT_TRUE(finish(gateway.io, gateway.link.write(request))) << "reset";
    EXPECT_TRUE(finish(gateway.io, gateway.link.write(request))) << "broken pipe";
}

TEST(TcpLink, ClosedPortIsSaid) {
    asio::io_context gateway_io{1};
    unsigned short port;
    {
        tcp::acceptor acceptor(gateway_io, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        port = acceptor.local_endpoint().port();
    }
    asio::io_context io{1};
    link::TcpLink link(io.get_executor(), "tcp://127.0.0.1:" + std::to_string(port), "127.0.0.1", port);
    const auto result = finish(io, link.open(0));
    ASSERT_FALSE(result);
    EXPECT_NE(result.error().detail.find("no connection"), std::string::npos) << result.error().detail;
    EXPECT_FALSE(link.is_open());
}

TEST(ReplayLink, AnswersWhatWasRecordedAndIsSilentOtherwise) {
    asio::io_context io{1};
    link::ReplayLink link(io.get_executor(), "replay:test",
                          {{{1}, {{'a', 'b'}, {'c'}}}, {{2}, {{'d'}}}, {{1}, {{'e'}}}});
    ASSERT_TRUE(finish(io, link.open(0)));
    link::error_code error;
    const auto ask = [&](std::uint8_t request) {
        EXPECT_FALSE(finish(io, link.write(std::array{request})));
        return finish(io, read_text(link, error));
    };
    EXPECT_EQ(ask(1), "ab");
    EXPECT_EQ(finish(io, read_text(link, error)), "c") << "pieces arrive one by one";
    EXPECT_EQ(ask(2), "d");
    EXPECT_EQ(ask(1), "e") << "the second recording of the same request";
    EXPECT_EQ(ask(1), "ab") << "starts over";
    EXPECT_FALSE(finish(io, link.write(std::array<std::uint8_t, 1>{9})));
    std::array<std::uint8_t, 8> buffer;
    EXPECT_EQ(finish(io, link.read(buffer, Clock::now() + 10ms, error)), 0u);
    EXPECT_EQ(error, asio::error::timed_out);
}
