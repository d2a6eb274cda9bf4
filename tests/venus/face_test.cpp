// Batteries coming and going on a real bus.
#include "venus/face.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include "support/private_bus.hpp"
#include "support/settings_service.hpp"
#include "venus/batteries.hpp"
#include "venus/client.hpp"

namespace bmsd::venus {
namespace {

namespace json = boost::json;
using test::variant;
constexpr const char* name = "com.victronenergy.battery.ttyUSB71";

class FaceOnBus : public testing::Test {
protected:
    FaceSettings settings() {
        return {.address = daemon.address(),
                .report = [this](Severity, const std::string& sentence) { reports.push_back(sentence); },
                .custom_name = [](const Identity&) { return std::string{"Shed"}; },
                .keep_custom_name =
                    [this](const Identity& identity, const std::string& wanted) {
                        kept.push_back(identity.id + "=" + wanted);
                        return wanted != "forbidden";
                    }};
    }
    bool published(const std::string& service) {
        return client->wait([&] { return !client->owner(service).empty(); });
    }
    json::value get(const std::string& path) { return client->item(name, path, "GetValue"); }
    bool reported(const std::string& part) {
        return std::any_of(reports.begin(), reports.end(),
                           [&](const std::string& report) { return report.find(part) != std::string::npos; });
    }

    test::PrivateBus daemon;
    boost::asio::io_context io;
    std::vector<std::string> reports, kept;
    Battery battery = test::jk_discharging();
    Face face{io.get_executor(), settings()};
    std::unique_ptr<test::Client> client = std::make_unique<test::Client>(io, daemon.address());
};

TEST_F(FaceOnBus, NameComesWithEveryValueInPlace) {
    int looks = 0;
    client->on_owner = [&](const std::string& changed, const std::string& owner) {
        if (changed == name && !owner.empty()) ++looks;
    };
    face.appeared(battery);
    ASSERT_TRUE(client->wait([&] { return looks == 1; }));
    const json::value items = client->item(name, "/", "GetItems");
    EXPECT_EQ(items.at("/Soc").at("Value"), variant("d", 57.0));
    EXPECT_EQ(items.at("/Dc/0/Voltage").at("Value"), variant("d", 52.81));
    EXPECT_EQ(items.at("/DeviceInstance").at("Value"), variant("i", 1));
    EXPECT_EQ(items.at("/Info/MaxChargeVoltage").at("Value"), variant("d", 55.2));
    EXPECT_EQ(items.at("/State").at("Value"), variant("i", 9));
    EXPECT_TRUE(client->changes.empty()) << "what a scan shows is not told again";
    EXPECT_TRUE(reported(name));
}

TEST_F(FaceOnBus, OneSignalPerUpdateAndNoneForNoChange) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    face.updated(battery);
    client->settle(name);
    EXPECT_TRUE(client->changes.empty());

    battery.summary.voltage_v = 53.0;
    battery.summary.power_w = -654.02;
    battery.reading.cell_voltages_v[0] = 3.302;
    face.updated(battery);
    client->settle(name);
    ASSERT_EQ(client->changes.size(), 1u);
    const json::value want{{"/Dc/0/Voltage", {{"Value", variant("d", 53.0)}, {"Text", variant("s", "53.00V")}}},
                           {"/Dc/0/Power", {{"Value", variant("d", -654.02)}, {"Text", variant("s", "-654W")}}},
                           {"/Voltages/Cell1", {{"Value", variant("d", 3.302)}, {"Text", variant("s", "3.302V")}}}};
    EXPECT_EQ(json::value(client->changes[0]), want);
}

TEST_F(FaceOnBus, AmountsOfTheHistoryAreRounded) {
    battery.reading.cycles.reset();
    const auto set_all = [this](double amount) {
        for (Number History::*member :
             {&History::deepest_discharge_ah, &History::last_discharge_ah, &History::average_discharge_ah,
              &History::total_drawn_ah, &History::charge_cycles, &History::minimum_voltage_v,
              &History::maximum_voltage_v, &History::minimum_cell_v, &History::maximum_cell_v,
              &History::minimum_temperature_c, &History::maximum_temperature_c, &History::discharged_kwh,
              &History::charged_kwh})
            battery.history.*member = amount;
    };
    set_all(120.61000000000001);
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    const auto items = client->item(name, "/", "GetItems").as_object();
    int amounts = 0;
    for (const auto& [path, item] : items) {
        if (!path.starts_with("/History/") || item.at("Value").at("type") != "d") continue;
        EXPECT_EQ(std::abs(item.at("Value").at("value").as_double()), 120.61) << path;
        ++amounts;
    }
    EXPECT_EQ(amounts, 13);
    set_all(120.6102);
    face.updated(battery);
    client->settle(name);
    EXPECT_TRUE(client->changes.empty()) << "what nobody can see is not told";
    battery.history.last_discharge_ah = 0;
    face.updated(battery);
    EXPECT_EQ(client->item(name, "/History/LastDischarge", "GetText"), json::value("0.0")) << "not -0.0";
}

TEST_F(FaceOnBus, SilentBatteryKeepsItsNameButNotItsLiveValues) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    test::fall_silent(battery);
    face.updated(battery);
    for (const char* path : {"/Dc/0/Voltage", "/Dc/0/Current", "/Dc/0/Power"})
        EXPECT_EQ(get(path), variant("ai", nullptr)) << path;
    EXPECT_EQ(get("/System/NrOfModulesOnline"), variant("i", 0));
    EXPECT_EQ(get("/System/NrOfModulesOffline"), variant("i", 1));
    EXPECT_EQ(get("/Soc"), variant("d", 57.0));
    EXPECT_EQ(get("/ConnectionInformation"),
              variant("s", "Lost for: 21s | Disconnect in: 29m 39s | Threshold: 30m | no answer"));
}

