#include "app/config.hpp"

#include <algorithm>
#include <filesystem>

#include "app/config_reader.hpp"
#include "app/file_content.hpp"
#include "model/words.hpp"

namespace bmsd::app {
namespace {

/// No configuration a person writes is larger.
constexpr std::size_t largest_config = 1 << 20;

/// A message quotes what a stranger may have written: one line, of a length that people read.
constexpr std::size_t longest_message = 600;

}  // namespace

std::string to_string(const Problem& problem, const std::string& file) {
    std::string out = file;
    if (problem.line > 0) out += " line " + std::to_string(problem.line);
    if (!problem.key.empty()) out += ": " + problem.key;
    out += ": " + problem.text;
    for (char& c : out)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
    if (out.size() <= longest_message) return out;
    return std::string(cut_text(out, longest_message)) + "...";
}

bool Parsed::has(Problem::Kind at_least) const noexcept {
    return std::any_of(problems.begin(), problems.end(),
                       [&](const Problem& problem) { return problem.kind >= at_least; });
}

std::string worst_error(const Parsed& parsed, const std::string& file) {
    const auto milder = [](const Problem& a, const Problem& b) { return a.kind < b.kind; };
    const auto worst = std::max_element(parsed.problems.begin(), parsed.problems.end(), milder);
    if (worst == parsed.problems.end() || worst->kind < Problem::Kind::error) return {};
    const auto errors = std::count_if(parsed.problems.begin(), parsed.problems.end(),
                                      [](const Problem& problem) { return problem.kind >= Problem::Kind::error; });
    const auto others = errors - 1 - (parsed.replaced ? 1 : 0);  // that it is replaced is a problem of its own
    std::string text = to_string(*worst, file);
    if (parsed.replaced) text += "; the last good configuration is used instead";
    if (others > 0) text += " (more in the log: " + std::to_string(others) + ")";
    return text;
}

Parsed parse_config(std::string_view text) {
    Parsed parsed;
    parsed.text = text;
    ConfigReader(parsed).read(text);
    return parsed;
}

Parsed read_config(const std::string& path) {
    const auto fatal = [](std::string text) {
        Parsed parsed;
        parsed.readable = false;
        parsed.problems.push_back({.kind = Problem::Kind::fatal, .text = std::move(text)});
        return parsed;
    };
    std::error_code error;
    const auto status = std::filesystem::status(path, error);
    if (error && status.type() != std::filesystem::file_type::not_found)
        return fatal("the file cannot be reached (" + error.message() + "); check the permissions of its directories");
    if (std::filesystem::is_directory(status)) return fatal("this is a directory; name the file in it");
    const auto text = file_content(path, largest_config + 1);
    if (!text)
        return fatal("the file cannot be read (" + text.error().detail + "); check its permissions and its disk");
    if (!*text) return fatal("there is no such file; check its name and its directory");
    if ((*text)->size() > largest_config) return fatal("the file is too large for a configuration");
    if ((*text)->find('\0') != std::string::npos) return fatal("this is not a text file");
    return parse_config(**text);
}

}  // namespace bmsd::app
