#include "bms/family.hpp"

#include <algorithm>

#include "model/words.hpp"

namespace bmsd::bms {

void begin_poll(Reading& reading) {
    reading.alarms = {};
}

std::string_view settle_soc(Reading& reading) {
    if (reading.soc_percent > most_soc_percent) return "the state of charge is impossible";
    if (reading.soc_percent > 100) reading.soc_percent = 100;
    return {};
}

Result<void> decode(const Family& family, const Request& request, const Asking& asking,
                    std::span<const std::uint8_t> payload, Reading& reading) {
    Bytes plain;
    if (family.unpack) {
        family.unpack(payload, plain);
        payload = plain;
    }
    if (request.layout.records.empty()) {
        if (payload.size() < request.layout.size)
            return tl::unexpected(Error{ErrorClass::malformed, "the answer is shorter than its layout"});
        decode(request.layout, payload, reading);
    }
    for (const Alarm alarm : family.never_raised) reading.alarms.known(alarm);
    if (request.finish)
        if (const std::string_view why = request.finish(request, asking, payload, reading); !why.empty())
            return tl::unexpected(Error{ErrorClass::implausible, std::string(why)});
    if (const std::string_view why = settle_soc(reading); !why.empty())
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

namespace {

std::string list(std::span<const AddressRange> ranges) {
    std::string out;
    for (const AddressRange& range : ranges) {
        out.append(out.empty() ? "" : ", ").append(address_text(range.first));
        if (range.last != range.first) out.append("..").append(address_text(range.last));
    }
    return out;
}

/// Empty if batteries of the family are usually met at this address.
std::string warning_of(const Family& family, std::uint32_t address) {
    const auto usual = family.addresses.usual;
    const auto holds = [&](const AddressRange& range) { return range.first <= address && address <= range.last; };
    if (usual.empty() || std::any_of(usual.begin(), usual.end(), holds)) return {};
    return "address " + address_text(address) + " is unusual for " + std::string(family.type) +
           ", whose batteries are met at " + list(usual) + "; it is asked all the same";
}

}  // namespace

Result<std::string> check_address(const Family& family, std::uint32_t address) {
    const auto fail = [&](std::string_view why) {
        return tl::unexpected(Error{ErrorClass::config, "address " + address_text(address) + " cannot be used with " +
                                                            std::string(family.type) + ": " + std::string(why)});
    };
    if (!family.addresses.used) {
        if (address == 0) return std::string{};
        return fail("this BMS has no bus address; one battery per port, leave BATTERY_ADDRESSES empty");
    }
    for (const RefusedAddress& refused : family.addresses.refused)
        if (refused.address == address) return fail(refused.why);
    for (const auto& further : {family.addresses.factory, family.addresses.spare})
        if (std::find(further.begin(), further.end(), address) != further.end()) return warning_of(family, address);
    const AddressRange allowed{family.addresses.first, family.addresses.last};
    if (address < allowed.first || address > allowed.last) {
        const std::string_view meaning = family.addresses.meaning;
        return fail("it has the addresses " + address_text(allowed.first) + ".." + address_text(allowed.last) +
                    (meaning.empty() ? std::string() : ": " + std::string(meaning)));
    }
    return warning_of(family, address);
}

}  // namespace bmsd::bms
