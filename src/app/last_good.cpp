#include "app/last_good.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/atomic_file.hpp"

namespace bmsd::app {
namespace {

using Kind = Problem::Kind;

/// Empty if the file cannot be read.
std::string read_all(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

LastGood::LastGood(const std::string& state_dir, std::string config) : config_(std::move(config)) {
    if (!state_dir.empty() && !config_.empty()) path_ = state_dir + "/last-good.ini";
}

/// The first line says whose copy this is: another file's must not be taken.
std::string LastGood::content(const std::string& text) const {
    std::error_code error;
    return "; last good copy of " + std::filesystem::absolute(config_, error).string() + "\n" + text;
}

Parsed LastGood::instead_of(Parsed wanted) const {
    if (path_.empty() || !wanted.readable || !wanted.has(Kind::safety)) return wanted;
    const std::string kept = read_all(path_);
    if (!kept.starts_with(content(""))) return wanted;
    Parsed good = parse_config(std::string_view(kept).substr(content("").size()));
    // A newer version may see more than the one that kept it.
    if (good.has(Kind::error)) return wanted;
    good.text = wanted.text;
    good.problems = std::move(wanted.problems);
    for (Problem& problem : good.problems)
        if (problem.kind > Kind::error) problem.kind = Kind::error;
    good.problems.push_back(
        {.kind = Kind::error,
         .text = "is not used because of these errors; the last good configuration is used instead, kept in " + path_});
    return good;
}

Result<void> LastGood::keep(const Parsed& used) const {
    if (path_.empty() || used.has(Kind::error)) return {};
    const std::string text = content(used.text);
    if (read_all(path_) == text) return {};
    return write_atomically(path_, text);
}

}  // namespace bmsd::app
