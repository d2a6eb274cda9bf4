// What a configuration complains about, for tests.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "app/config.hpp"

namespace bmsd::test {

/// All problems as text, for messages of failing tests.
inline std::string all(const app::Parsed& parsed) {
    std::string out;
    for (const app::Problem& problem : parsed.problems) out += to_string(problem, "config.ini") + "\n";
    return out;
}

inline bool mentions(const app::Parsed& parsed, std::string_view text) {
    return all(parsed).find(text) != std::string::npos;
}

/// Reads these lines of the section of the defaults.
inline app::Parsed parse(const std::string& lines) {
    return app::parse_config("[DEFAULT]\n" + lines);
}

/// Whether there is a problem of this kind with this text in this line.
inline bool complains(const app::Parsed& parsed, app::Problem::Kind kind, int line, std::string_view text) {
    return std::any_of(parsed.problems.begin(), parsed.problems.end(), [&](const app::Problem& problem) {
        return problem.kind == kind && problem.line == line && problem.text.find(text) != std::string::npos;
    });
}

}  // namespace bmsd::test
