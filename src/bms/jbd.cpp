#include "bms/jbd.hpp"

#include <algorithm>

#include "framing/dd77.hpp"

namespace bmsd::bms::jbd {
namespace {

using framing::Dd77;

/// Appends `data` with its length, the checksum and the end mark to the first two or three bytes of a frame.
void complete(std::span<const std::uint8_t> data, Bytes& frame) {
    frame.push_back(static_cast<std::uint8_t>(data.size()));
    frame.insert(frame.end(), data.begin(), data.end());
    const std::uint16_t sum = framing::checksum_dd77(std::span(frame).subspan(2));
    frame.push_back(static_cast<std::uint8_t>(sum >> 8));
    frame.push_back(static_cast<std::uint8_t>(sum & 0xFF));
    frame.push_back(framing::dd77_end);
}

// Bytes of an answer.
constexpr std::size_t at_register = 1;
constexpr std::size_t at_status = 2;
/// Boards of 2018 answer with A5 in the place of the register (§3).
constexpr std::uint8_t legacy_register = 0xA5;

std::span<const std::uint8_t> data_in(std::span<const std::uint8_t> frame) {
    return frame.subspan(framing::dd77_head, frame.size() - framing::dd77_overhead);
}

/// Whether the answer to a read can be so long.
bool possible_size(const Request& request, std::span<const std::uint8_t> data) {
    if (data.size() < request.layout.size) return false;
    switch (register_of(request)) {
        case basic_register: return data.size() >= basic_size + 2 * std::size_t{data[at_sensor_count]};
        case cells_register: return data.size() % 2 == 0 && data.size() <= 2 * max_cells;
        case model_register: return data[0] < data.size();
        default: return true;
    }
}

/// §3: an answer that does not name its register is taken only if nothing but this request can have caused it.
bool can_be_nothing_else(const Request& request, const Asking& asking, std::span<const std::uint8_t> data) {
    if (!possible_size(request, data)) return false;
    const Number cells = asking.known ? asking.known->cell_count : Number{};
    switch (register_of(request)) {
        case name_register:
            return data.size() <= most_name &&
                   std::all_of(data.begin(), data.end(), [](std::uint8_t c) { return c >= 0x20 && c < 0x7F; });
        case basic_register:
            return data[19] <= most_soc_percent && data[21] >= 1 && data[21] <= 32 && data[at_sensor_count] <= 8;
        case cells_register: return !cells || static_cast<double>(data.size()) == 2 * *cells;
        default: return false;
    }
}

Reply refused(std::uint8_t status) {
    const auto no = [](std::string_view why, ErrorClass fault = ErrorClass::refused) {
        return Reply{Reply::Progress::failed, 0, {}, fault, why};
    };
    switch (status) {
        case 0x80: return no("the BMS does not know this command (status 80)");
        case 0x81: return no("the BMS does not allow this now (status 81: it needs factory mode)");
        // Not a no: noise hit our request on its way, so it is worth asking again.
        case 0x82: return no("the request reached the BMS damaged (status 82)", ErrorClass::checksum);
        case 0x83: return no("the BMS wants a password (status 83); remove it in the vendor's app");
        default: return no("the BMS answered with an error status");
    }
}

Reply stranger(std::string_view why) {
    return {Reply::Progress::waiting, framing::dd77_overhead, {}, ErrorClass::unexpected, why};
}

/// What a sound frame is worth.
Reply judge(const Request& request, const Asking& asking, std::span<const std::uint8_t> frame) {
    const std::uint8_t named = frame[at_register];
    const std::uint8_t status = frame[at_status];
    const auto data = data_in(frame);
    const bool whichever = !is_write(request) && data_of(request) == any;
    const bool ours = whichever ? named != reads && named != writes : named == register_of(request);
    if (!ours) {
        // A request has the shape of an answer: A5 or 5A for the register, its register for the status.
        if ((named == reads || named == writes) && status == register_of(request))
            return stranger("only our own request came back: the adapter echoes, the BMS is silent");
        const bool legacy = named == legacy_register && status == 0 && !is_write(request) && !whichever;
        if (!legacy || !can_be_nothing_else(request, asking, data))
            return stranger("the answer to another request came");
    }
    if (status != 0) return refused(status);
    // An accepted write has no data (§8), nor has the name of a board that has none: the status is what they say.
    const bool nameless = register_of(request) == name_register && data.empty();
    if (is_write(request) || nameless) return {Reply::Progress::complete, 0, frame.subspan(at_status, 1), {}, {}};
    if (!possible_size(request, data))
        return {Reply::Progress::failed, 0, {}, ErrorClass::malformed, "the length of the answer is impossible"};
    return {Reply::Progress::complete, 0, data, {}, {}};
}

void tell(Dd77::Fault fault, Reply& reply) {
    switch (fault) {
        case Dd77::Fault::none: return;
        case Dd77::Fault::cut: reply.fault = ErrorClass::truncated, reply.why = "the frame is cut short"; return;
        case Dd77::Fault::end: reply.fault = ErrorClass::malformed, reply.why = "the end mark 77 is missing"; return;
        case Dd77::Fault::checksum:
            reply.fault = ErrorClass::checksum, reply.why = "the checksum of the frame is wrong";
            return;
    }
}

/// §8: both FETs are written together; 1 = off.
std::optional<std::uint16_t> fets(std::uint16_t bit, const Asking& asking) {
    if (!asking.known || !asking.known->charge_fet || !asking.known->discharge_fet) return std::nullopt;
    const Reading& known = *asking.known;
    const std::uint16_t other = bit == charge_bit ? discharge_bit : charge_bit;
    const bool other_on = other == charge_bit ? *known.charge_fet : *known.discharge_fet;
    // Off by a protection it must come back by itself: only what software switched off is written as off again.
    const bool keep_off = !other_on && known.fet_software_lock == true;
    const unsigned own = asking.value != 0 ? 0U : bit;
    return static_cast<std::uint16_t>(own | (keep_off ? other : 0U));
}

/// The switches as they were read, with one changed.
std::optional<std::uint16_t> switches(std::uint16_t bit, const Asking& asking) {
    if (asking.answered.size() != 2) return std::nullopt;
    const auto before = static_cast<unsigned>(get(asking.answered, 0, Wire::u16be));
    return static_cast<std::uint16_t>(asking.value != 0 ? before | bit : before & ~unsigned{bit});
}

/// §8: remaining capacity in 10 mAh.
std::optional<std::uint16_t> remaining(const Asking& asking) {
    if (!asking.known || !asking.known->capacity_ah) return std::nullopt;
    const double raw = *asking.known->capacity_ah * asking.value;  // percent of Ah is 10 mAh
    if (!(raw >= 0 && raw <= 0xFFFF)) return std::nullopt;
    return static_cast<std::uint16_t>(raw + 0.5);
}

}  // namespace

std::optional<std::uint16_t> data_to_write(const Request& request, const Asking& asking) {
    switch (register_of(request)) {
        case fets_register: return fets(data_of(request), asking);
        case switches_register: return switches(data_of(request), asking);
        case remaining_register: return remaining(asking);
        default: return data_of(request);
    }
}

Text name_in(std::span<const std::uint8_t> bytes) {
    std::string name = text(bytes.first(std::min(bytes.size(), most_name)));
    if (name.empty()) return std::nullopt;
    return name;
}

void build(const Request& request, const Asking& asking, Bytes& out) {
    out.clear();
    std::array<std::uint8_t, 2> data{};
    if (is_write(request)) {
        const auto word = data_to_write(request, asking);
        if (!word) return;
        put(data, 0, Wire::u16be, *word);
    }
    out.push_back(framing::dd77_start);
    out.push_back(is_write(request) ? writes : reads);
    out.push_back(register_of(request));
    complete(std::span(data).first(is_write(request) ? data.size() : 0), out);
}

void wrap(const Request& request, const Asking&, std::span<const std::uint8_t> payload, Bytes& out) {
    out.clear();
    out.push_back(framing::dd77_start);
    out.push_back(register_of(request));
    out.push_back(0x00);
    if (is_write(request)) payload = {};
    complete(payload.first(std::min(payload.size(), framing::dd77_most_data)), out);
}

bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    const Dd77 found = framing::find_dd77(asked);
    if (found.frame.empty() || found.frame.size() != asked.size()) return false;
    const bool depends = register_of(request) == fets_register || register_of(request) == switches_register ||
                         register_of(request) == remaining_register;
    if (is_write(request) && depends) return asked[1] == writes && asked[2] == register_of(request) && asked[3] == 2;
    if (!is_write(request) && data_of(request) == any) return asked[1] == reads && asked[3] == 0;
    Bytes built;
    build(request, asking, built);
    return std::equal(built.begin(), built.end(), asked.begin(), asked.end());
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    Reply best{Reply::Progress::waiting, framing::dd77_overhead, {}, ErrorClass::truncated, "no answer"};
    if (!received.empty())
        best.fault = ErrorClass::malformed, best.why = "bytes arrived, but no frame DD..77 among them";
    for (std::size_t at = 0;;) {
        const Dd77 found = framing::find_dd77(received, at);
        if (found.frame.empty()) {
            best.missing = found.missing;
            // A sound frame that is not ours tells more than the scraps behind it.
            if (best.fault != ErrorClass::unexpected) tell(found.fault, best);
            return best;
        }
        const Reply reply = judge(request, asking, found.frame);
        if (reply.progress != Reply::Progress::waiting) return reply;
        best = reply;
        at = static_cast<std::size_t>(found.frame.data() - received.data()) + found.frame.size();
    }
}

}  // namespace bmsd::bms::jbd
