#include "app/check_config_command.hpp"

#include <algorithm>
#include <cstdio>

#include <boost/json.hpp>

#include "app/config.hpp"
#include "app/reading_json.hpp"
#include "venus/utf8.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using Kind = Problem::Kind;

constexpr int sound = 0, has_errors = 1, unreadable = 2;

/// What a person calls it.
std::string_view severity_text(Kind kind) {
    switch (kind) {
        case Kind::note: return "note";
        case Kind::warning: return "warning";
        default: return "error";
    }
}

/// What the daemon makes of the file.
std::string_view consequence(const Parsed& parsed) {
    if (parsed.has(Kind::fatal)) return "bmsd does not start with this file";
    if (parsed.has(Kind::safety)) return "bmsd shows the batteries, but keeps their charge and discharge currents at 0";
    if (parsed.has(Kind::error)) return "bmsd works, and Venus OS shows error 119, \"settings incorrect\"";
    return "bmsd works with this file";
}

struct Count {
    int errors = 0, warnings = 0, notes = 0;
};

Count count(const Parsed& parsed) {
    Count count;
    for (const Problem& problem : parsed.problems)
        ++(problem.kind == Kind::note ? count.notes : problem.kind == Kind::warning ? count.warnings : count.errors);
    return count;
}

json::value or_null(const std::string& text) {
    return text.empty() ? json::value(nullptr) : json::value(text);
}

json::object problem_json(const Problem& problem) {
    return {{"line", problem.line > 0 ? json::value(problem.line) : json::value(nullptr)},
            {"section", or_null(problem.section)},
            {"key", or_null(problem.key)},
            {"value", problem.value},
            {"severity", severity_text(problem.kind)},
            {"safety", problem.kind == Kind::safety},
            {"text", problem.text},
            {"allowed", or_null(problem.allowed)},
            {"nearest", or_null(problem.nearest)}};
}

void print_json(const std::string& path, const Parsed& parsed) {
    json::array problems;
    for (const Problem& problem : parsed.problems) problems.push_back(problem_json(problem));
    const Count counted = count(parsed);
    std::printf("%s\n", to_text(json::object{{"file", venus::valid_utf8(path)},
                                             {"errors", counted.errors},
                                             {"warnings", counted.warnings},
                                             {"notes", counted.notes},
                                             {"consequence", consequence(parsed)},
                                             {"problems", std::move(problems)}})
                            .c_str());
}

std::string plural(int number, const char* word) {
    return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

void print_text(const std::string& path, const Parsed& parsed) {
    for (const Problem& problem : parsed.problems) {
        const std::string severity(severity_text(problem.kind));
        std::printf("%s: %s\n", severity.c_str(), to_string(problem, path).c_str());
    }
    const Count counted = count(parsed);
    std::printf("%s: %s, %s, %s: %s\n", path.c_str(), plural(counted.errors, "error").c_str(),
                plural(counted.warnings, "warning").c_str(), plural(counted.notes, "note").c_str(),
                std::string(consequence(parsed)).c_str());
}

}  // namespace

int check_config(const std::string& path, bool as_json) {
    const Parsed parsed = read_config(path);
    as_json ? print_json(path, parsed) : print_text(path, parsed);
    if (!parsed.readable) return unreadable;
    return parsed.has(Kind::error) ? has_errors : sound;
}

}  // namespace bmsd::app
