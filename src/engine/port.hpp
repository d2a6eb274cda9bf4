// The life of one port: open, detect, identify, poll its batteries in turn, recover.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "engine/base_port.hpp"
#include "engine/detector.hpp"
#include "engine/dialogue.hpp"

namespace bmsd::engine {

/// A serial bus.
class Port final : public BasePort {
public:
    Port(Executor executor, PortSettings settings, std::unique_ptr<link::ByteLink> link, Context& context);

    Task<void> run() override;

    [[nodiscard]] std::uint64_t unsolicited_bytes() const noexcept override { return dialogue_.unsolicited_bytes(); }

private:
    using Outcome = Result<void>;

    Task<void> open();
    Task<void> detect();
    Task<void> look_elsewhere();
    [[nodiscard]] bool all_lost() const;
    [[nodiscard]] std::vector<Candidate> all_candidates() const;
    [[nodiscard]] std::vector<Found> places_of(std::span<const Candidate> all) const;
    Task<bool> search(std::span<const Found> among, Detector& detector);
    void settle(const Found& found);
    void take_over(Station& station, const Detector& detector, const Reading& reading, Clock::duration took);
    void report_unknown(std::span<const Candidate> among, const std::string& why);
    Task<void> serve();
    Task<bool> round();
    [[nodiscard]] Station* longest_waiting() noexcept;
    Task<Outcome> confirm(Station& station);
    [[nodiscard]] static bool is_untrustworthy(const Station& station);
    [[nodiscard]] static bool is_first(const Station& station);
    [[nodiscard]] static Outcome outvote(Station& station, std::span<const Reading> heard);
    [[nodiscard]] static bool agrees(const Station& station, const Reading& other);
    [[nodiscard]] bool passes(const Station& station) const;
    Task<Outcome> read_all(Station& station, bool identify);
    static void begin_reading(Station& station, bool identify);
    Task<void> obey(Station& station);
    void note(Station& station, std::size_t index, bool answered, bool usual, Clock::time_point now);
    void settle_identity(Station& station);
    Task<Outcome> ask(Station& station, std::size_t index, Reading& reading);
    Task<Outcome> insist(Station& station, std::size_t request, Reading& reading, Outcome first);

    [[nodiscard]] std::vector<Address> addresses_of(const bms::Family& family) const;
    void make_stations(const bms::Family& family, std::vector<Address> addresses);
    void judge(Station& station, const Error* error) override;
    void tell_unsolicited(std::string_view why);
    /// Said once, until the port opens without failing again.
    void tell_gone();
    [[nodiscard]] bool works() const noexcept override {
        return dialogue_.link().is_open() && !dialogue_.device_error();
    }
    [[nodiscard]] bms::Asking asking(const Station& station, const Reading& known) const;

    Dialogue dialogue_;
    const bms::Family* family_ = nullptr;  ///< what is polled, or shown as waiting until it is found
    bool falls_silent_ = false;            ///< not a byte came from the last one asked, who had answered before
    bool found_ = false;                   ///< family and rate are known
    bool searched_ = false;                ///< the settings leave something of it open
    std::size_t elsewhere_ = 0;            ///< how many places were asked in look_elsewhere()
    std::uint32_t rate_ = 0;               ///< baud
    Reading probed_;                       ///< the answer to the probe of a battery's first poll
    std::vector<Reading> heard_;           ///< in this poll, and not believed yet
    std::string_view unsolicited_told_{};  ///< the log knows of this one
};

}  // namespace bmsd::engine
