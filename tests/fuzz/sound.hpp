// What holds of every reading, whatever was received.
#pragma once

#include <cmath>

#include "model/quantities.hpp"
#include "require.hpp"

namespace bmsd::test {

inline void require_sound(const Reading& reading) {
    const auto finite = [](const Number& value) { return !value || std::isfinite(*value); };
    for (const NumberQuantity& quantity : number_quantities())
        require(finite(reading.*quantity.member), "finite number");
    for (const TextQuantity& quantity : text_quantities()) {
        const Text& text = reading.*quantity.member;
        require(!text || (text->size() <= 64 && text->find('\0') == std::string::npos), "short text");
    }
    require(reading.cell_voltages_v.size() <= max_cells && reading.cell_resistances_ohm.size() <= max_cells, "cells");
    require(reading.temperatures_c.size() <= max_temperatures, "sensors");
    for (const Number& value : reading.cell_voltages_v) require(finite(value), "finite cell");
    for (const Number& value : reading.cell_resistances_ohm) require(finite(value), "finite resistance");
    for (const Number& value : reading.temperatures_c) require(finite(value), "finite temperature");
}

}  // namespace bmsd::test