TEST_F(FaceOnBus, SensorsThatFellSilentAreNamed) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    battery.summary.lost_inputs = "Temp 1";
    face.updated(battery);
    EXPECT_EQ(get("/ConnectionInformation"), variant("s", "Connected | No value from: Temp 1"));
}

TEST_F(FaceOnBus, RemovedBatteryLeavesTheBus) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    face.removed(battery);
    EXPECT_TRUE(client->wait([&] { return client->owner(name).empty(); }));
    face.updated(battery);  // nobody is left to tell
    EXPECT_TRUE(face.services().empty());
}

TEST_F(FaceOnBus, CustomNameIsKeptAndTheRestIsReadOnly) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    EXPECT_EQ(get("/CustomName"), variant("s", "Shed"));
    EXPECT_EQ(client->set(name, "/CustomName", "s", "Garage"), json::value(0));
    EXPECT_EQ(kept, std::vector<std::string>{"4061234567=Garage"});
    face.updated(battery);
    EXPECT_EQ(get("/CustomName"), variant("s", "Garage")) << "an update must not bring the old name back";
    EXPECT_EQ(client->set(name, "/CustomName", "s", "forbidden"), json::value(2));
    EXPECT_EQ(client->set(name, "/CustomName", "s", std::string(300, 'x').c_str()), json::value(2));
    EXPECT_EQ(client->set(name, "/CustomName", "s", ""), json::value(0));
    const json::value items = client->item(name, "/", "GetItems");
    for (const auto& [path, item] : items.as_object()) {
        if (path == "/CustomName") continue;
        EXPECT_EQ(client->set(name, std::string{path}, "i", 1), json::value(1)) << path;
    }
}

TEST_F(FaceOnBus, EveryBatteryHasItsOwnConnectionAndInstance) {
    Battery second = test::jk_discharging();
    second.identity.id = "4061234568";
    second.identity.address = 2;
    second.identity.address_text = "0x02";
    second.summary.soc_percent = 61;
    face.appeared(battery);
    face.appeared(second);
    const std::string second_name = std::string{name} + "__0x02";
    ASSERT_TRUE(published(name));
    ASSERT_TRUE(published(second_name));
    EXPECT_NE(client->owner(name), client->owner(second_name));
    EXPECT_EQ(client->item(second_name, "/Soc", "GetValue"), variant("d", 61.0));
    EXPECT_EQ(get("/DeviceInstance"), variant("i", 1));
    EXPECT_EQ(client->item(second_name, "/DeviceInstance", "GetValue"), variant("i", 2));

    face.removed(battery);
    ASSERT_TRUE(client->wait([&] { return client->owner(name).empty(); }));
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    EXPECT_EQ(get("/DeviceInstance"), variant("i", 1)) << "a battery that comes back keeps its instance";
}

TEST_F(FaceOnBus, TakenNameIsReportedAndClaimedWhenItIsFree) {
    Bus other{io.get_executor(), [](const std::string&) {}};
    ASSERT_TRUE(other.open(daemon.address()));
    int code = 0;
    ASSERT_GE(other.request_name(name, [&](int got) { code = got; }), 0);
    ASSERT_TRUE(client->wait([&] { return code == 1; }));
    const std::string other_owner = client->owner(name);

    face.appeared(battery);
    ASSERT_TRUE(client->wait([&] { return reported("is taken by process " + std::to_string(getpid())); }));
    EXPECT_TRUE(reported(battery.identity.id));
    battery.summary.soc_percent = 55;
    face.updated(battery);
    client->settle(client->owner("org.freedesktop.DBus"));
    EXPECT_TRUE(client->changes.empty()) << "changes of a service that is not on the bus";
    other.close();
    ASSERT_TRUE(client->wait([&] { return face.services()[0]->published(); }));
    EXPECT_NE(client->owner(name), other_owner);
}

