// A week of sun: the simulated pack, charged by something that follows CVL and CCL more or less well, and controlled by
// the very logic the daemon runs. The figures of each run are printed.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <random>

#include <gtest/gtest.h>

#include "control/controller.hpp"
#include "sim/pack.hpp"

using namespace bmsd;
using namespace std::chrono_literals;

namespace {

constexpr auto poll = 5s;
constexpr double poll_s = 5;
constexpr int days = 7;
constexpr double day_s = 86400;

/// How well a charger follows its limits.
struct Charger {
    const char* name;
    double over_current = 1;  ///< of CCL
    double over_voltage_v = 0;
    double lag_s = 0;
};
constexpr Charger obedient{"obedient"};
constexpr Charger careless{"overshooting", 1.05, 0.15, 0};
constexpr Charger slow{"slow", 1, 0, 30};

struct Case {
    Charger charger;
    double imbalance_percent;
    int shape;
    int controller;
};

/// What a week was like.
struct Week {
    int float_days = 0;
    double highest_cell_v = 0;
    unsigned most_mode_changes = 0;  ///< in one day
    double longest_to_float_h = 0;   ///< from sunrise
    unsigned full_writes = 0;
};

/// A at a time of day; sunrise at six.
double sun_a(double time_s) {
    const double hour = std::fmod(time_s, day_s) / 3600;
    return hour < 6 || hour > 18 ? 0 : 60 * std::sin(std::numbers::pi * (hour - 6) / 12);
}

class House {
public:
    explicit House(const Case& what) : case_(what), pack_(options(what)) {
        parameters_.curve_shape = what.shape;
        parameters_.voltage.controller = what.controller;
        battery_.link.polls = 1;
    }

    Week live() {
        for (int day = 0; day < days; ++day) {
            const auto changes = battery_.limits.mode_changes;
            bool floated = false;
            for (double t = 0; t < day_s; t += poll_s) {
                step(day * day_s + t);
                const bool in_float = battery_.limits.charge_mode.starts_with("Float");
                if (in_float && !floated && t > 6 * 3600 && t < 19 * 3600) {
                    floated = true;
                    week_.longest_to_float_h = std::max(week_.longest_to_float_h, t / 3600 - 6);
                }
            }
            week_.float_days += floated;
            week_.most_mode_changes = std::max(week_.most_mode_changes, battery_.limits.mode_changes - changes);
        }
        week_.full_writes = controller_.full_writes();
        return week_;
    }

private:
    static sim::PackOptions options(const Case& what) {
        sim::PackOptions out;
        out.cells = 16;
        out.capacity_ah = 100;
        out.soc_percent = 40;
        out.imbalance_percent = what.imbalance_percent;
        out.balancer_a = 2;
        out.fixed_current_a = 0;
        return out;
    }

    void step(double t) {
        battery_.reading = pack_.reading();
        // A BMS measures to a millivolt, and not always the same one.
        for (Number& cell : battery_.reading.cell_voltages_v) *cell += (static_cast<double>(noise_() % 3) - 1) * 0.001;
        for (const Number& cell : pack_.reading().cell_voltages_v)
            week_.highest_cell_v = std::max(week_.highest_cell_v, *cell);
        const Moment now{Clock::time_point(100h) + std::chrono::seconds(std::lround(t)),
                         std::chrono::system_clock::time_point(1700000000s + std::chrono::seconds(std::lround(t)))};
        controller_.step(battery_, parameters_, now, poll);
        pack_.set_current(charge_current(t) - load_a);
        pack_.step(poll);
    }

    /// What the charger gives: the sun, no more than CCL, and no more than brings the battery to CVL.
    double charge_current(double t) {
        const Limits& limits = battery_.limits;
        const sim::PackOptions shape = options(case_);
        const double resistance = shape.cell_resistance_ohm * 16;
        const double at_rest_v = *pack_.reading().voltage_v - *pack_.reading().current_a * resistance;
        const double to_cvl_a = (*limits.cvl_v + case_.charger.over_voltage_v - at_rest_v) / resistance + load_a;
        const double allowed_a = *limits.ccl_a * case_.charger.over_current + load_a;
        const double wanted_a = std::max(0.0, std::min({sun_a(t), to_cvl_a, allowed_a}));
        const double share = case_.charger.lag_s > 0 ? 1 - std::exp(-poll_s / case_.charger.lag_s) : 1;
        given_a_ += (wanted_a - given_a_) * share;
        return given_a_;
    }

    static constexpr double load_a = 5;
    Case case_;
    sim::Pack pack_;
    control::Parameters parameters_;
    control::Controller controller_;
    Battery battery_;
    double given_a_ = 0;
    std::mt19937 noise_{7};
    Week week_;
};

}  // namespace

class ClosedLoop : public testing::TestWithParam<Case> {};

TEST_P(ClosedLoop, AWeekOfSun) {
    const Case& what = GetParam();
    const Week week = House(what).live();
    std::printf(
        "%-12s imbalance %.1f %%, %s, controller %d: float on %d of %d days, at the latest %.1f h after sunrise; "
        "highest cell %.3f V; at most %u mode changes a day; %u times full\n",
        what.charger.name, what.imbalance_percent, what.shape == 1 ? "linear" : "step", what.controller,
        week.float_days, days, week.longest_to_float_h, week.highest_cell_v, week.most_mode_changes, week.full_writes);
    EXPECT_EQ(week.float_days, days);
    EXPECT_LT(week.highest_cell_v, 3.65);
    EXPECT_LE(week.most_mode_changes, 8u);
}

INSTANTIATE_TEST_SUITE_P(Week, ClosedLoop,
                         testing::Values(Case{obedient, 0.3, 1, 1}, Case{obedient, 0.3, 2, 1}, Case{obedient, 3, 1, 1},
                                         Case{obedient, 3, 2, 1}, Case{careless, 0.3, 1, 1}, Case{careless, 3, 1, 1},
                                         Case{careless, 3, 2, 1}, Case{slow, 0.3, 1, 1}, Case{slow, 3, 1, 1},
                                         Case{slow, 3, 2, 1}, Case{obedient, 3, 1, 2}, Case{obedient, 3, 1, 3},
                                         Case{obedient, 3, 1, 0}));
