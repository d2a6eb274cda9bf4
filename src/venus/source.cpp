#include "venus/source.hpp"

#include "venus/names.hpp"

namespace bmsd::venus {
namespace {

std::string cell_name(std::size_t number) {
    return number == 0 ? std::string{} : "C" + std::to_string(number);
}

std::string link_text(const Battery& battery) {
    if (battery.online) return "Connected";
    if (battery.link.state == LinkState::starting) return "Initializing...";
    std::string text = "Lost for: " + duration_text(battery.link.silent);
    if (!battery.link.trouble.empty()) text += " | " + battery.link.trouble;
    return text;
}

}  // namespace

Source::Source(const Battery& shown, const control::Parameters& chosen, std::int32_t instance)
    : battery(shown),
      parameters(chosen),
      device_instance(instance),
      serial(serial_text(shown.identity)),
      product_name(venus::product_name(shown.identity)),
      connection(connection_text(shown.identity)) {
    refresh();
}

void Source::refresh() {
    link = link_text(battery);
    lowest_cell = cell_name(battery.summary.min_cell);
    highest_cell = cell_name(battery.summary.max_cell);
}

}  // namespace bmsd::venus
