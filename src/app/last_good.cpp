#include "app/last_good.hpp"

#include <algorithm>
#include <filesystem>

#include "app/check_sum.hpp"
#include "app/file_content.hpp"

namespace bmsd::app {
namespace {

using Kind = Problem::Kind;

/// A configuration, and the line above it.
constexpr std::size_t largest_copy = 2 << 20;

}  // namespace

LastGood::LastGood(const std::string& state_dir, std::string config) : config_(std::move(config)) {
    if (!state_dir.empty() && !config_.empty()) path_ = state_dir + "/last-good.ini";
}

/// The first line says whose copy this is, as another file's must not be taken. Its length and sum tell a damaged one,
/// which has other limits than the user set, or fewer.
std::string LastGood::content(std::string_view text) const {
    std::error_code error;
    return "; last good copy of " + std::filesystem::absolute(config_, error).string() + ", " +
           std::to_string(text.size()) + " bytes, sum " + check_sum(text) + "\n" + std::string(text);
}

Parsed LastGood::instead_of(Parsed wanted) const {
    if (path_.empty() || !wanted.readable || !wanted.has(Kind::safety)) return wanted;
    const auto without = [&](const std::string& why) {
        wanted.problems.push_back(
            {.kind = Kind::warning,
             .text = "has no last good copy: " + path_ + " " + why + "; it is replaced when the errors are corrected"});
        return wanted;
    };
    const auto kept = file_content(path_, largest_copy);
    if (!kept) return without("cannot be read (" + kept.error().detail + ")");
    if (!*kept) return wanted;
    const std::string_view whole = **kept, text = whole.substr(std::min(whole.find('\n'), whole.size() - 1) + 1);
    if (whole != content(text)) return without("is damaged, or of another configuration or version");
    Parsed good = parse_config(text);
    // A newer version may see more than the one that kept it.
    if (good.has(Kind::error)) return wanted;
    good.text = wanted.text;
    good.replaced = true;
    good.problems = std::move(wanted.problems);
    for (Problem& problem : good.problems)
        if (problem.kind > Kind::error) problem.kind = Kind::error;
    good.problems.push_back(
        {.kind = Kind::error,
         .text = "is not used because of these errors; the last good configuration is used instead, kept in " + path_});
    return good;
}

void LastGood::keep(const Parsed& used, const ReplaceFile& replace) const {
    if (path_.empty() || used.has(Kind::error)) return;
    replace(path_, content(used.text));
}

}  // namespace bmsd::app
