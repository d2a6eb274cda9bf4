#include "bms/modbus_reply.hpp"

namespace bmsd::bms {

Reply to_reply(const framing::modbus::Found& found) noexcept {
    using enum framing::modbus::Found::State;
    const auto waiting = [&](ErrorClass fault) {
        return Reply{Reply::Progress::waiting, found.missing, {}, fault, found.why};
    };
    switch (found.state) {
        case nothing:
        case cut: return waiting(ErrorClass::truncated);
        case garbage: return waiting(ErrorClass::malformed);
        case echo:
        case foreign: return waiting(ErrorClass::unexpected);
        case checksum: return waiting(ErrorClass::checksum);
        case refused: return {Reply::Progress::failed, 0, {}, ErrorClass::refused, found.why};
        case complete: break;
    }
    return {Reply::Progress::complete, 0, found.data, {}, {}};
}

}  // namespace bmsd::bms
