#include "app/config_ports.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <sys/stat.h>

#include "app/config_checks.hpp"
#include "bms/catalog.hpp"
#include "link/factory.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

using Kind = Problem::Kind;

using Families = std::vector<const bms::Family*>;

/// Those of the named types that are spoken on this kind of port; if none is, the names are for ports of the other
/// kind.
Families named_for(const PortConfig& port, bool on_can) {
    return on_can ? bms::on_can(port.families) : bms::on_wires(port.families);
}

/// Who is looked for on a port.
Families candidates(const PortConfig& port, bool on_can) {
    if (Families named = named_for(port, on_can); !named.empty()) return named;
    return on_can ? bms::on_can(bms::catalog()) : bms::on_wires(bms::catalog());
}

/// Who may be meant by what is set for all ports, or for this one.
Families meant(const std::string& section, const PortConfig& port) {
    if (is_can_port(section)) return candidates(port, true);
    if (section != default_section) return candidates(port, false);
    Families both = named_for(port, false);
    const Families can = named_for(port, true);
    both.insert(both.end(), can.begin(), can.end());
    if (both.empty() && port.families.empty()) return candidates(port, false);
    return both;
}

/// What to warn of in an address that some BMS of this port can have; empty if one is usually met there.
std::string oddity(const Families& families, std::uint32_t address) {
    std::string warning;
    for (const bms::Family* family : families) {
        const auto usable = bms::check_address(*family, address);
        if (!usable || !family->addresses.used) continue;
        if (usable->empty()) return {};
        if (warning.empty()) warning = *usable;
    }
    return warning;
}

