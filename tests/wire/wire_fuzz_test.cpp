// Every serial family on a noisy line, through the whole engine: what is published is what the battery said, once the
// noise is over the battery is fresh again, and nothing has grown. BMSD_WIRE_POLLS=100000 makes it a long run that
// tells its figures.
#include <cmath>
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
using bms::Family;

constexpr std::uint32_t seed = 20240901;

unsigned long polls_wanted() {
    const char* const wanted = std::getenv("BMSD_WIRE_POLLS");
    return wanted ? std::strtoul(wanted, nullptr, 10) : 300;
}

/// Texts of the last trouble and buffers that were never as full before. In a long run it is a third of a byte per
/// poll.
constexpr std::size_t room_bytes = 32 * 1024;

/// Compares what is published with what the battery said, and lets the battery live on.
class Judge final : public Sink {
public:
    explicit Judge(NoisyWire& wire) : wire_(wire), random_(seed), truth_(wire.truth()) {}

    void appeared(const Battery& battery) override { look(battery); }
    void updated(const Battery& battery) override {
        ++rounds;
        look(battery);
    }
    void removed(const Battery& battery) override { gone = battery.identity.id; }

    std::uint64_t rounds = 0;     ///< polls, good or not
    std::uint64_t published = 0;  ///< of those: good
    std::uint64_t small = 0;      ///< published with a value that is wrong by little
    std::uint64_t wrong = 0;      ///< published with any other wrong value
    std::string wrong_values;     ///< which, and when
    std::string gone;             ///< a battery that was given up

private:
    void look(const Battery& battery) {
        if (battery.link.polls == polls_) return;  // it was silent
        polls_ = battery.link.polls;
        ++published;
        compare(battery.reading);
        // Between two polls anything may happen to the current.
        if (random_() % 8 == 0) wire_.pack().set_current(static_cast<double>(random_() % 3000) / 10 - 150);
        if (random_() % 32 == 0) raise_any();
        wire_.pack().step(std::chrono::seconds{10});
        truth_ = wire_.truth();
        expect_told(truth_);
    }

    void raise_any() {
        const auto alarm = static_cast<Alarm>(random_() % alarm_count);
        wire_.pack().raise(alarm, static_cast<Level>(random_() % 3));
    }

    static constexpr NumberMember limits[] = {&Reading::max_charge_current_a, &Reading::max_discharge_current_a,
                                              &Reading::max_battery_voltage_v, &Reading::min_battery_voltage_v};

    static Temperatures extremes(const Reading& reading) {
        const auto [coldest, warmest] =
            std::minmax_element(reading.temperatures_c.begin(), reading.temperatures_c.end());
        return {*coldest, *warmest};
    }

    void compare(const Reading& got) {
        const std::string_view value = wrong_value(got);
        if (value.empty()) return;
        const std::string_view error = large_error(got);
        ++(error.empty() ? small : wrong);
        wrong_values += ", poll " + std::to_string(rounds) + ": " + std::string(error.empty() ? value : error);
    }

    /// The first value that is not what the battery said. What is not known is not wrong, nor are the coldest and the
    /// warmest sensor where the list of all is not known.
    [[nodiscard]] std::string_view wrong_value(const Reading& got) const {
        const auto off = [](const auto& told, const auto& is) { return told && told != is; };
        if (off(got.voltage_v, truth_.voltage_v)) return "voltage";
        if (off(got.current_a, truth_.current_a)) return "current";
        if (off(got.soc_percent, truth_.soc_percent)) return "state of charge";
        if (!got.cell_voltages_v.empty() && got.cell_voltages_v != truth_.cell_voltages_v) return "cell voltage";
        if (!got.temperatures_c.empty() && got.temperatures_c != truth_.temperatures_c &&
            got.temperatures_c != extremes(truth_))
            return "temperature";
        if (off(got.charge_fet, truth_.charge_fet)) return "switch for charging";
        if (off(got.discharge_fet, truth_.discharge_fet)) return "switch for discharging";
        for (const NumberMember limit : limits)
            if (off(got.*limit, truth_.*limit)) return "limit";
        for (std::size_t i = 0; i < alarm_count; ++i)
            if (const auto alarm = static_cast<Alarm>(i); off(got.alarms[alarm], truth_.alarms[alarm])) return "alarm";
        return {};
    }

    /// What is wrong by more than two ordinary polls may change; empty: nothing.
    [[nodiscard]] std::string_view large_error(const Reading& got) const {
        const auto off = [](const Number& told, const Number& is, double most) {
            return told && !(is && std::abs(*told - *is) <= most);
        };
        const auto any_off = [&off](const auto& told, const auto& is, double most) {
            return !told.empty() && !std::equal(told.begin(), told.end(), is.begin(), is.end(),
                                                [&](const Number& a, const Number& b) { return !off(a, b, most); });
        };
        if (off(got.voltage_v, truth_.voltage_v, 2.2)) return "voltage";
        if (off(got.current_a, truth_.current_a, 100)) return "current";
        if (off(got.soc_percent, truth_.soc_percent, 2.1)) return "state of charge";
        if (any_off(got.cell_voltages_v, truth_.cell_voltages_v, 0.25)) return "cell voltage";
        for (const Number& told : got.temperatures_c)  // some fall back to the coldest and the warmest sensor
            if (off(told, truth_.temperatures_c[0], 8)) return "temperature";
        if (got.charge_fet.value_or(true) != truth_.charge_fet.value_or(true)) return "switch for charging";
        if (got.discharge_fet.value_or(true) != truth_.discharge_fet.value_or(true)) return "switch for discharging";
        return {};
    }

