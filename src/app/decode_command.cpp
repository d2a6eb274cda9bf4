#include "app/decode_command.hpp"

#include <algorithm>
#include <cstdio>

#include "app/reading_json.hpp"
#include "app/vector_file.hpp"
#include "bms/transaction.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;

/// One error that speaks for all addresses: the first that is more than silence.
Error combined(const std::vector<bms::Heard>& heard) {
    const auto telling = std::find_if(heard.begin(), heard.end(), [](const bms::Heard& one) {
        return one.reading.error().cls != ErrorClass::truncated;
    });
    Error error{(telling == heard.end() ? heard.front() : *telling).reading.error().cls, {}};
    for (const bms::Heard& one : heard) {
        if (!error.detail.empty()) error.detail += "; ";
        if (heard.size() > 1) error.detail += "address " + std::to_string(one.address) + ": ";
        error.detail += one.reading.error().detail;
    }
    return error;
}

/// What a sound dialogue says; steps of controls that the BMS accepted are `ack`, several of them `acks`.
json::object content_json(const bms::Heard& heard) {
    json::object out = reading_json(*heard.reading);
    if (heard.acknowledged == 1) out["ack"] = true;
    if (heard.acknowledged > 1) out["acks"] = json::array(heard.acknowledged, true);
    return out;
}

json::object battery_json(const bms::Heard& heard) {
    json::object out{{"address", heard.address}};
    const json::object content = heard.reading ? content_json(heard) : error_json(heard.reading.error());
    out.insert(content.begin(), content.end());
    return out;
}

}  // namespace

json::object decode_vector_file(const std::string& path) {
    const auto file = read_vector_file(path);
    if (!file) return error_json({file.error().cls, path + ": " + file.error().detail});

    const auto heard = listen(*file);
    if (std::none_of(heard.begin(), heard.end(), [](const bms::Heard& one) { return one.reading.has_value(); })) {
        const Error error = combined(heard);
        return error_json({error.cls, path + ": " + error.detail});
    }
    if (!file->several) return content_json(heard.front());
    json::array batteries;
    for (const bms::Heard& one : heard) batteries.push_back(battery_json(one));
    return {{"batteries", std::move(batteries)}};
}

int decode(const std::vector<std::string>& files) {
    bool failed = false;
    for (const std::string& path : files) {
        const json::object result = decode_vector_file(path);
        failed = failed || result.contains("error");
        std::printf("%s\n", to_text(result).c_str());
    }
    return failed ? 1 : 0;
}

}  // namespace bmsd::app
