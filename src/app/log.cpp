#include "app/log.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <spdlog/spdlog.h>

#include "app/log_sink.hpp"
#include "model/battery.hpp"

namespace bmsd::app {
namespace {

/// What a text is about: its first word, which is a port, a file or a service.
std::string_view subject_of(std::string_view text) {
    const std::string_view word = text.substr(0, text.find(' '));
    return word.substr(0, word.size() - (word.ends_with(':') ? 1 : 0));
}

/// Holds back what was just said, unless something else has been said of the same subject since: "gone", "there again",
/// "gone" are three events, and the last word must be the right one.
class Flood {
public:
    struct Passed {
        unsigned held;  ///< how often the text was held back before
        bool last;      ///< it has changed so often that it is held back next
    };

    /// Nothing if the text is to be held back now.
    std::optional<Passed> pass(const std::string& text, Clock::time_point now) {
        const std::hash<std::string_view> hash;
        const auto [at, added] = said_.try_emplace(hash(text), Said{hash(subject_of(text))});
        Said& said = at->second;
        const bool again = !added && now - said.when < quiet;
        if (!again || now - said.first >= quiet) {
            said.first = now;
            said.passes = 0;
        }
        if (again && (said.passes == most_passes || is_last_word(said))) {
            ++said.held;
            return std::nullopt;
        }
        said.when = now;
        said.turn = ++turns_;
        const Passed passed{std::exchange(said.held, 0), ++said.passes == most_passes};
        // Texts may carry numbers: forget old ones, or this would grow for ever.
        if (said_.size() > 64)
            std::erase_if(said_, [&](const auto& entry) { return now - entry.second.when >= quiet; });
        if (said_.size() > 512) said_.clear();
        return passed;
    }

    /// As if all of it had been said long ago.
    void forget() {
        for (auto& [hash, said] : said_) said.when -= quiet;
    }

private:
    static constexpr std::chrono::seconds quiet{60};
    static constexpr unsigned most_passes = 6;  ///< of one text, in that time

    struct Said {
        std::size_t subject;        ///< its hash
        Clock::time_point when{};   ///< it passed last
        Clock::time_point first{};  ///< `passes` are counted from here
        unsigned passes = 0, held = 0;
        std::uint64_t turn = 0;  ///< of all that passed
    };

    [[nodiscard]] bool is_last_word(const Said& said) const {
        return std::none_of(said_.begin(), said_.end(), [&](const auto& entry) {
            return entry.second.subject == said.subject && entry.second.turn > said.turn;
        });
    }

    std::map<std::size_t, Said> said_;  ///< by the hash of the text
    std::uint64_t turns_ = 0;
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
        const auto passed = flood->pass(text, Clock::now());
        if (!passed) return;
        std::string line = text;
        if (passed->held > 0) line += " (" + std::to_string(passed->held) + " times more since)";
        if (passed->last) line += " (changes too often: not said again for up to a minute)";
        logger->log(level_of(severity), line);
    };
    return {report, [flood] { flood->forget(); }};
}

}  // namespace bmsd::app
