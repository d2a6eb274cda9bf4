#include "support/settings_service.hpp"

#include <cstring>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bmsd::test {
namespace {

using Value = SettingsService::Value;

const char* type_of(const Value& value) {
    constexpr const char* types[] = {"i", "d", "s"};
    return types[value.index()];
}

void append(sd_bus_message* message, const Value& value) {
    if (const auto* integer = std::get_if<std::int32_t>(&value)) sd_bus_message_append(message, "v", "i", *integer);
    if (const auto* real = std::get_if<double>(&value)) sd_bus_message_append(message, "v", "d", *real);
    if (const auto* text = std::get_if<std::string>(&value)) sd_bus_message_append(message, "v", "s", text->c_str());
}

std::optional<Value> read(sd_bus_message* message) {
    char kind = 0;
    const char* content = nullptr;
    if (sd_bus_message_peek_type(message, &kind, &content) <= 0 || kind != 'v') return std::nullopt;
    if (std::strcmp(content, "i") == 0) {
        std::int32_t value = 0;
        sd_bus_message_read(message, "v", "i", &value);
        return value;
    }
    if (std::strcmp(content, "d") == 0) {
        double value = 0;
        sd_bus_message_read(message, "v", "d", &value);
        return value;
    }
    if (std::strcmp(content, "s") == 0) {
        const char* value = nullptr;
        sd_bus_message_read(message, "v", "s", &value);
        return std::string(value);
    }
    sd_bus_message_skip(message, "v");
    return std::nullopt;
}

std::string text_of(const Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    if (const auto* integer = std::get_if<std::int32_t>(&value)) return std::to_string(*integer);
    return std::to_string(std::get<double>(value));
}

}  // namespace

SettingsService::SettingsService(const std::string& address, const std::string& name,
                                 std::map<std::string, Value> values)
    : values_(std::move(values)) {
    sd_bus_new(&bus_);
    sd_bus_set_address(bus_, address.c_str());
    sd_bus_set_bus_client(bus_, 1);
    if (sd_bus_start(bus_) < 0 || sd_bus_add_fallback(bus_, nullptr, "/", receive, this) < 0 ||
        sd_bus_request_name(bus_, name.c_str(), 0) < 0)
        throw std::runtime_error("the settings service cannot start");
    thread_ = std::thread([this] {
        while (!ends_) {
            while (sd_bus_process(bus_, nullptr) > 0) {
            }
            std::map<std::string, Value> changes;
            {
                const std::lock_guard lock(mutex_);
                changes.swap(to_be_changed_);
            }
            answer_held();
            for (const auto& [path, value] : changes) signal(path, value);
            sd_bus_flush(bus_);
            sd_bus_wait(bus_, 20000);
        }
    });
}

SettingsService::~SettingsService() {
    ends_ = true;
    thread_.join();
    for (sd_bus_message* call : held_) sd_bus_message_unref(call);
    sd_bus_flush_close_unref(bus_);
}

void SettingsService::store(const std::string& path, Value value) {
    const std::lock_guard lock(mutex_);
    values_[path] = std::move(value);
}

std::string SettingsService::text(const std::string& path) const {
    const std::lock_guard lock(mutex_);
    const auto found = values_.find(path);
    return found == values_.end() ? "absent" : text_of(found->second);
}

void SettingsService::change(const std::string& path, Value value) {
    const std::lock_guard lock(mutex_);
    values_[path] = value;
    to_be_changed_[path] = std::move(value);
}

void SettingsService::refuse(const std::string& path, const std::string& method) {
    const std::lock_guard lock(mutex_);
    to_be_refused_ = path + " " + method;
}

void SettingsService::hold(const std::string& path, const std::string& method) {
    const std::lock_guard lock(mutex_);
    to_be_held_ = path + " " + method;
}

void SettingsService::release() {
    const std::lock_guard lock(mutex_);
    to_be_held_.clear();
}

/// Answers what was held, unless it still is.
void SettingsService::answer_held() {
    for (sd_bus_message* call : std::exchange(held_, {})) {
        dispatch(call);
        sd_bus_message_unref(call);
    }
}

void SettingsService::refuse_writes(const std::string& path) {
    const std::lock_guard lock(mutex_);
    read_only_ = path;
}

int SettingsService::receive(sd_bus_message* call, void* self, sd_bus_error*) {
    return static_cast<SettingsService*>(self)->dispatch(call);
}

int SettingsService::dispatch(sd_bus_message* call) {
    const std::string path = sd_bus_message_get_path(call);
    const std::string member = sd_bus_message_get_member(call);
    {
        const std::lock_guard lock(mutex_);
        if (path + " " + member == to_be_refused_) {
            to_be_refused_.clear();
            return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_LIMITS_EXCEEDED, "busy");
        }
        if (path + " " + member == to_be_held_) {
            held_.push_back(sd_bus_message_ref(call));
            return 1;
        }
    }
    if (member == "AddSettings" && path == "/") return add_settings(call);
    if (member == "GetValue") return get(call, path);
    if (member == "SetValue") return set(call, path);
    return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_METHOD, "%s", member.c_str());
}

