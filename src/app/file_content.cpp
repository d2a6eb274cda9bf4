#include "app/file_content.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

namespace bmsd::app {
namespace {

constexpr std::size_t piece = 16 * 1024;

/// Appends what follows, `most` bytes in all; what errno would be, 0 at the end of the file.
int read_all(int fd, std::string& text, std::size_t most) {
    while (text.size() < most) {
        const std::size_t before = text.size();
        text.resize(std::min(most, before + piece));
        const ssize_t got = ::read(fd, text.data() + before, text.size() - before);
        const int error = got < 0 ? errno : 0;
        text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got == 0 || (error != 0 && error != EINTR)) return error;
    }
    return 0;
}

}  // namespace

Result<std::optional<std::string>> file_content(const std::string& path, std::size_t most) {
    const auto fail = [](int error) {
        return tl::unexpected(Error{ErrorClass::config, std::generic_category().message(error)});
    };
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) return std::nullopt;
    if (fd < 0) return fail(errno);
    std::string text;
    const int error = read_all(fd, text, most);
    ::close(fd);
    if (error != 0) return fail(error);
    return text;
}

}  // namespace bmsd::app
