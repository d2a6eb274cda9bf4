// The tables of every family used backwards and forwards again: what a simulated battery says is what is read, and
// each alarm bit means what its row says.
#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "bms/catalog.hpp"
#include "model/quantities.hpp"
#include "recorded.hpp"
#include "rich.hpp"

namespace bmsd::tests {
namespace {

using bms::AlarmBit;
using bms::Asking;
using bms::Family;
using bms::Request;

/// What is read of a battery in this state after one round of all requests.
Reading read_back(const Family& family, const Reading& state) {
    Reading reading;
    for (const Request& request : family.requests) {
        const Asking asking{family.addresses.standard, false, &reading};
        Bytes answer;
        bms::answer(family, request, asking, state, answer);
        bms::Transaction transaction;
        transaction.start(family, request, asking);
        std::copy(answer.begin(), answer.end(), transaction.room().begin());
        transaction.received(answer.size());
        const auto result = transaction.finish(reading);
        EXPECT_TRUE(result) << request.name << ": " << result.error().detail;
    }
    return reading;
}

template <class List>
void expect_prefix(const List& got, const List& want, std::string_view name, double within = 1e-9) {
    ASSERT_LE(got.size(), want.size()) << name;
    for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_TRUE(got[i].has_value()) << name << "[" << i << "]";
        EXPECT_NEAR(*got[i], *want[i], within) << name << "[" << i << "]";
    }
}

class EveryEncoding : public testing::TestWithParam<const Family*> {
protected:
    const Family& family() const { return *GetParam(); }
};

TEST_P(EveryEncoding, GivesBackEveryNumber) {
    const Reading want = rich();
    const Reading got = read_back(family(), want);
    for (const NumberQuantity& quantity : number_quantities())
        if (got.*quantity.member && want.*quantity.member) {
            EXPECT_NEAR(*(got.*quantity.member), *(want.*quantity.member), 1e-6) << quantity.name;
        }
    for (const Request& request : family().requests)
        for (const bms::Row& row : request.layout.rows) {
            EXPECT_TRUE(want.*row.to) << name_of(row.to) << " is missing in rich()";
            EXPECT_TRUE(got.*row.to) << name_of(row.to) << " is lost";
        }
    Reading charging = want;
    charging.current_a = 12.3;
    EXPECT_NEAR(read_back(family(), charging).current_a.value_or(NAN), 12.3, 1e-9);
}

// battery-logic §2: up to 110 % is 100 %. The dossier of JK over UART ignores what is above 100 %.
TEST_P(EveryEncoding, TakesAGaugeThatRunsOverForFull) {
    for (const double percent : {101.0, 110.0}) {
        Reading state = rich();
        state.soc_percent = percent;
        state.capacity_remaining_ah = *state.capacity_ah * percent / 100;
        const Reading got = read_back(family(), state);
        EXPECT_EQ(got.soc_percent, family().key == "jkbms" ? Number{} : Number{100}) << percent;
    }
}

TEST_P(EveryEncoding, GivesBackCellsAndSensors) {
    const Reading want = rich();
    const Reading got = read_back(family(), want);
    EXPECT_EQ(got.cell_voltages_v.size(), want.cell_voltages_v.size());
    const double step = family().cell_step_v;
    expect_prefix(got.cell_voltages_v, want.cell_voltages_v, "cell_voltages_v", step > 0.001 ? 0.501 * step : 1e-9);
    expect_prefix(got.cell_resistances_ohm, want.cell_resistances_ohm, "cell_resistances_ohm");
    EXPECT_FALSE(got.temperatures_c.empty());
    expect_prefix(got.temperatures_c, want.temperatures_c, "temperatures_c");
    for (const Request& request : family().requests) {
        EXPECT_LE(request.layout.sensors.size(), got.temperatures_c.size());
        for (const bms::CellRow& row : request.layout.cells) EXPECT_FALSE((got.*row.to).empty()) << name_of(row.to);
    }
}

TEST_P(EveryEncoding, KeepsAnAbsentSensorAbsent) {
    for (const Request& request : family().requests)
        for (const bms::Sensor& sensor : request.layout.sensors) {
            if (!sensor.absent) continue;
            Reading state = rich();
            state.temperatures_c[sensor.index].reset();
            const Reading got = read_back(family(), state);
            ASSERT_EQ(got.temperatures_c.size(), state.temperatures_c.size()) << "the others lost their place";
            for (std::size_t i = 0; i < got.temperatures_c.size(); ++i)
                EXPECT_EQ(got.temperatures_c[i].has_value(), i != sensor.index) << "sensor " << i;
        }
}

TEST_P(EveryEncoding, GivesBackEverySwitch) {
    for (const bool on : {true, false}) {
        Reading want = rich();
        for (const FlagQuantity& flag : flag_quantities()) want.*flag.member = on;
        const Reading got = read_back(family(), want);
        for (const Request& request : family().requests)
            for (const bms::FlagRow& row : request.layout.flags) EXPECT_EQ(got.*row.to, Flag{on}) << name_of(row.to);
    }
}

TEST_P(EveryEncoding, GivesBackEveryText) {
    const Reading want = rich();
    const Reading got = read_back(family(), want);
    for (const TextQuantity& quantity : text_quantities()) {
        if (!(got.*quantity.member)) continue;
        if (quantity.member == &Reading::production_date) {  // some say the month only
            EXPECT_TRUE(want.production_date->starts_with(*got.production_date)) << *got.production_date;
        } else {
            EXPECT_EQ(got.*quantity.member, want.*quantity.member) << quantity.name;
        }
    }
    for (const Request& request : family().requests)
        for (const bms::TextRow& row : request.layout.texts) EXPECT_TRUE(got.*row.to) << name_of(row.to) << " is lost";
}

TEST_P(EveryEncoding, GivesBackEveryAlarm) {
    for (const Request& request : family().requests)
        for (const AlarmBit& row : request.layout.alarms) {
            Reading state = rich();
            state.alarms.raise(row.alarm, row.level);
            const Alarms got = read_back(family(), state).alarms;
            for (std::size_t i = 0; i < alarm_count; ++i) {
                const auto alarm = static_cast<Alarm>(i);
                EXPECT_EQ(got[alarm].value_or(Level::ok), alarm == row.alarm ? row.level : Level::ok)
                    << to_string(alarm) << " while " << to_string(row.alarm) << " is raised";
            }
        }
}

TEST_P(EveryEncoding, NeverGivesTwoBatteriesOneIdentity) {
    if (!family().identity) GTEST_SKIP() << "identified by port and address";
    Reading first = rich();
    Reading second = rich();
    second.serial_number = "4011949149";
    second.unique_id = "4011949149";
    const std::string one = family().identity(read_back(family(), first));
    const std::string other = family().identity(read_back(family(), second));
    EXPECT_TRUE(one.empty() || one != other) << one;
    EXPECT_EQ(family().identity(read_back(family(), first)), one) << "the same battery, asked again";
    EXPECT_EQ(family().identity(Reading{}), "") << "a battery that told nothing has no identity of its own";
}

// ---- the walk through the alarm bits -------------------------------------------------------------

/// A quiet battery's payload; where an alarm word with a tag stands is found by raising one of its alarms.
struct Payload {
    const Family& family;
    const Request& request;
    Reading quiet = rich();

