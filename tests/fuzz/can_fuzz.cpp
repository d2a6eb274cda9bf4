// Frames from a CAN bus into one family (fuzzed_family): whatever they are, decoding stays sound.
// Input: address, then per frame its identifier (4 bytes, little endian, highest bit: 29 bits), size, tenths of a
// second since the one before, 8 bytes of data.
#include <cstring>

#include "bms/can.hpp"
#include "bms/catalog.hpp"
#include "sound.hpp"

extern const char* const fuzzed_family;  // which: a line made for each program

namespace {

using namespace bmsd;
using test::require;
using test::require_sound;

constexpr std::size_t record = 14;

CanFrame frame_at(const std::uint8_t* at) {
    std::uint32_t word = 0;
    for (int i = 3; i >= 0; --i) word = word << 8 | at[i];
    CanFrame frame{word & can_id_mask, (word & 0x80000000U) != 0, static_cast<std::uint8_t>(at[4] % 9), {}};
    if (!frame.extended) frame.id &= 0x7FF;
    std::memcpy(frame.data.data(), at + 6, frame.size);
    return frame;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bms::Family& family = *bms::find_family(fuzzed_family);
    if (size < 1) return 0;
    const bms::Addresses& known = family.addresses;
    const std::uint32_t address = known.used ? known.first + data[0] % (known.last - known.first + 1) : 0;
    bms::CanPicture picture(family, address);
    Clock::time_point now{std::chrono::hours{1}};
    Reading reading;
    for (std::size_t at = 1; at + record <= size; at += record) {
        now += std::chrono::milliseconds{100} * (data[at + 5] % 64);
        picture.take(frame_at(data + at), now);
        bms::Asking asking{.address = address};
        asking.recorded = (data[at + 5] & 0x80) != 0;
        if (picture.read(asking, now, reading)) {
            require_sound(reading);
            if (family.identity) require(family.identity(reading).size() <= 64, "short identity");
            if (family.can->certainty) static_cast<void>(family.can->certainty(bms::CanView(picture, now), reading));
            std::vector<CanFrame> frames;
            for (std::size_t i = 0; i < family.can->messages.size(); ++i)
                bms::add_frames(family, i, asking, reading, frames);
            for (const CanFrame& frame : frames) require(frame.size <= 8, "a frame has up to 8 bytes");
        }
        if ((data[at + 5] & 0x40) != 0) picture.begin_poll();
    }
    return 0;
}
