// Daly smart BMS, classic "A5" protocol on UART and RS485: frames of 13 bytes both ways, cells over several frames.
// Facts: dossier daly (sections are quoted as "§").
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

#include "bms/daly_alarms.hpp"
#include "bms/daly_controls.hpp"
#include "bms/daly_tables.hpp"
#include "bms/family.hpp"
#include "bms/soundness.hpp"
#include "framing/a5.hpp"

namespace bmsd::bms {
namespace {

using enum Wire;

namespace a5 = framing::a5;

/// Data of a read: the UART of the BMS synchronises badly on runs of 00 (§3).
constexpr std::uint8_t filler = 0xAA;

constexpr std::uint32_t first_board = 0x40;  // §2: board n is asked as 0x3F + n and answers as n
constexpr std::uint32_t last_board = 0x4F;
constexpr std::uint32_t host_of_v1 = 0x80;  // "upper computer" of the V1.0 document
constexpr std::uint32_t host_of_gprs = 0x20;

constexpr std::uint8_t status_command = 0x94;
constexpr std::uint8_t cells_command = 0x95;
constexpr std::uint8_t sensors_command = 0x96;
constexpr std::uint8_t code_command = 0x57;
constexpr std::uint32_t any_command = 0x190;  // selector of what others ask; as a command it would be a read
constexpr std::uint8_t set_soc_command = 0x21;
constexpr std::uint8_t discharge_fet_command = 0xD9;
constexpr std::uint8_t charge_fet_command = 0xDA;

constexpr std::size_t cells_per_frame = 3;
constexpr std::size_t sensors_per_frame = 7;
constexpr std::size_t most_cells = 48;
constexpr std::size_t most_cell_frames = 16;  // §5.6: some boards always send all 16
constexpr std::size_t code_frames = 5;
constexpr std::uint8_t invalid_frame = 0xFF;

// §7: one byte each, in the order of the answer.
constexpr std::array alarm_bits = daly_alarms([](std::uint8_t byte) { return byte; });

// ---- frames (§3) -----------------------------------------------------------------------------------
bool asks_any_board(std::uint32_t asked) {
    return asked == host_of_v1 || asked == host_of_gprs;
}

/// §2: the number of the board that is asked with this address; where it may be any, mostly the first.
std::uint8_t board_of(std::uint32_t asked) {
    return static_cast<std::uint8_t>(asks_any_board(asked) ? 1 : asked - (first_board - 1));
}

/// §2: the board answers with its number; whoever is asked as 0x80 or 0x20 may answer with any.
bool answers_for(std::uint32_t asked, std::uint8_t answerer) {
    if (asks_any_board(asked)) return (answerer >= 1 && answerer <= 16) || answerer == 0x41;
    return answerer == board_of(asked);
}

void append_frame(std::uint32_t address, const Request& request, std::span<const std::uint8_t> data, Bytes& out) {
    if (out.size() + a5::frame_size > out.capacity()) return;
    out.resize(out.size() + a5::frame_size);
    a5::write(static_cast<std::uint8_t>(address), static_cast<std::uint8_t>(request.selector), data,
              std::span(out).last<a5::frame_size>());
}

/// The command that is to be answered; of a request that only others ask, the one that was recorded for this address.
std::optional<std::uint8_t> command_of(const Request& request, const Asking& asking) {
    if (request.selector != any_command) return static_cast<std::uint8_t>(request.selector);
    const a5::Frame asked = a5::Frames(asking.asked).next();
    if (asked.data.empty() || asked.address != asking.address) return std::nullopt;
    return asked.command;
}

constexpr std::string_view silence = "no answer";

/// The frames among received bytes that answer a request; the others leave their reason in `fault` and `why`.
struct Answer {
    std::optional<std::uint8_t> command;
    std::uint32_t address;
    a5::Frames frames;
    ErrorClass fault = ErrorClass::truncated;
    std::string_view why = silence;
    bool foreign_seen = false;

