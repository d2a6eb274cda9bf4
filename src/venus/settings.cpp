#include "venus/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "model/words.hpp"
#include "venus/dictionary.hpp"

namespace bmsd::venus {
namespace {

constexpr const char* service = "com.victronenergy.settings";
constexpr const char* devices = "/Settings/Devices";
constexpr std::string_view mark = "serialbattery";  // in the name of every group that is one
constexpr std::string_view class_prefix = "battery:";

std::string upper(std::string text) {
    for (char& c : text)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    return text;
}

std::string text_in(const SettingValues& values, std::string_view name) {
    const auto found = values.find(name);
    const auto* text = found == values.end() ? nullptr : std::get_if<std::string>(&found->second);
    return text ? *text : std::string{};
}

double number_in(const SettingValues& values, std::string_view name) {
    const auto found = values.find(name);
    if (found == values.end()) return 0;
    const auto number = convert(found->second, Kind::real);
    return number ? std::get<double>(*number) : 0;
}

bool append_entry(sd_bus_message* message, const char* key, const Value& value) {
    return sd_bus_message_open_container(message, 'e', "sv") >= 0 &&
           sd_bus_message_append_basic(message, 's', key) >= 0 && append(message, value) >= 0 &&
           sd_bus_message_close_container(message) >= 0;
}

/// One item of AddSettings. Changes of what is written often are not worth a line in the log of Venus OS.
bool append_setting(sd_bus_message* message, const std::string& path, const std::string& name, const Value& standard) {
    const bool silent = name == "SocCalc" || name == "HistoryValues";
    bool good = sd_bus_message_open_container(message, 'a', "{sv}") >= 0;
    good = good && append_entry(message, "path", path) && append_entry(message, "default", standard);
    if (silent) good = good && append_entry(message, "silent", 1);
    return good && sd_bus_message_close_container(message) >= 0;
}

}  // namespace

std::optional<std::int32_t> instance_of(const Value& class_and_instance) {
    const auto* text = std::get_if<std::string>(&class_and_instance);
    if (!text || !text->starts_with(class_prefix)) return std::nullopt;
    std::int32_t number = 0;
    const char* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data() + class_prefix.size(), end, number);
    return parsed.ec == std::errc{} && parsed.ptr == end && number >= 0 ? std::optional{number} : std::nullopt;
}

Settings::Settings(Executor executor, std::string address, Report report)
    : address_(std::move(address)),
      report_(std::move(report)),
      bus_(executor,
           [this](const std::string&) {
               available_ = false;
               retry_later(&Settings::connect);
           }),
      executor_(executor),
      retry_(executor),
      patience_(executor) {}

void Settings::load(std::chrono::milliseconds patience, bool expected, std::function<void()> ready) {
    ready_ = std::move(ready);
    expected_ = expected;
    wait_ = patience;
    patience_.expires_after(patience);
    patience_.async_wait([this, alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (!cancelled && !alive.expired()) give_up();
    });
    connect();
}

void Settings::connect() {
    // The batteries' own connections say what is wrong with the bus.
    if (!bus_.open(address_)) return retry_later(&Settings::connect);
    const std::string sender = std::string("type='signal',sender='") + service + "',path_namespace='" + devices + "'";
    bus_.listen(
        std::string("type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='") + service + "'",
        [this](sd_bus_message* signal) { owner_changed(signal); });
    bus_.listen(sender + ",member='PropertiesChanged'", [this](sd_bus_message* signal) { changed(signal); });
    ask();
}

void Settings::retry_later(void (Settings::*step)()) {
    retry_.expires_after(between_attempts);
    retry_.async_wait([this, step, alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (!cancelled && !alive.expired()) (this->*step)();
    });
}

Message Settings::call_to(const std::string& path, const char* interface, const char* method) const {
    sd_bus_message* message = nullptr;
    if (sd_bus_message_new_method_call(bus_.raw(), &message, service, path.c_str(), interface, method) < 0) return {};
    return Message{message};
}

void Settings::ask() {
    retry_.cancel();
    silence_ = "does not answer";
    if (const Message message = call_to(devices, bus_item, "GetValue"))
        bus_.call(message, [this](sd_bus_message* answer) { loaded(answer); });
}

void Settings::loaded(sd_bus_message* answer) {
    if (const sd_bus_error* error = sd_bus_message_get_error(answer)) {
        const Refusal why = refusal_of(*error);
        if (why == Refusal::other) return refused(*error, "does not tell what it holds");
        if (why == Refusal::absent) {
            silence_ = "is not on D-Bus";  // its name will be announced
            return expected_ ? void() : give_up();
        }
    }
    groups_.clear();
    for (Unwritten& waiting : unwritten_) waiting.sent = false;  // whoever was to answer may be gone
    if (!sd_bus_message_is_method_error(answer, nullptr) && sd_bus_message_enter_container(answer, 'v', "a{sv}") >= 0)
        each_entry(answer, [&](const std::string& key, const Value& value) {
            const auto slash = key.find('/');
            if (slash == std::string::npos || key.find(mark) >= slash) return;
            groups_[key.substr(0, slash)][key.substr(slash + 1)] = value;
        });
    available_ = true;
    if (ready_)
        become_ready();
    else if (on_return)
        on_return();
}

