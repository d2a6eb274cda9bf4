// The BusItem convention as seen by a client on a real bus: D-Bus chapter 1.2 to 1.5.
#include "venus/tree.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "support/private_bus.hpp"
#include "venus/client.hpp"

namespace bmsd::venus {
namespace {

namespace json = boost::json;
using test::variant;
constexpr const char* service = "com.victronenergy.battery.test";
constexpr Format volts{Format::Style::fixed, 2, 2, "V"};

json::value item(const char* type, const json::value& value, const char* text) {
    return {{"Value", variant(type, value)}, {"Text", variant("s", text)}};
}
json::value error(const char* name) {
    return {{"error", std::string{"org.freedesktop.DBus.Error."} + name}};
}

class TreeOnBus : public testing::Test {
protected:
    TreeOnBus() {
        tree.set(tree.index_of("/Dc/0/Voltage"), 52.808);
        tree.set(tree.index_of("/Dc/0/Current"), -12.34);
        tree.set(tree.index_of("/ProductId"), 0xBA77);
        tree.set(tree.index_of("/CustomName"), std::string_view{""});
        tree.set(tree.index_of("/Settings/Level"), 50);
        tree.set(tree.index_of("/Settings/Volts"), 3.45);
        tree.settle();
        EXPECT_TRUE(bus.open(daemon.address()));
        EXPECT_GE(tree.attach(bus), 0);
        int code = 0;
        EXPECT_GE(bus.request_name(service, [&](int got) { code = got; }), 0);
        EXPECT_TRUE(client.wait([&] { return code != 0; }));
        EXPECT_EQ(code, 1);
    }

    std::vector<Item> items() {
        const auto accept = [this](const Value& value) {
            asked.push_back(value);
            return accepting;
        };
        return {{"/Soc", {}},
                {"/Dc/0/Voltage", volts},
                {"/Dc/0/Current", {Format::Style::fixed, 2, 2, "A"}},
                {"/Dc0", {}},
                {"/ProductId", {Format::Style::hex}},
                {.path = "/CustomName", .writing = Writing{Kind::text, accept}},
                {.path = "/Settings/Level", .writing = Writing{Kind::integer, accept}},
                {.path = "/Settings/Volts", .writing = Writing{Kind::real, accept}}};
    }

    json::value ask(const char* path, const char* method) { return client.item(service, path, method); }
    void set(const char* path, const ValueView& value) { tree.set(tree.index_of(path), value); }
    /// Flushes and returns what clients were told since the last time.
    std::vector<json::object> told() {
        tree.flush();
        client.settle(service);
        return std::exchange(client.changes, {});
    }

