// The datasheet of a family, printed from the tables that decode it: it cannot say anything else than the code does.
#include <cstdio>
#include <string>

#include "bms/can.hpp"
#include "bms/family.hpp"
#include "model/quantities.hpp"

namespace bmsd::bms {
namespace {

std::string hex(std::uint64_t value, int digits) {
    char out[24];
    std::snprintf(out, sizeof out, "0x%0*llX", digits, static_cast<unsigned long long>(value));
    return out;
}

std::string hex(std::span<const std::uint8_t> bytes) {
    std::string out;
    for (const std::uint8_t byte : bytes) {
        char pair[4];
        std::snprintf(pair, sizeof pair, "%02X", byte);
        if (!out.empty()) out += ' ';
        out += pair;
    }
    return out;
}

std::string decimal(double value) {
    char out[32];
    std::snprintf(out, sizeof out, "%.10g", value);
    return out;
}

std::string list(std::span<const std::string_view> words, std::string_view quote = {}) {
    std::string out;
    for (const std::string_view word : words) {
        if (!out.empty()) out += ", ";
        out.append(quote).append(word).append(quote);
    }
    return out.empty() ? "none" : out;
}

std::string duration(milliseconds time) {
    return std::to_string(time.count()) + " ms";
}

void line(std::string& out, std::string_view name, std::string_view value) {
    out.append("| ").append(name).append(" | ").append(value).append(" |\n");
}

void table(std::string& out, std::string_view title, std::span<const std::string_view> columns) {
    out.append("\n").append(title).append("\n\n|");
    for (const std::string_view column : columns) out.append(" ").append(column).append(" |");
    out += "\n|";
    for (std::size_t i = 0; i < columns.size(); ++i) out += " --- |";
    out += '\n';
}

void cells(std::string& out, std::initializer_list<std::string_view> values) {
    out += '|';
    for (const std::string_view value : values) out.append(" ").append(value).append(" |");
    out += '\n';
}

/// Where an entry stands: offset in the payload, or record and offset in it.
std::string place(std::uint8_t record, std::uint16_t at) {
    if (record == 0) return std::to_string(at);
    const std::string tag = hex(record, 2);
    return at == 0 ? tag : tag + " + " + std::to_string(at);
}

std::string optional(std::optional<std::int64_t> absent) {
    return absent ? std::to_string(*absent) : std::string{};
}

std::string with_unit(NumberMember member) {
    const std::string_view unit = unit_of(member);
    return std::string(name_of(member)) + (unit.empty() ? "" : " [" + std::string(unit) + "]");
}

std::string when(const Request& request) {
    switch (request.when) {
        case When::identify: return "once, before the first poll";
        case When::every_poll: return "every poll";
        case When::sometimes: return "at first, then every " + std::to_string(request.period.count()) + " s";
        case When::on_demand: return "only on demand";
    }
    return {};
}

void describe_addresses(std::string& out, const Addresses& addresses) {
    if (!addresses.used) return line(out, "addresses", "none: one battery per port");
    const auto range = [](std::uint32_t first, std::uint32_t last) {
        return first == last ? hex(first, 2) : hex(first, 2) + " to " + hex(last, 2);
    };
    line(out, "addresses",
         range(addresses.first, addresses.last) + ", standard " + hex(addresses.standard, 2) + ": " +
             std::string(addresses.meaning));
    std::string factory;
    for (const std::uint32_t address : addresses.factory) factory += (factory.empty() ? "" : ", ") + hex(address, 2);
    if (!factory.empty()) line(out, "from the factory also", factory);
    std::string usual;
    for (const AddressRange& part : addresses.usual)
        usual += (usual.empty() ? "" : ", ") + range(part.first, part.last);
    if (!usual.empty()) line(out, "usual addresses", usual);
    for (const RefusedAddress& refused : addresses.refused)
        line(out, "refused address", hex(refused.address, 2) + ": " + std::string(refused.why));
}

std::string link_text(const Family& family) {
    const bool on_can = family.can != nullptr;
    std::string rates;
    const auto list_rates = [&](std::span<const std::uint32_t> all) {
        for (const std::uint32_t rate : all) rates += (rates.empty() ? "" : ", ") + std::to_string(rate);
    };
    list_rates(on_can ? family.can->bitrates : family.serial.rates);
    if (on_can) return "CAN, " + rates + " bit/s";
    return rates.empty() ? "Bluetooth" : "serial, " + rates + " baud, 8N1";
}

void describe_head(std::string& out, const Family& family) {
    out.append("# ").append(family.label).append("\n\n| | |\n| --- | --- |\n");
    line(out, "BMS_TYPE", "`" + std::string(family.type) + "`");
    line(out, "also understood", list(family.aliases, "`"));
    line(out, "sold as", list(family.sold_as));
    line(out, "link", link_text(family));
    describe_addresses(out, family.addresses);
    if (!family.can) {
        line(out, "gap before a request", duration(family.timing.gap));
        line(out, "longest pause within an answer", duration(family.timing.between_bytes));
        line(out, "retries", std::to_string(family.timing.retries));
    }
    line(out, "usual poll interval", duration(family.timing.poll));
    if (family.never_raised.empty()) return;
    std::string names;
    for (const Alarm alarm : family.never_raised) names.append(names.empty() ? "" : ", ").append(to_string(alarm));
    line(out, "always reported as ok", names);
}

void describe_requests(std::string& out, const Family& family) {
    static constexpr std::string_view columns[] = {"request", "what for", "when", "bytes", "answer", "time-out"};
    table(out, "## Requests", columns);
    for (const Request& request : family.requests) {
        Bytes bytes;
        family.build(request, {family.addresses.standard, true, nullptr}, bytes);
        cells(out, {request.name, request.meaning, when(request), "`" + hex(bytes) + "`",
                    std::to_string(request.answer_size) + " bytes", duration(request.timeout)});
    }
    if (family.addresses.used)
        out.append("\nThe bytes are those for address ").append(hex(family.addresses.standard, 2)).append(".\n");
}

void describe_numbers(std::string& out, const Layout& layout, std::string_view where) {
    const std::string_view columns[] = {where, "type", "scale", "bias", "absent", "quantity"};
    table(out, "### Numbers", columns);
    for (const Row& row : layout.rows)
        cells(out, {place(row.record, row.at), to_string(row.type), decimal(row.scale.step()), decimal(row.bias),
                    optional(row.absent), with_unit(row.to)});
    for (const CellRow& row : layout.cells)
        cells(out, {std::to_string(row.at) + " + " + std::to_string(row.stride) + " i", to_string(row.type),
                    decimal(row.scale.step()), "0", "",
                    std::string(name_of(row.to)) + ", i = 0 to " + std::to_string(row.count - 1)});
    for (const Sensor& row : layout.sensors)
        cells(out, {std::to_string(row.at), to_string(row.type), decimal(row.scale.step()), decimal(row.bias),
                    optional(row.absent), "temperatures_c[" + std::to_string(row.index) + "] [°C]"});
}

void describe_flags(std::string& out, const Layout& layout, std::string_view where) {
    const std::string_view columns[] = {where, "type", "mask", "on", "switch"};
    table(out, "### Switches", columns);
    for (const FlagRow& row : layout.flags) {
        const std::uint64_t all = (std::uint64_t{1} << (8 * width(row.type))) - 1;
        cells(out, {place(row.record, row.at), to_string(row.type),
                    hex(row.mask & all, static_cast<int>(2 * width(row.type))),
                    row.inverted ? "all bits 0" : "any bit 1", name_of(row.to)});
    }
}

void describe_texts(std::string& out, const Layout& layout, std::string_view where) {
    const std::string_view columns[] = {where, "bytes", "text"};
    table(out, "### Texts", columns);
    for (const TextRow& row : layout.texts)
        cells(out, {place(row.record, row.at), std::to_string(row.width), name_of(row.to)});
}

void describe_alarms(std::string& out, const Layout& layout, std::string_view where) {
    const std::string_view columns[] = {where, "type", "bit", "alarm", "level"};
    table(out, "### Alarms", columns);
    for (const AlarmBit& row : layout.alarms)
        cells(out, {place(row.record, row.at), to_string(row.type), std::to_string(row.bit), to_string(row.alarm),
                    row.level == Level::alarm ? "alarm" : "warning"});
}

/// The tables of one answer or frame.
void describe_layout(std::string& out, const Layout& layout) {
    const std::string_view where = layout.records.empty() ? "offset" : "record";
    if (!layout.rows.empty() || !layout.cells.empty() || !layout.sensors.empty()) describe_numbers(out, layout, where);
    if (!layout.flags.empty()) describe_flags(out, layout, where);
    if (!layout.texts.empty()) describe_texts(out, layout, where);
    if (!layout.alarms.empty()) describe_alarms(out, layout, where);
}

void describe_answer(std::string& out, const Request& request) {
    out.append("\n## Answer to \"").append(request.name).append("\"\n");
    describe_layout(out, request.layout);
    if (request.finish)
        out += "\nWhat depends on other parts of the answer is decoded by code and is not in the tables.\n";
}

std::string can_id(std::uint32_t id, bool extended) {
    return hex(id, extended ? 8 : 3);
}

void describe_frames(std::string& out, const Family& family) {
    const CanLink& link = *family.can;
    const std::uint32_t address = family.addresses.standard;
    static constexpr std::string_view columns[] = {"frame", "what for", "identifier", "bytes at least", "every"};
    table(out, "## Frames", columns);
    for (const CanMessage& message : link.messages) {
        std::string ids = can_id(id_of(family, message, address, 0), message.extended);
        if (message.parts > 1 && message.per_part > 0)
            ids += " to " + can_id(id_of(family, message, address, message.parts - 1U), message.extended);
        cells(out, {message.name, message.meaning, ids, std::to_string(message.layout.size), duration(message.period)});
    }
    static constexpr std::string_view sent[] = {"sent by us", "what for", "identifier", "data", "when"};
    if (!link.questions.empty()) table(out, "## What is sent", sent);
    for (const CanQuestion& question : link.questions) {
        const CanFrame frame = frame_of(family, question, address);
        const std::string when = question.when == When::every_poll  ? "every poll"
                                 : question.when == When::sometimes ? "every " + duration(question.period)
                                                                    : "once";
        cells(out, {question.name, question.meaning, can_id(frame.id, frame.extended), "`" + hex(frame.bytes()) + "`",
                    when});
    }
    if (family.addresses.used)
        out.append("\nThe identifiers are those for address ").append(hex(address, 2)).append(".\n");
    for (const CanMessage& message : link.messages) {
        out.append("\n## Frame \"").append(message.name).append("\"\n");
        describe_layout(out, message.layout);
        if (message.take || (message.layout.rows.empty() && message.layout.flags.empty() &&
                             message.layout.texts.empty() && message.layout.alarms.empty()))
            out += "\nDecoded by code, which is not in the tables.\n";
    }
}

}  // namespace

std::string describe(const Family& family) {
    std::string out;
    describe_head(out, family);
    if (family.can) describe_frames(out, family);
    if (!family.requests.empty()) describe_requests(out, family);
    for (const Request& request : family.requests) describe_answer(out, request);
    out.append("\n## Wiring and preparation\n\n").append(guide_text(family));
    return out;
}

}  // namespace bmsd::bms
