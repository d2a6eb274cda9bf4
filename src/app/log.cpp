#include "app/log.hpp"

#include <functional>
#include <map>
#include <memory>

#include <spdlog/spdlog.h>

#include "app/log_sink.hpp"
#include "model/battery.hpp"

namespace bmsd::app {
namespace {

/// Holds back what was just said.
class Flood {
public:
    /// How often this text was held back before, or nothing if it is to be held back now.
    std::optional<unsigned> pass(const std::string& text, Clock::time_point now) {
        const auto [at, added] = said_.try_emplace(std::hash<std::string>{}(text), Said{now, 0});
        if (!added && now - at->second.when < quiet) {
            ++at->second.held;
            return std::nullopt;
        }
        const unsigned held = at->second.held;
        at->second = {now, 0};
        // Texts may carry numbers: forget old ones, or this would grow for ever.
        if (said_.size() > 64)
            std::erase_if(said_, [&](const auto& entry) { return now - entry.second.when >= quiet; });
        if (said_.size() > 512) said_.clear();
        return held;
    }

    /// As if all of it had been said long ago.
    void forget() {
        for (auto& [hash, said] : said_) said.when -= quiet;
    }

private:
    static constexpr std::chrono::seconds quiet{60};

    struct Said {
        Clock::time_point when;
        unsigned held;
    };
    std::map<std::size_t, Said> said_;  ///< by the hash of the text
};

spdlog::level::level_enum level_of(Severity severity) {
    switch (severity) {
        case Severity::debug: return spdlog::level::debug;
        case Severity::info: return spdlog::level::info;
        case Severity::warning: return spdlog::level::warn;
        case Severity::error: return spdlog::level::err;
    }
    return spdlog::level::info;
}

}  // namespace

Log make_log(std::shared_ptr<const LogLevel> level, int fd) {
    auto logger = std::make_shared<spdlog::logger>("bmsd", std::make_shared<LogSink>(fd));
    logger->set_pattern("%Y-%m-%d %H:%M:%S %l %v");
    logger->set_level(spdlog::level::trace);
    const auto flood = std::make_shared<Flood>();
    const auto report = [logger, level, flood](Severity severity, const std::string& text) {
        if (severity < static_cast<Severity>(*level)) return;
        const auto held = flood->pass(text, Clock::now());
        if (!held) return;
        logger->log(level_of(severity), *held > 0 ? text + " (" + std::to_string(*held) + " times more since)" : text);
    };
    return {report, [flood] { flood->forget(); }};
}

}  // namespace bmsd::app
