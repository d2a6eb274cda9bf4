// Compile-time proof that a family's tables cannot read outside an answer or contradict themselves.
#pragma once

#include "bms/can.hpp"
#include "bms/family.hpp"

namespace bmsd::bms {

namespace detail {

/// No function. One of another file is there, although GCC with sanitizers does not take that for a constant.
template <class Function>
consteval bool missing(Function function) {
    return __builtin_constant_p(function == nullptr) && function == nullptr;
}

/// Bytes available to an entry of this record (0: the whole payload); throws for an unknown record.
consteval std::size_t room(const Layout& layout, std::uint8_t record) {
    if (layout.records.empty()) {
        if (record != 0) throw "an entry names a record, but the layout has none";
        return layout.size;
    }
    for (const Record& known : layout.records)
        if (known.tag == record) return known.width;
    throw "an entry names a record that the layout does not list";
}

consteval void inside(const Layout& layout, std::uint8_t record, std::size_t at, std::size_t size) {
    if (at + size > room(layout, record)) throw "an entry lies outside the answer";
}

template <class Rows>
consteval void once(const Rows& rows, const Rows& others, bool same) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::size_t j = 0; j < others.size(); ++j)
            if (!(same && i == j) && rows[i].to == others[j].to) throw "a quantity is filled twice";
}

consteval void check(const Layout& layout) {
    for (const Row& row : layout.rows) {
        inside(layout, row.record, row.at, width(row.type));
        if (row.scale.step() == 0) throw "a scale is zero";
    }
    for (const CellRow& row : layout.cells) {
        if (row.count == 0 || row.count > max_cells || row.stride < width(row.type)) throw "a cell row is impossible";
        inside(layout, 0, row.at, std::size_t{row.count - 1U} * row.stride + width(row.type));
        if (row.scale.step() == 0) throw "a scale is zero";
    }
    for (const Sensor& row : layout.sensors) {
        if (row.index >= max_temperatures) throw "too many temperature sensors";
        inside(layout, 0, row.at, width(row.type));
        if (row.scale.step() == 0) throw "a scale is zero";
        for (const Sensor& other : layout.sensors)
            if (&other != &row && other.index == row.index) throw "a temperature sensor is filled twice";
    }
    for (const FlagRow& row : layout.flags) {
        inside(layout, row.record, row.at, width(row.type));
        if (row.mask == 0) throw "a flag looks at no bit";
    }
    for (const TextRow& row : layout.texts) inside(layout, row.record, row.at, row.width);
    for (const AlarmBit& row : layout.alarms) {
        inside(layout, row.record, row.at, width(row.type));
        if (row.bit >= 8 * width(row.type)) throw "an alarm bit lies outside its word";
        if (row.level != Level::warning && row.level != Level::alarm) throw "an alarm bit has an unknown level";
    }
}

/// Requests that are never sent by themselves: nothing in them may count on being asked again.
consteval void check_on_demand(const Request& request) {
    if (request.when != When::on_demand) throw "a request on demand is not sent by itself";
    if (request.answer_size == 0 || request.answer_size > max_frame) throw "an answer size is impossible";
    if (!request.layout.alarms.empty()) throw "alarms must come with every poll, or they would be forgotten in between";
    check(request.layout);
}

/// Controls: each has a word, steps that are acknowledged, and rows nowhere (steps only acknowledge).
consteval void check(const Control& control) {
    if (control.name.empty() || control.meaning.empty()) throw "a control needs a name and a meaning";
    if (control.steps.empty()) throw "a control needs steps";
    for (const auto& steps : {control.steps, control.finally})
        for (const Request& step : steps)
            if (step.answer_size == 0 || step.answer_size > max_frame) throw "an answer size is impossible";
    if (control.pause <= seconds{0}) throw "a control needs a pause between two uses";
}

}  // namespace detail

