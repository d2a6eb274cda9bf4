// A way to the battery's wire. Everything that touches a device stands behind this interface.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include <boost/system/error_code.hpp>

#include "loop/loop.hpp"
#include "model/battery.hpp"
#include "model/error.hpp"

namespace bmsd::link {

using boost::system::error_code;

/// A byte stream to one bus. Used by one coroutine at a time. All times are steady.
class ByteLink {
public:
    virtual ~ByteLink() = default;
    ByteLink() = default;
    ByteLink(const ByteLink&) = delete;
    ByteLink& operator=(const ByteLink&) = delete;

    /// The name the user gave it, e.g. "/dev/serial/by-id/usb-FTDI..." or "tcp://10.0.0.5:502".
    [[nodiscard]] virtual const std::string& name() const noexcept = 0;

    /// Opens, or opens again: the name is looked up afresh, so an adapter that came back under another
    /// number is found. `baud` is ignored where the link has no rate of its own. The error tells a person what
    /// to do; ErrorClass::config means that only the user can help, as far as is known here.
    virtual Task<Result<void>> open(std::uint32_t baud) = 0;
    virtual void close() noexcept = 0;
    [[nodiscard]] virtual bool is_open() const noexcept = 0;

    /// Reads what is there and throws it away; returns how many bytes, the last of them in `sample`
    /// (which may be empty). Never waits.
    virtual std::size_t drain(std::span<std::uint8_t> sample) noexcept = 0;

    /// Hands over what the device takes at once, and returns how many bytes that were; nothing where this is not known.
    virtual std::size_t write_now(std::span<const std::uint8_t>, error_code& error) noexcept {
        error.clear();
        return 0;
    }

    /// Sends everything.
    virtual Task<error_code> write(std::span<const std::uint8_t> bytes) = 0;

    /// Waits for at least one byte, but not beyond `deadline`, and stores what is there.
    /// `error` is timed_out at the deadline; any other error means the device is gone.
    virtual Task<std::size_t> read(std::span<std::uint8_t> into, Clock::time_point deadline, error_code& error) = 0;

    /// Stores what is there without waiting; 0 if nothing.
    virtual std::size_t read_now(std::span<std::uint8_t> into, error_code& error) noexcept = 0;

    /// Time one byte takes on the wire; 0 where that is unknown (TCP).
    [[nodiscard]] virtual std::chrono::nanoseconds byte_time() const noexcept = 0;

    /// Framing, parity and overrun errors the driver has counted since it was loaded; 0 where it does not count.
    [[nodiscard]] virtual std::uint32_t framing_errors() const noexcept { return 0; }

    /// Extra time the way to the battery takes (network); added to the family's time-outs.
    [[nodiscard]] virtual std::chrono::milliseconds latency() const noexcept { return std::chrono::milliseconds{0}; }
};

}  // namespace bmsd::link