/// It is there, but does not do what it is asked for. Reading it again leads to all the rest, see on_return.
void Settings::refused(const sd_bus_error& error, const char* what) {
    silence_ = what;
    const std::string text = std::string(service) + " " + what + " (" + error_text(error) + "): asking again";
    if (std::exchange(told_, text) != text) report_(Severity::warning, text);
    retry_later(&Settings::ask);
}

void Settings::become_ready() {
    patience_.cancel();
    if (const auto ready = std::exchange(ready_, nullptr)) ready();
}

void Settings::give_up() {
    if (!ready_) return;
    report_(Severity::info, std::string(service) + " " + silence_ +
                                ": going on; device instances and names are kept by bmsd alone until it answers");
    become_ready();
}

void Settings::owner_changed(sd_bus_message* signal) {
    const char *name = nullptr, *before = nullptr, *after = nullptr;
    if (sd_bus_message_read(signal, "sss", &name, &before, &after) < 0) return;
    if (*after) return ask();
    if (available_) report_(Severity::warning, std::string(service) + " has left D-Bus: waiting for it to come back");
    available_ = false;
}

void Settings::known_as(const std::string& serial, const std::string& former) {
    if (former.empty() || former == serial) return;
    for (const auto& [other, name] : formers_)
        if (name == former && other != serial) return;
    formers_[serial] = former;
}

Settings::Groups::const_iterator Settings::group_of(const std::string& serial) const {
    const auto own = newest_group(serial);
    const auto former = formers_.find(serial);
    return own != groups_.end() || former == formers_.end() ? own : newest_group(former->second);
}

Settings::Groups::const_iterator Settings::newest_group(const std::string& identifier) const {
    auto best = groups_.end();
    for (auto group = groups_.begin(); group != groups_.end(); ++group) {
        if (!same_word(text_in(group->second, "UniqueIdentifier"), identifier)) continue;
        const bool newer =
            best == groups_.end() || number_in(group->second, "LastSeen") > number_in(best->second, "LastSeen");
        if (newer) best = group;
    }
    return best;
}

const SettingValues& Settings::find(const std::string& serial) const {
    static const SettingValues nothing;
    const auto group = group_of(serial);
    return group == groups_.end() ? nothing : group->second;
}

/// A battery is shown although the service reads but does not write.
std::shared_ptr<Timer> Settings::wait_for_added(const std::string& serial,
                                                std::function<void(const SettingValues&)> added) {
    const auto waiting = std::make_shared<Timer>(executor_);
    waiting->expires_after(wait_);
    // It lives until then, also if the connection ends and there is no answer.
    waiting->async_wait([this, waiting, serial, added = std::move(added),
                         alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (cancelled || alive.expired()) return;
        if (!std::exchange(told_slow_, true))
            report_(Severity::info, std::string(service) +
                                        " does not answer AddSettings: going on; device instances and names are kept "
                                        "by bmsd alone until it does");
        added(with_kept(serial, find(serial)));
    });
    return waiting;
}

void Settings::add(const std::string& serial, SettingValues defaults, std::function<void(const SettingValues&)> added) {
    const auto waiting = wait_for_added(serial, added);
    const auto stored = group_of(serial);
    // Another spelling of the group would own the instance for ever: the one that is there stays (dossier 3.2, 4).
    const std::string group = stored != groups_.end() ? stored->first : "serialbattery_" + upper(serial);
    const std::string path = std::string(devices) + "/" + group + "/";
    const Message message = call_to("/", "com.victronenergy.Settings", "AddSettings");
    if (!message) return;
    bool good = sd_bus_message_open_container(message.get(), 'a', "a{sv}") >= 0;
    for (const auto& [name, standard] : defaults)
        good = good && append_setting(message.get(), path + name, name, standard);
    if (!good || sd_bus_message_close_container(message.get()) < 0) return;
    bus_.call(message, [this, waiting, serial, group, path, added = std::move(added)](sd_bus_message* answer) {
        waiting->cancel();
        if (const sd_bus_error* error = sd_bus_message_get_error(answer)) {
            if (refusal_of(*error) == Refusal::other) refused(*error, "does not take settings");
            return added(with_kept(serial, find(serial)));
        }
        told_.clear();
        told_slow_ = false;
        SettingValues& values = groups_[group];
        if (sd_bus_message_enter_container(answer, 'a', "a{sv}") >= 0)
            while (sd_bus_message_at_end(answer, 0) == 0) {
                std::string name;
                Value value;
                double error = 0;
                each_entry(answer, [&](const std::string& key, const Value& content) {
                    if (key == "path") name = std::get_if<std::string>(&content) ? std::get<std::string>(content) : "";
                    if (key == "value") value = content;
                    if (key == "error") error = number_in({{"error", content}}, "error");
                });
                if (error != 0)
                    report_(Severity::warning, std::string(service) + " refuses " + name + " (error " +
                                                   std::to_string(static_cast<int>(error)) + ")");
                else if (name.starts_with(path))
                    values[name.substr(path.size())] = value;
            }
        write_kept(serial);
        added(with_kept(serial, values));
    });
}

