// What another device's signals say of the value that is followed.
#include "venus/remote_items.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "support/private_bus.hpp"
#include "venus/client.hpp"

namespace bmsd::venus {
namespace {

constexpr const char* device = "com.victronenergy.battery.ttyS9";
constexpr const char *current = "/Dc/0/Current", *soc = "/Soc";

class RemoteItemsOnBus : public testing::Test {
protected:
    using Content = std::function<void(sd_bus_message*)>;

    RemoteItemsOnBus() {
        EXPECT_TRUE(bus.open(daemon.address()));
        int code = 0;
        EXPECT_GE(bus.request_name(device, [&](int got) { code = got; }), 0);
        EXPECT_TRUE(client.wait([&] { return code == 1; }));
        items.emplace(io.get_executor(), daemon.address(), std::vector<RemoteItem>{{device, current}, {device, soc}},
                      [this](Severity, const std::string&) { ++answered; });
        // It has no objects: from here on only its signals are heard.
        EXPECT_TRUE(client.wait([&] { return answered == 2; }));
    }

    void signal(const char* path, const char* member, const Content& content) {
        sd_bus_message* made = nullptr;
        ASSERT_GE(sd_bus_message_new_signal(bus.raw(), &made, path, test::bus_item, member), 0);
        const Message message{made};
        content(made);
        ASSERT_GE(bus.send(message), 0);
    }
    /// PropertiesChanged with these entries.
    void properties(const Content& entries, const char* path = current) {
        signal(path, "PropertiesChanged", [&](sd_bus_message* message) {
            sd_bus_message_open_container(message, 'a', "{sv}");
            entries(message);
            sd_bus_message_close_container(message);
        });
    }
    void says(double number) {
        properties([&](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "d", number); });
    }
    bool believed(Number number) {
        return client.wait([&] { return items->number(0) == number; });
    }

    test::PrivateBus daemon;
    boost::asio::io_context io;
    Bus bus{io.get_executor(), [](const std::string&) {}};
    test::Client client{io, daemon.address()};
    int answered = 0;
    std::optional<RemoteItems> items;
};

TEST_F(RemoteItemsOnBus, WhatIsNoNumberEndsWhatWasSaidBefore) {
    const Content contents[] = {
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "d", std::nan("")); },
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "d", HUGE_VAL); },
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "au", 0); },
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "ai", 0); },
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "(ii)", 1, 2); },
        [](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "s", "much"); },
    };
    for (const Content& content : contents) {
        says(-33);
        ASSERT_TRUE(believed(-33));
        properties(content);
        EXPECT_TRUE(believed(std::nullopt)) << &content - contents;
    }
}

TEST_F(RemoteItemsOnBus, WhatIsNoNumberAmongManyItemsDoesSoToo) {
    says(-33);
    ASSERT_TRUE(believed(-33));
    signal("/", "ItemsChanged", [](sd_bus_message* message) {
        sd_bus_message_append(message, "a{sa{sv}}", 2, soc, 1, "Value", "d", 50.0, current, 2, "Value", "d",
                              std::nan(""), "Text", "s", "---");
    });
    EXPECT_TRUE(believed(std::nullopt));
    EXPECT_EQ(items->number(1), 50.0);
}

TEST_F(RemoteItemsOnBus, ValuesOfUnknownTypesHideNothingBehindThem) {
    properties([](sd_bus_message* message) {
        sd_bus_message_append(message, "{sv}", "Place", "(is)", 1, "shed");
        sd_bus_message_append(message, "{sv}", "Limits", "a{sv}", 1, "Max", "v", "ad", 1, 9.0);
        sd_bus_message_append(message, "{sv}", "None", "au", 0);
        sd_bus_message_append(message, "{sv}", "Some", "ai", 2, 1, 2);
        sd_bus_message_append(message, "{sv}", "Path", "o", "/Dc");
        sd_bus_message_append(message, "{sv}", "Value", "d", -33.0);
    });
    EXPECT_TRUE(believed(-33));
    signal("/", "ItemsChanged", [](sd_bus_message* message) {
        sd_bus_message_append(message, "a{sa{sv}}", 2, current, 1, "Value", "ad", 1, 2.0, soc, 1, "Value", "d", 50.0);
    });
    EXPECT_TRUE(client.wait([&] { return items->number(1) == 50.0; })) << "also in the dictionary around";
}

TEST_F(RemoteItemsOnBus, ASignalWithoutAValueChangesNothing) {
    says(-33);
    ASSERT_TRUE(believed(-33));
    properties([](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Text", "s", "-33.0A"); });
    properties([](sd_bus_message* message) { sd_bus_message_append(message, "{sv}", "Value", "d", 50.0); }, soc);
    ASSERT_TRUE(client.wait([&] { return items->number(1) == 50.0; })) << "signals keep their order";
    EXPECT_EQ(items->number(0), -33.0);
}

}  // namespace
}  // namespace bmsd::venus
