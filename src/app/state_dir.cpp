#include "app/state_dir.hpp"

#include <filesystem>

#include <unistd.h>

namespace bmsd::app {

namespace fs = std::filesystem;

bool on_venus() {
    std::error_code error;
    return fs::exists("/opt/victronenergy", error);
}

std::string usual_state_dir() {
    return on_venus() ? "/data/apps/bmsd/state" : "/var/lib/bmsd";
}

Result<void> make_state_dir(const std::string& state_dir) {
    const auto fail = [&](const std::string& why) {
        return tl::unexpected(
            Error{ErrorClass::config, state_dir + ": the state directory " + why + "; name another with --state-dir"});
    };
    std::error_code error;
    fs::create_directories(state_dir, error);
    if (error) return fail("cannot be made (" + error.message() + ")");
    if (::access(state_dir.c_str(), W_OK | X_OK) != 0)
        return fail("cannot be written to (" + std::generic_category().message(errno) + ")");
    return {};
}

}  // namespace bmsd::app
