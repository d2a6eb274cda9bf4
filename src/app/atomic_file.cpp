#include "app/atomic_file.hpp"

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

namespace bmsd::app {
namespace {

/// Closes at the end; a file that could not be finished is removed.
class Unfinished {
public:
    Unfinished(int fd, const std::string& path) : fd_(fd), path_(path) {}
    ~Unfinished() {
        if (fd_ >= 0) ::close(fd_);
        if (!kept_) ::unlink(path_.c_str());
    }
    Unfinished(const Unfinished&) = delete;
    Unfinished& operator=(const Unfinished&) = delete;

    bool close() { return ::close(std::exchange(fd_, -1)) == 0; }
    void keep() noexcept { kept_ = true; }

private:
    int fd_;
    const std::string& path_;
    bool kept_ = false;
};

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

/// The new name itself must reach the disk as well. Some file systems cannot do this for a folder: no harm is done.
void sync_folder(const std::filesystem::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    ::fsync(fd);
    ::close(fd);
}

}  // namespace

Result<void> write_atomically(const std::string& path, std::string_view content) {
    const auto fail = [&](const char* what) {
        const std::string why = std::generic_category().message(errno);
        return tl::unexpected(Error{ErrorClass::config, path + ": " + what + ": " + why});
    };
    // Always the same name: what a power cut leaves behind is used again.
    const std::string beside = path + ".new";
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return fail("no file can be made beside it");
    Unfinished file(fd, beside);
    if (!write_all(fd, content)) return fail("cannot be written");
    if (::fsync(fd) != 0) return fail("does not reach the disk");
    if (!file.close()) return fail("does not reach the disk");
    if (::rename(beside.c_str(), path.c_str()) != 0) return fail("cannot be replaced");
    file.keep();
    const auto folder = std::filesystem::path(path).parent_path();
    sync_folder(folder.empty() ? "." : folder);
    return {};
}

}  // namespace bmsd::app
