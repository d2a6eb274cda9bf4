#include "venus/introspection.hpp"

#include <string_view>

#include "venus/tree.hpp"

namespace bmsd::venus {
namespace {

constexpr std::string_view head = R"(<!DOCTYPE node PUBLIC "-//freedesktop//DTD D-BUS Object Introspection 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd">
<node>
 <interface name="org.freedesktop.DBus.Peer">
  <method name="Ping"/>
  <method name="GetMachineId"><arg type="s" direction="out"/></method>
 </interface>
 <interface name="org.freedesktop.DBus.Introspectable">
  <method name="Introspect"><arg type="s" direction="out"/></method>
 </interface>
 <interface name="com.victronenergy.BusItem">
  <method name="GetValue"><arg type="v" direction="out"/></method>
)";
constexpr std::string_view leaf = R"(  <method name="GetText"><arg type="s" direction="out"/></method>
  <method name="SetValue"><arg type="v" direction="in"/><arg type="i" direction="out"/></method>
 </interface>
</node>
)";
constexpr std::string_view node = R"(  <method name="GetText"><arg type="v" direction="out"/></method>
)";
constexpr std::string_view root = R"(  <method name="GetItems"><arg type="a{sa{sv}}" direction="out"/></method>
  <signal name="ItemsChanged"><arg type="a{sa{sv}}"/></signal>
)";

}  // namespace

std::string introspect_leaf() {
    return std::string{head}.append(leaf);
}

std::string introspect_node(std::span<const Item> below, std::size_t skipped) {
    std::string xml = std::string{head}.append(node);
    if (skipped == 1) xml += root;
    xml += " </interface>\n";
    std::string_view last;
    for (const Item& item : below) {
        const std::string_view relative = std::string_view{item.path}.substr(skipped);
        const std::string_view child = relative.substr(0, relative.find('/'));
        if (child == last) continue;
        xml.append(" <node name=\"").append(child).append("\"/>\n");
        last = child;
    }
    return xml += "</node>\n";
}

}  // namespace bmsd::venus
