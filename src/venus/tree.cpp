#include "venus/tree.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "venus/dictionary.hpp"
#include "venus/introspection.hpp"

namespace bmsd::venus {
namespace {

/// Answers of SetValue.
enum Written : std::int32_t { accepted = 0, impossible = 1, refused = 2 };

/// Calls sd-bus functions until the first one fails; later ones are skipped.
class Build {
public:
    explicit Build(sd_bus_message* message) : message_(message) {}
    void open(char type, const char* contents) {
        if (result_ >= 0) result_ = sd_bus_message_open_container(message_, type, contents);
    }
    void close() {
        if (result_ >= 0) result_ = sd_bus_message_close_container(message_);
    }
    void text(const char* text) {
        if (result_ >= 0) result_ = sd_bus_message_append_basic(message_, 's', text);
    }
    void value(const Value& value) {
        if (result_ >= 0) result_ = append(message_, value);
    }
    [[nodiscard]] int result() const { return result_; }

private:
    sd_bus_message* message_;
    int result_ = 0;
};

/// `{path: {"Value": value, "Text": text}}`, the element of GetItems and ItemsChanged.
void add_item(Build& build, const Item& item) {
    build.open('e', "sa{sv}");
    build.text(item.path.c_str());
    build.open('a', "{sv}");
    build.open('e', "sv");
    build.text("Value");
    build.value(item.value);
    build.close();
    build.open('e', "sv");
    build.text("Text");
    build.value(Value{text_of(view(item.value), item.format)});
    build.close();
    build.close();
    build.close();
}

using Fill = std::function<void(Build&)>;

/// Sends what `fill` writes as the answer to `call`.
int reply(sd_bus_message* call, const Fill& fill) {
    sd_bus_message* made = nullptr;
    if (const int result = sd_bus_message_new_method_return(call, &made); result < 0) return result;
    const Message message{made};
    Build build{made};
    fill(build);
    return build.result() < 0 ? build.result() : sd_bus_send(nullptr, made, nullptr);
}

int unknown_method(sd_bus_message* call) {
    return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_METHOD, "%s has no method %s",
                                      sd_bus_message_get_path(call), sd_bus_message_get_member(call));
}

/// The operator of the variant goes through a table of functions for what is nearly always two numbers.
bool differ(const Value& a, const Value& b) {
    const double *const one = std::get_if<double>(&a), *const other = std::get_if<double>(&b);
    return one && other ? *one != *other : a != b;
}

bool asks(sd_bus_message* call, const char* interface, std::string_view method) {
    const char* named = sd_bus_message_get_interface(call);  // may be left out by the caller
    return (!named || std::string_view{named} == interface) && method == sd_bus_message_get_member(call);
}

}  // namespace

Tree::Tree(std::vector<Item> items) {
    replace(std::move(items));
}

void Tree::replace(std::vector<Item> items) {
    items_ = std::move(items);
    std::sort(items_.begin(), items_.end(), [](const Item& a, const Item& b) { return a.path < b.path; });
    seen_.assign(items_.size(), Seen{});
    touched_.clear();
}

std::optional<std::size_t> Tree::find(std::string_view path) const {
    const auto found =
        std::lower_bound(items_.begin(), items_.end(), path, [](const Item& item, auto p) { return item.path < p; });
    if (found == items_.end() || found->path != path) return std::nullopt;
    return static_cast<std::size_t>(found - items_.begin());
}

Tree::Range Tree::below(std::string_view path) const {
    const auto less = [](const Item& item, const std::string& p) { return item.path < p; };
    std::string first{path == "/" ? "" : path};
    std::string behind = first + '0';  // '0' follows '/' in ASCII, and every other character of a path is greater
    first += '/';
    return {std::lower_bound(items_.begin(), items_.end(), first, less),
            std::lower_bound(items_.begin(), items_.end(), behind, less)};
}

void Tree::store(std::size_t index, const ValueView& value, const Seen& now) {
    // Switches and lists occur in the configuration only, and have no key: always compared in full.
    const bool keyless = std::holds_alternative<bool>(value) || std::holds_alternative<ListView>(value);
    seen_[index] = keyless ? Seen{} : now;
    Item& item = items_[index];
    const double* const number = std::get_if<double>(&value);
    if (number && std::isfinite(*number)) {
        const double rounded = item.format.decimals >= 0 ? round_to(*number, item.format.decimals) : *number;
        const double* const before = std::get_if<double>(&item.value);
        if (before && *before == rounded) return;
        item.value = rounded;
    } else {
        const ValueView wanted = number ? ValueView{Invalid{}} : value;
        if (wanted == view(item.value)) return;
        Value owned = own(wanted);
        if (owned == item.value) return;  // a text that was no UTF-8 and was mended
        item.value = std::move(owned);
    }
    if (!std::exchange(item.touched, true)) touched_.push_back(index);
}

