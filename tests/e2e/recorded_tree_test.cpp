// The trees recorded of the Python driver, made again: its recorded dialogue is replayed to the daemon over a pty.
#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include "rig.hpp"

using namespace bmsd::test;
namespace json = boost::json;

namespace {

json::object read_json(const std::string& name) {
    std::ostringstream text;
    text << std::ifstream{BMSD_TEST_DATA "/dbus/" + name + ".json"}.rdbuf();
    return json::parse(text.str()).as_object();
}

std::string bytes_of(const json::value& hex) {
    std::istringstream words{std::string(hex.as_string())};
    std::string out, word;
    while (words >> word) out += static_cast<char>(std::stoi(word, nullptr, 16));
    return out;
}

/// Answers requests as recorded, several answers of one request in turn, until it falls silent.
class Recorded {
public:
    Recorded(const json::array& exchanges, const std::string& link, std::size_t answers_at_most)
        : master_(::posix_openpt(O_RDWR | O_NOCTTY)), left_(answers_at_most) {
        for (const json::value& exchange : exchanges)
            if (const std::string response = bytes_of(exchange.at("response")); !response.empty())
                answers_[bytes_of(exchange.at("request"))].push_back(response);
        ::grantpt(master_);
        ::unlockpt(master_);
        const std::string port = ::ptsname(master_);
        slave_ = ::open(port.c_str(), O_RDWR | O_NOCTTY);
        termios raw{};
        ::tcgetattr(slave_, &raw);
        ::cfmakeraw(&raw);
        ::tcsetattr(slave_, TCSANOW, &raw);
        std::filesystem::create_symlink(port, link);
        thread_ = std::thread([this] { serve(); });
    }
    ~Recorded() {
        ends_ = true;
        thread_.join();
        ::close(slave_);
        ::close(master_);
    }
    Recorded(const Recorded&) = delete;
    Recorded& operator=(const Recorded&) = delete;

private:
    void serve() {
        std::string heard;
        while (!ends_) {
            pollfd wait{master_, POLLIN, 0};
            if (::poll(&wait, 1, 100) <= 0) {
                heard.clear();
                continue;
            }
            char chunk[4096];
            const ssize_t size = ::read(master_, chunk, sizeof chunk);
            if (size <= 0) return;
            heard.append(chunk, static_cast<std::size_t>(size));
            answer(heard);
        }
    }
    void answer(std::string& heard) {
        for (auto& [request, answers] : answers_) {
            if (!heard.ends_with(request) || left_ == 0) continue;
            --left_;
            const std::string& next = answers[turn_[request]++ % answers.size()];
            [[maybe_unused]] const ssize_t written = ::write(master_, next.data(), next.size());
            heard.clear();
            return;
        }
    }

    int master_, slave_ = -1;
    std::size_t left_;
    std::map<std::string, std::vector<std::string>> answers_;
    std::map<std::string, std::size_t> turn_;
    std::atomic<bool> ends_ = false;
    std::thread thread_;
};

/// Paths that may differ in this recording.
class Differences {
public:
    explicit Differences(const std::string& recording) {
        for (const auto& [which, paths] : read_json("differences")) {
            const std::string pattern(which);
            const bool meant = pattern.ends_with('*') ? recording.starts_with(pattern.substr(0, pattern.size() - 1))
                                                      : recording == pattern;
            if (!meant || !paths.is_object()) continue;
            for (const auto& [path, why] : paths.as_object()) paths_.emplace_back(path);
        }
    }
    [[nodiscard]] bool allow(const std::string& path) const {
        for (const std::string& allowed : paths_) {
            const bool family = allowed.ends_with("/Cell");
            if (family ? path.starts_with(allowed) : path == allowed) return true;
        }
        return false;
    }

private:
    std::vector<std::string> paths_;
};

/// Empty if both are the same.
std::string difference(const json::value& want, const json::value& got, const std::string& text) {
    if (want.at("value").is_null() != got.is_null()) return "is " + json::serialize(got);
    if (got.is_null()) return {};
    if (want.at("value").is_number() && got.is_number()) {
        const double expected = want.at("value").to_number<double>(), found = got.to_number<double>();
        if (std::abs(expected - found) > std::max(0.0051, 1e-4 * std::abs(expected)))
            return "is " + json::serialize(got);
        const std::string shown(want.at("text").as_string());
        return shown == text || shown == text + ".0" ? "" : "shows " + text;
    }
    return want.at("value") == got ? "" : "is " + json::serialize(got);
}

}  // namespace

class RecordedTree : public testing::TestWithParam<const char*> {};

TEST_P(RecordedTree, IsMadeAgain) {
    const std::string name = GetParam();
    const json::object recording = read_json(name);
    Rig rig;
    const std::string recorded_port(recording.at("port").as_array().at(0).as_string());
    const std::string port = rig.folder.file(recorded_port.substr(5));
    const bool falls_silent = name == "jkpb-offline";
    const Recorded battery(recording.at("emulator_frames").as_array(), port, falls_silent ? 8 : SIZE_MAX);
    std::string config;
    for (const auto& [key, value] : recording.at("config").as_object())
        config += std::string(key) + " = " + std::string(value.as_string()) + "\n";
    // The tree of an older version, with the names and paths that we keep of it; the newer one shows more.
    const bool older = name.starts_with("v14-");
    if (older) config += "LEGACY_SERVICE_NAMES = True\nLEGACY_PATHS = True\n";
    rig.run(config, {port});

    json::array services;
    if (const auto* several = recording.if_contains("services"))
        services = several->as_array();
    else
        services.push_back(recording);
    const Differences differences(name);
    for (const json::value& service : services) {
        const std::string bus_name(service.at("service_name").as_string());
        ASSERT_TRUE(eventually([&] { return rig.present(bus_name); })) << rig.daemon().err();
        // What a poll adds to the history is shown with the next one.
        ASSERT_TRUE(eventually([&] { return rig.number(bus_name, "/History/MinimumVoltage").has_value(); }));
        if (falls_silent) {
            ASSERT_TRUE(eventually([&] { return rig.number(bus_name, "/System/NrOfModulesOffline") == 1; }));
        }
        const json::object ours = rig.items(bus_name);
        for (const auto& [key, want] : service.at("items").as_object()) {
            const std::string path(key);
            const auto* got = ours.if_contains(path);
            if (!got) ADD_FAILURE() << path << " is missing";
            bool is_volatile = differences.allow(path);
            for (const json::value& other : recording.at("volatile").as_array())
                is_volatile |= other.as_string() == path;
            if (!got || is_volatile) continue;
            const std::string differs = difference(want, got->at("value"), std::string(got->at("text").as_string()));
            EXPECT_EQ(differs, "") << path << ", recorded " << json::serialize(want);
        }
        for (const auto& [path, got] : ours)
            EXPECT_TRUE(older || service.at("items").as_object().contains(path) || differences.allow(path))
                << path << " is not in the recording";
    }
}

INSTANTIATE_TEST_SUITE_P(Of, RecordedTree,
                         testing::Values("jkpb-default", "jkpb-cellformat0", "jkpb-cellformat2", "jkpb-charging-alarms",
                                         "jkpb-json", "jkpb-offline", "jkpb-soc-calculation", "jkpb-time-to-soc",
                                         "jkpb-two-addresses", "jkpb-two-sensors", "jbd-default", "jbd-4s-protection",
                                         "daly-default", "renogy-default", "v14-jkpb-default", "v14-jbd-default"),
                         [](const auto& which) {
                             std::string name = which.param;
                             std::replace(name.begin(), name.end(), '-', '_');
                             return name;
                         });
