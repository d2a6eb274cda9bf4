#include "app/replay.hpp"

#include "app/vector_file.hpp"
#include "link/replay.hpp"

namespace bmsd::app {
namespace {

constexpr std::string_view scheme = "replay:";

}  // namespace

bool is_replay(const std::string& port) {
    return port.starts_with(scheme);
}

Result<std::unique_ptr<link::ByteLink>> make_replay_link(Executor executor, const std::string& port) {
    const std::string path = port.substr(scheme.size());
    auto file = read_vector_file(path);
    if (!file) return tl::unexpected(Error{file.error().cls, path + ": " + file.error().detail});
    if (file->family->can)
        return tl::unexpected(Error{ErrorClass::config, path +
                                                            ": was recorded on CAN and cannot be replayed on a serial "
                                                            "port; canplayer of can-utils replays on an interface"});
    std::vector<link::Recorded> recorded;
    for (bms::Exchange& exchange : file->exchanges)
        recorded.push_back({std::move(exchange.request), std::move(exchange.answer)});
    return std::make_unique<link::ReplayLink>(std::move(executor), port, std::move(recorded));
}

}  // namespace bmsd::app
