// A sensor that falls silent, as the log and the faces tell it: it takes a minute, here of a clock that needs none.
#include <algorithm>

#include <gtest/gtest.h>

#include "../engine/fake_bus.hpp"
#include "../engine/witness.hpp"
#include "engine/engine.hpp"

namespace bmsd::test {
namespace {

using namespace std::chrono_literals;

Reading pack(const char* serial) {
    Reading reading;
    reading.model = "JK_PB2A16S20P";
    reading.hardware_version = "15A";
    reading.serial_number = serial;
    reading.custom_name = "";
    reading.voltage_v = 52.8;
    reading.current_a = 0;
    reading.soc_percent = 60;
    reading.capacity_ah = reading.capacity_full_ah = 280;
    reading.capacity_remaining_ah = 168;
    reading.cell_count = 16;
    for (int i = 0; i < 16; ++i) reading.cell_voltages_v.push_back(3.3);
    reading.temperatures_c = {Number{20.0}, Number{20.0}, Number{20.0}, Number{20.0}};
    reading.mosfet_temperature_c = 25;
    reading.max_charge_current_a = reading.max_discharge_current_a = 100;
    return reading;
}

class LostSensor : public testing::Test {
protected:
    void SetUp() override {
        auto link = std::make_unique<FakeBus>(io_.get_executor(), jkbms_pb());
        bus_ = link.get();
        bus_->batteries[1] = pack("4061234567890");
        engine_.add_sink(witness_);
        engine_.add_port({.name = "/dev/fake", .families = {&jkbms_pb()}, .addresses = {{1, "0x01"}}, .poll = 1s},
                         std::move(link));
        engine_.start([] {});
        run_until([&] { return witness_.updates >= 3; });
    }
    void run_until(const std::function<bool()>& done) {
        for (int i = 0; i < 100'000 && !done(); ++i) io_.run_one();
        ASSERT_TRUE(done());
    }
    long logged(std::string_view text) {
        return std::count_if(log_.begin(), log_.end(),
                             [&](const auto& line) { return line.find(text) != std::string::npos; });
    }
    const std::string& lost() { return engine_.ports()[0]->stations()[0].battery->summary.lost_inputs; }

    boost::asio::io_context io_{1};
    control::Parameters parameters_;
    std::vector<std::string> log_;
    Witness witness_;
    engine::Engine engine_{io_,   parameters_, false,
                           false, false,       [this](Severity, const std::string& text) { log_.push_back(text); }};
    FakeBus* bus_ = nullptr;
};

}  // namespace

TEST_F(LostSensor, IsNamedOnceUntilItIsBack) {
    bus_->batteries[1].mosfet_temperature_c.reset();
    run_until([&] { return logged("no value any more from: MOSFET") > 0; });
    const int updates = witness_.updates;
    run_until([&] { return witness_.updates >= updates + 20; });
    EXPECT_EQ(logged("no value any more from"), 1);
    EXPECT_EQ(lost(), "MOSFET");
    bus_->batteries[1].mosfet_temperature_c = 25;
    run_until([&] { return logged("all sensors tell their values again") > 0; });
    EXPECT_EQ(lost(), "");
}

TEST_F(LostSensor, IsNotThatOfTheBatteryInItsPlace) {
    bus_->batteries[1].mosfet_temperature_c.reset();
    run_until([&] { return lost() == "MOSFET"; });
    bus_->absent = true;
    run_until([&] { return logged("the device is gone") > 0; });
    bus_->batteries[1] = pack("4069999999999");
    bus_->absent = false;
    run_until([&] { return witness_.appeared_ids.size() == 2; });
    EXPECT_EQ(lost(), "");
}

}  // namespace bmsd::test
