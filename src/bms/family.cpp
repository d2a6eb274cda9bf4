#include "bms/family.hpp"

#include <cstdio>

namespace bmsd::bms {

void begin_poll(Reading& reading) {
    reading.alarms = {};
}

Result<void> decode(const Family& family, const Request& request, const Asking& asking,
                    std::span<const std::uint8_t> payload, Reading& reading) {
    if (request.layout.records.empty()) {
        if (payload.size() < request.layout.size)
            return tl::unexpected(Error{ErrorClass::malformed, "the answer is shorter than its layout"});
        decode(request.layout, payload, reading);
    }
    for (const Alarm alarm : family.never_raised) reading.alarms.known(alarm);
    if (request.finish)
        if (const std::string_view why = request.finish(request, asking, payload, reading); !why.empty())
            return tl::unexpected(Error{ErrorClass::implausible, std::string(why)});
    return {};
}

void answer(const Family& family, const Request& request, const Asking& asking, const Reading& state, Bytes& out) {
    Bytes payload;
    if (request.encode) {
        request.encode(request, asking, state, payload);
    } else {
        payload.resize(request.layout.size);
        encode(request.layout, state, payload);
    }
    out.clear();
    family.wrap(request, asking, payload, out);
}

Result<void> check_address(const Family& family, std::uint32_t address) {
    const auto fail = [&](std::string_view why) {
        char head[64];
        std::snprintf(head, sizeof head, "address 0x%02X cannot be used with ", address);
        return tl::unexpected(Error{ErrorClass::config, head + std::string(family.type) + ": " + std::string(why)});
    };
    if (!family.addresses.used) {
        if (address == 0) return {};
        return fail("this BMS has no bus address; one battery per port, leave BATTERY_ADDRESSES empty");
    }
    for (const RefusedAddress& refused : family.addresses.refused)
        if (refused.address == address) return fail(refused.why);
    for (const std::uint32_t known : family.addresses.factory)
        if (known == address) return {};
    if (address < family.addresses.first || address > family.addresses.last) {
        char range[64];
        std::snprintf(range, sizeof range, "it has the addresses 0x%02X..0x%02X", family.addresses.first,
                      family.addresses.last);
        return fail(range +
                    (family.addresses.meaning.empty() ? std::string() : ": " + std::string(family.addresses.meaning)));
    }
    return {};
}

}  // namespace bmsd::bms
