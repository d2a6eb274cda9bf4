// What people read about the limits: the short texts of the reference, and whole sentences. A text is only written when
// something in it has changed.
#pragma once

#include <array>

#include "control/charge_voltage.hpp"
#include "control/current_limits.hpp"

namespace bmsd::control {

/// Whether the numbers of a sentence are new.
class Sentence {
public:
    /// `kind` tells sentences apart that hold the same numbers.
    bool changed(int kind, std::initializer_list<double> values);
    void forget() { kind_ = -1; }

private:
    int kind_ = -1;
    std::array<double, 8> values_{};
};

class Texts {
public:
    struct Input {
        const Reading& reading;
        const Summary& summary;
        const Parameters& parameters;
        const ChargeVoltage& voltage;
        const CurrentLimit& charge;
        const CurrentLimit& discharge;
        const CellView& cells;
        Clock::time_point now;
    };
    void write(const Input& input, Limits& limits);
    /// Somebody else wrote into the texts: write all of them again.
    void forget();

private:
    /// What the text of the mode is made of.
    struct Mode {
        enum class Base : std::uint8_t { unknown, fixed, blind, bulk, absorption, float_transition, floating };
        Base base = Base::unknown;
        OverVoltage::Phase over_voltage = OverVoltage::Phase::none;
        bool soc_reset = false, balancing = false, heating = false;
        bool step = false;
        bool operator==(const Mode&) const = default;
    };
    struct Limitation {
        std::array<bool, rule_count> rules{};
        bool waiting = false;
        bool operator==(const Limitation&) const = default;
    };
    struct Side {
        std::optional<Limitation> limitation;
        Sentence reason;
    };

    [[nodiscard]] static Mode mode_of(const Input& input);
    void write_mode(const Input& input, Limits& limits);
    void write_limitation(const CurrentLimit& limit, Direction direction, Limits& limits);
    void write_voltage_reason(const Input& input, Limits& limits);
    void write_next_mode(const Input& input, Limits& limits);
    void write_current_reason(const Input& input, Direction direction, Limits& limits);

    bool all_again_ = false;
    std::optional<Mode> mode_;
    Side charge_, discharge_;
    Sentence voltage_reason_, next_mode_;
};

}  // namespace bmsd::control
