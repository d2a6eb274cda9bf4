// What must hold whatever a battery reports: random series with fixed seeds.
#include <cmath>
#include <random>

#include "battery.hpp"

using namespace bmsd;
using namespace bmsd::test;

namespace {

class Chance {
public:
    explicit Chance(unsigned seed) : engine_(seed) {}
    double between(double low, double high) {
        return low + (high - low) * static_cast<double>(engine_()) / static_cast<double>(std::mt19937::max());
    }
    bool one_in(int n) { return engine_() % static_cast<unsigned>(n) == 0; }
    int below(int n) { return static_cast<int>(engine_() % static_cast<unsigned>(n)); }

private:
    std::mt19937 engine_;
};

control::Parameters random_parameters(Chance& chance) {
    control::Parameters p;
    p.curve_shape = 1 + chance.below(2);
    p.voltage.controller = chance.below(4);
    p.voltage.drop_v = chance.one_in(3) ? chance.between(0, 1) : 0;
    p.voltage.float_wait_s = chance.below(120);
    p.voltage.recovery_hold_s = chance.below(30);
    p.voltage.recovery_v_per_s = chance.one_in(4) ? 0 : 0.01;
    if (chance.one_in(3)) p.voltage.soc_reset_after_days = 1;
    if (chance.one_in(6)) p.voltage.managed = false;
    if (!p.voltage.managed) p.voltage.soc_reset_after_days.reset();
    p.charge.by_soc = chance.one_in(2);
    p.discharge.by_soc = chance.one_in(2);
    p.charge.recovery_hold_s = p.discharge.recovery_hold_s = chance.below(10);
    p.charge.recovery_a_per_s = p.discharge.recovery_a_per_s = chance.one_in(3) ? 0 : chance.between(0.1, 20);
    p.count_soc = chance.one_in(3);
    return p;
}

/// Mostly a slow walk, sometimes nonsense.
void disturb(Reading& reading, Chance& chance) {
    const double drift = chance.between(-0.01, 0.01);
    for (Number& cell : reading.cell_voltages_v) {
        if (cell && std::isfinite(*cell) && *cell < 5)
            cell = std::clamp(*cell + drift + chance.between(-0.004, 0.004), 2.5, 3.7);
        else if (chance.one_in(4))
            cell = 3.3;
    }
    const auto nonsense = [&](Number& value, double low, double high) {
        switch (chance.below(40)) {
            case 0: value.reset(); break;
            case 1: value = std::numeric_limits<double>::quiet_NaN(); break;
            case 2: value = std::numeric_limits<double>::infinity(); break;
            case 3: value = -1e9; break;
            case 4: value = chance.between(low, high); break;
            default: break;
        }
    };
    for (Number& sensor : reading.temperatures_c) nonsense(sensor, -20, 70);
    nonsense(reading.mosfet_temperature_c, 0, 100);
    nonsense(reading.soc_percent, 0, 100);
    nonsense(reading.current_a, -200, 200);
    nonsense(reading.voltage_v, 40, 60);
    nonsense(reading.capacity_ah, 10, 300);
    nonsense(reading.max_charge_current_a, 0, 100);
    nonsense(reading.max_discharge_current_a, 0, 100);
    const auto any_cell = [&]() -> Number& {
        return reading.cell_voltages_v[static_cast<std::size_t>(chance.below(16))];
    };
    if (chance.one_in(60)) any_cell().reset();
    if (chance.one_in(60)) any_cell() = std::numeric_limits<double>::quiet_NaN();
    if (chance.one_in(60)) any_cell() = 65.535;
    if (chance.one_in(50)) reading.charge_fet = chance.one_in(2) ? Flag{chance.one_in(2)} : std::nullopt;
    if (chance.one_in(50)) reading.discharge_fet = chance.one_in(2) ? Flag{chance.one_in(2)} : std::nullopt;
    if (chance.one_in(2000)) reading = calm_reading();
}

void expect_sound(const Number& value) {
    EXPECT_TRUE(!value || std::isfinite(*value));
}

void check(const Polled& polled, Number before_ccl, Number before_dcl, double elapsed_s) {
    const Limits& limits = polled.limits();
    const Summary& summary = polled.battery.summary;
    const control::Parameters& p = polled.parameters;
    const Reading& reading = polled.battery.reading;
    for (const Number& value : {limits.cvl_v, limits.ccl_a, limits.dcl_a, limits.max_cell_v, limits.low_voltage_v,
                                limits.ccl_target_a, limits.dcl_target_a, summary.soc_percent, summary.current_a,
                                summary.power_w, summary.remaining_ah, summary.temperature_c, summary.cell_diff_v,
                                summary.current_average_a, summary.time_to_go_s, summary.mosfet_temperature_c})
        expect_sound(value);

    ASSERT_TRUE(limits.ccl_a && limits.dcl_a && limits.ccl_target_a && limits.dcl_target_a);
    // Never negative, never above what the user or the BMS sets.
    EXPECT_GE(*limits.ccl_a, 0);
    EXPECT_GE(*limits.dcl_a, 0);
    EXPECT_LE(*limits.ccl_a, p.charge.max_a);
    EXPECT_LE(*limits.dcl_a, p.discharge.max_a);
    const auto limit_of = [](const Number& said) { return said && std::isfinite(*said) ? std::max(0.0, *said) : 1e9; };
    EXPECT_LE(*limits.ccl_a, limit_of(reading.max_charge_current_a) + 1e-8);
    EXPECT_LE(*limits.dcl_a, limit_of(reading.max_discharge_current_a) + 1e-8);
    // A reduction takes effect in the same cycle.
    EXPECT_LE(*limits.ccl_a, *limits.ccl_target_a);
    EXPECT_LE(*limits.dcl_a, *limits.dcl_target_a);
    // A cell above the top of the curve ends charging within the cycle, one below its foot discharging.
    if (summary.max_cell_v && *summary.max_cell_v >= 3.500) {
        EXPECT_EQ(*limits.ccl_a, 0);
    }
    if (summary.min_cell_v && *summary.min_cell_v <= 2.800) {
        EXPECT_EQ(*limits.dcl_a, 0);
    }
    if (reading.charge_fet == false) {
        EXPECT_EQ(*limits.ccl_a, 0);
    }
    if (reading.discharge_fet == false) {
        EXPECT_EQ(*limits.dcl_a, 0);
    }
    // Limits rise no faster than their ramp.
    if (before_ccl && p.charge.recovery_a_per_s > 0) {
        EXPECT_LE(*limits.ccl_a, std::max(*before_ccl, 0.0) + p.charge.recovery_a_per_s * elapsed_s + 0.002);
    }
    if (before_dcl && p.discharge.recovery_a_per_s > 0) {
        EXPECT_LE(*limits.dcl_a, std::max(*before_dcl, 0.0) + p.discharge.recovery_a_per_s * elapsed_s + 0.002);
    }
    // The charge voltage stays between the ends the user set.
    if (limits.cvl_v) {
        const double top = p.voltage.soc_reset_after_days ? p.voltage.soc_reset_cell_v : p.max_cell_v;
        EXPECT_GE(*limits.cvl_v, 16 * p.min_cell_v + p.voltage.drop_v - 0.006);
        EXPECT_LE(*limits.cvl_v, 16 * top + p.voltage.drop_v + 0.006);
    }
    EXPECT_FALSE(limits.charge_limitation.empty() || limits.discharge_limitation.empty() || limits.charge_mode.empty());
    EXPECT_FALSE(limits.ccl_reason.empty() || limits.dcl_reason.empty() || limits.cvl_reason.empty());
}

}  // namespace

