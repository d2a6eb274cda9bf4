// One request and the bytes that come back, without the device: what the engine, `decode`, the tests and
// the fuzzers all run.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bms/family.hpp"

namespace bmsd::bms {

/// Collects the answer to one request. Reusable: start() forgets the answer before.
class Transaction {
public:
    /// Prepares for the answer of `request`; both references must outlive the transaction.
    void start(const Family& family, const Request& request, const Asking& asking);

    /// Where the next bytes are to be stored; empty once more came than any answer has.
    [[nodiscard]] std::span<std::uint8_t> room() noexcept;
    /// `count` bytes were stored in room(); says how far the answer is now.
    const Reply& received(std::size_t count);

    [[nodiscard]] const Reply& reply() const noexcept { return reply_; }
    /// Bytes that were missing before any came: still so many are while no frame has begun.
    [[nodiscard]] std::size_t initially_missing() const noexcept { return initially_missing_; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const noexcept;

    /// Nothing more will come: decodes the answer, if there is a usable one, into `reading`, which is
    /// left untouched on failure.
    [[nodiscard]] Result<void> finish(Reading& reading);

private:
    const Family* family_ = nullptr;
    const Request* request_ = nullptr;
    Asking asking_{};
    Reply reply_{};
    std::size_t size_ = 0;
    std::size_t initially_missing_ = 0;
    std::array<std::uint8_t, max_frame> buffer_{};
    Reading before_{};  ///< as it was before it was decoded into
};

/// A recorded question (empty: the BMS spoke unasked) and the pieces in which its answer arrived.
struct Exchange {
    std::vector<std::uint8_t> request;
    std::vector<std::vector<std::uint8_t>> answer;
};

/// What a recorded dialogue says of one address.
struct Heard {
    std::uint32_t address = 0;
    Result<Reading> reading;
    unsigned acknowledged = 0;  ///< steps of controls that the BMS accepted
};

/// True if these bytes ask this request of this address.
[[nodiscard]] bool asks(const Family& family, const Request& request, const Asking& asking,
                        std::span<const std::uint8_t> bytes);

/// True if one of the recorded requests is one that this family sends to one of the addresses (none: its
/// standard one).
[[nodiscard]] bool speaks(const Family& family, std::span<const std::uint32_t> addresses,
                          std::span<const Exchange> exchanges);

/// Feeds recorded exchanges, in order, through the family's framing and decoder as the daemon would
/// receive them; one result per address, in the order given (no addresses: the family's standard one).
/// A refused answer makes its address an error even when others decoded; silence only when nothing did, and so does
/// what only other addresses were asked. In which order the answers to different questions came does not matter; alarms
/// are what the last answer to each of them raised.
[[nodiscard]] std::vector<Heard> listen(const Family& family, std::span<const std::uint32_t> addresses,
                                        std::span<const Exchange> exchanges, const Options& options = {});

}  // namespace bmsd::bms
