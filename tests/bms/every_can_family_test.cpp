// What every family on CAN must hold: what its tables encode is what is read, and nothing is read from what is short,
// of others, late or of another cycle.
#include <algorithm>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "app/vector_file.hpp"
#include "bms/can.hpp"
#include "bms/catalog.hpp"
#include "recorded.hpp"
#include "rich.hpp"

namespace bmsd::tests {
namespace {

using namespace std::chrono_literals;
using bms::Asking;
using bms::CanMessage;
using bms::CanPicture;
using bms::Certainty;
using bms::Family;
using Taken = CanPicture::Taken;

constexpr Clock::time_point start{std::chrono::hours{1}};

/// rich() with as many cells as the modules of a U-BMS have, and nothing that a family derives from others.
Reading state_for(const Family& family) {
    Reading state = rich();
    if (family.key == "ubms_can") {
        state.cell_voltages_v.clear();
        for (int i = 0; i < 16; ++i) state.cell_voltages_v.push_back(3.301 + 0.003 * i);
        state.cell_count = 16;
        state.voltage_v = 16 * 3.301 + 0.003 * 120;
        state.current_a = -12;
        state.capacity_ah = 260;
        state.hardware_version = "5.0";
        state.software_version = "4.3";
        state.min_cell_voltage_v = 3.301;
        state.max_cell_voltage_v = 3.346;
    }
    if (family.key == "jkbms_can") {
        double sum = 0;
        for (const Number& cell : state.cell_voltages_v) sum += *cell;
        state.voltage_v = sum;
    }
    if (family.key == "lltjbd_can") state.software_version = "0x0C04";
    if (family.key == "rv_c_can") state.current_a = -12.3;
    state.temperature_count = static_cast<double>(state.temperatures_c.size());
    return state;
}

std::vector<CanFrame> frames_of(const Family& family, std::uint32_t address, const Reading& state) {
    std::vector<CanFrame> frames;
    for (std::size_t i = 0; i < family.can->messages.size(); ++i)
        bms::add_frames(family, i, {.address = address}, state, frames);
    return frames;
}

class EveryCanFamily : public testing::TestWithParam<const Family*> {
protected:
    const Family& family() const { return *GetParam(); }
    std::uint32_t address() const { return family().addresses.standard; }
    Asking asking() const { return {.address = address()}; }
    std::vector<CanFrame> frames() const { return frames_of(family(), address(), state_for(family())); }

