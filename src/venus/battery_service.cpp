#include "venus/battery_service.hpp"

#include <algorithm>
#include <utility>

#include "model/words.hpp"
#include "venus/json_data.hpp"
#include "venus/names.hpp"

namespace bmsd::venus {
namespace {

constexpr std::chrono::seconds first_delay{1}, longest_delay{30};

/// Answers of the bus daemon to RequestName.
constexpr int primary_owner = 1, name_taken = 3, already_owner = 4;

constexpr std::string_view config_node = "/Info/Config/";

RowOptions row_options(const FaceSettings& settings) {
    const control::Parameters& parameters = settings.parameters;
    RowOptions options{.cells = settings.cells,
                       .own_soc = parameters.count_soc || settings.external_soc,
                       .orders = settings.desk != nullptr,
                       .legacy_orders = settings.desk != nullptr && settings.legacy_paths};
    if (parameters.times.to_go) options.time_to_soc = parameters.times.to_soc_percent;
    return options;
}

}  // namespace

BatteryService::BatteryService(Executor executor, const FaceSettings& settings, const Battery& battery,
                               std::int32_t instance)
    : settings_(settings),
      source_(battery, settings.parameters, instance, settings.explain),
      name_(service_name(battery.identity, settings.legacy_names)),
      bus_(executor, [this](const std::string& why) { lost(why); }),
      tree_({}),
      timer_(executor),
      delay_(first_delay) {
    if (settings_.custom_name) source_.custom_name = settings_.custom_name(battery.identity);
    make_tree();
    connect();
}

BatteryService::~BatteryService() {
    // Closing releases the name as well, but only when the daemon notices.
    if (published_) bus_.release_name(name_);
}

void BatteryService::make_tree() {
    const std::vector<PathRow> rows = path_rows(battery(), row_options(settings_));
    cells_ = cell_rows(battery().reading);
    tree_.replace(make_items(rows));
    origins_.clear();
    const auto narrow = [](std::size_t place) { return static_cast<std::uint32_t>(place); };
    for (const PathRow& row : rows) origins_.push_back({row.value, narrow(row.n), narrow(tree_.index_of(row.path))});
    show_config();
    read_values();
}

std::vector<Item> BatteryService::make_items(std::span<const PathRow> rows) {
    std::vector<Item> items;
    items.reserve(rows.size() + settings_.config.size());
    for (const PathRow& row : rows)
        items.push_back({.path = row.path, .format = row.format, .writing = writing_of(row.path)});
    for (const ConfigValue& key : settings_.config) items.push_back({.path = std::string(config_node) + key.name});
    return items;
}

std::optional<Writing> BatteryService::writing_of(const std::string& path) {
    const auto number = [](const Value& value) { return std::get<std::int32_t>(value); };
    const auto switch_off = [&](Order order) {
        return Writing{Kind::integer,
                       [this, order, number](const Value& value) { return give(order, 1.0 - number(value)); }};
    };
    if (path == "/CustomName")
        return Writing{Kind::text, [this](const Value& value) { return rename(std::get<std::string>(value)); }};
    for (const OrderPath& row : switch_paths)
        if ((path == row.path || path == row.former) && battery().orders.takes(row.order)) return switch_off(row.order);
    if (path == legacy_reset_soc)
        return Writing{Kind::integer,
                       [this, number](const Value& value) {
                           if (!give(Order::soc, number(value))) return false;
                           source_.reset_soc_to = number(value);
                           return true;
                       },
                       true};
    if (path == "/Settings/ResetSocTo")
        return Writing{Kind::integer, [this, number](const Value& value) {
                           if (const auto checked = check_value(Order::soc, number(value)); !checked) {
                               refuse(to_string(Order::soc), checked.error().detail);
                               return false;
                           }
                           source_.reset_soc_to = number(value);
                           return true;
                       }};
    if (path == "/Settings/ResetSocToApply")
        return Writing{
            Kind::integer,
            [this, number](const Value& value) { return number(value) == 0 || give(Order::soc, source_.reset_soc_to); },
            true};
    if (path == "/History/Clear" && settings_.desk)
        return Writing{Kind::integer,
                       [this, number](const Value& value) {
                           return number(value) == 0 || give(Order::clear_history, number(value));
                       },
                       true};
    return std::nullopt;
}

void BatteryService::show_config() {
    const auto items = tree_.items();
    for (std::size_t place = 0; place < items.size(); ++place) {
        const std::string_view path = items[place].path;
        if (!path.starts_with(config_node)) continue;
        const auto key = std::find_if(settings_.config.begin(), settings_.config.end(), [&](const ConfigValue& known) {
            return known.name == path.substr(config_node.size());
        });
        tree_.set(place, key == settings_.config.end() ? ValueView{Invalid{}} : view(key->value));
    }
}

bool BatteryService::give(Order order, double value) {
    return settings_.desk && settings_.desk->give(battery(), order, value).has_value();
}

void BatteryService::refuse(std::string_view what, const std::string& why) {
    if (settings_.desk) settings_.desk->refuse(battery(), what, why);
}

bool BatteryService::rename(const std::string& name) {
    if (name.size() > longest_custom_name) {
        refuse("custom name", "it has " + std::to_string(name.size()) + " bytes, and no more than " +
                                  std::to_string(longest_custom_name) + " are kept");
        return false;
    }
    if (settings_.keep_custom_name && !settings_.keep_custom_name(battery().identity, name)) return false;
    source_.custom_name = name;
    return true;
}

void BatteryService::read_values() {
    source_.refresh();
    for (const Origin& origin : origins_) tree_.set(origin.place, origin.value(source_, origin.n));
    if (!settings_.json) return;
    source_.json = json_data(tree_.items());  // of what the others say now
    tree_.set(tree_.index_of("/JsonData"), std::string_view{source_.json});
}

/// Consumers take the instance from their first look at a name (dossier "D-Bus", 1.1).
void BatteryService::renumber(std::int32_t instance) {
    if (source_.device_instance == instance) return;
    source_.device_instance = instance;
    read_values();
    announce();
}

void BatteryService::announce() {
    if (!std::exchange(published_, false)) return;
    bus_.release_name(name_);
    claim();
}

void BatteryService::show_name(const std::string& name) {
    source_.custom_name = name;
    update();
}

/// Some tell their single cells later than the rest: consumers look for new paths when a name comes.
void BatteryService::update() {
    const Reading& reading = battery().reading;
    if (reading.cell_voltages_v.size() > cells_ && cell_rows(reading) > cells_ && settings_.cells != CellFormat::none) {
        make_tree();
        return announce();
    }
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