    /// The undamaged answers are the pack, as finely as the families tell it.
    void expect_told(const Reading& told) const {
        const Reading& pack = wire_.pack().reading();
        const auto near = [](const Number& a, const Number& b, double step) {
            return !a || (b && std::abs(*a - *b) <= 0.51 * step);
        };
        EXPECT_TRUE(near(told.voltage_v, pack.voltage_v, 0.1)) << *told.voltage_v;
        EXPECT_TRUE(near(told.current_a, pack.current_a, 0.1)) << *told.current_a;
        EXPECT_TRUE(near(told.soc_percent, pack.soc_percent, 2)) << *told.soc_percent;  // some: of the nominal capacity
        ASSERT_EQ(told.cell_voltages_v.size(), pack.cell_voltages_v.size());
        const double cell_step = std::max(wire_.family().cell_step_v, 0.01);
        for (std::size_t i = 0; i < told.cell_voltages_v.size(); ++i)
            EXPECT_TRUE(near(told.cell_voltages_v[i], pack.cell_voltages_v[i], cell_step)) << *told.cell_voltages_v[i];
        for (std::size_t i = 0; i < std::min(told.temperatures_c.size(), pack.temperatures_c.size()); ++i)
            EXPECT_TRUE(near(told.temperatures_c[i], pack.temperatures_c[i], 1)) << *told.temperatures_c[i];
    }

    NoisyWire& wire_;
    std::mt19937 random_;
    Reading truth_;
    std::uint64_t polls_ = 0;
};

class WireFuzz : public testing::TestWithParam<const Family*> {
protected:
    void SetUp() override {
        auto link = std::make_unique<NoisyWire>(io.get_executor(), *GetParam(), seed);
        wire = link.get();
        judge.emplace(*wire);
        engine.add_sink(*judge);
        const std::uint32_t rate = GetParam()->serial.rates.front();
        const engine::Address address{GetParam()->addresses.standard, ""};
        engine.add_port(
            {.name = "/dev/noisy", .families = {GetParam()}, .named = true, .addresses = {address}, .baud = rate},
            std::move(link));
        engine.start([] { FAIL() << "the port cannot be opened"; });
        run(2);
        EXPECT_GE(judge->published, 2u) << "a clean line";
    }

    void run(std::uint64_t rounds) {
        const std::uint64_t until = judge->rounds + rounds;
        while (judge->rounds < until) io.run_one();
    }

    void make_noise(double noise) {
        const std::uint64_t answers = wire->answers(), damaged = wire->damaged(), published = judge->published,
                            small = judge->small;
        const unsigned long polls = polls_wanted();
        wire->noise = noise;
        run(polls);
        wire->noise = 0;
        if (std::getenv("BMSD_WIRE_POLLS"))
            std::printf("| %s | %g | %lu | %lu | %lu | %lu | %lu | %lu | %zu |\n", GetParam()->key.data(), noise, polls,
                        wire->answers() - answers, wire->damaged() - damaged, judge->published - published,
                        judge->small - small, judge->wrong, Held{}.heap_bytes);
        EXPECT_EQ(judge->wrong, 0u) << "noise " << noise << ", seed " << seed << ", " << judge->wrong_values;
        // Who looks longer meets the odds: docs/performance.md.
        if (polls <= 100'000) {
            EXPECT_EQ(judge->small, small) << "noise " << noise << ", seed " << seed << judge->wrong_values;
        }
        EXPECT_GT(wire->damaged(), damaged);
        EXPECT_EQ(judge->gone, "");
        const std::uint64_t good = judge->published;
        run(2);
        EXPECT_GT(judge->published, good) << "noise " << noise << ", seed " << seed;
        const Battery& battery = *engine.ports()[0]->stations()[0].battery;
        EXPECT_EQ(battery.link.state, LinkState::fresh) << "noise " << noise << ", seed " << seed;
        EXPECT_EQ(judge->wrong, 0u) << "after noise " << noise << ", seed " << seed << ", " << judge->wrong_values;
    }

    asio::io_context io{1};
    asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
    control::Parameters parameters;
    engine::Engine engine{io, parameters, false, false, false, [](Severity, const std::string&) {}};
    NoisyWire* wire = nullptr;
    std::optional<Judge> judge;
};

TEST_P(WireFuzz, PublishesWhatTheBatterySaid) {
    std::optional<Held> first;
    for (const double noise : {1e-5, 1e-4, 1e-3, 1e-2}) {
        const std::uint64_t before = judge->published;
        make_noise(noise);
        if (noise < 5e-4) {
            EXPECT_GT(judge->published - before, polls_wanted() / 2) << "a little noise costs little";
        }
        if (!first) first.emplace();
    }
    const Held last;
    EXPECT_LE(last.heap_bytes, first->heap_bytes + room_bytes) << "after " << 4 * polls_wanted() << " polls";
    EXPECT_EQ(last.descriptors, first->descriptors);
}

INSTANTIATE_TEST_SUITE_P(Serial, WireFuzz, testing::ValuesIn(bms::with_requests(bms::on_wires(bms::catalog()))),
                         [](const auto& one) { return std::string(one.param->key); });

}  // namespace
}  // namespace bmsd::test