    Result<Reading> read(const CanPicture& picture, Clock::time_point now) const {
        Reading reading;
        if (auto all = picture.read(asking(), now, reading); !all) return tl::unexpected(all.error());
        return reading;
    }
};

TEST_P(EveryCanFamily, GivesBackWhatABatterySends) {
    const Reading want = state_for(family());
    CanPicture picture(family(), address());
    for (const CanFrame& frame : frames()) EXPECT_EQ(picture.take(frame, start), Taken::taken) << std::hex << frame.id;
    const auto got = read(picture, start + 1s);
    ASSERT_TRUE(got) << got.error().detail;
    for (const NumberQuantity& quantity : number_quantities())
        if (const Number& value = (*got).*quantity.member) {
            ASSERT_TRUE(want.*quantity.member) << quantity.name << " is missing in rich()";
            EXPECT_NEAR(*value, *(want.*quantity.member), 0.06) << quantity.name;
        }
    for (const FlagQuantity& quantity : flag_quantities())
        if ((*got).*quantity.member && quantity.member != &Reading::balancing_active) {
            EXPECT_EQ((*got).*quantity.member, want.*quantity.member) << quantity.name;
        }
    for (const TextQuantity& quantity : text_quantities())
        if ((*got).*quantity.member) {
            EXPECT_EQ((*got).*quantity.member, want.*quantity.member) << quantity.name;
        }
    for (const CanMessage& message : family().can->messages)
        for (const bms::Row& row : message.layout.rows) EXPECT_TRUE((*got).*row.to) << name_of(row.to) << " is lost";
    EXPECT_TRUE(got->voltage_v && got->current_a && got->soc_percent);
    if (!got->cell_voltages_v.empty()) {
        ASSERT_EQ(got->cell_voltages_v.size(), want.cell_voltages_v.size());
        for (std::size_t i = 0; i < want.cell_voltages_v.size(); ++i)
            EXPECT_NEAR(*got->cell_voltages_v[i], *want.cell_voltages_v[i], 1e-6) << i;
    }
    EXPECT_FALSE(got->temperatures_c.empty());
    EXPECT_FALSE(got->alarms.any());
}

TEST_P(EveryCanFamily, TellsBothDirectionsOfTheCurrent) {
    for (const double amperes : {-12.0, 12.0})
        for (const bool inverted : {false, true}) {
            Reading state = state_for(family());
            state.current_a = amperes;
            Asking asking{.address = address()};
            asking.options.invert_current = inverted;
            std::vector<CanFrame> sent;
            // A battery whose sensor sits the other way round.
            Asking battery = asking;
            battery.options.invert_current = false;
            for (std::size_t i = 0; i < family().can->messages.size(); ++i)
                bms::add_frames(family(), i, battery, state, sent);
            CanPicture picture(family(), address());
            for (const CanFrame& frame : sent) picture.take(frame, start);
            Reading reading;
            ASSERT_TRUE(picture.read(asking, start, reading));
            EXPECT_NEAR(*reading.current_a, inverted ? -amperes : amperes, 0.051);
        }
}

// battery-logic §2: up to 110 % is 100 %, more is impossible. The dossier of Daly on CAN discards what is above 100 %.
TEST_P(EveryCanFamily, TakesAGaugeThatRunsOverForFull) {
    const auto told = [&](double percent) {
        Reading state = state_for(family());
        state.soc_percent = percent;
        CanPicture picture(family(), address());
        for (const CanFrame& frame : frames_of(family(), address(), state)) picture.take(frame, start);
        return read(picture, start);
    };
    for (const double percent : {101.0, 110.0, 111.0}) {
        const auto got = told(percent);
        if (percent > 110 || family().key == "daly_can") {
            ASSERT_FALSE(got) << percent;
            EXPECT_EQ(got.error().cls, ErrorClass::implausible);
        } else {
            ASSERT_TRUE(got) << got.error().detail;
            EXPECT_EQ(got->soc_percent, 100) << percent;
        }
    }
}

TEST_P(EveryCanFamily, PassesItsOwnFilters) {
    std::vector<CanFilter> filters;
    bms::add_filters(family(), address(), filters);
    EXPECT_LE(filters.size(), 200U);
    for (const CanFrame& frame : frames())
        EXPECT_TRUE(
            std::any_of(filters.begin(), filters.end(), [&](const CanFilter& one) { return one.matches(frame); }))
            << std::hex << frame.id;
}

TEST_P(EveryCanFamily, TheFiltersOfSeveralLetPassWhatOneOfThemListensToAndNoMore) {
    std::vector<CanFilter> filters;
    std::vector<CanPicture> pictures;
    for (std::uint32_t other = address(); other < address() + 7 && bms::check_address(family(), other); ++other) {
        bms::add_filters(family(), other, filters);
        pictures.emplace_back(family(), other);
    }
    const auto passes = [&](const CanFrame& frame) {
        return std::any_of(filters.begin(), filters.end(), [&](const CanFilter& one) { return one.matches(frame); });
    };
    const auto listened_to = [&](const CanFrame& frame) {
        return std::any_of(pictures.begin(), pictures.end(),
                           [&](const CanPicture& one) { return one.listens_to(frame); });
    };
    for (const CanPicture& picture : pictures)
        for (const CanFrame& frame : frames_of(family(), picture.address(), state_for(family())))
            for (int bit = -1; bit < (frame.extended ? 29 : 11); ++bit) {
                CanFrame near = frame;
                if (bit >= 0) near.id ^= std::uint32_t{1} << bit;
                EXPECT_EQ(passes(near), listened_to(near)) << std::hex << near.id;
            }
}

TEST(CanFilters, NeighboursShareThem) {
    const Family& jk = *bms::find_family("jkbms_can");
    std::vector<CanFilter> one, eight;
    bms::add_filters(jk, 0, one);
    for (std::uint32_t address = 0; address < 8; ++address) bms::add_filters(jk, address, eight);
    EXPECT_LE(eight.size(), 3 * one.size());
}

TEST_P(EveryCanFamily, LeavesOutOnlyWhatComesAllTheTime) {
    std::vector<CanFilter> rare;
    bms::add_filters(family(), address(), rare, bms::Frames::rare);
    for (std::size_t i = 0; i < family().can->messages.size(); ++i) {
        const CanMessage& message = family().can->messages[i];
        std::vector<CanFrame> sent;
        bms::add_frames(family(), i, asking(), state_for(family()), sent);
        for (const CanFrame& frame : sent) {
            const bool passes =
                std::any_of(rare.begin(), rare.end(), [&](const CanFilter& one) { return one.matches(frame); });
            const bool left_out = message.period.count() <= 100 && message.parts == 1 &&
                                  message.asked_by == bms::unasked && !message.cyclic && !message.sporadic;
            EXPECT_NE(passes, left_out) << message.name;
        }
    }
}

TEST_P(EveryCanFamily, RefusesShortFrames) {
    for (std::size_t i = 0; i < family().can->messages.size(); ++i) {
        const CanMessage& message = family().can->messages[i];
        std::vector<CanFrame> sent;
        bms::add_frames(family(), i, asking(), state_for(family()), sent);
        for (CanFrame frame : sent)
            for (frame.size = 0; frame.size < message.layout.size; ++frame.size) {
                CanPicture picture(family(), address());
                EXPECT_EQ(picture.take(frame, start), Taken::too_short) << message.name;
                const auto got = read(picture, start);
                ASSERT_FALSE(got);
                EXPECT_EQ(got.error().cls, ErrorClass::malformed) << got.error().detail;
            }
    }
}

TEST_P(EveryCanFamily, IgnoresFramesOfTheOtherFormat) {
    for (CanFrame frame : frames()) {
        frame.extended = !frame.extended;
        CanPicture picture(family(), address());
        EXPECT_EQ(picture.take(frame, start), Taken::foreign);
        const auto got = read(picture, start);
        ASSERT_FALSE(got);
        EXPECT_EQ(got.error().cls, ErrorClass::unexpected);
    }
}

TEST_P(EveryCanFamily, IgnoresEveryOtherAddress) {
    if (!family().addresses.used) GTEST_SKIP() << "one battery per bus";
    for (std::uint32_t other = family().addresses.first; other <= family().addresses.last; ++other) {
        CanPicture picture(family(), other);
        std::size_t taken = 0;
        for (const CanFrame& frame : frames()) taken += picture.take(frame, start) == Taken::taken;
        EXPECT_EQ(taken > 0, other == address()) << "address " << other;
    }
}

TEST_P(EveryCanFamily, NeedsEachMandatoryFrame) {
    for (std::size_t left_out = 0; left_out < family().can->messages.size(); ++left_out) {
        if (family().can->messages[left_out].need == bms::Need::optional) continue;
        CanPicture picture(family(), address());
        for (std::size_t i = 0; i < family().can->messages.size(); ++i) {
            std::vector<CanFrame> sent;
            if (i != left_out) bms::add_frames(family(), i, asking(), state_for(family()), sent);
            for (const CanFrame& frame : sent) picture.take(frame, start);
        }
        const auto got = read(picture, start);
        ASSERT_FALSE(got) << family().can->messages[left_out].name;
        EXPECT_EQ(got.error().cls, ErrorClass::truncated) << got.error().detail;
    }
}

TEST_P(EveryCanFamily, TellsNothingOfABatteryThatIsSilent) {
    CanPicture picture(family(), address());
    for (const CanFrame& frame : frames()) picture.take(frame, start);
    ASSERT_TRUE(read(picture, start));
    const auto got = read(picture, start + 16s);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().cls, ErrorClass::truncated);
}

// The battery sends its frames one after the other; whoever looks in between sees the whole of the cycle before.
TEST_P(EveryCanFamily, NeverMixesTwoCycles) {
    const auto cyclic = [&](const CanFrame& frame) {
        CanPicture alone(family(), address());
        alone.take(frame, start);
        return std::any_of(family().can->messages.begin(), family().can->messages.end(), [&](const CanMessage& one) {
            for (std::size_t part = 0; part < one.parts; ++part)
                if (one.cyclic && one.extended == frame.extended && id_of(family(), one, address(), part) == frame.id)
                    return true;
            return false;
        });
    };
    const auto cycle_of = [&](double change) {
        Reading state = state_for(family());
        for (Number& cell : state.cell_voltages_v) *cell += change / 100;
        *state.soc_percent += change;
        *state.voltage_v += change / 100 * static_cast<double>(state.cell_voltages_v.size());
        *state.soh_percent -= change;
        *state.max_charge_current_a += change;
        std::vector<CanFrame> kept;
        for (const CanFrame& frame : frames_of(family(), address(), state))
            if (cyclic(frame)) kept.push_back(frame);
        return kept;
    };
    if (cycle_of(0).size() < 2) GTEST_SKIP() << "its frames come each at its own pace, or are asked for";
    CanPicture picture(family(), address());
    for (const CanFrame& frame : frames()) picture.take(frame, start);
    const auto before = read(picture, start);
    ASSERT_TRUE(before);
    const auto second = cycle_of(1);
    for (std::size_t i = 0; i < second.size(); ++i) {
        picture.take(second[i], start + 1s);
        const auto got = read(picture, start + 1s);
        ASSERT_TRUE(got) << got.error().detail;
        EXPECT_EQ(*got == *before, i + 1 < second.size()) << "after frame " << i + 1;
    }
}

TEST_P(EveryCanFamily, RaisesEachAlarmOfItsTables) {
    for (const CanMessage& message : family().can->messages)
        for (const bms::AlarmBit& row : message.layout.alarms) {
            std::vector<CanFrame> sent = frames();
            for (CanFrame& frame : sent)
                if (frame.extended == message.extended && frame.id == id_of(family(), message, address(), 0))
                    frame.data[row.at + row.bit / 8] |= static_cast<std::uint8_t>(1U << (row.bit % 8));
            CanPicture picture(family(), address());
            for (const CanFrame& frame : sent) picture.take(frame, start);
            const auto got = read(picture, start);
            ASSERT_TRUE(got) << got.error().detail;
            EXPECT_EQ(got->alarms[row.alarm], row.level) << to_string(row.alarm);
        }
}

TEST_P(EveryCanFamily, GivesBackEveryAlarmItCanTell) {
    CanPicture calm(family(), address());
    for (const CanFrame& frame : frames()) calm.take(frame, start);
    const auto known = read(calm, start);
    ASSERT_TRUE(known);
    std::size_t told = 0;
    for (std::size_t i = 0; i < alarm_count; ++i) {
        const auto alarm = static_cast<Alarm>(i);
        if (!known->alarms[alarm]) continue;
        Reading state = state_for(family());
        state.alarms.raise(alarm, Level::alarm);
        CanPicture picture(family(), address());
        for (const CanFrame& frame : frames_of(family(), address(), state)) picture.take(frame, start);
        const auto got = read(picture, start);
        ASSERT_TRUE(got);
        told += got->alarms[alarm] == Level::alarm;
    }
    EXPECT_GE(told, 5U);
}

TEST_P(EveryCanFamily, SurvivesAnyFrames) {
    std::mt19937 random(20260102);
    const auto known = frames();
    for (int round = 0; round < 300; ++round) {
        CanPicture picture(family(), address());
        auto now = start;
        for (int i = 0; i < 60; ++i) {
            CanFrame frame = known[random() % known.size()];
            if (random() % 2 == 0) frame.data[random() % 8] = static_cast<std::uint8_t>(random());
            if (random() % 4 == 0) frame.id ^= 1U << (random() % 29);
            if (random() % 4 == 0) frame.size = static_cast<std::uint8_t>(random() % 9);
            now += std::chrono::milliseconds(random() % 300);
            picture.take(frame, now);
            if (const auto got = read(picture, now)) {
                EXPECT_LE(got->cell_voltages_v.size(), max_cells);
            }
        }
    }
}

// Detection: a complete recording must not make another family believe that the battery is its own.
TEST_P(EveryCanFamily, IsClaimedByNoOtherFamily) {
    std::size_t claimed = 0;
    for (const std::string& path : vector_files(family())) {
        const auto file = app::read_vector_file(path);
        if (!file) continue;
        for (const Family* other : bms::on_can(bms::catalog())) {
            auto addresses = file->addresses;
            addresses.push_back(other->addresses.standard);
            for (const std::uint32_t at : addresses) {
                if (!bms::check_address(*other, at)) continue;
                CanPicture picture(*other, at);
                for (const CanFrame& frame : file->frames) picture.take(frame, start);
                Reading reading;
                if (!picture.read({.address = at}, start, reading)) continue;
                const auto certainty = other->can->certainty
                                           ? other->can->certainty(bms::CanView(picture, start), reading)
                                           : Certainty::certain;
                if (other == &family())
                    ++claimed;
                else
                    EXPECT_EQ(certainty, Certainty::none) << path << " is claimed by " << other->key;
            }
        }
    }
    EXPECT_GE(claimed, 1U) << "no recording is complete";
}

INSTANTIATE_TEST_SUITE_P(Catalog, EveryCanFamily, testing::ValuesIn(bms::on_can(bms::catalog())),
                         [](const auto& test) { return std::string(test.param->key); });

}  // namespace
}  // namespace bmsd::tests
