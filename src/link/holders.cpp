#include "link/holders.hpp"

#include <filesystem>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

namespace bmsd::link {
namespace {

namespace fs = std::filesystem;

bool has_open(const fs::path& process, const struct stat& device) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(process / "fd", error)) {
        struct stat open_file {};
        if (::stat(entry.path().c_str(), &open_file) == 0 && S_ISCHR(open_file.st_mode) &&
            open_file.st_rdev == device.st_rdev)
            return true;
    }
    return false;
}

}  // namespace

std::string holders_of(const std::string& path) {
    struct stat device {};
    if (::stat(path.c_str(), &device) != 0) return {};
    std::string out;
    std::error_code error;
    const std::string self = std::to_string(::getpid());
    for (const auto& process : fs::directory_iterator("/proc", error)) {
        const std::string number = process.path().filename();
        if (number.find_first_not_of("0123456789") != std::string::npos || number == self) continue;
        if (!has_open(process.path(), device)) continue;
        std::string name;
        std::getline(std::ifstream(process.path() / "comm") >> std::ws, name);
        out += (out.empty() ? "" : ", ") + name + " (process " + number + ")";
    }
    return out;
}

}  // namespace bmsd::link