void Settings::write(const std::string& serial, const SettingValues& values) {
    if (!available_) return;
    const auto found = group_of(serial);
    if (found == groups_.end()) return;
    SettingValues& stored = groups_[found->first];
    for (const auto& [name, value] : values) {
        const auto known = stored.find(name);
        if (known == stored.end() || known->second == value) continue;
        known->second = value;
        write_one(found->first, name, value, [this, group = found->first, name](bool held) {
            if (!held) groups_[group][name] = Value{};  // so that the next write() tries again
        });
    }
    write_kept(serial);
}

void Settings::keep(const std::string& serial, const std::string& name, const std::string& text,
                    std::function<void()> written) {
    const Value value{text};
    auto found = unwritten(serial, name);
    if (found == unwritten_.end()) found = unwritten_.insert(found, {serial, name, {}, {}});
    if (found->value != value) *found = {serial, name, value, std::move(written)};
    write_kept(serial);
}

std::vector<Settings::Unwritten>::iterator Settings::unwritten(const std::string& serial, const std::string& name) {
    return std::find_if(unwritten_.begin(), unwritten_.end(), [&](const Unwritten& waiting) {
        return same_word(waiting.serial, serial) && waiting.name == name;
    });
}

SettingValues Settings::with_kept(const std::string& serial, SettingValues stored) const {
    for (const Unwritten& waiting : unwritten_)
        if (waiting.serial == serial) stored[waiting.name] = waiting.value;
    return stored;
}

void Settings::write_kept(const std::string& serial) {
    const auto group = available_ ? group_of(serial) : groups_.end();
    if (group == groups_.end()) return;
    for (Unwritten waiting : std::vector{unwritten_}) {  // what is written leaves the list
        const auto known = group->second.find(waiting.name);
        if (waiting.serial != serial || waiting.sent || known == group->second.end()) continue;
        if (known->second == waiting.value) {
            kept(serial, waiting.name, waiting.value, true);
            continue;
        }
        unwritten(serial, waiting.name)->sent = true;
        write_one(group->first, waiting.name, waiting.value,
                  [this, serial, group = group->first, name = waiting.name, value = waiting.value](bool stored) {
                      if (stored) groups_[group][name] = value;
                      kept(serial, name, value, stored);
                  });
    }
}

void Settings::kept(const std::string& serial, const std::string& name, const Value& value, bool stored) {
    const auto found = unwritten(serial, name);
    if (found == unwritten_.end() || found->value != value) return;  // it was to be another one meanwhile
    found->sent = false;
    if (!stored) return;
    const auto written = std::move(found->written);
    unwritten_.erase(found);
    if (written) written();
}

void Settings::write_one(const std::string& group, const std::string& name, const Value& value,
                         std::function<void(bool)> done) {
    const std::string path = std::string(devices) + "/" + group + "/" + name;
    const Message message = call_to(path, bus_item, "SetValue");
    if (!message || append(message.get(), value) < 0) return done(false);
    bus_.call(message, [this, path, done = std::move(done)](sd_bus_message* answer) {
        std::int32_t code = 0;
        const bool stored = !sd_bus_message_is_method_error(answer, nullptr) &&
                            sd_bus_message_read(answer, "i", &code) > 0 && code == 0;
        if (!stored) report_(Severity::warning, std::string(service) + " does not store " + path);
        done(stored);
    });
}

void Settings::changed(sd_bus_message* signal) {
    const std::string path = sd_bus_message_get_path(signal);
    const std::size_t begin = std::strlen(devices) + 1;
    if (path.size() <= begin) return;
    const auto slash = path.find('/', begin);
    if (slash == std::string::npos) return;
    const auto group = groups_.find(path.substr(begin, slash - begin));
    if (group == groups_.end()) return;
    const std::string name = path.substr(slash + 1);
    std::string serial = text_in(group->second, "UniqueIdentifier");
    for (const auto& [ours, former] : formers_)
        if (same_word(former, serial) && group_of(ours) == group) {
            serial = ours;
            break;
        }
    each_entry(signal, [&](const std::string& key, const Value& value) {
        if (key != "Value" || group->second[name] == value) return;
        group->second[name] = value;
        // Older than what is on its way, or that itself.
        if (const auto waiting = unwritten(serial, name); waiting != unwritten_.end() && waiting->sent) return;
        if (on_changed) on_changed(serial, name);
    });
}

}  // namespace bmsd::venus
