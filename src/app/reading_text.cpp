#include "app/reading_text.hpp"

#include <cstdio>

namespace bmsd::app {
namespace {

std::string quantity(const Number& value, int decimals, const char* unit) {
    if (!value) return {};
    char text[48];
    std::snprintf(text, sizeof text, ", %.*f %s", decimals, *value, unit);
    return text;
}

}  // namespace

std::string gist(const Reading& reading) {
    return quantity(reading.voltage_v, 2, "V") + quantity(reading.current_a, 1, "A") +
           quantity(reading.soc_percent, 0, "%");
}

}  // namespace bmsd::app
