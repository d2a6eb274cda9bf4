// The list of families: names, addresses and the printed datasheet.
#include "bms/catalog.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "bms/can.hpp"
#include "model/quantities.hpp"
#include "model/words.hpp"
#include "recorded.hpp"

namespace bmsd::tests {
namespace {

using bms::Family;

std::string lower(std::string_view word) {
    std::string out(word);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
}

TEST(Catalog, GivesEveryNameToOneTypeAndEveryKeyToOneFamily) {
    std::map<std::string, std::string> type_of;
    std::set<std::string> keys;
    for (const Family* family : bms::catalog()) {
        EXPECT_TRUE(keys.insert(lower(family->key)).second) << family->key;
        std::set<std::string> names{lower(family->key), lower(family->type)};  // often the same word
        for (const std::string_view alias : family->aliases)
            EXPECT_TRUE(names.insert(lower(alias)).second) << alias << " is listed twice";
        for (const std::string& name : names)
            EXPECT_EQ(type_of.try_emplace(name, family->type).first->second, family->type) << name;
    }
}

TEST(Catalog, FindsEveryDialectOfAType) {
    for (const Family* family : bms::catalog()) {
        const auto named = bms::find_families(family->type);
        EXPECT_NE(std::find(named.begin(), named.end(), family), named.end()) << family->key;
        if (!same_word(family->key, family->type)) {
            EXPECT_EQ(bms::find_families(family->key), std::vector<const Family*>{family}) << family->key;
        }
    }
}

TEST(Catalog, FindsAFamilyByAnyOfItsNamesInAnyCase) {
    for (const Family* family : bms::catalog()) {
        const std::string small = lower(family->type);
        for (const std::string_view name : {family->type, std::string_view(small)}) {
            ASSERT_NE(bms::find_family(name), nullptr) << name;
            EXPECT_EQ(bms::find_family(name)->type, family->type);
        }
        ASSERT_NE(bms::find_family(family->key), nullptr) << family->key;
        EXPECT_EQ(bms::find_family(family->key)->type, family->type);
        for (const std::string_view alias : family->aliases) {
            ASSERT_NE(bms::find_family(alias), nullptr) << alias;
            EXPECT_EQ(bms::find_family(alias)->type, family->type);
        }
    }
    EXPECT_EQ(bms::find_family(""), nullptr);
    EXPECT_EQ(bms::find_family("Jkbms_pbx"), nullptr);
}

TEST(Catalog, NamesTheNearestType) {
    EXPECT_EQ(bms::nearest_type("jkbms-pb"), "Jkbms_pb");
    EXPECT_EQ(bms::nearest_type("Jkbm"), "Jkbms");
    EXPECT_EQ(bms::nearest_type("ubms"), "Ubms_Can");
    EXPECT_EQ(bms::nearest_type("jkbms"), "Jkbms");
    for (const Family* family : bms::catalog()) EXPECT_EQ(bms::nearest_type(family->type), family->type);
}

TEST(Catalog, AsksJkbmsBeforeJkbmsPb) {
    const auto families = bms::catalog();
    const auto at = [&](std::string_view type) {
        return std::find(families.begin(), families.end(), bms::find_family(type));
    };
    EXPECT_LT(at("Jkbms"), at("Jkbms_pb"));
}

TEST(Catalog, StandardAddressesAreUsable) {
    for (const Family* family : bms::catalog()) {
        EXPECT_TRUE(bms::check_address(*family, family->addresses.standard)) << family->type;
        for (const bms::RefusedAddress& refused : family->addresses.refused) {
            const auto checked = bms::check_address(*family, refused.address);
            ASSERT_FALSE(checked);
            EXPECT_EQ(checked.error().cls, ErrorClass::config);
            EXPECT_NE(checked.error().detail.find(refused.why), std::string::npos);
        }
        if (!family->addresses.used) {
            EXPECT_FALSE(bms::check_address(*family, 1)) << family->type;
        }
    }
}

TEST(Catalog, ComesWithAGuideForEveryFamily) {
    for (const Family* family : bms::catalog()) {
        const bms::Guide& guide = family->guide;
        EXPECT_TRUE(guide.rs485 || guide.uart || guide.bluetooth || guide.can) << family->key << ": over what?";
        EXPECT_FALSE(guide.connector.empty()) << family->key;
        EXPECT_TRUE(!family->addresses.used || !guide.addresses.empty()) << family->key << ": how is an address set?";
        for (const std::string_view part : {guide.connector, guide.addresses, guide.vendor_app, guide.notes}) {
            EXPECT_TRUE(part.empty() || part.starts_with("- ")) << family->key << ": " << part;
            EXPECT_TRUE(part.empty() || part.back() == '\n') << family->key << ": " << part;
        }
    }
}

TEST(Guide, BeginsWithIsolationAndEndsWithTheConfiguration) {
    for (const Family* family : bms::catalog()) {
        const std::string text = bms::guide_text(*family);
        ASSERT_NE(text.find("galvanically isolated"), std::string::npos) << text;
        EXPECT_LT(text.find("galvanically isolated"), text.find("###")) << "isolation comes first";
        EXPECT_NE(text.find("BMS_TYPE = " + std::string(family->type)), std::string::npos) << text;
    }
}

TEST(Guide, ShowsTheDipSwitchesOfEveryAddress) {
    const std::string text = bms::guide_text(*bms::find_family("Jkbms_pb"));
    for (const char* row :
         {"| - - - - | 0x00: never:", "| x - - - | 0x01 |", "| - x - x | 0x0A |", "| x x x x | 0x0F |"})
        EXPECT_NE(text.find(row), std::string::npos) << row << " in\n" << text;
    EXPECT_NE(text.find("BATTERY_ADDRESSES = 0x01, 0x02, 0x03"), std::string::npos) << text;
}

TEST(Datasheet, MentionsEverythingTheTablesHold) {
    for (const Family* family : bms::catalog()) {
        const std::string text = bms::describe(*family);
        const auto expect = [&](std::string_view word) {
            EXPECT_NE(text.find(word), std::string::npos) << family->type << " does not mention " << word;
        };
        expect(family->type);
        expect(family->guide.connector);
        for (const std::string_view alias : family->aliases) expect(alias);
        for (const std::string_view name : family->sold_as) expect(name);
        for (const bms::RefusedAddress& refused : family->addresses.refused) expect(refused.why);
        for (const bms::Request& request : family->requests) {
            expect(request.name);
            for (const bms::Row& row : request.layout.rows) expect(name_of(row.to));
            for (const bms::CellRow& row : request.layout.cells) expect(name_of(row.to));
            for (const bms::FlagRow& row : request.layout.flags) expect(name_of(row.to));
            for (const bms::TextRow& row : request.layout.texts) expect(name_of(row.to));
            for (const bms::AlarmBit& row : request.layout.alarms) expect(to_string(row.alarm));
        }
        if (!family->can) continue;
        for (const bms::CanMessage& message : family->can->messages) {
            expect(message.name);
            for (const bms::Row& row : message.layout.rows) expect(name_of(row.to));
            for (const bms::FlagRow& row : message.layout.flags) expect(name_of(row.to));
            for (const bms::AlarmBit& row : message.layout.alarms) expect(to_string(row.alarm));
        }
        for (const bms::CanQuestion& question : family->can->questions) expect(question.name);
    }
}

TEST(Datasheet, SaysWhereThingsStand) {
    const std::string pb = bms::describe(*bms::find_family("Jkbms_pb"));
    for (const char* row : {
             "| 150 | u32le | 0.001 | 0 |  | voltage_v [V] |",
             "| 144 | i16le | 0.1 | 0 | -2000 | mosfet_temperature_c [°C] |",
             "| 6 + 2 i | u16le | 0.001 | 0 |  | cell_voltages_v, i = 0 to 31 |",
             "| 256 | i16le | 0.1 | 0 | -2000 | temperatures_c[2] [°C] |",
             "| 198 | u8 | 0xFF | any bit 1 | charge_fet |",
             "| 166 | u32le | 22 | internal_failure | warning |",
             "| 86 | 16 | serial_number |",
             "`01 10 16 20 00 01 02 00 00 D6 F1`",
         })
        EXPECT_NE(pb.find(row), std::string::npos) << row;
    const std::string jk = bms::describe(*bms::find_family("Jkbms"));
    for (const char* row : {
             "| 0x83 | u16be | 0.01 | 0 |  | voltage_v [V] |",
             "| 0x8C | u16be | 0x0002 | any bit 1 | discharge_fet |",
             "| 0x8B | u16be | 11 | low_cell_voltage | warning |",
         })
        EXPECT_NE(jk.find(row), std::string::npos) << row;
}

}  // namespace
}  // namespace bmsd::tests
