// Bytes from the wire into one family (fuzzed_family): whatever they are, decoding stays sound.
// Input: mode, address, size of the pieces, then the bytes. Mode bits: 0..3 which request, 4 one of several
// batteries, 5 the bytes are a payload in a sound frame (else a fuzzer never gets past the checksum), 6 the same
// bytes come a second time.
#include "bms/catalog.hpp"
#include "bms/transaction.hpp"
#include "sound.hpp"

extern const char* const fuzzed_family;  // which: a line made for each program

namespace {

using namespace bmsd;
using test::require;
using test::require_sound;

void feed(bms::Transaction& transaction, std::span<const std::uint8_t> bytes, std::size_t piece) {
    piece = std::max(piece, bytes.size() / 64);  // single bytes all the way make a slow fuzzer
    while (!bytes.empty() && !transaction.room().empty()) {
        const auto room = transaction.room();
        const std::size_t count = std::min({room.size(), bytes.size(), piece});
        std::copy_n(bytes.begin(), count, room.begin());
        bytes = bytes.subspan(count);
        const bms::Reply& reply = transaction.received(count);
        if (reply.progress == bms::Reply::Progress::waiting)
            require(reply.missing >= 1 && reply.missing <= max_frame, "missing bytes");
        if (!reply.payload.empty())
            require(reply.payload.data() >= transaction.bytes().data() &&
                        reply.payload.data() + reply.payload.size() <=
                            transaction.bytes().data() + transaction.bytes().size(),
                    "payload lies in what was received");
    }
}

void run(const bms::Family& family, std::span<const std::uint8_t> input) {
    if (input.size() < 3) return;
    const std::uint8_t mode = input[0];
    const bms::Request& request = family.requests[(mode & 0x0F) % family.requests.size()];
    Reading reading;
    const bms::Asking asking{input[1], (mode & 0x10) == 0, &reading};
    const std::size_t piece = input[2] == 0 ? max_frame : input[2];
    auto bytes = input.subspan(3);

    Bytes frame;
    if (mode & 0x20) {
        family.wrap(request, asking, bytes.first(std::min<std::size_t>(bytes.size(), 480)), frame);
        bytes = frame;
    }
    for (int round = 0; round < (mode & 0x40 ? 2 : 1); ++round) {
        const Reading before = reading;
        bms::Transaction transaction;
        transaction.start(family, request, asking);
        feed(transaction, bytes, piece);
        const auto result = transaction.finish(reading);
        if (!result) require(reading == before, "a refused answer changes nothing");
        require_sound(reading);
        if (family.identity) require(family.identity(reading).size() <= 64, "short identity");
        if (family.hardware) require(family.hardware(reading).size() <= 128, "short hardware text");
    }
    if (family.unsolicited)
        require(family.unsolicited(asking, bytes).progress != bms::Reply::Progress::complete, "unasked is no data");

    // What was read can be simulated, and what is simulated is an answer again.
    Bytes answer;
    bms::answer(family, request, asking, reading, answer);
    bms::Transaction again;
    again.start(family, request, asking);
    feed(again, answer, piece);
    require(!again.reply().payload.empty(), "a simulated answer is one");
    Reading other;
    if (again.finish(other)) require_sound(other);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const bms::Family& family = *bms::find_family(fuzzed_family);
    run(family, {data, size});
    return 0;
}