    [[nodiscard]] Asking asking() const { return {family.addresses.standard, false, nullptr}; }

    [[nodiscard]] Bytes of(const Reading& state) const {
        Bytes payload;
        if (request.encode) {
            request.encode(request, asking(), state, payload);
        } else {
            payload.resize(request.layout.size);
            bms::encode(request.layout, state, payload);
        }
        return payload;
    }
    [[nodiscard]] std::size_t word_of(const AlarmBit& row) const {
        if (row.record == 0) return row.at;
        // Of several bits with one meaning the simulator sets the first: one of those in the same record tells where.
        const auto& rows = request.layout.alarms;
        for (const AlarmBit& shown : rows) {
            const auto same = [&](const AlarmBit& other) {
                return other.alarm == shown.alarm && other.level == shown.level;
            };
            if (shown.record != row.record || &*std::find_if(rows.begin(), rows.end(), same) != &shown) continue;
            Reading raised = quiet;
            raised.alarms.raise(shown.alarm, shown.level);
            const Bytes before = of(quiet);
            const Bytes after = of(raised);
            const auto changed = std::mismatch(before.begin(), before.end(), after.begin(), after.end()).first;
            if (changed != before.end())
                return static_cast<std::size_t>(changed - before.begin()) - byte_of(shown.type, shown.bit) - shown.at +
                       row.at;
        }
        ADD_FAILURE() << "raising alarms of record " << int{row.record} << " changes nothing in the answer";
        return 0;
    }
    [[nodiscard]] static bool big_endian(bms::Wire type) { return bms::to_string(type).ends_with("be"); }
    [[nodiscard]] static std::size_t byte_of(bms::Wire type, std::size_t bit) {
        return big_endian(type) ? width(type) - 1 - bit / 8 : bit / 8;
    }
    /// The alarms that a quiet answer raises with this single bit set.
    [[nodiscard]] Alarms with_bit(std::size_t word, bms::Wire type, std::size_t bit) const {
        Bytes payload = of(quiet);
        payload[word + byte_of(type, bit)] |= static_cast<std::uint8_t>(1U << (bit % 8));
        Bytes frame;
        family.wrap(request, asking(), payload, frame);
        const auto reading = hear(family, request, asking(), frame);
        EXPECT_TRUE(reading) << "bit " << bit << ": " << reading.error().detail;
        return reading ? reading->alarms : Alarms{};
    }
};

TEST_P(EveryEncoding, RaisesExactlyTheAlarmOfEachBit) {
    for (const Request& request : family().requests)
        for (const AlarmBit& row : request.layout.alarms) {
            const Payload payload{family(), request};
            const Alarms got = payload.with_bit(payload.word_of(row), row.type, row.bit);
            for (std::size_t i = 0; i < alarm_count; ++i) {
                const auto alarm = static_cast<Alarm>(i);
                EXPECT_EQ(got[alarm].value_or(Level::ok), alarm == row.alarm ? row.level : Level::ok)
                    << request.name << ", bit " << int{row.bit} << ": " << to_string(alarm);
            }
        }
}

TEST_P(EveryEncoding, RaisesNoAlarmOfTheTableForOtherBits) {
    for (const Request& request : family().requests)
        for (const AlarmBit& word : request.layout.alarms) {
            const Payload payload{family(), request};
            for (std::size_t bit = 0; bit < 8 * width(word.type); ++bit) {
                bool listed = false;
                for (const AlarmBit& row : request.layout.alarms)
                    listed = listed || (row.bit == bit && row.at == word.at && row.record == word.record);
                if (listed) continue;
                const Alarms got = payload.with_bit(payload.word_of(word), word.type, bit);
                for (const AlarmBit& row : request.layout.alarms)
                    EXPECT_EQ(got[row.alarm], Level::ok) << "bit " << bit << " raises " << to_string(row.alarm);
            }
        }
}

TEST_P(EveryEncoding, KnowsTheAlarmsUsersExpectAsOk) {
    Reading calm = rich();
    const Alarms got = read_back(family(), calm).alarms;
    for (const Alarm alarm : family().never_raised) EXPECT_EQ(got[alarm], Level::ok) << to_string(alarm);
    EXPECT_FALSE(got.any());
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryEncoding, testing::ValuesIn(bms::with_requests(bms::catalog())),
                         [](const auto& test) { return std::string(test.param->key); });

}  // namespace
}  // namespace bmsd::tests
