// A battery at rest, for tests of the control logic.
#pragma once

#include <chrono>

#include <gtest/gtest.h>

#include "control/controller.hpp"
#include "model/battery.hpp"

namespace bmsd::test {

using namespace std::chrono_literals;

/// Seconds after an arbitrary start, on both clocks.
inline Moment at(double seconds) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
    return {Clock::time_point(1000h) + since, std::chrono::system_clock::time_point(1700000000s) + since};
}

/// A reading in the middle of everything: nothing is limited.
inline Reading calm_reading(std::size_t cells = 16, double cell_v = 3.300) {
    Reading reading;
    for (std::size_t i = 0; i < cells; ++i) reading.cell_voltages_v.push_back(cell_v);
    reading.cell_count = static_cast<double>(cells);
    reading.voltage_v = cell_v * static_cast<double>(cells);
    reading.current_a = 0;
    reading.soc_percent = 50;
    reading.capacity_ah = 100;
    reading.temperatures_c = {Number{20.0}, Number{20.0}};
    reading.mosfet_temperature_c = 25;
    reading.charge_fet = reading.discharge_fet = true;
    return reading;
}

/// A battery and its controller, polled once a second.
struct Polled {
    control::Parameters parameters;
    control::Controller controller;
    Battery battery;
    double t = 0;

    explicit Polled(control::Parameters chosen = {}) : parameters(std::move(chosen)) {
        battery.reading = calm_reading();
    }

    Reading& reading() { return battery.reading; }
    const Limits& limits() const { return battery.limits; }

    /// One good poll at time t; the next is a second later.
    void poll(std::chrono::milliseconds interval = 1s, const control::Surroundings& around = {}) {
        ++battery.link.polls;
        controller.step(battery, parameters, at(t), interval, around);
        t += std::chrono::duration<double>(interval).count();
    }
    void poll_for(double seconds) {
        for (const double end = t + seconds; t < end - 1e-9;) poll();
    }
    /// All cells at this voltage, the pack with them.
    void set_cells(double cell_v) {
        for (Number& cell : reading().cell_voltages_v) cell = cell_v;
        reading().voltage_v = cell_v * static_cast<double>(reading().cell_voltages_v.size());
    }
};

}  // namespace bmsd::test
