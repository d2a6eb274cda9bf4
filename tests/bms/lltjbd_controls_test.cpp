// What a person may change in a JBD BMS: the bytes of the recordings, and that it always leaves factory mode.
#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "lltjbd_frames.hpp"

namespace bmsd::tests {
namespace {

using namespace jbd;
using bms::Asking;
using bms::Control;
using bms::Request;

/// What a battery answers to these bytes; empty: silence.
using Bms = std::function<ByteList(const ByteList& asked)>;

struct Carried {
    bool done = true;
    std::vector<ByteList> sent;
};

/// Sends the steps as the contract of Control says: in order until one fails, then `finally` in any case.
Carried carry_out(const Control& one, const Reading& known, double value, const Bms& bms) {
    Carried result;
    ByteList before;
    Reading reading = known;
    const auto send = [&](const Request& step) {
        const Asking asking{.known = &reading, .value = value, .answered = before};
        const ByteList bytes = built(step, asking);
        if (bytes.empty()) return false;
        result.sent.push_back(bytes);
        const ByteList answer = bms(bytes);
        const auto heard = hear(family(), step, asking, answer);
        before = bytes[1] == 0xA5 && answer.size() > 7 ? ByteList(answer.begin() + 4, answer.end() - 3) : ByteList{};
        if (heard) reading = *heard;
        return heard.has_value();
    };
    for (const Request& step : one.steps)
        if (!send(step)) {
            result.done = false;
            break;
        }
    for (const Request& step : one.finally) result.done = send(step) && result.done;
    return result;
}

/// Acknowledges every write and holds a word of switches.
struct Friendly {
    unsigned switches = 0x0006;
    bool stubborn = false;  ///< acknowledges, but changes nothing
    ByteList operator()(const ByteList& asked) {
        if (asked[1] == 0xA5)
            return frame(asked[2], {static_cast<std::uint8_t>(switches >> 8), static_cast<std::uint8_t>(switches)});
        if (asked[2] == 0x2D && !stubborn) switches = unsigned{asked[4]} << 8 | asked[5];
        return frame(asked[2], {});
    }
};

const ByteList enter = hex("DD 5A 00 02 56 78 FF 30 77");
const ByteList leave = hex("DD 5A 01 02 00 00 FF FD 77");
const ByteList save = hex("DD 5A 01 02 28 28 FF AD 77");
const ByteList read_switches = hex("DD A5 2D 00 FF D3 77");

Reading fets(bool charge, bool discharge, bool lock) {
    Reading known;
    known.charge_fet = charge;
    known.discharge_fet = discharge;
    known.fet_software_lock = lock;
    return known;
}

TEST(LltJbdControls, SwitchTheFetsAsRecorded) {
    const auto sent = [](std::string_view name, const Reading& known, double value) {
        const Carried carried = carry_out(control(name), known, value, Friendly{});
        EXPECT_TRUE(carried.done);
        EXPECT_EQ(carried.sent.size(), 2U);
        EXPECT_EQ(carried.sent.back(), leave) << "as the app does";
        return carried.sent.front();
    };
    const ByteList both_on = hex("DD 5A E1 02 00 00 FF 1D 77");
    const ByteList charge_off = hex("DD 5A E1 02 00 01 FF 1C 77");
    const ByteList discharge_off = hex("DD 5A E1 02 00 02 FF 1B 77");
    const ByteList both_off = hex("DD 5A E1 02 00 03 FF 1A 77");
    EXPECT_EQ(sent("charge", fets(true, true, false), 0), charge_off);
    EXPECT_EQ(sent("charge", fets(false, true, true), 1), both_on);
    EXPECT_EQ(sent("discharge", fets(true, true, false), 0), discharge_off);
    EXPECT_EQ(sent("discharge", fets(true, false, true), 1), both_on);
    // The other one stays as software left it ...
    EXPECT_EQ(sent("discharge", fets(false, true, true), 0), both_off);
    EXPECT_EQ(sent("charge", fets(false, false, true), 1), discharge_off);
    // ... but a FET that a protection opened must come back by itself.
    EXPECT_EQ(sent("discharge", fets(false, true, false), 0), discharge_off);
}

TEST(LltJbdControls, SendNothingWhileTheFetsAreUnknown) {
    for (const std::string_view name : {"charge", "discharge"}) {
        EXPECT_NE(control(name).forbids({}, 1), "");
        EXPECT_TRUE(built(control(name).steps[0], {.known = nullptr, .value = 0}).empty());
        EXPECT_EQ(control(name).forbids(fets(true, true, false), 0), "");
        Reading unclear = fets(false, false, true);
        EXPECT_EQ(control(name).forbids(unclear, 1), "");
        unclear.alarms.raise(Alarm::high_cell_voltage, Level::alarm);
        EXPECT_NE(control(name).forbids(unclear, 1), "") << "who switched which one off?";
    }
}

TEST(LltJbdControls, ShowTheEffectOfAFet) {
    EXPECT_EQ(control("charge").shows(fets(false, true, true), 0), true);
    EXPECT_EQ(control("charge").shows(fets(true, true, false), 0), false);
    EXPECT_EQ(control("discharge").shows(fets(true, false, true), 1), false);
    EXPECT_EQ(control("discharge").shows({}, 1), std::nullopt);
    Reading held = fets(true, false, false);
    held.alarms.raise(Alarm::low_cell_voltage, Level::alarm);
    EXPECT_EQ(control("discharge").shows(held, 1), std::nullopt) << "a protection still acts";
}

TEST(LltJbdControls, ChangeTheBalancerBitAlone) {
    for (const unsigned others : {0x0002U, 0x13FAU}) {
        Friendly bms{.switches = others | 0x0004};
        const Carried off = carry_out(control("balance"), {}, 0, std::ref(bms));
        EXPECT_TRUE(off.done);
        EXPECT_EQ(bms.switches, others);
        EXPECT_TRUE(carry_out(control("balance"), {}, 1, std::ref(bms)).done);
        EXPECT_EQ(bms.switches, others | 0x0004);
    }
    Friendly bms;
    EXPECT_EQ(
        carry_out(control("balance"), {}, 0, std::ref(bms)).sent,
        (std::vector<ByteList>{enter, read_switches, hex("DD 5A 2D 02 00 02 FF CF 77"), read_switches, save, leave}));
}

// §10: the reference took an empty acknowledgement for a failure, never left factory mode and never saved.
TEST(LltJbdControls, TakeAnEmptyAcknowledgementForSuccess) {
    EXPECT_TRUE(hear(family(), control("balance").steps[0], {}, hex("DD 00 00 00 00 00 77")));
    EXPECT_FALSE(hear(family(), control("balance").steps[0], {}, hex("DD 00 83 00 FF 7D 77")));
}

TEST(LltJbdControls, LeaveFactoryModeWhateverFails) {
    for (const std::string_view name : {"balance", "soc"}) {
        const Control& one = control(name);
        Reading known;
        known.capacity_ah = 280;
        for (std::size_t failing = 0; failing < one.steps.size(); ++failing)
            for (const bool silent : {true, false}) {
                Friendly bms;
                std::size_t step = 0;
                const Carried carried = carry_out(one, known, 0, [&](const ByteList& asked) {
                    if (step++ != failing) return bms(asked);
                    return silent ? ByteList{} : frame(asked[2], {}, 0x80);
                });
                EXPECT_FALSE(carried.done);
                EXPECT_EQ(carried.sent.size(), failing + 2) << "nothing more is tried";
                EXPECT_EQ(carried.sent.back(), leave) << name << " failing at step " << failing;
            }
    }
}

TEST(LltJbdControls, DoNotSaveWhatTheBmsDidNotTake) {
    Friendly bms{.stubborn = true};
    const Carried carried = carry_out(control("balance"), {}, 0, std::ref(bms));
    EXPECT_FALSE(carried.done);
    EXPECT_EQ(std::count(carried.sent.begin(), carried.sent.end(), save), 0);
    EXPECT_EQ(carried.sent.back(), leave);
}

// §10: the reference would have written the cell voltage of a full battery (register 12).
TEST(LltJbdControls, SetTheStateOfChargeByTheRemainingCapacity) {
    Reading known;
    known.capacity_ah = 280;
    const Carried carried = carry_out(control("soc"), known, 50, Friendly{});
    EXPECT_TRUE(carried.done);
    EXPECT_EQ(carried.sent,  // 14000 = 36B0 in 10 mAh
              (std::vector<ByteList>{enter, hex("DD 5A E0 02 36 B0 FE 38 77"), leave}));
    const Control& soc = control("soc");
    EXPECT_EQ(soc.forbids(known, 100), "");
    EXPECT_NE(soc.forbids(known, 100.5), "");
    EXPECT_NE(soc.forbids(known, -1), "");
    EXPECT_NE(soc.forbids({}, 50), "");
    known.capacity_ah = 700;
    EXPECT_NE(soc.forbids(known, 100), "") << "more than the register holds";
    EXPECT_TRUE(built(soc.steps[1], {.known = &known, .value = 100}).empty());
    Reading after;
    after.soc_percent = 51;
    EXPECT_EQ(soc.shows(after, 50), true);
    EXPECT_EQ(soc.shows(after, 80), false);
}

TEST(LltJbdControls, ClearAlarms) {
    const Control& clear = control("clear-alarms");
    EXPECT_EQ(carry_out(clear, {}, 0, Friendly{}).sent, (std::vector<ByteList>{hex("DD 5A 0A 02 04 00 FF F0 77")}));
    Reading alarmed;
    EXPECT_NE(clear.forbids(alarmed, 0), "");
    alarmed.alarms.raise(Alarm::internal_failure, Level::alarm);
    EXPECT_EQ(clear.forbids(alarmed, 0), "");
    EXPECT_EQ(clear.shows(alarmed, 0), false);
    EXPECT_EQ(clear.shows({}, 0), true);
}

TEST(LltJbdControls, OfferUntestedOnesAsSuch) {
    for (const Control& one : family().controls)
        EXPECT_EQ(one.untested, one.name != "charge" && one.name != "discharge") << one.name;
}

TEST(LltJbdControls, NeverWriteCalibrationNorPasswords) {
    constexpr std::uint8_t allowed[] = {0x00, 0x01, 0x0A, 0x2D, 0xE0, 0xE1};
    Reading known;
    known.capacity_ah = 280;
    known.charge_fet = known.discharge_fet = true;
    const ByteList switches = hex("00 06");
    for (const Control& one : family().controls)
        for (const auto& steps : {one.steps, one.finally})
            for (const Request& step : steps) {
                const ByteList bytes = built(step, {.known = &known, .value = 1, .answered = switches});
                ASSERT_GE(bytes.size(), 7U);
                const bool known_register =
                    std::find(std::begin(allowed), std::end(allowed), bytes[2]) != std::end(allowed);
                EXPECT_TRUE(known_register) << one.name << ", " << step.name;
            }
}

}  // namespace
}  // namespace bmsd::tests
