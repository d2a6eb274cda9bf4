#include "bms/daly_modbus.hpp"

#include <algorithm>
#include <cmath>

#include "bms/modbus_reply.hpp"
#include "framing/checksum.hpp"

namespace bmsd::bms::daly_modbus {
namespace {

using enum Wire;
namespace modbus = framing::modbus;

constexpr std::size_t most_sensors = 8;
constexpr double zero_of_currents = 30000;
constexpr std::int64_t coldest = -40;      // raw 0
constexpr std::int64_t no_sensor = 0xFF;   // §13
constexpr std::int64_t no_value = 0xFFFF;  // §12

// Within the settings (§12): reference voltage of a cell, its chemistry, first level of over-current.
constexpr std::size_t at_reference_mv = 0x02;
constexpr std::size_t at_chemistry = 0x12;
constexpr std::size_t at_charge_limit = 0x26;
constexpr std::size_t at_discharge_limit = 0x2A;

modbus::Function function_of(const Request& request) {
    return static_cast<modbus::Function>(request.answer_type);
}
std::uint16_t register_of(const Request& request) {
    return static_cast<std::uint16_t>(request.selector >> 16);
}
std::uint16_t count_of(const Request& request) {
    return static_cast<std::uint16_t>(request.selector & 0xFFFF);
}
bool writes(const Request& request) {
    return function_of(request) == modbus::Function::write_single;
}

/// What only other hosts ask: whichever registers they read or write.
bool is_other(const Request& request) {
    return request.selector == 0;
}

/// §13: board n is asked as 0x80 + n and answers as 0x50 + n.
std::uint8_t answers_as(std::uint32_t unit) {
    return static_cast<std::uint8_t>(unit == d2_unit ? unit : unit - 0x30);
}

/// What a control sets its register to: so much per unit of the value stands where a block has its size.
std::uint16_t raw_value(const Request& request, const Asking& asking) {
    return static_cast<std::uint16_t>(std::lround(std::clamp(asking.value * count_of(request), 0.0, 65535.0)));
}

/// The question of a request. Recordings: other hosts read longer blocks, and write values of their own.
modbus::Question question(const Request& request, const Asking& asking) {
    const auto asked = modbus::parse_request(asking.asked);
    return {.unit = static_cast<std::uint8_t>(asking.address),
            .function = is_other(request) && asked ? asked->function : function_of(request),
            .first = is_other(request) && asked ? asked->first : register_of(request),
            .count = asked             ? asked->count
                     : writes(request) ? raw_value(request, asking)
                                       : count_of(request),
            .answers_as = answers_as(asking.address)};
}

/// A sound frame of whom we asked, whose data are no whole number of registers.
bool half_a_register(const Asking& asking, std::span<const std::uint8_t> received) {
    for (std::size_t at = 0; at + 5 <= received.size(); ++at) {
        const auto rest = received.subspan(at);
        const std::size_t size = std::size_t{rest[2]} + 5;
        if (rest[0] == answers_as(asking.address) && rest[1] == 0x03 && rest[2] % 2 == 1 && size <= rest.size() &&
            framing::has_crc16_modbus(rest.first(size)))
            return true;
    }
    return false;
}

std::int64_t to_centred(double amperes, double per_ampere) {
    return std::lround(std::clamp(zero_of_currents + amperes * per_ampere, 0.0, 65535.0));
}

std::int64_t to_temperature(const Number& celsius, std::int64_t absent) {
    return celsius ? std::clamp(std::lround(*celsius), coldest, no_sensor + coldest - 1) - coldest : absent;
}

/// §12: the sign of the registers means nothing, and a limit of nothing is none.
Number limit(std::int64_t raw) {
    const double amperes = std::abs(static_cast<double>(raw) - zero_of_currents) / 10;
    return amperes > 0 ? Number{amperes} : std::nullopt;
}

}  // namespace

void build(const Request& request, const Asking& asking, Bytes& out) {
    const modbus::Frame frame = modbus::request(question(request, asking));
    out.assign(frame.begin(), frame.end());
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    const auto asked = modbus::parse_request(asking.asked);
    if (is_other(request) && !(asked && asked->unit == asking.address))
        return {Reply::Progress::waiting, 1, {}, ErrorClass::unexpected, "nobody asked for registers"};
    if (!is_other(request) && asked &&
        (asked->first != register_of(request) || asked->function != function_of(request)))
        return {Reply::Progress::waiting, 1, {}, ErrorClass::unexpected, "other registers were asked for"};
    Reply reply = to_reply(modbus::examine(question(request, asking), received));
    if (reply.fault == ErrorClass::unexpected && half_a_register(asking, received)) {
        reply.fault = ErrorClass::malformed;
        reply.why = "the answer holds half a register";
    }
    reply.acknowledges = is_other(request) && asked->function != modbus::Function::read_holding;
    return reply;
}

bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const auto question = modbus::parse_request(asked);
    return question && question->unit == asking.address && question->function == function_of(request) &&
           question->first == register_of(request) && (writes(request) || question->count == count_of(request));
}

