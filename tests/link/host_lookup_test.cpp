// Gateways that are given by name, and a name server that is silent.
#include "link/host_lookup.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>

#include "finish.hpp"
#include "link/tcp.hpp"

using namespace bmsd;
using test::finish;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

/// Knows this machine by every name but "nobody". About "slow" it is silent until told.
class NameServer {
public:
    ~NameServer() { answer(); }

    link::HostLookups::Ask ask() {
        return [state = state_](const std::string& host, link::error_code& error) {
            std::unique_lock lock(state->mutex);
            ++state->asked[host];
            state->changed.notify_all();
            if (host == "slow") state->changed.wait(lock, [&] { return state->answers; });
            if (host == "nobody") error = asio::error::host_not_found;
            if (error) return link::Endpoints{};
            return link::Endpoints{{asio::ip::address_v4::loopback(), 0}};
        };
    }
    void answer() {
        const std::lock_guard lock(state_->mutex);
        state_->answers = true;
        state_->changed.notify_all();
    }
    int asked(const std::string& host) {
        const std::lock_guard lock(state_->mutex);
        return state_->asked[host];
    }

private:
    /// Belongs to the threads that ask as well.
    struct State {
        std::mutex mutex;
        std::condition_variable changed;
        std::map<std::string, int> asked;
        bool answers = false;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// A gateway on this machine, and links to it by any name.
class HostLookup : public testing::Test {
protected:
    link::TcpLink to(const std::string& host) {
        return {io_.get_executor(), "tcp://" + host, host, gateway_.local_endpoint().port(), lookups_};
    }
    std::future<Result<void>> begin(link::TcpLink& link) { return asio::co_spawn(io_, link.open(0), asio::use_future); }

    NameServer server_;
    link::HostLookups lookups_{server_.ask()};
    asio::io_context io_{1};
    tcp::acceptor gateway_{io_, tcp::endpoint(asio::ip::address_v4::loopback(), 0)};
};

std::string why_not(const Result<void>& result) {
    return result ? "" : result.error().detail;
}

}  // namespace

TEST_F(HostLookup, ANameIsAskedForEachTime) {
    link::TcpLink link = to("gateway");
    EXPECT_EQ(why_not(finish(io_, link.open(0))), "");
    EXPECT_EQ(why_not(finish(io_, link.open(0))), "");
    EXPECT_EQ(server_.asked("gateway"), 2) << "it may have moved";
}

TEST_F(HostLookup, ANameThatIsNotKnownIsAskedForAgain) {
    link::TcpLink link = to("nobody");
    for (int i = 1; i <= 2; ++i) {
        EXPECT_EQ(why_not(finish(io_, link.open(0))),
                  "tcp://nobody: the host is not known (Host not found (authoritative)); check the name or give its "
                  "number");
        EXPECT_EQ(server_.asked("nobody"), i);
    }
}

TEST_F(HostLookup, NumbersAreNotAskedFor) {
    for (const char* number : {"127.0.0.1", "127.1", "::1", "::ffff:127.0.0.1", "fe80::1%lo", "fe80::1%1"}) {
        link::TcpLink link = to(number);
        EXPECT_EQ(why_not(finish(io_, link.open(0))).find("not known"), std::string::npos) << number;
        EXPECT_EQ(server_.asked(number), 0) << number;
    }
    for (const char* mistake : {"fe80::1%nowhere", "fe80:::1", "1:2:3"}) {
        link::TcpLink link = to(mistake);
        EXPECT_NE(why_not(finish(io_, link.open(0))).find("not known"), std::string::npos) << mistake;
        EXPECT_EQ(server_.asked(mistake), 0) << mistake;
    }
}

TEST_F(HostLookup, TheCLibraryKnowsThisMachine) {
    link::TcpLink link(io_.get_executor(), "tcp://localhost", "localhost", gateway_.local_endpoint().port());
    EXPECT_EQ(why_not(finish(io_, link.open(0))), "");
}

TEST_F(HostLookup, ASilentNameServerHoldsUpNobodyElse) {
    link::TcpLink slow = to("slow"), twin = to("slow"), other = to("gateway"), number = to("127.0.0.1");
    const auto start = Clock::now();
    auto slow_opened = begin(slow), twin_opened = begin(twin);
    EXPECT_EQ(why_not(finish(io_,
                             [](link::TcpLink& a, link::TcpLink& b) -> Task<Result<void>> {
                                 const Result<void> first = co_await a.open(0);
                                 co_return first ? co_await b.open(0) : first;
                             }(other, number))),
              "");
    // finish() runs the loop until all have ended.
    EXPECT_LT(Clock::now() - start, 8s) << "the name server is not waited for";
    for (auto* late : {&slow_opened, &twin_opened})
        EXPECT_EQ(why_not(late->get()),
                  "tcp://slow: no answer within 5 s to who the host is; is the name server reachable? Else give the "
                  "host's number");
    EXPECT_EQ(server_.asked("slow"), 1) << "one question for both";

    slow_opened = begin(slow);
    io_.restart();
    io_.run_for(100ms);
    EXPECT_EQ(server_.asked("slow"), 1) << "the question is still on its way";
    server_.answer();
    io_.run();
    EXPECT_EQ(why_not(slow_opened.get()), "");
    EXPECT_EQ(why_not(finish(io_, slow.open(0))), "");
    EXPECT_EQ(server_.asked("slow"), 2) << "an answer that was used is old";
}

TEST_F(HostLookup, AnAnswerThatCameTooLateIsForTheNextAttempt) {
    link::TcpLink slow = to("slow");
    EXPECT_FALSE(finish(io_, slow.open(0)));
    server_.answer();
    std::this_thread::sleep_for(50ms);  // nobody waits for it
    EXPECT_EQ(why_not(finish(io_, slow.open(0))), "");
    EXPECT_EQ(server_.asked("slow"), 1);
}

TEST_F(HostLookup, WhoeverGivesUpNeedNotWait) {
    asio::cancellation_signal removed;
    const auto start = Clock::now();
    {
        asio::io_context io{1};
        link::TcpLink slow(io.get_executor(), "tcp://slow", "slow", 1, lookups_);
        bool over = false;
        asio::co_spawn(io, slow.open(0),
                       asio::bind_cancellation_slot(
                           removed.slot(), [&](const std::exception_ptr&, const Result<void>&) { over = true; }));
        io.run_for(50ms);
        removed.emit(asio::cancellation_type::terminal);
        io.restart();
        io.run_for(1s);
        EXPECT_TRUE(over) << "a port that was removed";
        auto never = asio::co_spawn(io, slow.open(0), asio::use_future);
        io.restart();
        io.run_for(50ms);
    }
    EXPECT_LT(Clock::now() - start, 2s) << "the end of the program";
    server_.answer();
    std::this_thread::sleep_for(50ms);  // the thread that asked finds the loop gone
}

TEST_F(HostLookup, ADeadlineBehindTheEndOfItsAttemptTouchesNothing) {
    asio::cancellation_signal removed;
    link::TcpLink slow = to("slow");
    bool over = false;
    asio::co_spawn(io_, slow.open(0),
                   asio::bind_cancellation_slot(removed.slot(),
                                                [&](const std::exception_ptr&, const Result<void>&) { over = true; }));
    io_.run_for(50ms);
    asio::post(io_, [&] {
        removed.emit(asio::cancellation_type::terminal);
        std::this_thread::sleep_for(5s);  // when the loop goes on both are due, the end first
    });
    io_.restart();
    io_.run();
    EXPECT_TRUE(over);
}
