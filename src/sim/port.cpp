#include "sim/port.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <fcntl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "loop/loop.hpp"
#include "sim/no_throw.hpp"
#include "sim/tty_rate.hpp"

namespace bmsd::sim {
namespace {

using boost::system::error_code;

tl::unexpected<Error> cannot(std::string detail) {
    return tl::unexpected(Error{ErrorClass::config, std::move(detail)});
}

/// An open file that closes itself.
class File {
public:
    explicit File(int fd = -1) noexcept : fd_(fd) {}
    ~File() { reset(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;

    [[nodiscard]] int get() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
    void reset(int fd = -1) noexcept {
        if (fd_ >= 0) ::close(fd_);
        fd_ = fd;
    }

private:
    int fd_;
};

/// Bytes as they are: no echo, no line editing, no translation.
bool make_raw(int fd) noexcept {
    termios settings{};
    if (::tcgetattr(fd, &settings) != 0) return false;
    ::cfmakeraw(&settings);
    return ::tcsetattr(fd, TCSANOW, &settings) == 0;
}

class PtyPort final : public Port {
public:
    PtyPort(const Executor& executor, std::string link) : Port(executor), link_(std::move(link)) {}
    ~PtyPort() override { PtyPort::close(); }

    Result<void> open() override {
        close();
        File master(::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
        char path[64];
        if (master.get() < 0 || ::grantpt(master.get()) != 0 || ::unlockpt(master.get()) != 0 ||
            ::ptsname_r(master.get(), path, sizeof path) != 0)
            return cannot(std::string("no pseudo terminal can be had: ") + std::strerror(errno));
        slave_.reset(::open(path, O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (slave_.get() < 0 || !make_raw(slave_.get()))
            return cannot(std::string(path) + ": cannot be made a raw line: " + std::strerror(errno));
        name_ = path;
        if (auto published = publish(); !published) {
            slave_.reset();
            return published;
        }
        stream_.assign(master.release());
        fresh_ = true;
        return {};
    }

    void close() noexcept override {
        if (!stream_.is_open()) return;
        withdraw();
        slave_.reset();
        error_code ignored;
        stream_.close(ignored);
    }

    /// A terminal does not tell who opens it: the first "client" is whoever comes until it is unplugged.
    Task<bool> client() override {
        const bool there = fresh_ && stream_.is_open();
        fresh_ = false;
        co_return there;
    }

    [[nodiscard]] const std::string& link() const noexcept override { return link_; }
    [[nodiscard]] std::uint32_t client_rate() const noexcept override { return tty_rate(slave_.get()); }

private:
    /// Puts the link in place in one step, so that nobody ever finds it missing.
    Result<void> publish() const {
        if (link_.empty()) return {};
        struct stat there {};
        if (::lstat(link_.c_str(), &there) == 0 && !S_ISLNK(there.st_mode))
            return cannot(link_ + ": exists and is not a symbolic link; it is left alone, choose another path");
        const std::string temporary = link_ + "." + std::to_string(::getpid());
        if (::symlink(name_.c_str(), temporary.c_str()) != 0 || ::rename(temporary.c_str(), link_.c_str()) != 0) {
            const int code = errno;
            ::unlink(temporary.c_str());
            return cannot(link_ + ": no link can be made there: " + std::strerror(code));
        }
        return {};
    }

    /// Removes the link unless another simulator has taken it over.
    void withdraw() const noexcept {
        char target[64];
        if (link_.empty()) return;
        const auto size = ::readlink(link_.c_str(), target, sizeof target);
        if (size > 0 && name_ == std::string_view(target, static_cast<std::size_t>(size))) ::unlink(link_.c_str());
    }

    std::string link_;
    File slave_;  ///< held open: else the master fails whenever no client has the terminal open
    bool fresh_ = false;
};

class TcpPort final : public Port {
public:
    TcpPort(const Executor& executor, std::string host, std::uint16_t port)
        : Port(executor), acceptor_(executor), host_(std::move(host)), port_(port) {}

    Result<void> open() override {
        close();
        const std::string place = "tcp://" + host_ + ":" + std::to_string(port_);
        error_code error;
        const auto address = asio::ip::make_address(host_, error);
        if (error) return cannot(place + ": the address to listen on must be numeric, e.g. 127.0.0.1 or 0.0.0.0");
        const asio::ip::tcp::endpoint endpoint(address, port_);
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (!error) port_ = acceptor_.local_endpoint(error).port();  // the same again after it was unplugged
        if (error) {
            TcpPort::close();
            return cannot(place + ": cannot listen there: " + error.message() + "; choose another port");
        }
        name_ = "tcp://" + host_ + ":" + std::to_string(port_);
        return {};
    }

    void close() noexcept override {
        error_code ignored;
        acceptor_.close(ignored);
        stream_.close(ignored);
    }

    Task<bool> client() override {
        error_code error;
        stream_.close(error);
        auto [failed, socket] = co_await acceptor_.async_accept(no_throw);
        if (failed) co_return false;
        // Portions must leave when they are due, not when there is enough for a packet.
        socket.set_option(asio::ip::tcp::no_delay(true), error);
        const int fd = socket.release(error);
        if (error) co_return false;
        stream_.assign(fd);
        co_return true;
    }

    [[nodiscard]] const std::string& link() const noexcept override { return no_link_; }

private:
    asio::ip::tcp::acceptor acceptor_;
    std::string host_;
    std::uint16_t port_;
    std::string no_link_;
};

}  // namespace

std::unique_ptr<Port> make_pty_port(const Executor& executor, const std::string& link) {
    return std::make_unique<PtyPort>(executor, link);
}

std::unique_ptr<Port> make_tcp_port(const Executor& executor, const std::string& host, std::uint16_t port) {
    return std::make_unique<TcpPort>(executor, host, port);
}

}  // namespace bmsd::sim
