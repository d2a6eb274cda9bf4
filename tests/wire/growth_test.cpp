// Faults for a long time: noise, adapters that go in the middle of an answer and come back. Neither memory nor
// descriptors grow. BMSD_GROWTH_POLLS=1000000 makes it a long run that tells its figures.
#include <cstdio>
#include <cstdlib>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "engine/engine.hpp"
#include "held.hpp"
#include "noisy_wire.hpp"

namespace bmsd::test {
namespace {

namespace asio = boost::asio;

#if defined(__SANITIZE_ADDRESS__)
constexpr bool heap_is_counted = false;  // by the sanitizer, which looks for leaks at the end
#else
constexpr bool heap_is_counted = true;
#endif

/// How deep the coroutines of ten ports are in their calls makes as much of a difference.
constexpr std::size_t not_growth = 24 * 1024;

std::uint64_t growth_polls() {
    const char* const wanted = std::getenv("BMSD_GROWTH_POLLS");
    if (wanted) return std::strtoull(wanted, nullptr, 10);
    return heap_is_counted ? 10'000 : 2'000;  // sanitizers are slow
}

/// Counts what happens, and keeps nothing.
class Counter final : public Sink {
public:
    void appeared(const Battery&) override { ++appeared_; }
    void updated(const Battery&) override { ++rounds; }
    void removed(const Battery&) override { ++removed_; }
    /// Batteries that are shown.
    [[nodiscard]] std::uint64_t shown() const { return appeared_ - removed_; }

    std::uint64_t rounds = 0;  ///< polls, good or not

private:
    std::uint64_t appeared_ = 0, removed_ = 0;
};

}  // namespace

TEST(Growth, ThereIsNoneWithFaultsForALongTime) {
    asio::io_context io{1};
    const auto work = asio::make_work_guard(io);
    const control::Parameters parameters;
    std::uint64_t complaints = 0;
    engine::Engine engine{io, parameters, false, false, false, [&](Severity, const std::string&) { ++complaints; }};
    Counter counter;
    engine.add_sink(counter);
    std::vector<NoisyWire*> wires;
    for (const bms::Family* family : bms::with_requests(bms::on_wires(bms::catalog()))) {
        const auto seed = static_cast<std::uint32_t>(20261126 + wires.size());
        auto link = std::make_unique<NoisyWire>(io.get_executor(), *family, seed);
        wires.push_back(link.get());
        engine.add_port({.name = "/dev/noisy" + std::to_string(wires.size()),
                         .families = {family},
                         .named = true,
                         .addresses = {{family->addresses.standard, ""}},
                         .baud = family->serial.rates.front()},
                        std::move(link));
    }
    engine.start([] { FAIL() << "no port can be opened"; });
    const auto run = [&](std::uint64_t rounds) {
        for (const std::uint64_t until = counter.rounds + rounds; counter.rounds < until;) io.run_one();
    };
    const auto disturb = [&](double noise, double gone) {
        for (NoisyWire* wire : wires) wire->noise = noise, wire->gone = gone;
    };
    const auto good = [&] {
        std::uint64_t sum = 0;
        for (const auto& port : engine.ports()) sum += port->stations()[0].battery->link.polls;
        return sum;
    };
    run(5 * wires.size());
    ASSERT_EQ(counter.shown(), wires.size());

    // What is held is measured on clean lines, and when as little as possible is going on.
    const auto faulty = [&](std::uint64_t polls) {
        disturb(4e-5, 2e-3);
        run(polls);
        disturb(0, 0);
        run(20 * wires.size());
        Held held;
        for (int i = 0; i < 100; ++i, run(1)) held.heap_bytes = std::min(held.heap_bytes, Held{}.heap_bytes);
        return held;
    };
    const std::uint64_t polls = growth_polls();
    const Held before = faulty(polls / 5);
    const Held after = faulty(polls);

    std::uint64_t faults = 0, damaged = 0;
    for (const NoisyWire* wire : wires) faults += wire->faults(), damaged += wire->damaged();
    if (std::getenv("BMSD_GROWTH_POLLS"))
        std::printf(
            "%llu polls, %llu good, adapter gone %llu times, %llu answers damaged, %llu lines of log; heap in "
            "use %zu, then %zu bytes; descriptors %td, then %td\n",
            static_cast<unsigned long long>(counter.rounds), static_cast<unsigned long long>(good()),
            static_cast<unsigned long long>(faults), static_cast<unsigned long long>(damaged),
            static_cast<unsigned long long>(complaints), before.heap_bytes, after.heap_bytes, before.descriptors,
            after.descriptors);
    EXPECT_GT(faults, polls / 1000) << "nothing failed: the test tests nothing";
    EXPECT_GT(damaged, polls / 1000);
    EXPECT_GT(complaints, faults / 10) << "it is said that a device is gone";
    EXPECT_EQ(after.descriptors, before.descriptors);
    if (heap_is_counted) {
        EXPECT_LE(after.heap_bytes, before.heap_bytes + not_growth);
    }
    EXPECT_EQ(counter.shown(), wires.size()) << "no battery is lost";
    const std::uint64_t polls_before = good(), rounds = counter.rounds;
    run(2 * wires.size());
    EXPECT_EQ(good() - polls_before, counter.rounds - rounds) << "all answer again";
}

}  // namespace bmsd::test
