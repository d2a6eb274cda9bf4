#include "venus/battery_service.hpp"

#include <algorithm>

#include "venus/names.hpp"

namespace bmsd::venus {
namespace {

constexpr std::chrono::seconds first_delay{1}, longest_delay{30};

/// Answers of the bus daemon to RequestName.
constexpr int primary_owner = 1, name_taken = 3, already_owner = 4;

/// A name longer than this is no name; bounds what strangers can make us keep.
constexpr std::size_t longest_custom_name = 255;

}  // namespace

BatteryService::BatteryService(asio::any_io_executor executor, const FaceSettings& settings, const Battery& battery,
                               std::int32_t instance)
    : settings_(settings),
      source_(battery, settings.parameters, instance),
      rows_(path_rows(battery, settings.cells)),
      name_(service_name(battery.identity)),
      bus_(executor, [this](const std::string& why) { lost(why); }),
      tree_(make_items()),
      timer_(executor),
      delay_(first_delay) {
    if (settings_.custom_name) source_.custom_name = settings_.custom_name(battery.identity);
    places_.reserve(rows_.size());
    for (const PathRow& row : rows_) places_.push_back(tree_.index_of(row.path));
    read_values();
    connect();
}

BatteryService::~BatteryService() {
    // Closing releases the name as well, but only when the daemon notices.
    if (published_) bus_.release_name(name_);
}

std::vector<Item> BatteryService::make_items() {
    std::vector<Item> items;
    items.reserve(rows_.size());
    for (const PathRow& row : rows_) items.push_back({row.path, row.format});
    const auto custom_name = std::find_if(items.begin(), items.end(), [](auto& i) { return i.path == "/CustomName"; });
    custom_name->writing =
        Writing{Kind::text, [this](const Value& value) { return rename(std::get<std::string>(value)); }};
    return items;
}

bool BatteryService::rename(const std::string& name) {
    if (name.size() > longest_custom_name) return false;
    if (settings_.keep_custom_name && !settings_.keep_custom_name(battery().identity, name)) return false;
    source_.custom_name = name;
    return true;
}

void BatteryService::read_values() {
    source_.refresh();
    for (std::size_t i = 0; i < rows_.size(); ++i) tree_.set(places_[i], rows_[i].value(source_, rows_[i].n));
}

void BatteryService::update() {
    read_values();
    if (published_) tree_.flush();
}

void BatteryService::connect() {
    if (const auto opened = bus_.open(settings_.address); !opened) {
        complain(opened.error());
        return retry_later();
    }
    if (const int result = tree_.attach(bus_); result < 0) return lost(error_text(result));
    claim();
}

void BatteryService::claim() {
    const int result = bus_.request_name(name_, [this](int code) { claimed(code); });
    if (result < 0) lost(error_text(result));
}

void BatteryService::claimed(int code) {
    if (code == primary_owner || code == already_owner) {
        published_ = true;
        delay_ = first_delay;
        trouble_.clear();
        tree_.settle();  // whoever sees the name now reads everything
        settings_.report(Severity::info, "battery " + battery().identity.id + " is on D-Bus as " + name_);
        return;
    }
    if (code == name_taken)
        bus_.find_owner(name_, [this](const std::string& who) {
            complain(name_ + " is taken by " + who + " on D-Bus: battery " + battery().identity.id +
                     " cannot be shown; if that is another driver for this port, stop it");
        });
    else
        complain("D-Bus refuses the name " + name_ + ": " + error_text(code) +
                 "; does the policy of the bus allow this user to own com.victronenergy.*?");
    retry_later();
}

void BatteryService::lost(const std::string& why) {
    published_ = false;
    tree_.detach();
    bus_.close();
    complain("battery " + battery().identity.id + " has left D-Bus: " + why);
    retry_later();
}

void BatteryService::retry_later() {
    timer_.expires_after(delay_);
    delay_ = std::min(delay_ * 2, longest_delay);
    timer_.async_wait([this, alive = std::weak_ptr<char>{alive_}](boost::system::error_code cancelled) {
        if (cancelled || alive.expired()) return;
        if (bus_.is_open())
            claim();
        else
            connect();
    });
}

void BatteryService::complain(const std::string& trouble) {
    if (trouble == trouble_) return;
    trouble_ = trouble;
    settings_.report(Severity::warning, trouble + " (trying again)");
}

}  // namespace bmsd::venus
