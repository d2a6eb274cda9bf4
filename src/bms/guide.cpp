
#include "bms/family.hpp"
#include "model/words.hpp"

namespace bmsd::bms {
namespace {

constexpr std::string_view isolation =
    "The data connection between computer and BMS must be **galvanically isolated**. When a BMS opens the negative "
    "pole, "
    "the\ncurrent of the load finds its way through the ground wire of the data cable and destroys BMS and computer.\n";

constexpr std::string_view bus_rules =
    "- RS485: three wires, A (DATA-), B (DATA+) and GND. Vendors disagree on which is plus: when nothing answers, swap "
    "A "
    "and B.\n"
    "- From device to device, in and out; no star, no ring, no stubs. Twisted pair, shielded if long.\n"
    "- Longer than 10 m: 120 ohm between A and B at both ends. Shorter than 30 cm has been seen to be unstable.\n"
    "- One master only: disconnect displays, inverters and monitors that ask on the same wires.\n";

constexpr std::string_view uart_rules =
    "- UART/TTL: one battery per adapter, no daisy chain. TX to RX, RX to TX, GND to GND, the same level (3.3 V or 5 "
    "V) on "
    "both sides.\n"
    "- Leave VCC open: on a BMS it often carries the full battery voltage. Measure before you connect.\n";

constexpr std::string_view can_rules =
    "- CAN: two wires, CAN-H and CAN-L, and GND, from device to device. 120 ohm between CAN-H and CAN-L must end the "
    "line, at\n  both ends; without it nothing works. On a VE.Can socket a VE.Can RJ45 terminator does it.\n"
    "- The RJ45 plug of a VE.Can or BMS-Can socket:\n\n"
    "| function | pin | colour T-568A | colour T-568B |\n| --- | --- | --- | --- |\n"
    "| GND | 3 | white/orange | white/green |\n"
    "| CAN-H | 7 | white/brown | white/brown |\n"
    "| CAN-L | 8 | brown | brown |\n\n"
    "- On the side of the BMS follow its manual. Else measure against GND while the bus is alive: GND 0 V, CAN-H about "
    "+3 V,\n  CAN-L about +2 V; 2.5 V each while nobody talks. With everything switched off, 60 ohm between CAN-H and "
    "CAN-L is\n  right (both ends), 120 ohm means that one end is missing.\n"
    "- The interface must have the bitrate of the battery; `bmsd can-setup` prints how to set it.\n";

void section(std::string& out, std::string_view title, std::string_view first, std::string_view second = {}) {
    if (first.empty() && second.empty()) return;
    out.append("\n### ").append(title).append("\n\n").append(first).append(second);
}

/// One row per position of the switches, the refused ones with their reason.
std::string dip_table(const Family& family) {
    const unsigned switches = family.guide.dip_switches;
    if (switches == 0) return {};
    std::string out = "\n| switches";
    for (unsigned i = 1; i <= switches; ++i) out += ' ' + std::to_string(i);
    out += " (x = on) | address |\n| --- | --- |\n";
    for (std::uint32_t position = 0; position < 1U << switches; ++position) {
        const std::uint32_t address = position;
        std::string_view why;
        for (const RefusedAddress& refused : family.addresses.refused)
            if (refused.address == address) why = refused.why;
        if (why.empty() && (address < family.addresses.first || address > family.addresses.last)) continue;
        out += '|';
        for (unsigned i = 0; i < switches; ++i) out += (position >> i) & 1 ? " x" : " -";
        out += " | " + address_text(address);
        if (!why.empty()) out.append(": never: ").append(why);
        out += " |\n";
    }
    return out;
}

}  // namespace

std::string config_lines(const Family& family) {
    std::string out = "[DEFAULT]\nBMS_TYPE = " + std::string(family.type) + "\n";
    if (family.can) out += "CAN_PORT = can0\n";
    if (!family.addresses.used || family.addresses.first == family.addresses.last) return out;
    out += std::string("; three batteries on one ") + (family.can ? "bus" : "adapter") + ":\nBATTERY_ADDRESSES = ";
    for (std::uint32_t i = 0; i < 3; ++i) out += (i == 0 ? "" : ", ") + address_text(family.addresses.standard + i);
    return out + "\n";
}

std::string guide_text(const Family& family) {
    const Guide& guide = family.guide;
    std::string out(isolation);
    section(out, "Wires", guide.rs485 ? bus_rules : std::string_view{}, guide.uart ? uart_rules : std::string_view{});
    if (guide.can) section(out, "Wires", can_rules);
    section(out, "Socket", guide.connector);
    section(out, "Address", guide.addresses, dip_table(family));
    section(out, "Settings in the vendor's app", guide.vendor_app);
    section(out, "Worth knowing", guide.notes);
    out += "\n### Configuration\n\n```ini\n" + config_lines(family) + "```\n";
    return out;
}

}  // namespace bmsd::bms
