#include "recorded.hpp"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "app/vector_file.hpp"

namespace bmsd::tests {
namespace {

void collect(const bms::Family& family, const std::string& file, bool alone, std::vector<Recorded>& all) {
    const auto vector = app::read_vector_file(file);
    if (!vector) return;
    auto addresses = vector->addresses;
    if (addresses.empty()) addresses.push_back(family.addresses.standard);
    for (const std::uint32_t address : addresses) {
        Reading known;
        for (const bms::Exchange& exchange : vector->exchanges) {
            ByteList bytes;
            for (const auto& chunk : exchange.answer) bytes.insert(bytes.end(), chunk.begin(), chunk.end());
            bool asked = false;
            const auto take = [&](const bms::Request& request) {
                const bms::Asking asking{address, alone, &known, vector->options};
                if (!bms::asks(family, request, asking, exchange.request)) return;
                asked = true;
                bms::begin_poll(known);
                const auto reading = hear(family, request, asking, bytes);
                if (!reading) return;
                const auto same = [&](const Recorded& other) {
                    return other.request == &request && other.bytes == bytes;
                };
                // Options of a file are not those of the tests: without them the answer is heard afresh.
                if (std::none_of(all.begin(), all.end(), same))
                    if (const auto plain = hear(family, request, {address, alone, &known}, bytes))
                        all.push_back({std::filesystem::path(file).stem(), &request, address, bytes, known, *plain});
                known = *reading;
            };
            for (const bms::Request& request : family.requests) take(request);
            for (const bms::Request& request : family.on_demand)
                if (!asked) take(request);
        }
    }
}

std::vector<Recorded> collect(const bms::Family& family, bool alone) {
    std::vector<Recorded> all;
    for (const std::string& file : vector_files(family)) collect(family, file, alone, all);
    return all;
}

}  // namespace

std::vector<std::string> vector_files(const bms::Family& family) {
    std::vector<std::string> files;
    std::error_code error;
    const std::filesystem::path folder = std::filesystem::path(BMSD_TEST_DATA) / family.key;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<Recorded> good_answers(const bms::Family& family) {
    return collect(family, true);
}

std::vector<Recorded> good_answers_among_several(const bms::Family& family) {
    return collect(family, false);
}

Result<Reading> hear(const bms::Family& family, const bms::Request& request, const bms::Asking& asking,
                     std::span<const std::uint8_t> bytes, std::size_t piece) {
    bms::Transaction transaction;
    transaction.start(family, request, asking);
    while (!bytes.empty() && transaction.reply().progress == bms::Reply::Progress::waiting) {
        const auto room = transaction.room();
        const std::size_t count = std::min({room.size(), bytes.size(), piece});
        if (count == 0) break;
        std::copy_n(bytes.begin(), count, room.begin());
        bytes = bytes.subspan(count);
        transaction.received(count);
    }
    Reading reading = asking.known ? *asking.known : Reading{};
    if (auto result = transaction.finish(reading); !result) return tl::unexpected(result.error());
    return reading;
}

ByteList hex(std::string_view text) {
    std::istringstream words{std::string(text)};
    ByteList bytes;
    for (std::string word; words >> word;) bytes.push_back(static_cast<std::uint8_t>(std::stoul(word, nullptr, 16)));
    return bytes;
}

ByteList joined(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second) {
    ByteList all(first.begin(), first.end());
    all.insert(all.end(), second.begin(), second.end());
    return all;
}

}  // namespace bmsd::tests
