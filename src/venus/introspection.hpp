// What the objects of a BusItem tree say about themselves (org.freedesktop.DBus.Introspectable).
#pragma once

#include <span>
#include <string>

namespace bmsd::venus {

struct Item;

inline constexpr const char* introspectable = "org.freedesktop.DBus.Introspectable";

/// XML of a leaf.
[[nodiscard]] std::string introspect_leaf();
/// XML of the node above `below` (sorted by path), whose relative paths begin at character `skipped`;
/// the node is the root if that is 1.
[[nodiscard]] std::string introspect_node(std::span<const Item> below, std::size_t skipped);

}  // namespace bmsd::venus
