// The life of one CAN interface: open, listen, find batteries, ask those that must be asked, recover.
#pragma once

#include <array>
#include <memory>
#include <unordered_map>
#include <vector>

#include "bms/can.hpp"
#include "engine/base_port.hpp"
#include "link/can.hpp"
#include "loop/loop.hpp"

namespace bmsd::engine {

/// Several batteries, also of several families, on one interface.
class CanPort final : public BasePort {
public:
    CanPort(Executor executor, PortSettings settings, std::unique_ptr<link::CanSocket> socket, Context& context);

    Task<void> run() override;

private:
    [[nodiscard]] bool works() const noexcept override { return socket_->is_open(); }
    /// A battery that is listened to; at first only somebody who may be one.
    struct Ear {
        Ear(const bms::Family& family, Address where, std::size_t station_index);

        bms::CanPicture picture;
        Address address;
        std::size_t station;  ///< index; `nobody` while it only may be a battery
        unsigned agreed = 0;  ///< rounds in a row in which it was plausible
        Clock::time_point next_poll{};
        Clock::time_point slow_until{};       ///< it was slower than its tables say
        std::vector<Clock::time_point> beat;  ///< per question: when it was sent last
        Reading reading;                      ///< while it may be a battery: what it last said
    };
    static constexpr std::size_t nobody = static_cast<std::size_t>(-1);

    static constexpr std::size_t most_ears = 64;
    /// The slowest messages come every few seconds: nobody is called silent before.
    static constexpr std::chrono::seconds patience{6};
    static constexpr unsigned unasked_patience = 2;  ///< polls in which a serial number may come

    Task<void> open();
    Task<void> serve();
    Task<void> sleep_until(Clock::time_point when);

    void expect_batteries();
    void recall();
    void listen_for(const bms::Family& family, Address address, bool shown);
    std::size_t make_station(const bms::Family& family, Address address);
    void listen_to(bms::Frames which);
    /// Whether anything of what passes the filter around a poll can be kept out between polls.
    [[nodiscard]] bool tunable() const { return !rare_.empty() && rare_ != all_; }
    [[nodiscard]] bool all_keep_pace(Clock::time_point now);
    [[nodiscard]] Clock::time_point next_look(Clock::time_point now) const;
    [[nodiscard]] bool receive(link::error_code& error);
    void hear(const link::CanReceived& received);
    [[nodiscard]] std::uint64_t listeners(const CanFrame& frame);
    void meet(const CanFrame& frame);
    void send_due(Clock::time_point now);
    void ask(Ear& ear, bms::When when, Clock::time_point now);
    void send(const CanFrame& frame);
    void flush();
    void read(Clock::time_point now);
    void read_station(Ear& ear, Clock::time_point now);
    [[nodiscard]] bool identified(const Ear& ear) const {
        return ear.station != nobody && stations_[ear.station].identified;
    }
    [[nodiscard]] bool says_who_it_is(const Ear& ear, const Reading& reading, unsigned rounds, Clock::time_point now);
    void doubt_identity(Station& station) override;
    void weigh(Ear& ear, Clock::time_point now);
    void settle(Clock::time_point now);
    void become_station(Ear& ear);
    [[nodiscard]] Found found(const Ear& ear) const;
    [[nodiscard]] bool remembers(const Ear& ear) const;
    void tell_nothing_found(Clock::time_point now);
    void watch_bus();
    [[nodiscard]] bms::Asking asking(const Ear& ear, const Reading* known) const;
    [[nodiscard]] bool asks(const bms::Family& family) const;

    Timer timer_;
    std::unique_ptr<link::CanSocket> socket_;
    std::vector<Ear> ears_;
    std::vector<Found> remembered_;  ///< who was found here, now or the last time
    std::vector<CanFrame> outbox_;   ///< what the full queue of the interface did not take yet
    /// Who listens to the frames of an id, a bit per ear; the highest bit of the key tells that it is extended.
    std::unordered_map<std::uint32_t, std::uint64_t> routes_;
    std::array<link::CanReceived, 32> inbox_;
    Reading scratch_;
    Clock::time_point polled_at_{}, read_at_{};
    bool polled_ = false;                ///< questions of this poll were sent, the answers not yet read
    std::vector<CanFilter> all_, rare_;  ///< what passes the filter of the interface around a poll, and between polls
    bms::Frames listening_ = bms::Frames::all;
    bool told_nothing_ = false, told_ambiguous_ = false, told_local_ = false;
    link::CanBusState told_state_ = link::CanBusState::active;
    std::uint32_t told_no_ack_ = 0;
    std::uint64_t frames_ = 0;  ///< since opened
};

/// What people do about a bus in this state; empty: nothing is wrong.
[[nodiscard]] std::string bus_advice(const link::CanErrors& errors);

}  // namespace bmsd::engine
