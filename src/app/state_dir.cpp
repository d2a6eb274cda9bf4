#include "app/state_dir.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <system_error>

#include <unistd.h>

namespace bmsd::app {

namespace fs = std::filesystem;

namespace {

/// What happens to a disk that is full or wears out: the kernel makes it read-only then.
bool is_trouble_of_disk(const std::error_code& why) {
    constexpr int all[] = {EROFS, ENOSPC, EDQUOT, EIO};
    return std::find(std::begin(all), std::end(all), why.value()) != std::end(all);
}

}  // namespace

bool on_venus() {
    std::error_code error;
    return fs::exists("/opt/victronenergy", error);
}

std::string usual_state_dir() {
    return on_venus() ? "/data/apps/bmsd/state" : "/var/lib/bmsd";
}

tl::expected<void, NoState> make_state_dir(const std::string& state_dir) {
    const auto fail = [&](const std::string& what, const std::error_code& why) {
        const bool may_pass = is_trouble_of_disk(why);
        return tl::unexpected(NoState{state_dir + ": the state directory " + what + " (" + why.message() + "); " +
                                          (may_pass ? "see to the disk, or name another" : "name another") +
                                          " with --state-dir",
                                      may_pass});
    };
    std::error_code error;
    fs::create_directories(state_dir, error);
    if (error) return fail("cannot be made", error);
    if (::access(state_dir.c_str(), W_OK | X_OK) != 0)
        return fail("cannot be written to", {errno, std::generic_category()});
    return {};
}

}  // namespace bmsd::app
