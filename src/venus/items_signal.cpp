#include "venus/items_signal.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "venus/dictionary.hpp"
#include "venus/overloaded.hpp"

namespace bmsd::venus {
namespace {

constexpr char byte_order = std::endian::native == std::endian::little ? 'l' : 'B';
constexpr char signal_message = 4, no_reply = 1, protocol = 1;
/// Codes of the header fields.
enum Field : char { path_field = 1, interface_field = 2, member_field = 3, signature_field = 8 };
/// Places in the header of what is known at the end only.
constexpr std::size_t body_size_at = 4, serial_at = 8;
constexpr std::size_t of_number = 4, of_struct = 8;  ///< alignments
/// Bytes that hold what a poll of a battery with 32 cells changes: only a rare whole picture makes the buffer grow.
constexpr std::size_t usual_size = 8192;

/// The entries of a measured value up to its text. They begin where a struct may, so all alignments within are known.
struct Measured {
    std::uint32_t value_key_size = 5;
    std::array<char, 12> value_key = {'V', 'a', 'l', 'u', 'e', '\0', 1, 'd'};  // and its signature
    double value;
    std::uint32_t text_key_size = 4;
    std::array<char, 8> text_key = {'T', 'e', 'x', 't', '\0', 1, 's'};
    std::uint32_t text_size;
};
static_assert(sizeof(Measured) == 40, "nothing between its members");

}  // namespace

ItemsSignal::ItemsSignal() : out_(usual_size) {
    for (const char begin : {byte_order, signal_message, no_reply, protocol}) *grow(1) = begin;
    number(0);  // size of the body
    number(0);  // serial
    const std::size_t fields = begin_array(of_struct);
    field(path_field, "o", "/");
    field(interface_field, "s", bus_item);
    field(member_field, "s", "ItemsChanged");
    align(of_struct);
    *grow(1) = signature_field;
    signature("g");
    signature("a{sa{sv}}");
    end_array(fields, of_struct);
    align(of_struct);
    body_ = size_;
    static_cast<void>(begin_array(of_struct));
    first_item_ = size_;
}

void ItemsSignal::begin() {
    size_ = first_item_;
}

void ItemsSignal::add(std::string_view path, const Value& value, const Format& format) {
    if (const double* measured = std::get_if<double>(&value)) return add_measured(path, *measured, format);
    align(of_struct);
    text(path);
    const std::size_t entries = begin_array(of_struct);
    text("Value");
    variant(value);
    align(of_struct);
    text("Text");
    signature("s");
    text(text_of(view(value), format));
    end_array(entries, of_struct);
}

/// The same for nearly all that a poll sends. Where its parts stand follows from the length of the path.
void ItemsSignal::add_measured(std::string_view path, double value, const Format& format) {
    align(of_struct);
    const std::size_t item = size_, path_end = item + of_number + path.size();
    const std::size_t entries = aligned(path_end + 1, of_number), first = aligned(entries + of_number, of_struct);
    const std::size_t shown = first + sizeof(Measured);
    static_cast<void>(grow(shown + number_room + 1 - item));
    char* const out = out_.data();
    const auto write = [out](std::size_t at, const auto& piece) { std::memcpy(out + at, &piece, sizeof piece); };
    const auto size = [](std::size_t bytes) { return static_cast<std::uint32_t>(bytes); };
    write(item, size(path.size()));
    std::copy(path.begin(), path.end(), out + item + of_number);
    write(path_end, std::array<char, 2 * of_struct>{});  // up to `first`, and a little more
    char* const end = write_text(out + shown, value, format);
    *end = '\0';
    write(first, Measured{.value = value, .text_size = size(static_cast<std::size_t>(end - out) - shown)});
    size_ = static_cast<std::size_t>(end - out) + 1;
    write(entries, size(size_ - first));
}

std::span<const char> ItemsSignal::finish() {
    end_array(body_, of_struct);
    patch(body_size_at, static_cast<std::uint32_t>(size_ - body_));
    if (++serial_ == 0) serial_ = 1;  // 0 is no serial
    patch(serial_at, serial_);
    return std::span(out_).first(size_);
}

void ItemsSignal::enlarge(std::size_t bytes) {
    out_.resize(2 * (size_ + bytes));
}

void ItemsSignal::real(double value) {
    align(sizeof value);
    put(value);
}

void ItemsSignal::text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    *std::copy(value.begin(), value.end(), grow(value.size() + 1)) = '\0';
}

void ItemsSignal::signature(std::string_view value) {
    char* const room = grow(value.size() + 2);
    *room = static_cast<char>(value.size());
    *std::copy(value.begin(), value.end(), room + 1) = '\0';
}

void ItemsSignal::field(char code, std::string_view type, std::string_view value) {
    align(of_struct);
    *grow(1) = code;
    signature(type);
    text(value);
}

void ItemsSignal::variant(const Value& value) {
    std::visit(Overloaded{[&](Invalid) {
                              signature("ai");
                              number(0);
                          },
                          [&](std::int32_t whole) {
                              signature("i");
                              number(static_cast<std::uint32_t>(whole));
                          },
                          [&](double value_of) {
                              signature("d");
                              real(value_of);
                          },
                          [&](const std::string& string) {
                              signature("s");
                              text(string);
                          },
                          [&](bool on) {
                              signature("b");
                              number(on ? 1 : 0);
                          },
                          [&](const List& list) {
                              // An empty list of integers would be the invalid value.
                              signature(list.empty() ? "au" : "av");
                              const std::size_t items = begin_array(1);
                              for (const auto& item : list)
                                  std::visit([&](const auto& content) { variant(Value{content}); }, item);
                              end_array(items, 1);
                          }},
               value);
}

std::size_t ItemsSignal::begin_array(std::size_t to) {
    number(0);
    const std::size_t begin = size_ - of_number;
    align(to);
    return begin;
}

/// The size of an array does not count the padding before its first element.
void ItemsSignal::end_array(std::size_t begin, std::size_t to) {
    const std::size_t first = aligned(begin + of_number, to);
    patch(begin, static_cast<std::uint32_t>(size_ - first));
}

void ItemsSignal::patch(std::size_t at, std::uint32_t value) {
    std::memcpy(out_.data() + at, &value, sizeof value);
}

}  // namespace bmsd::venus