TEST_F(FaceOnBus, BusThatDiesAndReturnsFindsTheBatteryAgain) {
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    client.reset();
    daemon.die();
    io.restart();
    while (!reported("has left D-Bus")) ASSERT_GT(io.run_one_for(std::chrono::seconds{20}), 0u);
    battery.summary.soc_percent = 55;
    face.updated(battery);
    daemon.start();
    client = std::make_unique<test::Client>(io, daemon.address());
    ASSERT_TRUE(published(name));
    EXPECT_EQ(get("/Soc"), variant("d", 55.0));
}

TEST_F(FaceOnBus, BusThatIsNotThereYetIsFoundLater) {
    client.reset();
    daemon.stop();
    face.appeared(battery);
    EXPECT_TRUE(reported("cannot connect to D-Bus at " + daemon.address()));
    daemon.start();
    client = std::make_unique<test::Client>(io, daemon.address());
    EXPECT_TRUE(published(name));
}

TEST_F(FaceOnBus, CellsThatAreToldLaterAreShownToWhoeverLooksAgain) {
    const Reading whole = battery.reading;
    battery.reading.cell_voltages_v.clear();
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    EXPECT_FALSE(client->item(name, "/", "GetItems").as_object().contains("/Voltages/Cell1"));
    int announced = 0;
    client->on_owner = [&](const std::string& changed, const std::string& owner) {
        if (changed == name && !owner.empty()) ++announced;
    };
    battery.reading = whole;
    face.updated(battery);
    ASSERT_TRUE(client->wait([&] { return announced == 1; }));
    EXPECT_EQ(get("/Voltages/Cell16"), variant("d", *whole.cell_voltages_v[15]));
    EXPECT_TRUE(client->changes.empty()) << "what a scan shows is not told again";
    battery.reading.cell_voltages_v[15] = 3.333;
    face.updated(battery);
    client->settle(name);
    ASSERT_EQ(client->changes.size(), 1u);
    EXPECT_EQ(get("/Voltages/Cell16"), variant("d", 3.333));
    battery.reading.cell_voltages_v.clear();
    face.updated(battery);
    battery.reading = whole;
    face.updated(battery);
    client->settle(name);
    EXPECT_EQ(announced, 1) << "paths that are there stay";
    EXPECT_EQ(get("/Voltages/Cell16"), variant("d", *whole.cell_voltages_v[15]));
}

TEST_F(FaceOnBus, JsonDataIsOfTheValuesBesideIt) {
    FaceSettings with = settings();
    with.json = true;
    Face face{io.get_executor(), with};
    face.appeared(battery);
    ASSERT_TRUE(published(name));
    const auto soc = [&] {
        return json::parse(get("/JsonData").at("value").as_string()).at("Soc").to_number<double>();
    };
    EXPECT_EQ(soc(), 57);
    battery.summary.soc_percent = 58;
    face.updated(battery);
    EXPECT_EQ(soc(), 58);
}

TEST_F(FaceOnBus, BatteryThatIsShownIsSeenAgainAndAgain) {
    test::SettingsService service{daemon.address()};
    Settings stored{io.get_executor(), daemon.address(), [](Severity, const std::string&) {}};
    bool ready = false;
    stored.load(std::chrono::seconds{20}, true, [&] { ready = true; });
    ASSERT_TRUE(client->wait([&] { return ready; }));
    std::vector<std::int64_t> told;
    FaceSettings with = settings();
    with.settings = &stored;
    with.keep_last_seen = [&](const Identity& identity, std::int64_t unix_s) {
        EXPECT_EQ(identity.id, battery.identity.id);
        told.push_back(unix_s);
    };
    with.between_sightings = std::chrono::milliseconds{300};
    Face face{io.get_executor(), with};
    face.appeared(battery);
    ASSERT_TRUE(client->wait([&] { return !told.empty() && told.back() >= told.front() + 1; })) << "the next second";
    const std::string path = "/Settings/Devices/serialbattery_" + battery.identity.id + "/LastSeen";
    EXPECT_TRUE(client->wait([&] { return std::stoll(service.text(path)) >= told.front() + 1; }));
}

TEST_F(FaceOnBus, BatteryMayGoBeforeItsNameIsOurs) {
    face.appeared(battery);
    face.removed(battery);
    io.restart();
    io.run_for(std::chrono::milliseconds{200});
    EXPECT_EQ(client->owner(name), "");
}

}  // namespace
}  // namespace bmsd::venus