    /// The data of the next frame; empty at the end.
    std::span<const std::uint8_t> next() {
        for (auto frame = frames.next(); !frame.data.empty(); frame = frames.next()) {
            if (answers_for(address, frame.address)) {
                if (frame.command == command) return frame.data;
                foreign("an answer to another command came");
            } else if (frame.address != address) {
                foreign("another board answered");
            } else if (why == silence) {
                fault = ErrorClass::unexpected;
                why = "only our own request came back: the adapter echoes";
            }
        }
        // Of damage beside a sound frame of somebody else, the frame tells more.
        if (foreign_seen) return {};
        if (frames.damage() == a5::Frames::Damage::checksum)
            fault = ErrorClass::checksum, why = "the checksum of a frame is wrong";
        if (frames.damage() == a5::Frames::Damage::length)
            fault = ErrorClass::malformed, why = "the length of a frame is not 8";
        return {};
    }

    void foreign(std::string_view text) {
        foreign_seen = true;
        fault = ErrorClass::unexpected;
        why = text;
    }
};

std::size_t fitted(const Number& count, std::size_t most) {
    return count && *count >= 1 && *count <= static_cast<double>(most) ? static_cast<std::size_t>(*count) : 0;
}

/// Frames of the whole answer; 0: the count it depends on is not known, so it ends with silence.
std::size_t frames_needed(const Request& request, const Reading* known) {
    switch (request.selector) {
        case code_command: return code_frames;
        case cells_command:
            return known ? (fitted(known->cell_count, most_cells) + cells_per_frame - 1) / cells_per_frame : 0;
        case sensors_command:
            return known ? (fitted(known->temperature_count, max_temperatures) + sensors_per_frame - 1) /
                               sensors_per_frame
                         : 0;
        default: return 1;
    }
}

/// §8: the clock is set along with the state of charge.
void clock_and_soc(const Asking& asking, std::span<std::uint8_t> data) {
    const std::chrono::sys_seconds now{std::chrono::seconds{asking.local_time_s}};
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{now - day};
    data[0] = static_cast<std::uint8_t>(int{date.year()} - 2000);
    data[1] = static_cast<std::uint8_t>(unsigned{date.month()});
    data[2] = static_cast<std::uint8_t>(unsigned{date.day()});
    data[3] = static_cast<std::uint8_t>(time.hours().count());
    data[4] = static_cast<std::uint8_t>(time.minutes().count());
    data[5] = static_cast<std::uint8_t>(time.seconds().count());
    put(data, 6, u16be, std::lround(std::clamp(asking.value, 0.0, 100.0) * 10));
}

bool numbered(const Request& request) {
    return request.selector == code_command || request.selector == cells_command || request.selector == sensors_command;
}

/// Several frames numbered from 1 without a gap make one answer; the payload are the bytes from its first frame to its
/// last. A frame 1 begins it anew: a doubled answer, or the rest of an older one in front.
Reply examine_numbered(Answer& answer, std::span<const std::uint8_t> received, std::size_t needed, bool recorded) {
    std::size_t got = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    bool gap = false;
    for (auto data = answer.next(); !data.empty(); data = answer.next()) {
        const std::uint8_t number = data[0];
        if (number == invalid_frame) continue;
        if (number == 1) {
            begin = answer.frames.end() - a5::frame_size;
            got = 0;
            gap = false;
        }
        if (number == got + 1 && !gap) {
            ++got;
            end = answer.frames.end();
            if (got == needed) return {Reply::Progress::complete, 0, received.subspan(begin, end - begin), {}, {}};
        } else {
            gap = true;  // never shift the rest (§5.6)
        }
    }
    const std::size_t total = needed == 0 ? most_cell_frames : needed;
    const std::size_t cut = answer.frames.cut();
    const std::size_t missing = (total - std::min(got, total - 1)) * a5::frame_size - cut;
    Reply reply{Reply::Progress::waiting, missing, {}, answer.fault, answer.why};
    if (got > 0 || gap) {
        reply.fault = ErrorClass::truncated;
        reply.why = gap ? "a frame of the answer is missing" : "frames at the end of the answer are missing";
    }
    const bool damaged = answer.frames.damage() != a5::Frames::Damage::none;
    if (recorded && damaged) reply.fault = answer.fault, reply.why = answer.why;
    // Without a count the answer ends with silence; a recording may stop early, as long as nothing is cut or missing.
    if (got > 0 && !gap && cut == 0 && (needed == 0 || recorded) && !(recorded && damaged))
        reply.payload = received.subspan(begin, end - begin);
    return reply;
}

/// §8: how the answer to a write begins if it was taken; absent: the request is none.
std::optional<std::uint8_t> acceptance(const Request& request, const Asking& asking) {
    if (request.selector == set_soc_command) return std::uint8_t{1};
    if (request.selector != charge_fet_command && request.selector != discharge_fet_command) return std::nullopt;
    const a5::Frame asked = a5::Frames(asking.asked).next();
    if (!asked.data.empty()) return asked.data[0];
    return asking.value != 0 ? std::uint8_t{1} : std::uint8_t{0};
}

Reply examine(const Request& request, const Asking& asking, std::span<const std::uint8_t> received) {
    Answer answer{command_of(request, asking), asking.address, a5::Frames(received)};
    if (numbered(request))
        return examine_numbered(answer, received, frames_needed(request, asking.known), asking.recorded);
    if (const auto data = answer.next(); !data.empty()) {
        if (const auto accepted = acceptance(request, asking); accepted && data[0] != *accepted)
            return {Reply::Progress::failed, 0, {}, ErrorClass::refused, "the BMS did not take what it was told"};
        return {Reply::Progress::complete, 0, data, {}, {}};
    }
    if (const std::size_t cut = answer.frames.cut(); cut > 0 && answer.fault == ErrorClass::truncated)
        return {Reply::Progress::waiting, a5::frame_size - cut, {}, ErrorClass::truncated, "the frame is cut short"};
    if (!received.empty() && answer.fault == ErrorClass::truncated)
        answer.why = "bytes arrived, but no frame A5 among them";
    return {Reply::Progress::waiting, a5::frame_size - answer.frames.cut(), {}, answer.fault, answer.why};
}

void build(const Request& request, const Asking& asking, Bytes& out) {
    out.clear();
    std::array<std::uint8_t, a5::data_size> data;
    data.fill(filler);
    if (request.selector == set_soc_command) {
        clock_and_soc(asking, data);
    } else if (request.selector == charge_fet_command || request.selector == discharge_fet_command) {
        data[0] = asking.value != 0 ? 1 : 0;
    }
    append_frame(asking.address, request, data, out);
}

bool matches(const Request& request, const Asking& asking, std::span<const std::uint8_t> asked) {
    if (asked.size() != a5::frame_size) return false;
    const auto frame = a5::Frames(asked).next();
    return !frame.data.empty() && frame.address == asking.address && frame.command == request.selector;
}

/// One frame per eight bytes of payload, as the board whose number was asked.
void wrap(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, Bytes& out) {
    for (std::size_t at = 0; at == 0 || at < payload.size(); at += a5::data_size)
        append_frame(board_of(asking.address), request,
                     payload.subspan(at, std::min(a5::data_size, payload.size() - at)), out);
}

// ---- what the tables cannot say --------------------------------------------------------------------
/// Calls `take(frame number from 0, data behind the number)` for each frame of a numbered answer.
template <class Take>
void each_frame(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload, const Take& take) {
    Answer answer{command_of(request, asking), asking.address, a5::Frames(payload)};
    for (auto data = answer.next(); !data.empty(); data = answer.next())
        if (data[0] >= 1 && data[0] != invalid_frame) take(data[0] - 1U, data.subspan(1));
}

std::string_view finish_status(const Request&, const Asking&, std::span<const std::uint8_t>, Reading& reading) {
    if (!(*reading.cell_count >= 1 && *reading.cell_count <= 48)) return "the number of cells is impossible";  // §6
    if (!(*reading.temperature_count <= max_temperatures)) return "the number of temperature sensors is impossible";
    // Of a single sensor 0x92 may have told twice, while nobody knew that it is one.
    const std::size_t sensors = fitted(reading.temperature_count, max_temperatures);
    if (reading.temperatures_c.size() > sensors) reading.temperatures_c.resize(sensors);
    return {};
}

std::string_view finish_totals(const Request&, const Asking& asking, std::span<const std::uint8_t> payload,
                               Reading& reading) {
    reading.current_a = daly_current(payload, asking.options);
    if (!reading.capacity_ah) reading.capacity_ah = asking.options.capacity_ah;
    // Every poll tells its temperatures afresh: those of 0x96, or, where that is not answered, those of 0x92. Other
    // hosts ask in another order.
    if (!asking.recorded) reading.temperatures_c.clear();
    // §5.1; 48 cells reach more than the 120 V named there.
    if (!(*reading.voltage_v >= 8 && *reading.voltage_v <= 200)) return "the pack voltage is impossible";
    if (std::abs(*reading.current_a) >= 1000) return "the current is impossible";  // §5.1
    return {};
}

void encode_totals(const Request& request, const Asking& asking, const Reading& state, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    encode(request.layout, state, payload);
    put_daly_current(state, asking.options, payload);
}

std::string_view finish_switches(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                 Reading& reading) {
    read_daly_direction(payload, reading);
    return {};
}

void encode_switches(const Request& request, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    encode(request.layout, state, payload);
    put_daly_direction(state, payload);
}

std::string_view finish_cells(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                              Reading& reading) {
    const std::size_t count = fitted(reading.cell_count, most_cells);
    Cells cells(count);
    std::size_t got = 0;
    each_frame(request, asking, payload, [&](std::size_t frame, std::span<const std::uint8_t> data) {
        for (std::size_t k = 0; k < cells_per_frame; ++k)
            if (const std::size_t cell = frame * cells_per_frame + k; cell < count) {
                cells[cell] = static_cast<double>(get(data, 2 * k, u16be)) / 1000;
                ++got;
            }
    });
    // What 0x91 said while the cells were not known must not outlive that: it would be the extremes of an earlier hour.
    // Other hosts ask for both.
    if (!asking.recorded)
        for (const NumberMember extreme : {&Reading::min_cell_voltage_v, &Reading::max_cell_voltage_v,
                                           &Reading::min_cell_number, &Reading::max_cell_number})
            (reading.*extreme).reset();
    // Words beyond the fitted cells are garbage, and without their number nobody knows which those are (§5.6).
    if (count > 0 && got == count)
        reading.cell_voltages_v = cells;
    else
        reading.cell_voltages_v.clear();
    return {};
}

void encode_cells(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    const std::size_t count = std::min<std::size_t>(state.cell_voltages_v.size(), most_cell_frames * cells_per_frame);
    const std::size_t frames = std::max<std::size_t>(1, (count + cells_per_frame - 1) / cells_per_frame);
    payload.assign(frames * a5::data_size, 0);
    for (std::size_t frame = 0; frame < frames; ++frame) {
        payload[frame * a5::data_size] = static_cast<std::uint8_t>(frame + 1);
        for (std::size_t k = 0; k < cells_per_frame; ++k)
            if (const std::size_t cell = frame * cells_per_frame + k; cell < count)
                put(payload, frame * a5::data_size + 1 + 2 * k, u16be,
                    std::lround(state.cell_voltages_v[cell].value_or(0) * 1000));
    }
}

std::string_view finish_sensors(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                                Reading& reading) {
    if (!reading.temperature_count) return {};  // nobody knows which are fillers (§5.7)
    const std::size_t count = fitted(reading.temperature_count, max_temperatures);
    reading.temperatures_c.assign(count, Number{});
    each_frame(request, asking, payload, [&](std::size_t frame, std::span<const std::uint8_t> data) {
        for (std::size_t k = 0; k < sensors_per_frame; ++k)
            if (const std::size_t sensor = frame * sensors_per_frame + k; sensor < count)
                reading.temperatures_c[sensor] = data[k] - 40.0;
    });
    return {};
}

void encode_sensors(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    const std::size_t count = state.temperatures_c.size();
    const std::size_t frames = std::max<std::size_t>(1, (count + sensors_per_frame - 1) / sensors_per_frame);
    payload.assign(frames * a5::data_size, 0);
    for (std::size_t frame = 0; frame < frames; ++frame) {
        payload[frame * a5::data_size] = static_cast<std::uint8_t>(frame + 1);
        for (std::size_t k = 0; k < sensors_per_frame; ++k)
            if (const std::size_t sensor = frame * sensors_per_frame + k; sensor < count)
                payload[frame * a5::data_size + 1 + k] = static_cast<std::uint8_t>(
                    std::clamp(std::lround(state.temperatures_c[sensor].value_or(0)) + 40, 0L, 255L));
    }
}

bool has_sensors(const Reading& known) {
    return known.temperature_count != 0.0;
}

/// §5.4: coldest and warmest, where the list of all sensors (0x96) is not told. In a recording the list may be of an
/// earlier poll: as many as this tells are replaced, unless they are the same.
std::string_view finish_hottest(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                Reading& reading) {
    if (!has_sensors(reading)) return {};
    const Number warmest = payload[0] - 40.0;
    const Number coldest = payload[2] - 40.0;
    Temperatures told;
    told.push_back(coldest);
    if (reading.temperature_count != 1.0) told.push_back(warmest);
    const auto& listed = reading.temperatures_c;
    const bool same = listed.size() == 2 && listed[0] == warmest && listed[1] == coldest;
    if (listed.empty() || (listed.size() == told.size() && !same)) reading.temperatures_c = told;
    return {};
}

void encode_hottest(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    const auto raw = [](const Number& celsius) {
        return static_cast<std::uint8_t>(std::lround(celsius.value_or(0)) + 40);
    };
    payload[0] = raw(state.max_cell_temperature_c);
    payload[2] = raw(state.min_cell_temperature_c);
}

std::string_view finish_balancing(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                  Reading& reading) {
    read_daly_balancing(payload, reading, fitted(reading.cell_count, most_cells));
    return {};
}

void encode_balancing(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    for (std::size_t cell = 0; cell < std::min(state.cell_balancing.size(), most_cells); ++cell)
        if (state.cell_balancing[cell]) payload[cell / 8] |= static_cast<std::uint8_t>(1U << (cell % 8));
}

/// The battery code: printable characters only, blanks at the end cut (§5.9).
std::string_view finish_code(const Request& request, const Asking& asking, std::span<const std::uint8_t> payload,
                             Reading& reading) {
    reading.serial_number.reset();
    std::array<std::uint8_t, code_frames * sensors_per_frame> code{};
    std::size_t got = 0;
    each_frame(request, asking, payload, [&](std::size_t frame, std::span<const std::uint8_t> data) {
        if (frame >= code_frames) return;
        std::copy(data.begin(), data.end(), code.begin() + static_cast<long>(7 * frame));
        ++got;
    });
    if (got < code_frames) return {};  // a recording that stopped early: the beginning of a code is another one
    std::string text;
    for (const std::uint8_t c : code)
        if (c >= 0x20 && c < 0x7F) text += static_cast<char>(c);
    const auto last = text.find_last_not_of(' ');
    text.erase(last == std::string::npos ? 0 : last + 1);
    text.erase(0, text.find_first_not_of(' '));
    if (!text.empty()) reading.serial_number = std::move(text);
    return {};
}

void encode_code(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(code_frames * a5::data_size, ' ');
    const std::string& code = state.serial_number.value_or("");
    for (std::size_t frame = 0; frame < code_frames; ++frame) {
        payload[frame * a5::data_size] = static_cast<std::uint8_t>(frame + 1);
        for (std::size_t k = 0; k < sensors_per_frame; ++k)
            if (const std::size_t i = frame * sensors_per_frame + k; i < code.size())
                payload[frame * a5::data_size + 1 + k] = static_cast<std::uint8_t>(code[i]);
    }
}

/// §5.9: who tells no capacity has the one that the user names.
std::string_view finish_rated(const Request&, const Asking& asking, std::span<const std::uint8_t>, Reading& reading) {
    if (!reading.capacity_ah) reading.capacity_ah = asking.options.capacity_ah;
    return {};
}

std::string_view finish_type(const Request&, const Asking&, std::span<const std::uint8_t> payload, Reading& reading) {
    reading.production_date.reset();
    const std::chrono::year_month_day date{std::chrono::year{2000 + payload[2]}, std::chrono::month{payload[3]},
                                           std::chrono::day{payload[4]}};
    if (!date.ok()) return {};
    char text[16];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", 2000 + payload[2], unsigned{payload[3]}, unsigned{payload[4]});
    reading.production_date = text;
    return {};
}

void encode_type(const Request&, const Asking&, const Reading& state, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    if (const auto& date = state.production_date; date && date->size() == 10)
        for (std::size_t i = 0; i < 3; ++i)
            payload[2 + i] = static_cast<std::uint8_t>(std::stoi(date->substr(i == 0 ? 2 : 2 + 3 * i, 2)));
}

bool cells_unknown(const Reading& known) {
    return known.cell_voltages_v.empty();
}
bool sensors_unknown(const Reading& known) {
    return has_sensors(known) && known.temperatures_c.empty();
}

/// A frame of 8 data bytes that tables or a function read.
constexpr Request one_frame(std::string_view name, std::string_view meaning, std::uint8_t command, When when) {
    return {.name = name,
            .meaning = meaning,
            .when = when,
            .selector = command,
            .answer_size = a5::frame_size,
            .timeout = milliseconds{500},  // §11
            .layout = {.size = a5::data_size}};
}
constexpr Request with(Request request, Layout layout, Finish finish = nullptr, Encode encode = nullptr) {
    request.layout = layout;
    request.finish = finish;
    request.encode = encode;
    return request;
}
constexpr Request several_frames(Request request, std::uint16_t answer_size, Finish finish, Encode encode) {
    request.answer_size = answer_size;
    request.layout = {};
    request.long_tail = true;
    request.finish = finish;
    request.encode = encode;
    return request;
}
constexpr Request now_and_then(Request request, seconds period) {
    request.period = period;
    return request;
}
constexpr Request optional_if(Request request, bool (*wanted)(const Reading&)) {
    request.wanted = wanted;
    return request;
}
constexpr Request not_mandatory(Request request) {
    request.mandatory = false;
    return request;
}

// §4. What other requests depend on comes first. 0x91 and 0x92 are told in more detail by 0x95 and 0x96.
constexpr std::array requests = {
    now_and_then(with(one_frame("status", "cells, sensors, cycles", status_command, When::sometimes),
                      {.size = a5::data_size, .rows = daly_status_rows}, finish_status),
                 seconds{600}),
    not_mandatory(several_frames(one_frame("code", "battery code", code_command, When::identify),
                                 code_frames* a5::frame_size, finish_code, encode_code)),
    not_mandatory(with(one_frame("type", "production date", 0x53, When::identify), {.size = a5::data_size}, finish_type,
                       encode_type)),
    not_mandatory(now_and_then(with(one_frame("rated", "rated capacity", 0x50, When::sometimes),
                                    {.size = a5::data_size, .rows = daly_rated_rows}, finish_rated),
                               seconds{3600})),
    with(one_frame("totals", "voltage, current, state of charge", 0x90, When::every_poll),
         {.size = a5::data_size, .rows = daly_totals_rows}, finish_totals, encode_totals),
    with(one_frame("switches", "FETs, remaining capacity", 0x93, When::every_poll),
         {.size = a5::data_size, .rows = daly_fets_rows, .flags = daly_fets_flags}, finish_switches, encode_switches),
    with(one_frame("alarms", "all alarms", 0x98, When::every_poll), {.size = a5::data_size, .alarms = alarm_bits}),
    with(one_frame("balancing", "which cells are balanced", 0x97, When::every_poll), {.size = a5::data_size},
         finish_balancing, encode_balancing),
    several_frames(one_frame("cells", "cell voltages", cells_command, When::every_poll), 6 * a5::frame_size,
                   finish_cells, encode_cells),
    not_mandatory(optional_if(several_frames(one_frame("sensors", "temperatures", sensors_command, When::every_poll),
                                             a5::frame_size, finish_sensors, encode_sensors),
                              has_sensors)),
    not_mandatory(optional_if(with(one_frame("hottest", "coldest and warmest sensor", 0x92, When::every_poll),
                                   {.size = a5::data_size}, finish_hottest, encode_hottest),
                              sensors_unknown)),
    not_mandatory(optional_if(with(one_frame("extremes", "lowest and highest cell", 0x91, When::every_poll),
                                   {.size = a5::data_size, .rows = daly_extremes_rows}),
                              cells_unknown)),
};

// ---- what others ask (§5.9) --------------------------------------------------------------------------
constexpr std::array voltage_limits_rows = {
    Row{&Reading::max_battery_voltage_v, 0, u16be, 0.1},
    Row{&Reading::min_battery_voltage_v, 4, u16be, 0.1},
};

/// Two pairs of limits, each around the raw value of no current. If their signs differ, the one above is that of
/// discharging; else the first is.
std::string_view finish_over_current(const Request&, const Asking&, std::span<const std::uint8_t> payload,
                                     Reading& reading) {
    double discharge = (static_cast<double>(get(payload, 0, u16be)) - daly_current_zero) / 10;
    double charge = (static_cast<double>(get(payload, 4, u16be)) - daly_current_zero) / 10;
    if (discharge < 0 && charge > 0) std::swap(charge, discharge);
    reading.max_charge_current_a = std::abs(charge);
    reading.max_discharge_current_a = std::abs(discharge);
    return {};
}

constexpr std::array on_demand = {
    with(one_frame("voltage limits", "pack voltages at which it protects itself", 0x5A, When::on_demand),
         {.size = a5::data_size, .rows = voltage_limits_rows}),
    with(one_frame("over-current", "currents at which it protects itself", 0x5B, When::on_demand),
         {.size = a5::data_size}, finish_over_current),
};

constexpr Request other = [] {
    Request request = one_frame("other", "what other hosts ask", 0, When::on_demand);
    request.selector = any_command;
    return request;
}();

// ---- what may be changed (§8) ------------------------------------------------------------------------
/// A simulated battery takes everything: 1 for the state of charge, the new position for a switch.
void encode_acknowledge(const Request& request, const Asking& asking, const Reading&, Bytes& payload) {
    payload.assign(a5::data_size, 0);
    payload[0] = request.selector == set_soc_command || asking.value != 0 ? 1 : 0;
}
constexpr Request command(std::string_view name, std::string_view meaning, std::uint8_t number) {
    Request request = one_frame(name, meaning, number, When::on_demand);
    request.encode = encode_acknowledge;
    return request;
}
constexpr std::array set_soc_steps = {command("set soc", "sets clock and state of charge", set_soc_command)};
constexpr std::array charge_steps = {command("charge fet", "switches the charge MOSFET", charge_fet_command)};
constexpr std::array discharge_steps = {
    command("discharge fet", "switches the discharge MOSFET", discharge_fet_command)};

constexpr std::array controls = {
    daly_controls::charge(charge_steps, false),
    daly_controls::discharge(discharge_steps, false),
    daly_controls::soc("state of charge, %; sets the clock of the BMS along", set_soc_steps, false),
};

std::string identity(const Reading& reading) {
    return reading.serial_number.value_or("");
}

constexpr std::array<std::uint32_t, 1> rates = {9600};
constexpr std::array<std::uint32_t, 1> of_v1 = {host_of_v1};
constexpr std::array<std::uint32_t, 1> of_gprs = {host_of_gprs};
constexpr std::array<std::string_view, 3> aliases = {"DalyBms", "Daly_A5", "Daly_Smart_BMS"};
constexpr std::array<std::string_view, 4> sold_as = {"Daly Smart BMS", "R24TS", "R32", "many packs of other labels"};

}  // namespace

extern const Family daly;
constexpr Family daly{
    .key = "daly",
    .type = "Daly",
    .label = "Daly",
    .aliases = aliases,
    .sold_as = sold_as,
    .serial = {rates},
    .addresses = {.used = true,
                  .first = first_board,
                  .last = last_board,
                  .standard = first_board,
                  .meaning = "0x3F + board number 1..16",
                  .factory = of_v1,
                  .spare = of_gprs},
    // §11: 20 ms before each request; an answer begins after 5 to 30 ms. §10, items 7 and "quirks": it is normal that a
    // request is not answered.
    .timing = {.gap = milliseconds{20},
               .between_bytes = milliseconds{50},
               .poll = milliseconds{1000},
               .retries = 2,
               .probes = 2},
    .current_limits = CurrentLimits::informing,  // §5.9: those of 0x5B are "info only"
    .requests = requests,
    .on_demand = on_demand,
    .other = &other,
    .probe = 0,
    .build = build,
    .examine = examine,
    .matches = matches,
    .controls = controls,
    .wrap = wrap,
    .identity = identity,
    .doubt = daly_doubt,
    .guide =
        {.rs485 = true,
         .uart = true,
         .connector = R"(- UART through Daly's own USB adapter, or RS485; several batteries only on RS485.
)",
         .addresses =
             R"(- Board number N (1..16) is bus address 0x3F + N: 0x40..0x4F. One battery has number 1 and needs no setting.
- Set a different number in each with the vendor's PC program ("BmsMonitor", board number). The number of the phone app
  does not take.
- Give each battery a different "Battery code" as well: it is the battery's identity.
)",
         .vendor_app = daly_controls::sleep_time,
         .notes = R"(- If the current has the wrong sign (boards with active balancer): INVERT_CURRENT_MEASUREMENT = -1.
)"},
};
static_assert(sound(daly));

}  // namespace bmsd::bms