void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    const std::size_t most = writes(request) ? 0 : 2 * std::size_t{count_of(request)};
    const modbus::Frame frame =
        modbus::answer(question(request, asking), payload.first(std::min(payload.size(), most)));
    out.assign(frame.begin(), frame.end());
}

std::string_view finish_pack(const Pack& pack, const Asking& asking, std::span<const std::uint8_t> payload,
                             Reading& reading) {
    if (!(*reading.cell_count >= 1 && *reading.cell_count <= static_cast<double>(pack.most_cells)))
        return "the number of cells is impossible";
    if (*reading.temperature_count > most_sensors) return "the number of temperature sensors is impossible";
    if (!(*reading.voltage_v >= 5 && *reading.voltage_v <= 200)) return "the pack voltage is impossible";
    reading.cell_voltages_v.resize(static_cast<std::size_t>(*reading.cell_count));

    // §12: captures count charging upwards here, other than A5.
    const double up = (static_cast<double>(get(payload, pack.current, u16be)) - zero_of_currents) / 10;
    if (std::abs(up) >= 1000) return "the current is impossible";
    reading.current_a = (asking.options.invert_current ? -up : up) + 0.0;

    reading.temperatures_c.clear();
    for (std::size_t i = 0; i < static_cast<std::size_t>(*reading.temperature_count); ++i) {
        const std::int64_t raw = get(payload, pack.sensors + 2 * i, u16be);
        const bool fitted = raw != no_sensor && raw != no_value;
        reading.temperatures_c.push_back(fitted ? Number{static_cast<double>(raw + coldest)} : std::nullopt);
    }
    if (!reading.capacity_ah) reading.capacity_ah = asking.options.capacity_ah;
    return {};
}

void encode_pack(const Pack& pack, const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    payload.assign(request.layout.size, 0);
    encode(request.layout, state, payload);
    const double up = asking.options.invert_current ? -10 : 10;
    put(payload, pack.current, u16be, to_centred(state.current_a.value_or(0), up));
    for (std::size_t i = 0; i < std::min(state.temperatures_c.size(), most_sensors); ++i)
        put(payload, pack.sensors + 2 * i, u16be, to_temperature(state.temperatures_c[i], no_sensor));
}

void read_balance_bits(std::span<const std::uint8_t> payload, std::size_t at, std::size_t words, Reading& reading) {
    reading.cell_balancing.clear();
    if (get(payload, at, u32be) == 0xFFFFFFFF || !reading.cell_count) return;
    bool any = false;
    for (std::size_t cell = 0; cell < std::min(static_cast<std::size_t>(*reading.cell_count), 16 * words); ++cell) {
        const bool balanced = (get(payload, at + 2 * (cell / 16), u16be) >> (cell % 16)) & 1;
        reading.cell_balancing.push_back(balanced);
        any = any || balanced;
    }
    if (!any && reading.balancing_active == true) reading.cell_balancing.clear();
}

void write_balance_bits(const Reading& state, std::size_t at, std::size_t words, Bytes& payload) {
    for (std::size_t cell = 0; cell < std::min(state.cell_balancing.size(), 16 * words); ++cell) {
        const std::size_t word = at + 2 * (cell / 16);
        if (state.cell_balancing[cell]) put(payload, word, u16be, get(payload, word, u16be) | 1 << (cell % 16));
    }
}

Number balance_current(std::int64_t raw) {
    if (raw == 0 || raw == no_value) return std::nullopt;
    return (static_cast<double>(raw) - zero_of_currents) / 1000;
}

Number optional_temperature(std::int64_t raw) {
    if (raw == 0 || raw == no_sensor || raw == no_value) return std::nullopt;
    return static_cast<double>(raw + coldest);
}

std::string_view finish_settings(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    // That these registers are the settings, no answer says: the two whose range is known must fit.
    const std::int64_t reference_mv = get(payload, at_reference_mv, u16be);
    if (reference_mv < 1000 || reference_mv > 5000) return "the reference voltage of a cell is impossible";
    if (get(payload, at_chemistry, u16be) > 2) return "the chemistry of the cells is impossible";
    reading.max_charge_current_a = limit(get(payload, at_charge_limit, u16be));
    reading.max_discharge_current_a = limit(get(payload, at_discharge_limit, u16be));
    return {};
}

void encode_settings(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(request.layout.size, 0);
    encode(request.layout, state, payload);
    put(payload, at_reference_mv, u16be, 3200);
    put(payload, at_charge_limit, u16be, to_centred(state.max_charge_current_a.value_or(0), -10));
    put(payload, at_discharge_limit, u16be, to_centred(state.max_discharge_current_a.value_or(0), 10));
}

}  // namespace bmsd::bms::daly_modbus