class Property : public testing::TestWithParam<unsigned> {};

TEST_P(Property, HoldsWhateverTheBatteryReports) {
    Chance chance(GetParam());
    Polled polled(random_parameters(chance));
    polled.reading().temperatures_c = {Number{20.0}, Number{21.0}, Number{}, Number{19.0}};
    Number ccl, dcl;
    for (int i = 0; i < 4000; ++i) {
        disturb(polled.reading(), chance);
        const double gap_s = chance.one_in(200) ? chance.between(0, 5000) : 0;
        polled.t += gap_s;
        polled.poll();
        check(polled, ccl, dcl, 1 + gap_s);
        if (HasFatalFailure() || HasNonfatalFailure()) FAIL() << "seed " << GetParam() << ", cycle " << i;
        ccl = polled.limits().ccl_a;
        dcl = polled.limits().dcl_a;
    }
}

/// Two batteries see the same series, one of them loses an input at some time: its limit is never the higher one.
TEST_P(Property, AMissingInputNeverRaisesALimit) {
    Chance chance(GetParam());
    control::Parameters parameters;
    parameters.charge.by_soc = parameters.discharge.by_soc = true;
    parameters.charge.recovery_hold_s = parameters.discharge.recovery_hold_s = 0;
    parameters.charge.recovery_a_per_s = parameters.discharge.recovery_a_per_s = 0;
    for (int lost = 0; lost < 5; ++lost) {
        Polled polled(parameters);
        Reading& reading = polled.reading();
        reading.temperatures_c = {Number{chance.between(-15, 60)}};
        reading.mosfet_temperature_c = chance.between(20, 95);
        reading.soc_percent = chance.between(0, 100);
        polled.set_cells(chance.between(2.75, 3.52));
        reading.max_charge_current_a = chance.between(0, 60);
        polled.poll();
        const double ccl = *polled.limits().ccl_a, dcl = *polled.limits().dcl_a;
        if (lost == 0) reading.temperatures_c[0].reset();
        if (lost == 1) reading.mosfet_temperature_c.reset();
        if (lost == 2) reading.soc_percent.reset();
        if (lost == 3) reading.cell_voltages_v.clear();
        if (lost == 4) reading.max_charge_current_a.reset();
        for (int i = 0; i < 200; ++i) {
            polled.poll();
            ASSERT_LE(*polled.limits().ccl_a, ccl) << "input " << lost << ", cycle " << i;
            ASSERT_LE(*polled.limits().dcl_a, dcl) << "input " << lost << ", cycle " << i;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Property, testing::Range(1u, 25u));
