// The com.victronenergy.BusItem objects of one service.
#pragma once

#include <bit>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "venus/bus.hpp"
#include "venus/items_signal.hpp"
#include "venus/value.hpp"

namespace bmsd::venus {

/// What clients may write into an item.
struct Writing {
    Kind kind = Kind::integer;
    /// Decides on a value, already of `kind`, that differs from the present one unless it is a button; false refuses
    /// it. Must not throw.
    std::function<bool(const Value&)> accept;
    bool momentary = false;  ///< a button: the item keeps its value, so that it can be written again
};

/// One leaf of the tree.
struct Item {
    std::string path;  ///< "/Dc/0/Voltage"
    Format format = {};
    Value value = {};
    Value sent = {};                      ///< what clients know
    bool touched = false;                 ///< `value` may differ from `sent`
    std::optional<Writing> writing = {};  ///< absent: read only; last, as no poll needs it
};

/// Answers clients from its items and tells them, in one signal, what has changed.
class Tree {
public:
    /// Paths are unique, and no path is a node of another one.
    explicit Tree(std::vector<Item> items);
    Tree(const Tree&) = delete;
    Tree& operator=(const Tree&) = delete;

    [[nodiscard]] std::span<const Item> items() const noexcept { return items_; }
    /// Place of a path for set(); nothing if there is no such path.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view path) const;
    /// The same for a path that exists.
    [[nodiscard]] std::size_t index_of(std::string_view path) const { return find(path).value(); }

    /// Stores a value, rounded as the item's format says; NaN and infinity become invalid. Allocates only
    /// for a text that differs.
    void set(std::size_t index, const ValueView& value) {
        if (const Seen now{value}; now != seen_[index]) store(index, value, now);
    }

    /// Other items in place of these; clients have to look anew.
    void replace(std::vector<Item> items);

    /// Exports the items on `bus`, which must outlive the tree or be closed before it is used again.
    [[nodiscard]] int attach(Bus& bus);
    void detach() noexcept;

    /// Sends one ItemsChanged with everything that differs from what clients know; nothing if nothing does
    /// or while the bus is congested (then the next flush sends it).
    void flush();
    /// Takes the present values as known: nobody has looked yet, or everybody will look anew.
    void settle();

    /// ItemsChanged signals sent so far.
    [[nodiscard]] std::uint64_t signals() const noexcept { return signals_; }

private:
    using Range = std::span<const Item>;

    /// What set() saw last, before it was rounded. Every poll compares all of them, after a second in which the caches
    /// were somebody else's: together they fill 3 kB, where the items are spread over 40.
    struct Seen {
        /// The bits of a number, the hash of a text: that two texts in a row share it happens once in 10^19 times.
        std::uint64_t key = 0;
        std::size_t type = std::variant_npos;  ///< as ValueView::index(); npos: nothing yet

        Seen() = default;
        explicit Seen(const ValueView& value) noexcept : type(value.index()) {
            if (const double* real = std::get_if<double>(&value))
                key = std::bit_cast<std::uint64_t>(*real);
            else if (const auto* whole = std::get_if<std::int32_t>(&value))
                key = static_cast<std::uint32_t>(*whole);
            else if (const auto* text = std::get_if<std::string_view>(&value))
                key = std::hash<std::string_view>{}(*text);
        }
        bool operator==(const Seen&) const = default;
    };

    void store(std::size_t index, const ValueView& value, const Seen& now);
    static int receive(sd_bus_message* call, void* tree, sd_bus_error*) noexcept;
    int dispatch(sd_bus_message* call);
    [[nodiscard]] int answer_leaf(sd_bus_message* call, Item& item);
    [[nodiscard]] int answer_node(sd_bus_message* call, std::string_view path, Range below);
    [[nodiscard]] int write(sd_bus_message* call, Item& item);
    [[nodiscard]] Range below(std::string_view path) const;

    std::vector<Item> items_;  ///< sorted by path: what is below a node stands together
    std::vector<Seen> seen_;   ///< one of each item
    ItemsSignal signal_;
    Bus* bus_ = nullptr;
    Slot slot_;
    std::vector<std::size_t> touched_;  ///< items whose value may differ from what was sent
    std::uint64_t signals_ = 0;
};

}  // namespace bmsd::venus