    test::PrivateBus daemon;
    boost::asio::io_context io;
    bool accepting = true;
    std::vector<Value> asked;
    std::string why_lost;
    Bus bus{io.get_executor(), [this](const std::string& why) { why_lost = why; }};
    Tree tree{items()};
    test::Client client{io, daemon.address()};
};

TEST_F(TreeOnBus, LeafAnswersValueAndText) {
    EXPECT_EQ(ask("/Dc/0/Voltage", "GetValue"), variant("d", 52.81));
    EXPECT_EQ(ask("/Dc/0/Voltage", "GetText"), json::value("52.81V"));
    EXPECT_EQ(ask("/ProductId", "GetValue"), variant("i", 47735));
    EXPECT_EQ(ask("/ProductId", "GetText"), json::value("0xBA77"));
    EXPECT_EQ(ask("/CustomName", "GetValue"), variant("s", ""));
}

TEST_F(TreeOnBus, InvalidIsAnEmptyArrayAndThreeDashes) {
    EXPECT_EQ(ask("/Soc", "GetValue"), variant("ai", nullptr));
    EXPECT_EQ(ask("/Soc", "GetText"), json::value("---"));
}

TEST_F(TreeOnBus, NodeAnswersWithRelativePaths) {
    const json::value inner{{"Voltage", variant("d", 52.81)}, {"Current", variant("d", -12.34)}};
    EXPECT_EQ(ask("/Dc/0", "GetValue"), variant("a{sv}", inner));
    const json::value outer{{"0/Voltage", variant("d", 52.81)}, {"0/Current", variant("d", -12.34)}};
    EXPECT_EQ(ask("/Dc", "GetValue"), variant("a{sv}", outer)) << "/Dc0 is a sibling, not a child";
    const json::value texts{{"Voltage", "52.81V"}, {"Current", "-12.34A"}};
    EXPECT_EQ(ask("/Dc/0", "GetText"), variant("a{ss}", texts));
}

TEST_F(TreeOnBus, RootAnswersEverything) {
    const json::value answer = ask("/", "GetValue");
    const json::object& values = answer.at("value").as_object();
    EXPECT_EQ(values.size(), 8u);
    EXPECT_EQ(values.at("Dc/0/Voltage"), variant("d", 52.81));
    EXPECT_EQ(values.at("Soc"), variant("ai", nullptr));
    const json::value texts = ask("/", "GetText");
    EXPECT_EQ(texts.at("type"), json::value("a{ss}"));
    EXPECT_EQ(texts.at("value").at("Soc"), json::value("---"));
}

TEST_F(TreeOnBus, GetItemsGivesValueAndTextByFullPath) {
    const json::value items = ask("/", "GetItems");
    EXPECT_EQ(items.as_object().size(), 8u);
    EXPECT_EQ(items.at("/Dc/0/Voltage"), item("d", 52.81, "52.81V"));
    EXPECT_EQ(items.at("/Soc"), item("ai", nullptr, "---"));
    EXPECT_EQ(items.at("/ProductId"), item("i", 47735, "0xBA77"));
}

TEST_F(TreeOnBus, ErrorsTellUnknownObjectsFromUnknownMethods) {
    for (const char* path : {"/Nope", "/Dc/1", "/Dc/0/Voltage/More", "/D"})
        for (const char* method : {"GetValue", "SetValue", "GetText"})
            EXPECT_EQ(ask(path, method), error("UnknownObject")) << path << ' ' << method;
    EXPECT_EQ(ask("/Dc/0/Voltage", "GetMin"), error("UnknownMethod"));
    EXPECT_EQ(ask("/Dc/0/Voltage", "GetItems"), error("UnknownMethod"));
    EXPECT_EQ(ask("/Dc/0", "GetItems"), error("UnknownMethod"));
    EXPECT_EQ(ask("/Dc/0", "SetValue"), error("UnknownMethod"));
    EXPECT_EQ(client.call(service, "/Soc", "org.example.Other", "GetValue"), error("UnknownMethod"));
}

TEST_F(TreeOnBus, EveryObjectAnswersPing) {
    for (const char* path : {"/", "/Dc", "/Soc"})
        EXPECT_EQ(client.call(service, path, "org.freedesktop.DBus.Peer", "Ping"), json::value("done"));
}

TEST_F(TreeOnBus, CallsWithoutInterfaceAreUnderstood) {
    EXPECT_EQ(client.call(service, "/ProductId", nullptr, "GetText"), json::value("0xBA77"));
}

TEST_F(TreeOnBus, IntrospectionShowsMethodsAndChildren) {
    const auto introspect = [&](const char* path) {
        const json::value xml = client.call(service, path, "org.freedesktop.DBus.Introspectable", "Introspect");
        return std::string{xml.as_string()};
    };
    const auto has = [](const std::string& xml, const char* what) { return xml.find(what) != std::string::npos; };
    const std::string root = introspect("/"), node = introspect("/Dc"), leaf = introspect("/Dc/0/Voltage");
    for (const char* child : {"Soc", "Dc", "Dc0", "ProductId", "CustomName", "Settings"}) {
        const std::string tag = std::string{"<node name=\""} + child + "\"/>";
        ASSERT_TRUE(has(root, tag.c_str())) << child;
        EXPECT_EQ(root.find(tag), root.rfind(tag)) << child << " is listed twice";
    }
    EXPECT_TRUE(has(root, "GetItems") && has(root, "ItemsChanged"));
    EXPECT_TRUE(has(node, "<node name=\"0\"/>"));
    EXPECT_FALSE(has(node, "GetItems") || has(node, "SetValue"));
    EXPECT_TRUE(has(leaf, "com.victronenergy.BusItem") && has(leaf, "GetValue") && has(leaf, "SetValue"));
    EXPECT_FALSE(has(leaf, "<node name") || has(leaf, "GetItems"));
}

TEST_F(TreeOnBus, OneSignalTellsExactlyWhatChanged) {
    set("/Dc/0/Voltage", 52.9);
    set("/Soc", std::int32_t{57});
    set("/Dc/0/Current", -12.34);
    const auto changes = told();
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(json::value(changes[0]),
              (json::value{{"/Dc/0/Voltage", item("d", 52.9, "52.90V")}, {"/Soc", item("i", 57, "57")}}));
    EXPECT_EQ(tree.signals(), 1u);
}

TEST_F(TreeOnBus, EveryTypeAndEveryLengthArrivesAsItIs) {
    for (int length = 1; length <= 17; ++length) {
        const std::string name(static_cast<std::size_t>(length), 'x');
        set("/CustomName", std::string_view{name});
        set("/Dc/0/Voltage", length + 0.5);
        set("/Settings/Level", std::int32_t{-length});
        const auto changes = told();
        ASSERT_EQ(changes.size(), 1u) << length;
        EXPECT_EQ(changes[0].at("/CustomName"), item("s", json::string{name}, name.c_str()));
        EXPECT_EQ(changes[0].at("/Dc/0/Voltage").at("Value"), variant("d", length + 0.5));
        EXPECT_EQ(changes[0].at("/Settings/Level").at("Value"), variant("i", -length));
    }
    const List list{std::int32_t{1}, 2.5, std::string{"three"}};
    set("/Soc", ListView{&list});
    set("/Dc0", true);
    set("/CustomName", std::string_view{""});
    set("/Dc/0/Voltage", Invalid{});
    const auto changes = told();
    ASSERT_EQ(changes.size(), 1u);
    const json::array sent{variant("i", 1), variant("d", 2.5), variant("s", "three")};
    EXPECT_EQ(changes[0].at("/Soc").at("Value"), variant("av", sent));
    EXPECT_EQ(changes[0].at("/Dc0").at("Value"), variant("b", true));
    EXPECT_EQ(changes[0].at("/CustomName"), item("s", "", ""));
    EXPECT_EQ(changes[0].at("/Dc/0/Voltage"), item("ai", nullptr, "---"));
    EXPECT_EQ(why_lost, "");
    EXPECT_EQ(told().size(), 0u);
}

TEST_F(TreeOnBus, ALargeSignalArrivesWhole) {
    for (const std::size_t length : {std::size_t{100'000}, std::size_t{1}}) {
        const std::string name(length, 'x');
        set("/CustomName", std::string_view{name});
        const auto changes = told();
        ASSERT_EQ(changes.size(), 1u) << length;
        EXPECT_EQ(json::value(changes[0]), (json::value{{"/CustomName", item("s", json::string{name}, name.c_str())}}));
    }
}

TEST_F(TreeOnBus, NothingIsToldWhenNothingChanged) {
    EXPECT_TRUE(told().empty());
    set("/Dc/0/Voltage", 52.809);  // the same when rounded
    EXPECT_TRUE(told().empty());
    set("/Dc/0/Voltage", 60.0);
    set("/Dc/0/Voltage", 52.81);  // and back before anybody was told
    EXPECT_TRUE(told().empty());
    EXPECT_EQ(tree.signals(), 0u);
}

TEST_F(TreeOnBus, WhatBecomesUnknownIsTold) {
    const json::value gone{{"/Dc/0/Voltage", item("ai", nullptr, "---")}};
    set("/Dc/0/Voltage", Invalid{});
    auto changes = told();
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(json::value(changes[0]), gone);
    set("/Dc/0/Voltage", 52.81);
    EXPECT_EQ(told().size(), 1u);
    set("/Dc/0/Voltage", std::numeric_limits<double>::quiet_NaN());
    changes = told();
    ASSERT_EQ(changes.size(), 1u);
    EXPECT_EQ(json::value(changes[0]), gone);
}

TEST_F(TreeOnBus, TextThatIsNotUtf8IsStillTold) {
    set("/CustomName", std::string_view{"Au\xDF"
                                        "en"});
    EXPECT_EQ(told().size(), 1u);
    EXPECT_EQ(ask("/CustomName", "GetValue"), variant("s", "Au?en"));
    set("/CustomName", std::string_view{"Au\xDF"
                                        "en"});
    EXPECT_TRUE(told().empty());
}

TEST_F(TreeOnBus, ReadOnlyItemsRefuseWithOne) {
    EXPECT_EQ(client.set(service, "/Dc/0/Voltage", "d", 12.0), json::value(1));
    EXPECT_EQ(client.set(service, "/Dc/0/Voltage", "d", 52.81), json::value(1)) << "even the value it has";
    EXPECT_EQ(ask("/Dc/0/Voltage", "GetValue"), variant("d", 52.81));
    EXPECT_TRUE(told().empty());
}

TEST_F(TreeOnBus, AcceptedValueIsStoredAndTold) {
    EXPECT_EQ(client.set(service, "/CustomName", "s", "Garage"), json::value(0));
    ASSERT_EQ(client.changes.size(), 1u) << "the change is told before the answer";
    EXPECT_EQ(json::value(client.changes[0]), (json::value{{"/CustomName", item("s", "Garage", "Garage")}}));
    EXPECT_EQ(ask("/CustomName", "GetValue"), variant("s", "Garage"));
    EXPECT_EQ(asked, std::vector<Value>{std::string{"Garage"}});
}

TEST_F(TreeOnBus, EqualValueIsAcceptedWithoutAskingOrTelling) {
    EXPECT_EQ(client.set(service, "/Settings/Level", "i", 50), json::value(0));
    EXPECT_TRUE(asked.empty());
    EXPECT_TRUE(told().empty());
}

TEST_F(TreeOnBus, RefusedValueGivesTwo) {
    accepting = false;
    EXPECT_EQ(client.set(service, "/Settings/Level", "i", 7), json::value(2));
    EXPECT_EQ(ask("/Settings/Level", "GetValue"), variant("i", 50));
    EXPECT_TRUE(told().empty());
}

TEST_F(TreeOnBus, EveryNumericTypeIsUnderstood) {
    int value = 50;
    const auto writes = [&](const char* type, auto number) {
        EXPECT_EQ(client.set(service, "/Settings/Level", type, number), json::value(0)) << type;
        EXPECT_EQ(ask("/Settings/Level", "GetValue"), variant("i", value)) << type;
    };
    // Small types travel as int through the variable arguments of sd-bus.
    writes("y", value = 1);
    writes("n", value = 2);
    writes("q", value = 3);
    writes("i", value = 4);
    writes("u", static_cast<unsigned>(value = 5));
    writes("x", static_cast<std::int64_t>(value = 6));
    writes("t", static_cast<std::uint64_t>(value = 7));
    writes("d", static_cast<double>(value = 8));
    writes("s", (value = 9, "9"));
    writes("b", value = 1);
    EXPECT_EQ(client.set(service, "/Settings/Volts", "i", 3), json::value(0));
    EXPECT_EQ(ask("/Settings/Volts", "GetValue"), variant("d", 3.0));
}

TEST_F(TreeOnBus, WhatCannotBeConvertedGivesOne) {
    EXPECT_EQ(client.set(service, "/Settings/Level", "s", "high"), json::value(1));
    EXPECT_EQ(client.set(service, "/Settings/Level", "x", std::int64_t{1} << 40), json::value(1));
    EXPECT_EQ(client.item(service, "/Settings/Level", "SetValue",
                          [](sd_bus_message* m) { sd_bus_message_append(m, "v", "ai", 2, 1, 2); }),
              json::value(1));
    EXPECT_EQ(client.item(service, "/Settings/Level", "SetValue",
                          [](sd_bus_message* m) { sd_bus_message_append(m, "i", 5); }),
              error("InvalidArgs"));
    EXPECT_TRUE(asked.empty());
}

TEST_F(TreeOnBus, InvalidClearsAText) {
    EXPECT_EQ(client.set(service, "/CustomName", "s", "Garage"), json::value(0));
    EXPECT_EQ(client.set(service, "/CustomName", "ai", 0), json::value(0));
    EXPECT_EQ(ask("/CustomName", "GetValue"), variant("s", ""));
}

TEST_F(TreeOnBus, IntegersOfEveryWidthAreTextsByTheirDigits) {
    const auto written = [&](const char* type, auto number) {
        EXPECT_EQ(client.set(service, "/CustomName", type, number), json::value(0)) << type;
        return ask("/CustomName", "GetValue");
    };
    EXPECT_EQ(written("i", -7), variant("s", "-7"));
    EXPECT_EQ(written("u", std::uint32_t{4294967295}), variant("s", "4294967295"));
    EXPECT_EQ(written("x", std::int64_t{1} << 40), variant("s", "1099511627776"));
    EXPECT_EQ(written("x", std::int64_t{-9007199254740993}), variant("s", "-9007199254740993")) << "no double is that";
    EXPECT_EQ(written("t", UINT64_MAX), variant("s", "18446744073709551615"));
    EXPECT_EQ(written("d", 5.5), variant("s", "5.5"));
}

TEST_F(TreeOnBus, BrokenConnectionIsReported) {
    daemon.die();
    io.restart();
    while (why_lost.empty()) ASSERT_GT(io.run_one_for(std::chrono::seconds{20}), 0u) << "nobody noticed";
    EXPECT_FALSE(bus.is_open());
    EXPECT_NE(why_lost.find(daemon.address()), std::string::npos) << why_lost;
    set("/Soc", std::int32_t{1});
    tree.flush();  // must do nothing, and survive
}

TEST_F(TreeOnBus, FrozenBusNeitherBlocksNorPilesUp) {
    daemon.freeze();
    double volt = 0;
    std::uint64_t tries = 0;
    for (; tries < 1000000 && tree.signals() == tries; ++tries) {
        set("/Dc/0/Voltage", volt += 0.01);
        tree.flush();
    }
    const auto signals = tree.signals();
    ASSERT_LT(signals, tries) << "the socket is never full";
    set("/Soc", std::int32_t{42});
    tree.flush();
    EXPECT_EQ(tree.signals(), signals) << "more messages for a bus that does not read";
    EXPECT_FALSE(bus.congested()) << "they wait in the items, not in the connection";
    daemon.thaw();
    ASSERT_TRUE(client.wait([&] {
        tree.flush();
        return tree.signals() > signals;
    }));
    const auto changes = told();
    EXPECT_EQ(tree.signals(), signals + 1);
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes.back().at("/Soc"), item("i", 42, "42"));
    EXPECT_NEAR(changes.back().at("/Dc/0/Voltage").at("Value").at("value").as_double(), volt, 1e-9);
    EXPECT_EQ(why_lost, "");
}

TEST_F(TreeOnBus, AQuietBusWakesNobody) {
    client.settle(service);
    io.restart();
    EXPECT_EQ(io.run_for(std::chrono::milliseconds{300}), 0u) << "handlers ran although nothing happened";
}

TEST(Bus, SaysWhereItCannotConnect) {
    boost::asio::io_context io;
    Bus bus{io.get_executor(), [](const std::string&) { FAIL() << "it was never open"; }};
    const auto opened = bus.open("unix:path=/nonexistent/bus");
    ASSERT_FALSE(opened);
    EXPECT_NE(opened.error().find("/nonexistent/bus"), std::string::npos) << opened.error();
    EXPECT_NE(opened.error().find("No such file"), std::string::npos) << opened.error();
    EXPECT_FALSE(bus.is_open());
}

}  // namespace
}  // namespace bmsd::venus
