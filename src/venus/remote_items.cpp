#include "venus/remote_items.hpp"

#include <utility>

#include "venus/dictionary.hpp"

namespace bmsd::venus {
namespace {

/// "Value" of a dictionary a{sv}, which the message stands before; nothing if there is none. One that cannot be read,
/// NaN for example, is Invalid: what the item said before does not hold any more.
std::optional<Value> value_in(sd_bus_message* message) {
    std::optional<Value> found;
    each_key(message, [&](const std::string& key, const std::optional<Value>& value) {
        if (key == "Value") found = value.value_or(Value{});
    });
    return found;
}

}  // namespace

RemoteItems::RemoteItems(Executor executor, std::string address, std::vector<RemoteItem> items, Report report)
    : address_(std::move(address)),
      report_(std::move(report)),
      bus_(executor,
           [this](const std::string&) {
               for (Followed& followed : items_) followed.value = Invalid{};
               retry_later();
           }),
      retry_(executor) {
    for (RemoteItem& item : items) items_.push_back({std::move(item)});
    connect();
}

Number RemoteItems::number(std::size_t item) const {
    const auto number = convert(items_[item].value, Kind::real);
    const auto* real = number ? std::get_if<double>(&*number) : nullptr;
    return real ? Number{*real} : std::nullopt;
}

void RemoteItems::connect() {
    // The batteries' own connections say what is wrong with the bus.
    if (!bus_.open(address_)) return retry_later();
    for (std::size_t i = 0; i < items_.size(); ++i) follow(i);
}

void RemoteItems::retry_later() {
    retry_.expires_after(between_attempts);
    retry_.async_wait([this, alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (!cancelled && !alive.expired()) retry();
    });
}

void RemoteItems::retry() {
    if (!bus_.is_open()) return connect();
    for (std::size_t i = 0; i < items_.size(); ++i)
        if (items_[i].to_be_asked) ask(i);
}

void RemoteItems::follow(std::size_t index) {
    const RemoteItem& item = items_[index].item;
    const std::string from = "type='signal',sender='" + item.service + "',interface='" + bus_item + "'";
    bus_.listen("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" + item.service + "'",
                [this, index](sd_bus_message* signal) { owner_changed(index, signal); });
    bus_.listen(from + ",member='PropertiesChanged',path='" + item.path + "'",
                [this, index](sd_bus_message* signal) { property_changed(index, signal); });
    bus_.listen(from + ",member='ItemsChanged',path='/'",
                [this, index](sd_bus_message* signal) { items_changed(index, signal); });
    ask(index);
}

void RemoteItems::ask(std::size_t index) {
    const RemoteItem& item = items_[index].item;
    sd_bus_message* made = nullptr;
    if (sd_bus_message_new_method_call(bus_.raw(), &made, item.service.c_str(), item.path.c_str(), bus_item,
                                       "GetValue") < 0)
        return tell_silent(items_[index], "cannot be asked: this is no name or path of D-Bus");
    const Message message{made};
    sd_bus_message_set_auto_start(made, 0);
    bus_.call(message, [this, index](sd_bus_message* answer) { answered(index, answer); });
}

void RemoteItems::answered(std::size_t index, sd_bus_message* answer) {
    Followed& followed = items_[index];
    followed.to_be_asked = false;
    const sd_bus_error* error = sd_bus_message_get_error(answer);
    if (!error) return take(followed, read(answer).value_or(Value{}));
    followed.value = Value{};
    switch (refusal_of(*error)) {
        case Refusal::absent: return tell_silent(followed, "is not on D-Bus");
        case Refusal::unknown: return tell_silent(followed, "knows no such path");
        case Refusal::other: break;
    }
    tell_silent(followed, "does not answer (" + error_text(*error) + ")");
    followed.to_be_asked = true;
    retry_later();
}

void RemoteItems::take(Followed& followed, const Value& value) {
    followed.value = value;
    if (std::exchange(followed.told_silent, false) && report_)
        report_(Severity::info, followed.item.service + " tells its " + followed.item.path + " now");
}

void RemoteItems::tell_silent(Followed& followed, const std::string& why) {
    if (std::exchange(followed.told_silent, true) || !report_) return;
    report_(Severity::warning,
            followed.item.service + " " + why + ": going on without its " + followed.item.path + " until it tells it");
}

void RemoteItems::owner_changed(std::size_t index, sd_bus_message* signal) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0) return;
    if (*after) return ask(index);
    items_[index].value = Invalid{};
    tell_silent(items_[index], "has left D-Bus");
}

void RemoteItems::property_changed(std::size_t index, sd_bus_message* signal) {
    if (const auto value = value_in(signal)) take(items_[index], *value);
}

void RemoteItems::items_changed(std::size_t index, sd_bus_message* signal) {
    if (sd_bus_message_enter_container(signal, 'a', "{sa{sv}}") < 0) return;
    while (sd_bus_message_enter_container(signal, 'e', "sa{sv}") > 0) {
        const char* path = nullptr;
        if (sd_bus_message_read_basic(signal, 's', &path) < 0) return;
        if (items_[index].item.path == path) {
            if (const auto value = value_in(signal)) take(items_[index], *value);
        } else {
            sd_bus_message_skip(signal, "a{sv}");
        }
        if (sd_bus_message_exit_container(signal) < 0) return;
    }
}

}  // namespace bmsd::venus