/// Use as `static_assert(sound(family))`; a fault stops the compiler with its reason.
consteval bool sound(const Family& family) {
    if (family.key.empty() || family.type.empty() || family.label.empty()) throw "a family needs key, type and label";
    if (detail::missing(family.build) || detail::missing(family.examine) || detail::missing(family.wrap))
        throw "a family needs build, examine and wrap";
    if (family.serial.rates.empty() && !family.guide.bluetooth) throw "a family on wires needs a rate";
    if (family.requests.empty() || family.probe >= family.requests.size()) throw "a family needs requests and a probe";
    if (family.addresses.used &&
        (family.addresses.first > family.addresses.standard || family.addresses.standard > family.addresses.last))
        throw "the standard address lies outside the allowed ones";
    for (const AddressRange& range : family.addresses.usual)
        if (range.first > range.last || range.first < family.addresses.first || range.last > family.addresses.last)
            throw "usual addresses lie outside the allowed ones";
    if (!(family.cell_step_v > 0)) throw "a cell step is impossible";
    bool polled = false;
    for (std::size_t i = 0; i < family.requests.size(); ++i) {
        const Request& request = family.requests[i];
        polled = polled || request.when == When::every_poll;
        if (request.when == When::on_demand) throw "a request on demand does not belong to those of the polls";
        if (request.when == When::sometimes && request.period <= seconds{0}) throw "a periodic request needs a period";
        if (request.answer_size == 0 || request.answer_size > max_frame) throw "an answer size is impossible";
        detail::check(request.layout);
        if (!request.layout.alarms.empty() && request.when != When::every_poll)
            throw "alarms must come with every poll, or they would be forgotten in between";
        for (std::size_t j = i; j < family.requests.size(); ++j) {
            const Layout& other = family.requests[j].layout;
            detail::once(request.layout.rows, other.rows, i == j);
            detail::once(request.layout.flags, other.flags, i == j);
            detail::once(request.layout.texts, other.texts, i == j);
        }
    }
    for (const Request& request : family.on_demand) detail::check_on_demand(request);
    for (const Control& control : family.controls) detail::check(control);
    if (!polled) throw "a family needs a request that is sent every poll";
    return true;
}

/// The same for a family that is spoken on CAN only: use as `static_assert(sound_on_can(family))`.
consteval bool sound_on_can(const Family& family) {
    if (family.key.empty() || family.type.empty() || family.label.empty()) throw "a family needs key, type and label";
    if (!family.can || family.can->messages.empty() || family.can->bitrates.empty())
        throw "a family on CAN needs messages and a bitrate";
    if (family.addresses.used &&
        (family.addresses.first > family.addresses.standard || family.addresses.standard > family.addresses.last))
        throw "the standard address lies outside the allowed ones";
    const CanLink& link = *family.can;
    bool needed = false;
    for (std::size_t i = 0; i < link.messages.size(); ++i) {
        const CanMessage& message = link.messages[i];
        needed = needed || message.need != Need::optional;
        detail::check(message.layout);
        if (message.layout.size > message.size || message.size > 8) throw "a frame has up to 8 bytes";
        if (message.parts == 0) throw "a message has at least one part";
        if (message.parts > 1 && message.per_part == 0 && !link.part_of) throw "nothing tells the parts of a message";
        if (message.id > (message.extended ? can_id_mask : 0x7FF)) throw "an id has too many bits";
        if (message.asked_by != unasked && message.asked_by >= link.questions.size()) throw "a question is missing";
        if (message.period <= milliseconds{0}) throw "a message needs a period";
        for (std::size_t j = i; j < link.messages.size(); ++j) {
            const Layout& other = link.messages[j].layout;
            detail::once(message.layout.rows, other.rows, i == j);
            detail::once(message.layout.flags, other.flags, i == j);
            detail::once(message.layout.texts, other.texts, i == j);
        }
    }
    for (const CanQuestion& question : link.questions)
        if (question.when == When::sometimes && question.period <= milliseconds{0})
            throw "a periodic question needs a period";
    if (!needed) throw "a family needs a message that must be there";
    return true;
}

}  // namespace bmsd::bms
