// SocketCAN: frames from and to a CAN interface of the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "link/link.hpp"
#include "model/can_frame.hpp"

namespace bmsd::link {

/// A frame as it arrived.
struct CanReceived {
    CanFrame frame;
    Clock::time_point when;
    bool from_here = false;  ///< another program on this computer sent it
};

/// How a controller gets on with its bus.
enum class CanBusState : std::uint8_t { active, warning, passive, off };
[[nodiscard]] std::string_view to_string(CanBusState state) noexcept;

/// What error frames have told since the interface was opened.
struct CanErrors {
    CanBusState state = CanBusState::active;
    std::uint32_t frames = 0;    ///< error frames
    std::uint32_t no_ack = 0;    ///< nobody acknowledged what was sent
    std::uint32_t protocol = 0;  ///< bits or forms that cannot be: bitrate, wires
    std::uint32_t bus_off = 0;   ///< the controller switched itself off
    std::uint32_t overruns = 0;  ///< frames came faster than they were fetched
};

/// Takes what one error frame says; `id` and data as the kernel delivers them.
void note_error(CanErrors& errors, std::uint32_t id, std::span<const std::uint8_t, 8> data) noexcept;

/// A raw socket on one interface. Nothing in it waits.
class CanSocket {
public:
    /// An interface by its name.
    explicit CanSocket(std::string name) : name_(std::move(name)) {}
    /// A socket on which whole `struct can_frame` are read and written (tests); it is open already, and once closed it
    /// stays closed.
    CanSocket(std::string name, int fd) : name_(std::move(name)), given_(fd), real_(false) {}
    ~CanSocket();
    CanSocket(const CanSocket&) = delete;
    CanSocket& operator=(const CanSocket&) = delete;

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] bool is_open() const noexcept { return fd_ >= 0; }

    /// Opens, or opens again: the name is looked up afresh. Only frames that pass a filter are received; none: all.
    /// ErrorClass::config: only the user can help, as far as is known here.
    [[nodiscard]] Result<void> open(std::span<const CanFilter> filters);
    void close() noexcept;

    /// From now on only frames that pass one of these are received; none, or more than the kernel
    /// takes (512): all. What has arrived stays.
    error_code listen(std::span<const CanFilter> filters);

    /// What has arrived, up to the size of `into`; error frames are taken into errors(). `error`: the interface went
    /// down or away.
    std::size_t read(std::span<CanReceived> into, error_code& error) noexcept;

    /// Sends one frame; no_buffer_space: the queue of the interface is full, later there is room again.
    error_code write(const CanFrame& frame) noexcept;

    [[nodiscard]] const CanErrors& errors() const noexcept { return errors_; }

private:
    Result<void> open_interface(std::span<const CanFilter> filters);

    std::string name_;
    int given_ = -1;
    bool real_ = true;  ///< an interface of the kernel
    int fd_ = -1;
    CanErrors errors_;
};

/// What the system says of an interface.
struct CanInterface {
    std::string name;
    bool up = false;
    bool is_virtual = false;                  ///< vcan: no wire behind it
    std::optional<std::uint32_t> bitrate;     ///< absent: virtual, or never set
    std::optional<CanBusState> state;         ///< absent: virtual, or down
    std::optional<std::uint32_t> restart_ms;  ///< 0: a controller that is off stays off
    std::uint64_t received = 0;               ///< frames
    std::uint64_t sent = 0;
};

/// All CAN interfaces, sorted by name. `root`: where /sys is looked for (tests).
[[nodiscard]] std::vector<CanInterface> can_interfaces(const std::string& root = "");

/// Reads one answer of the kernel about a link into `out`: bitrate, state, restart. False: it is none.
[[nodiscard]] bool parse_link_message(std::span<const std::uint8_t> message, CanInterface& out) noexcept;

/// Why an interface cannot be opened now; empty: it can. Names those that exist, and what to do.
[[nodiscard]] std::string trouble_with(const std::string& name, const std::vector<CanInterface>& known);

}  // namespace bmsd::link
