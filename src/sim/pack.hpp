// A lithium iron phosphate pack that charges and discharges, as its BMS would measure it. Pure: it knows no clock.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/reading.hpp"

namespace bmsd::sim {

/// What a pack is made of.
struct PackOptions {
    std::uint32_t number = 1;                 ///< serial number, cell spread and phases follow from it
    std::size_t cells = 16;                   ///< in series, 1..max_cells
    double capacity_ah = 280;                 ///< nominal, above 0
    double soc_percent = 60;                  ///< at the start, 0..100
    double imbalance_percent = 1;             ///< a cell's state of charge differs from the pack's by up to this
    double cell_resistance_ohm = 0.0003;      ///< of one cell, about the pack's current
    double balancer_a = 0;                    ///< moved from the highest to the lowest cell while it balances
    std::optional<double> fixed_current_a{};  ///< instead of the profile; positive = charging
    bool jitter = false;                      ///< what is measured differs by a digit or two each time
    std::string name = "Sim";                 ///< as the user of the vendor's app would name it, up to 8 characters
    std::string model = "JK_PB2A16S20P";
    std::string hardware_version = "15A";
    std::string software_version = "15.41";
};

/// The pack and its BMS. Without a fixed current it is charged to 99 % and discharged to 10 %, over and over.
/// The same options and the same steps give the same readings.
class Pack {
public:
    explicit Pack(const PackOptions& options);

    /// Lets `dt` pass; nothing happens for 0 or less. At 0 and 100 % the state of charge stops, the current does not.
    void step(std::chrono::duration<double> dt);

    /// From now on somebody else decides the current, A; positive = charging.
    void set_current(double current_a);

    /// Sets an alarm to `level` until it is set again; Level::ok takes it back.
    void raise(Alarm alarm, Level level) noexcept { reading_.alarms.set(alarm, level); }

    /// Switches something the BMS switches; the pack's current does not follow.
    void set(FlagMember flag, bool on) noexcept { reading_.*flag = on; }
    /// The state of charge as the BMS is told to believe, %.
    void set_soc(double percent);

    /// What the BMS measures now.
    [[nodiscard]] const Reading& reading() const noexcept { return reading_; }

private:
    void advance(double seconds);
    void balance(double seconds);
    [[nodiscard]] double profile_current() const;
    [[nodiscard]] double sensor_temperature(std::size_t sensor) const;
    void measure();
    void measure_cells();
    [[nodiscard]] double jitter(std::size_t place) const;

    PackOptions options_;
    std::vector<double> cell_offsets_percent_;
    double full_ah_ = 0;
    double remaining_ah_ = 0;
    double total_charge_ah_ = 0;
    double total_discharge_ah_ = 0;
    double current_a_ = 0;
    double mosfet_c_ = 0;
    double time_s_ = 0;
    double since_measurement_s_ = 0;
    std::size_t measurements_ = 0;  ///< what jitters changes with each
    bool charging_ = true;
    Reading reading_{};
};

}  // namespace bmsd::sim
