#include "bms/plausible.hpp"

#include <algorithm>
#include <cmath>

#include "model/quantities.hpp"

namespace bmsd::bms {
namespace {

constexpr double lowest_pack_v = 2;
constexpr double highest_pack_v = 1000;
constexpr double highest_cell_v = 5;
constexpr double largest_current_a = 2000;
constexpr double coldest_c = -60;
constexpr double hottest_c = 200;

/// How far values may be apart.
struct Apart {
    double voltage_share;  ///< of the pack voltage
    double cell_v;
    double temperature_c;
    std::size_t column;  ///< of the steps
};
/// Largest changes that need no second look. The real ones beyond, a big load switched or a state of charge corrected,
/// only cost another reading. A cell: one step of those who tell tenths.
constexpr Apart between_polls{0.02, 0.11, 3, 0};
/// What is measured twice in a row differs by a digit or two.
constexpr Apart when_repeated{0.0006, 0.0021, 0.21, 1};
constexpr Apart not_at_all{0, 0, 0, 2};

struct Step {
    NumberMember of;
    double largest[3];  ///< between_polls, when_repeated, not_at_all: 0
    std::string_view why;
};
constexpr Step steps[] = {
    {&Reading::current_a, {50, 0.25}, "the current jumped"},
    {&Reading::soc_percent, {1, 0.11}, "the state of charge jumped"},
    {&Reading::capacity_ah, {1, 0}, "the capacity changed"},
    {&Reading::capacity_remaining_ah, {5, 0.11}, "the remaining capacity jumped"},
    {&Reading::cell_count, {0, 0}, "the number of cells changed"},
    {&Reading::min_cell_voltage_v, {between_polls.cell_v, when_repeated.cell_v}, "a cell voltage jumped"},
    {&Reading::max_cell_voltage_v, {between_polls.cell_v, when_repeated.cell_v}, "a cell voltage jumped"},
    {&Reading::min_cell_temperature_c,
     {between_polls.temperature_c, when_repeated.temperature_c},
     "a temperature jumped"},
    {&Reading::max_cell_temperature_c,
     {between_polls.temperature_c, when_repeated.temperature_c},
     "a temperature jumped"},
    {&Reading::mosfet_temperature_c, {10, 0.21}, "the temperature of the MOSFETs jumped"},
    {&Reading::max_charge_current_a, {20, 0}, "the limit of the charge current changed"},
    {&Reading::max_discharge_current_a, {20, 0}, "the limit of the discharge current changed"},
    {&Reading::max_battery_voltage_v, {1, 0}, "the limit of the charge voltage changed"},
};

bool outside(const Number& value, double low, double high) noexcept {
    return value && !(*value >= low && *value <= high);
}

bool apart(const Number& a, const Number& b, double tolerance) noexcept {
    return a && b && !(std::abs(*a - *b) <= tolerance);
}

/// True if it is not any more what it was; there is nothing to compare with what was not known.
bool changed(const Number& before, const Number& now, double largest) noexcept {
    return before && (!now || apart(before, now, largest));
}

template <class List>
bool changed(const List& before, const List& now, double largest) noexcept {
    return !before.empty() &&
           !std::equal(before.begin(), before.end(), now.begin(), now.end(),
                       [largest](const Number& a, const Number& b) { return !changed(a, b, largest); });
}

template <class Value>
bool changed(const std::optional<Value>& before, const std::optional<Value>& now) noexcept {
    return before && before != now;
}

bool changed(const Alarms& before, const Alarms& now) noexcept {
    if (before == now) return false;  // nearly always
    for (std::size_t i = 0; i < alarm_count; ++i)
        if (const auto alarm = static_cast<Alarm>(i); changed(before[alarm], now[alarm])) return true;
    return false;
}

/// What is farther apart than that; empty: nothing.
std::string_view difference(const Reading& before, const Reading& now, const Apart& most) noexcept {
    if (changed(before.voltage_v, now.voltage_v, most.voltage_share * before.voltage_v.value_or(0)))
        return "the pack voltage jumped";
    for (const Step& step : steps)
        if (changed(before.*step.of, now.*step.of, step.largest[most.column])) return step.why;
    if (changed(before.cell_voltages_v, now.cell_voltages_v, most.cell_v)) return "a cell voltage jumped";
    if (changed(before.temperatures_c, now.temperatures_c, most.temperature_c)) return "a temperature jumped";
    if (changed(before.charge_fet, now.charge_fet) || changed(before.discharge_fet, now.discharge_fet))
        return "a MOSFET was switched";
    if (changed(before.alarms, now.alarms)) return "an alarm changed";
    for (const TextQuantity& text : text_quantities())  // some of them are who the battery is
        if (changed(before.*text.member, now.*text.member)) return "a name or a version changed";
    return {};
}

/// Whether they are no farther apart than that, know the same, and alarms and switches are the same.
bool alike(const Reading& first, const Reading& second, const Apart& most) noexcept {
    const auto same_flag = [&](const FlagQuantity& flag) { return first.*flag.member == second.*flag.member; };
    return difference(first, second, most).empty() && difference(second, first, most).empty() &&
           std::all_of(flag_quantities().begin(), flag_quantities().end(), same_flag);
}

/// Readings that vote. What is voted on is what `get` takes from each.
using Voters = Bounded<const Reading*, most_voters>;

/// What more than half of them say; what the last says, if there is no such thing.
template <class Get>
auto most_of(const Voters& voters, Get get) {
    const auto wins = [&](const Reading* one) {
        const auto says_so = [&](const Reading* other) { return get(*other) == get(*one); };
        return 2 * std::count_if(voters.begin(), voters.end(), says_so) > std::ssize(voters);
    };
    const auto winner = std::find_if(voters.begin(), voters.end(), wins);
    return get(winner == voters.end() ? *voters.back() : **winner);
}

/// The middle of a number, unless most of them do not know it.
template <class Get>
Number middle_of(const Voters& voters, Get get) {
    Bounded<double, most_voters> known;
    for (const Reading* one : voters)
        if (const Number number = get(*one)) known.push_back(*number);
    if (2 * known.size() < voters.size()) return {};
    if (known.size() % 2 == 0) known.erase(known.begin());  // an even number has no middle
    const auto middle = known.begin() + std::ssize(known) / 2;
    std::nth_element(known.begin(), middle, known.end());
    return *middle;
}

/// A list is as long as most say, and those who say so choose what stands in it.
template <class List, class Choose>
void merge(Reading& out, const Voters& voters, List Reading::*list, Choose choose) {
    const std::size_t size = most_of(voters, [&](const Reading& one) { return (one.*list).size(); });
    Voters agreeing;
    std::copy_if(voters.begin(), voters.end(), std::back_inserter(agreeing),
                 [&](const Reading* one) { return (one->*list).size() == size; });
    if (agreeing.size() % 2 == 0) agreeing.erase(agreeing.begin());  // as above
    (out.*list).resize(size);
    for (std::size_t i = 0; i < size; ++i)
        (out.*list)[i] = choose(agreeing, [&](const Reading& one) { return (one.*list)[i]; });
}

/// Whether sensors and single cells, which a broken wire may make say anything, are judged as well.
enum class Singles : bool { may_be_wrong, count };

std::string_view impossible(const Reading& reading, Singles singles) noexcept {
    if (outside(reading.voltage_v, lowest_pack_v, highest_pack_v)) return "the pack voltage is impossible";
    if (outside(reading.current_a, -largest_current_a, largest_current_a)) return "the current is impossible";
    if (outside(reading.soc_percent, 0, 100)) return "the state of charge is impossible";
    if (outside(reading.cell_count, 1, max_cells)) return "the number of cells is impossible";
    double sum = 0;
    bool all_known = !reading.cell_voltages_v.empty();
    for (const Number& cell : reading.cell_voltages_v) {
        if (singles == Singles::count && outside(cell, 0, highest_cell_v)) return "a cell voltage is impossible";
        // An open wire reads 0 V and breaks the sum, not the battery.
        all_known = all_known && cell && *cell > 0;
        sum += cell.value_or(0);
    }
    if (all_known && apart(reading.voltage_v, sum, 0.15 * sum)) return "the cells do not add up to the pack voltage";
    if (singles == Singles::count)
        for (const Number& sensor : reading.temperatures_c)
            if (outside(sensor, coldest_c, hottest_c)) return "a temperature is impossible";
    return {};
}

}  // namespace

std::string_view no_battery(const Reading& reading) noexcept {
    return impossible(reading, Singles::may_be_wrong);
}

std::string_view implausible(const Reading& reading) noexcept {
    return impossible(reading, Singles::count);
}

std::string_view newly_implausible(const Reading& before, const Reading& now) noexcept {
    const std::string_view why = implausible(now);
    return why.empty() || why == implausible(before) ? std::string_view{} : why;
}

bool consistent(const Reading& first, const Reading& second) noexcept {
    return first.cell_count == second.cell_count && first.cell_voltages_v.size() == second.cell_voltages_v.size() &&
           !apart(first.voltage_v, second.voltage_v, 0.05 * first.voltage_v.value_or(0)) &&
           !apart(first.soc_percent, second.soc_percent, 2);
}

std::string_view jump(const Reading& before, const Reading& now) noexcept {
    return difference(before, now, between_polls);
}

bool repeats(const Reading& first, const Reading& second) noexcept {
    return alike(first, second, when_repeated);
}

bool confirms(const Reading& reading, const Reading& part) noexcept {
    return difference(part, reading, when_repeated).empty();
}

bool same(const Reading& first, const Reading& second) noexcept {
    return alike(first, second, not_at_all);
}

bool same_texts(const Reading& first, const Reading& second) noexcept {
    const auto same_text = [&](const TextQuantity& text) { return first.*text.member == second.*text.member; };
    return std::all_of(text_quantities().begin(), text_quantities().end(), same_text);
}

Reading middle(std::span<const Reading> readings) {
    Voters voters;
    for (const Reading& one : readings) voters.push_back(&one);
    const auto numbers = [](const auto& among, auto get) { return middle_of(among, get); };
    const auto others = [](const auto& among, auto get) { return most_of(among, get); };
    Reading out = readings.back();
    for (const NumberQuantity& number : number_quantities())
        out.*number.member = middle_of(voters, [&](const Reading& one) { return one.*number.member; });
    for (const FlagQuantity& flag : flag_quantities())
        out.*flag.member = most_of(voters, [&](const Reading& one) { return one.*flag.member; });
    for (const TextQuantity& text : text_quantities())
        out.*text.member = most_of(voters, [&](const Reading& one) { return one.*text.member; });
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const auto alarm = static_cast<Alarm>(i);
        out.alarms.set(alarm, most_of(voters, [&](const Reading& one) { return one.alarms[alarm]; }));
    }
    merge(out, voters, &Reading::cell_voltages_v, numbers);
    merge(out, voters, &Reading::cell_resistances_ohm, numbers);
    merge(out, voters, &Reading::temperatures_c, numbers);
    merge(out, voters, &Reading::cell_balancing, others);
    return out;
}

}  // namespace bmsd::bms