/// "battery:1" that belongs to another group is counted up to the next free one.
Value SettingsService::unique(const std::string& path, const Value& wanted) const {
    if (!path.ends_with("/ClassAndVrmInstance")) return wanted;
    const std::string text = std::get<std::string>(wanted);
    const auto colon = text.find(':');
    for (int n = std::stoi(text.substr(colon + 1));; ++n) {
        const Value candidate = text.substr(0, colon + 1) + std::to_string(n);
        bool taken = false;
        for (const auto& [other, value] : values_)
            taken |= other != path && other.ends_with("/ClassAndVrmInstance") && value == candidate;
        if (!taken) return candidate;
    }
}

int SettingsService::add_settings(sd_bus_message* call) {
    const std::lock_guard lock(mutex_);
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "a{sv}");
    sd_bus_message_enter_container(call, 'a', "a{sv}");
    while (sd_bus_message_enter_container(call, 'a', "{sv}") > 0) {
        std::string path;
        std::optional<Value> standard;
        while (sd_bus_message_enter_container(call, 'e', "sv") > 0) {
            const char* key = nullptr;
            sd_bus_message_read(call, "s", &key);
            const std::string name = key;
            auto value = read(call);
            if (name == "path" && value) path = std::get<std::string>(*value);
            if (name == "default") standard = std::move(value);
            sd_bus_message_exit_container(call);
        }
        sd_bus_message_exit_container(call);
        int error = 0;
        const auto stored = values_.find(path);
        if (!path.starts_with("/Settings/"))
            error = -9;
        else if (!standard)
            error = -3;
        else if (stored == values_.end())
            values_[path] = unique(path, *standard);
        else if (std::strcmp(type_of(stored->second), type_of(*standard)) != 0)
            error = -5;
        sd_bus_message_open_container(reply, 'a', "{sv}");
        sd_bus_message_append(reply, "{sv}", "path", "s", path.c_str());
        sd_bus_message_append(reply, "{sv}", "error", "i", error);
        if (values_.contains(path)) {
            sd_bus_message_open_container(reply, 'e', "sv");
            sd_bus_message_append(reply, "s", "value");
            append(reply, values_[path]);
            sd_bus_message_close_container(reply);
        }
        sd_bus_message_close_container(reply);
    }
    sd_bus_message_close_container(reply);
    const int sent = sd_bus_send(bus_, reply, nullptr);
    sd_bus_message_unref(reply);
    return sent < 0 ? sent : 1;
}

int SettingsService::get(sd_bus_message* call, const std::string& path) {
    const std::lock_guard lock(mutex_);
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    if (const auto leaf = values_.find(path); leaf != values_.end()) {
        append(reply, leaf->second);
    } else {
        sd_bus_message_open_container(reply, 'v', "a{sv}");
        sd_bus_message_open_container(reply, 'a', "{sv}");
        bool any = false;
        for (const auto& [name, value] : values_) {
            if (!name.starts_with(path + "/")) continue;
            any = true;
            sd_bus_message_open_container(reply, 'e', "sv");
            sd_bus_message_append(reply, "s", name.c_str() + path.size() + 1);
            append(reply, value);
            sd_bus_message_close_container(reply);
        }
        sd_bus_message_close_container(reply);
        sd_bus_message_close_container(reply);
        if (!any) {
            sd_bus_message_unref(reply);
            return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_OBJECT, "%s", path.c_str());
        }
    }
    const int sent = sd_bus_send(bus_, reply, nullptr);
    sd_bus_message_unref(reply);
    return sent < 0 ? sent : 1;
}

int SettingsService::set(sd_bus_message* call, const std::string& path) {
    ++writes_;
    std::optional<Value> stored;
    {
        const std::lock_guard lock(mutex_);
        const auto leaf = values_.find(path);
        const auto value = read(call);
        if (leaf != values_.end() && value && path != read_only_) {
            const Value wanted = std::holds_alternative<std::string>(leaf->second) ? Value{text_of(*value)} : *value;
            leaf->second = unique(path, wanted);
            stored = leaf->second;
        }
    }
    if (stored) signal(path, *stored);
    return sd_bus_reply_method_return(call, "i", stored ? 0 : -1);
}

void SettingsService::signal(const std::string& path, const Value& value) {
    sd_bus_message* message = nullptr;
    sd_bus_message_new_signal(bus_, &message, path.c_str(), "com.victronenergy.BusItem", "PropertiesChanged");
    sd_bus_message_open_container(message, 'a', "{sv}");
    sd_bus_message_open_container(message, 'e', "sv");
    sd_bus_message_append(message, "s", "Value");
    append(message, value);
    sd_bus_message_close_container(message);
    sd_bus_message_append(message, "{sv}", "Text", "s", text_of(value).c_str());
    sd_bus_message_close_container(message);
    sd_bus_send(bus_, message, nullptr);
    sd_bus_message_unref(message);
}

}  // namespace bmsd::test