/// Not std::filesystem::equivalent(), which knows no devices.
bool same_device(const std::string& a, const std::string& b) {
    struct stat one = {}, other = {};
    if (::stat(a.c_str(), &one) != 0 || ::stat(b.c_str(), &other) != 0) return false;
    if (S_ISCHR(one.st_mode) && S_ISCHR(other.st_mode)) return one.st_rdev == other.st_rdev;
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// Not in the name of any port, but between or around names.
constexpr const char* no_name = " \t;\"'";

/// Judges the settings of one port or of all. A line of 0 means that the value comes from elsewhere.
class PortCheck {
public:
    PortCheck(const Lines& lines, std::vector<Problem>& problems) : lines_(lines), problems_(problems) {}

    void check(const std::string& section, const PortConfig& port) {
        const auto families = meant(section, port);
        if (section != default_section && lines_.of(section, "BMS_TYPE") != 0) check_types(section, section, port);
        if (families.empty())
            return add(section, Kind::fatal, "BMS_TYPE", std::string(port.families.front()->type),
                       "this type is reached by Bluetooth only, which this version does not do");
        check_addresses(section, port, families);
        check_rate(section, port, families);
    }

    /// The ports that have no BMS_TYPE of their own.
    void check_inherited_types(const Config& config) {
        for (const std::string& port : configured_ports(config)) {
            const PortSection* section = section_of(config, port);
            if (!section || lines_.of(section->name, "BMS_TYPE") == 0)
                check_types(default_section, port, config.defaults);
        }
    }

    /// The addresses of [DEFAULT] hold for serial ports and for CAN, where the same number may be another battery, or
    /// none.
    void check_inherited_addresses(const Config& config) {
        for (const bool on_can : {false, true}) {
            const auto ports = configured_ports(config);
            const auto port = std::find_if(ports.begin(), ports.end(), [&](const std::string& name) {
                const PortSection* section = section_of(config, name);
                const bool own = section && (lines_.of(section->name, "BATTERY_ADDRESSES") != 0 ||
                                             lines_.of(section->name, "BMS_TYPE") != 0);
                return is_can_port(name) == on_can && !own;
            });
            if (port != ports.end()) check_addresses_of_kind(*port, config.defaults);
        }
    }

    /// The lists of ports. A name that is none is never opened; one that must not be opened is read generously.
    void check_names(Config& config) {
        for (const std::string& name : config.ports) check_port_name(name);
        for (const std::string& name : config.can_ports)
            if (!is_can_port(name))
                add(default_section, Kind::error, "CAN_PORT", name,
                    quoted(name) + " is no CAN interface; " + advice(name, "write for example can0, vecan1"));
        std::vector<std::string> excluded;
        for (const std::string& name : config.excluded_devices) exclude(name, excluded);
        config.excluded_devices = std::move(excluded);
    }

private:
    /// What to write instead of a name that is none.
    static std::string advice(const std::string& name, const std::string& otherwise) {
        if (name.find_first_of(";#") != std::string::npos) return "a comment needs a line of its own";
        if (name.find_first_of("\"'") != std::string::npos) return "write it without quotes";
        if (name.find_first_of(no_name) != std::string::npos) return "several are separated by commas, not by a blank";
        return otherwise;
    }

    void check_port_name(const std::string& name) {
        if (is_port_name(name) && can_be_opened(name)) {
            if (const auto checked = link::check_name(name); !checked)
                add(default_section, Kind::error, "PORTS", name, checked.error().detail);
            return;
        }
        if (is_port_name(name))
            return add(default_section, Kind::warning, "PORTS", name,
                       quoted(name) + ": links of this kind are not in this version; it is not opened");
        add(default_section, Kind::error, "PORTS", name,
            quoted(name) + " is no port; " + advice(name, "write for example /dev/" + name));
    }

    /// Every word of what is no device may be the one that is meant.
    void exclude(const std::string& name, std::vector<std::string>& excluded) {
        if (is_port_name(name)) return excluded.push_back(name);
        std::string read;
        const std::string between = std::string(no_name) + "#";
        std::size_t end = 0;
        for (auto begin = name.find_first_not_of(between); begin != std::string::npos;
             begin = name.find_first_not_of(between, end)) {
            end = std::min(name.find_first_of(no_name, begin), name.size());
            const std::string word = name.substr(begin, end - begin);
            excluded.push_back(is_port_name(word) ? word : "/dev/" + word);
            read += (read.empty() ? "" : ", ") + excluded.back();
        }
        add(default_section, Kind::error, "EXCLUDED_DEVICES", name,
            quoted(name) + " is no device; " + advice(name, "write its whole path") +
                (read.empty() ? "" : "; left alone: " + read));
    }

    void check_types(const std::string& section, const std::string& port, const PortConfig& settings) {
        if (const std::string wrong = no_type_for(settings, port); !wrong.empty())
            add(section, Kind::warning, "BMS_TYPE", std::string(settings.families.front()->type), wrong);
    }

    void check_addresses(const std::string& section, const PortConfig& port, const Families& families) {
        for (const engine::Address& address : port.addresses)
            if (const std::string why = why_no_address(families, address.value); !why.empty())
                return add(section, Kind::fatal, "BATTERY_ADDRESSES", address.text, why);
        for (const engine::Address& address : port.addresses)
            if (const std::string why = oddity(families, address.value); !why.empty())
                add(section, Kind::warning, "BATTERY_ADDRESSES", address.text, why);
    }

    /// What only types of the other kind of port can have, seen from a port that inherits it.
    void check_addresses_of_kind(const std::string& port, const PortConfig& settings) {
        const bool on_can = is_can_port(port);
        const Families families = named_for(settings, on_can);
        const auto needs_none = [](const bms::Family* family) { return !family->addresses.used; };
        if (std::any_of(families.begin(), families.end(), needs_none)) return;
        const Families all = meant(default_section, settings);
        std::vector<std::pair<std::string, std::string>> refused;
        for (const engine::Address& address : settings.addresses) {
            if (!why_no_address(all, address.value).empty()) return;  // told already
            if (std::string why = why_no_address(families, address.value); !why.empty())
                refused.emplace_back(address.text, std::move(why));
        }
        const bool nobody = refused.size() == settings.addresses.size();
        for (const auto& [address, why] : refused)
            add(default_section, nobody ? Kind::error : Kind::warning, "BATTERY_ADDRESSES", address,
                why + (nobody ? "; so nobody can be asked on " + port + ": write its addresses below [" + port + "]"
                              : std::string("; it is not looked for ") + (on_can ? "on CAN" : "on serial ports")));
    }

    void check_rate(const std::string& section, const PortConfig& port, const Families& families) {
        // One that is inherited was judged with the ports it is meant for.
        if (!port.baud || (is_can_port(section) && lines_.of(section, "BAUD_RATE") == 0)) return;
        std::string rates;
        for (const bms::Family* family : families)
            for (const std::uint32_t rate : family->serial.rates) {
                if (rate == static_cast<std::uint32_t>(*port.baud)) return;
                rates += (rates.empty() ? "" : ", ") + std::to_string(rate);
            }
        if (rates.empty())
            return add(section, Kind::warning, "BAUD_RATE", std::to_string(*port.baud),
                       "has no effect on CAN, where the interface has the bitrate: see `bmsd can-setup`");
        add(section, Kind::warning, "BAUD_RATE", std::to_string(*port.baud),
            "no BMS that is looked for is known to use this rate; known are " + rates);
    }

    void add(const std::string& section, Kind kind, const char* key, std::string value, std::string text) {
        int line = lines_.of(section, key);
        if (line == 0 && section != default_section) {
            // Inherited: it was judged there already, unless other types are looked for here.
            if (lines_.of(section, "BMS_TYPE") == 0) return;
            line = lines_.of(default_section, key);
            text += " (it comes from [DEFAULT]; write another " + std::string(key) + " below [" + section +
                    "], or an empty one)";
        }
        problems_.push_back({.kind = kind,
                             .line = line,
                             .key = key,
                             .text = std::move(text),
                             .value = std::move(value),
                             .section = section});
    }

    const Lines& lines_;
    std::vector<Problem>& problems_;
};

}  // namespace