int Tree::attach(Bus& bus) {
    detach();
    bus_ = &bus;
    sd_bus_slot* slot = nullptr;
    const int result = sd_bus_add_fallback(bus.raw(), &slot, "/", receive, this);
    slot_.reset(slot);
    return result;
}

void Tree::detach() noexcept {
    slot_.reset();
    bus_ = nullptr;
}

void Tree::flush() {
    if (touched_.empty() || !bus_ || !bus_->is_open() || bus_->congested()) return;
    signal_.begin();
    for (const std::size_t index : touched_) {
        const Item& item = items_[index];
        if (differ(item.value, item.sent)) signal_.add(item.path, item.value, item.format);
    }
    if (!signal_.empty()) {
        if (bus_->send(signal_.finish()) < 0) return;
        ++signals_;
    }
    settle();
}

void Tree::settle() {
    for (const std::size_t index : touched_) {
        Item& item = items_[index];
        const double* const now = std::get_if<double>(&item.value);
        double* const known = std::get_if<double>(&item.sent);
        if (now && known)
            *known = *now;
        else
            item.sent = item.value;
        item.touched = false;
    }
    touched_.clear();
}

int Tree::receive(sd_bus_message* call, void* tree, sd_bus_error*) noexcept {
    const int result = static_cast<Tree*>(tree)->dispatch(call);
    return result < 0 ? result : 1;
}

int Tree::dispatch(sd_bus_message* call) {
    const std::string_view path = sd_bus_message_get_path(call);
    if (const auto place = find(path)) return answer_leaf(call, items_[*place]);
    const Range range = below(path);
    if (range.empty() && path != "/")
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "there is no %s",
                                          sd_bus_message_get_path(call));
    return answer_node(call, path, range);
}

int Tree::answer_leaf(sd_bus_message* call, Item& item) {
    if (asks(call, bus_item, "GetValue")) return reply(call, [&](Build& build) { build.value(item.value); });
    if (asks(call, bus_item, "GetText"))
        return reply(call, [&](Build& build) { build.text(text_of(view(item.value), item.format).c_str()); });
    if (asks(call, bus_item, "SetValue")) return write(call, item);
    if (asks(call, introspectable, "Introspect"))
        return reply(call, [&](Build& build) { build.text(introspect_leaf().c_str()); });
    return unknown_method(call);
}

int Tree::answer_node(sd_bus_message* call, std::string_view path, Range range) {
    const std::size_t skipped = path.size() + (path == "/" ? 0 : 1);  // keys are relative to the node
    if (asks(call, bus_item, "GetValue") || asks(call, bus_item, "GetText")) {
        const bool texts = asks(call, bus_item, "GetText");
        return reply(call, [&](Build& build) {
            build.open('v', texts ? "a{ss}" : "a{sv}");
            build.open('a', texts ? "{ss}" : "{sv}");
            for (const Item& item : range) {
                build.open('e', texts ? "ss" : "sv");
                build.text(item.path.c_str() + skipped);
                if (texts)
                    build.text(text_of(view(item.value), item.format).c_str());
                else
                    build.value(item.value);
                build.close();
            }
            build.close();
            build.close();
        });
    }
    if (path == "/" && asks(call, bus_item, "GetItems"))
        return reply(call, [&](Build& build) {
            build.open('a', "{sa{sv}}");
            for (const Item& item : range) add_item(build, item);
            build.close();
        });
    if (asks(call, introspectable, "Introspect"))
        return reply(call, [&](Build& build) { build.text(introspect_node(range, skipped).c_str()); });
    return unknown_method(call);
}

int Tree::write(sd_bus_message* call, Item& item) {
    const std::string_view signature = sd_bus_message_get_signature(call, 1);
    if (signature != "v")
        return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_INVALID_ARGS, "SetValue takes one variant");
    Written code = impossible;
    const Kind kind = item.writing ? item.writing->kind : Kind::real;
    const auto sent = read(call, kind);
    const auto wanted = sent && item.writing ? convert(*sent, kind) : std::nullopt;
    if (wanted) {
        const bool as_it_is = !item.writing->momentary && *wanted == item.value;
        code = as_it_is || item.writing->accept(*wanted) ? accepted : refused;
    }
    if (code == accepted && !item.writing->momentary) {
        set(static_cast<std::size_t>(&item - items_.data()), view(*wanted));
        flush();
    }
    return sd_bus_reply_method_return(call, "i", code);
}

}  // namespace bmsd::venus
