// The tables name every member of Reading, each once.
#include "model/quantities.hpp"

#include <set>
#include <type_traits>
#include <utility>

#include <gtest/gtest.h>

namespace bmsd {
namespace {

/// Converts to whatever a member of Reading is, to count how many a Reading has.
struct Anything {
    template <class T>
    requires(std::is_same_v<T, Number> || std::is_same_v<T, Flag> || std::is_same_v<T, Text> ||
             std::is_same_v<T, Cells> || std::is_same_v<T, CellFlags> || std::is_same_v<T, Temperatures> ||
             std::is_same_v<T, Alarms>)
    operator T() const;  // NOLINT(google-explicit-constructor): never called
};

template <std::size_t>
using AnythingAt = Anything;

template <std::size_t... I>
constexpr bool takes(std::index_sequence<I...>) {
    return requires {
        Reading{AnythingAt<I>{}...};
    };
}

template <std::size_t N = 0>
constexpr std::size_t members() {
    if constexpr (takes(std::make_index_sequence<N + 1>{}))
        return members<N + 1>();
    else
        return N;
}

/// Members that are no single number, flag or text: cells, resistances, balancing, temperatures, alarms. And
/// told_charging, which only serves to doubt the current.
constexpr std::size_t lists = 5 + 1;

TEST(Quantities, NameEveryMemberOfReading) {
    EXPECT_EQ(members(), number_quantities().size() + flag_quantities().size() + text_quantities().size() + lists)
        << "a member of Reading has no row in the quantity tables (or `lists` above is out of date)";
}

template <class Table>
void expect_each_once(const Table& table, std::set<std::string_view>& names) {
    for (std::size_t i = 0; i < table.size(); ++i) {
        EXPECT_TRUE(names.insert(table[i].name).second) << table[i].name;
        EXPECT_EQ(name_of(table[i].member), table[i].name);
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(table[i].member, table[j].member) << table[i].name;
    }
}

TEST(Quantities, NameEachMemberOnce) {
    std::set<std::string_view> names = {"cell_balancing", "temperatures_c", "alarms"};
    expect_each_once(number_quantities(), names);
    expect_each_once(flag_quantities(), names);
    expect_each_once(text_quantities(), names);
    for (const CellsMember member : {&Reading::cell_voltages_v, &Reading::cell_resistances_ohm})
        EXPECT_TRUE(names.insert(name_of(member)).second) << name_of(member);
}

TEST(Quantities, HaveTheUnitTheirNameSays) {
    const std::pair<std::string_view, std::string_view> suffixes[] = {
        {"_v", "V"}, {"_a", "A"}, {"_w", "W"}, {"_ah", "Ah"}, {"_c", "°C"}, {"_s", "s"}, {"_percent", "%"}};
    for (const NumberQuantity& quantity : number_quantities()) {
        std::string_view unit;
        for (const auto& [suffix, suffix_unit] : suffixes)
            if (quantity.name.ends_with(suffix)) unit = suffix_unit;
        EXPECT_EQ(quantity.unit, quantity.name == "cycles" ? "" : unit) << quantity.name;
        EXPECT_EQ(unit_of(quantity.member), quantity.unit);
        EXPECT_GE(quantity.decimals, 0);
        EXPECT_LE(quantity.decimals, 6);
    }
}

TEST(Quantities, NamesAreThoseOfTheirMembers) {
    EXPECT_EQ(name_of(&Reading::voltage_v), "voltage_v");
    EXPECT_EQ(name_of(&Reading::capacity_remaining_ah), "capacity_remaining_ah");
    EXPECT_EQ(name_of(&Reading::discharge_fet), "discharge_fet");
    EXPECT_EQ(name_of(&Reading::production_date), "production_date");
    EXPECT_EQ(name_of(&Reading::cell_voltages_v), "cell_voltages_v");
    EXPECT_EQ(name_of(&Reading::cell_resistances_ohm), "cell_resistances_ohm");
}

}  // namespace
}  // namespace bmsd