void check_ports(Config& config, const Lines& lines, std::vector<Problem>& problems) {
    PortCheck check(lines, problems);
    check.check_names(config);
    check.check_inherited_types(config);
    check.check(default_section, config.defaults);
    check.check_inherited_addresses(config);
    for (const PortSection& section : config.sections) {
        check.check(section.name, section.settings);
        const auto complain = [&](Kind kind, std::string text) {
            problems.push_back({.kind = kind,
                                .line = section.line,
                                .key = section.name,
                                .text = std::move(text),
                                .section = section.name});
        };
        if (!can_be_opened(section.name))
            complain(Kind::warning, "links of this kind are not in this version; the section has no effect");
        else if (const auto checked = link::check_name(section.name); !checked)
            complain(Kind::error, checked.error().detail);
    }
}

bool is_can_port(std::string_view name) {
    if (name.find_first_of("/:") != std::string_view::npos || name.find_first_of(no_name) != std::string_view::npos)
        return false;
    const auto can = name.find("can");
    return can != std::string_view::npos && can + 3 < name.size() &&
           name.find_first_not_of("0123456789", can + 3) == std::string_view::npos;
}

/// What link::make_link() and the replay know.
bool can_be_opened(std::string_view port) {
    return is_can_port(port) || port.starts_with('/') || port.starts_with("tcp://") || port.starts_with("replay:");
}

bool is_port_name(std::string_view name) {
    if (name.starts_with("replay:")) return true;  // the file may be called anything
    if (name.find_first_of(no_name) != std::string_view::npos) return false;
    return name.starts_with('/') || name.find("://") != std::string_view::npos || is_can_port(name);
}

bool same_port(const std::string& a, const std::string& b) {
    return a == b || (a.starts_with('/') && b.starts_with('/') && same_device(a, b));
}

const PortSection* section_of(const Config& config, const std::string& port) {
    for (const PortSection& section : config.sections)
        if (section.name == port) return &section;
    for (const PortSection& section : config.sections)
        if (same_port(section.name, port)) return &section;
    return nullptr;
}

const PortConfig& settings_for(const Config& config, const std::string& port) {
    const PortSection* section = section_of(config, port);
    return section ? section->settings : config.defaults;
}

std::vector<std::string> configured_ports(const Config& config) {
    std::vector<std::string> ports = config.ports;
    const auto add = [&](const std::string& port) {
        const auto same = [&](const std::string& other) { return same_port(other, port); };
        if (std::none_of(ports.begin(), ports.end(), same)) ports.push_back(port);
    };
    for (const std::string& port : config.can_ports) add(port);
    for (const PortSection& section : config.sections)
        if (can_be_opened(section.name)) add(section.name);
    return ports;
}

std::string no_type_for(const PortConfig& settings, const std::string& port) {
    const bool on_can = is_can_port(port);
    if (settings.families.empty() || !named_for(settings, on_can).empty()) return {};
    return std::string("what it names is not spoken on ") + (on_can ? "CAN" : "serial ports") + ": on " + port +
           " all types that are will be looked for";
}

std::string why_no_address(const Families& families, std::uint32_t address) {
    std::string why;
    for (const bms::Family* family : families) {
        if (!family->addresses.used) continue;
        const auto usable = bms::check_address(*family, address);
        if (usable) return {};
        if (why.empty()) why = usable.error().detail;
    }
    if (!why.empty() || families.empty()) return why;
    return std::string(families.front()->type) +
           " has no bus address: one battery per port, leave BATTERY_ADDRESSES empty";
}

engine::PortSettings engine_settings(const Config& config, const std::string& port) {
    const PortConfig& chosen = settings_for(config, port);
    engine::PortSettings settings;
    settings.name = port;
    settings.families = candidates(chosen, is_can_port(port));
    settings.named = !named_for(chosen, is_can_port(port)).empty();
    settings.addresses = chosen.addresses;
    if (chosen.poll_interval_s) settings.poll = std::chrono::milliseconds(std::lround(*chosen.poll_interval_s * 1000));
    if (chosen.baud) settings.baud = static_cast<std::uint32_t>(*chosen.baud);
    settings.options = chosen.options;
    settings.options.series = static_cast<unsigned>(config.special.ubms_series);
    settings.options.parallel = static_cast<unsigned>(config.special.ubms_parallel);
    settings.options.listen_only = config.can_listen_only;
    return settings;
}

}  // namespace bmsd::app
