#include "app/vector_file.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include <boost/json.hpp>

#include "app/json_errors.hpp"
#include "bms/catalog.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using ByteList = std::vector<std::uint8_t>;

/// More addresses than any bus has.
constexpr std::size_t max_addresses = 256;

auto bad_key(std::string_view key, const std::string& what) {
    return malformed("key " + in_quotes(key) + ": " + what);
}

/// Value of a hex digit, -1 if it is none.
int digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

Result<ByteList> parse_hex(std::string_view text, const std::string& key) {
    ByteList bytes;
    int high = -1;
    for (const char c : text) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
        const int value = digit(c);
        if (value < 0) return bad_key(key, in_quotes({&c, 1}) + " is no hex digit");
        if (high < 0) {
            high = value;
        } else {
            bytes.push_back(static_cast<std::uint8_t>(high << 4 | value));
            high = -1;
        }
    }
    if (high >= 0) return bad_key(key, "half a byte is left, hex digits come in pairs");
    return bytes;
}

/// Hex text, or null for no bytes at all.
Result<ByteList> parse_bytes(const json::value* value, const std::string& key) {
    if (!value || value->is_null()) return ByteList{};
    if (!value->is_string()) return bad_key(key, "hex text or null is expected");
    return parse_hex(value->get_string(), key);
}

/// An answer in one piece (text) or in the pieces in which it arrived (list of texts).
Result<std::vector<ByteList>> parse_answer(const json::value* value, const std::string& key) {
    std::vector<ByteList> chunks;
    if (value && value->is_array()) {
        for (const json::value& item : value->get_array()) {
            auto chunk = parse_bytes(&item, key + "[" + std::to_string(chunks.size()) + "]");
            if (!chunk) return tl::unexpected(chunk.error());
            chunks.push_back(std::move(*chunk));
        }
        return chunks;
    }
    auto chunk = parse_bytes(value, key);
    if (!chunk) return tl::unexpected(chunk.error());
    chunks.push_back(std::move(*chunk));
    return chunks;
}

Result<std::vector<bms::Exchange>> parse_exchanges(const json::value* value) {
    if (!value || !value->is_array()) return bad_key("exchanges", "a list of requests and responses is expected");
    std::vector<bms::Exchange> exchanges;
    for (const json::value& item : value->get_array()) {
        const std::string key = "exchanges[" + std::to_string(exchanges.size()) + "]";
        if (!item.is_object()) return bad_key(key, "an object is expected");
        const json::object& entry = item.get_object();
        auto request = parse_bytes(entry.if_contains("request"), key + ".request");
        if (!request) return tl::unexpected(request.error());
        auto answer = parse_answer(entry.if_contains("response"), key + ".response");
        if (!answer) return tl::unexpected(answer.error());
        exchanges.push_back({std::move(*request), std::move(*answer)});
    }
    return exchanges;
}

/// Hex text such as "0x18904001"; bits that no identifier has are refused.
Result<std::uint32_t> parse_can_id(const json::value* value, bool extended, const std::string& key) {
    const std::string text = value && value->is_string() ? std::string(value->get_string()) : std::string();
    std::uint32_t id = 0;
    const std::size_t begin = text.starts_with("0x") || text.starts_with("0X") ? 2 : 0;
    const char* const end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data() + begin, end, id, 16);
    if (text.size() == begin || error != std::errc{} || at != end)
        return bad_key(key, "an identifier in hex digits is expected, for example \"0x351\"");
    if (id > (extended ? can_id_mask : 0x7FFU))
        return bad_key(key, "the identifier has more than " + std::string(extended ? "29" : "11") + " bits");
    return id;
}

Result<CanFrame> parse_frame(const json::value& item, const std::string& key) {
    if (!item.is_object()) return bad_key(key, "an object is expected");
    const json::object& entry = item.get_object();
    CanFrame frame;
    if (const json::value* extended = entry.if_contains("extended")) {
        if (!extended->is_bool()) return bad_key(key + ".extended", "true or false is expected");
        frame.extended = extended->get_bool();
    }
    const auto id = parse_can_id(entry.if_contains("id"), frame.extended, key + ".id");
    if (!id) return tl::unexpected(id.error());
    frame.id = *id;
    const auto data = parse_bytes(entry.if_contains("data"), key + ".data");
    if (!data) return tl::unexpected(data.error());
    if (data->size() > frame.data.size()) return bad_key(key + ".data", "a frame has up to 8 bytes");
    std::copy(data->begin(), data->end(), frame.data.begin());
    frame.size = static_cast<std::uint8_t>(data->size());
    return frame;
}

Result<std::vector<CanFrame>> parse_frames(const json::value& value) {
    if (!value.is_array()) return bad_key("frames", "a list of CAN frames is expected");
    std::vector<CanFrame> frames;
    for (const json::value& item : value.get_array()) {
        auto frame = parse_frame(item, "frames[" + std::to_string(frames.size()) + "]");
        if (!frame) return tl::unexpected(frame.error());
        frames.push_back(*frame);
    }
    return frames;
}

Result<std::uint32_t> parse_address(const json::value& value, const std::string& key) {
    boost::system::error_code error;
    const auto address = value.is_number() ? value.to_number<std::uint32_t>(error) : 0U;
    if (!value.is_number() || error) return bad_key(key, "an address (whole number) is expected");
    return address;
}

/// A number, a list of numbers, or null.
Result<std::vector<std::uint32_t>> parse_addresses(const json::value* value) {
    std::vector<std::uint32_t> addresses;
    if (!value || value->is_null()) return addresses;
    if (!value->is_array()) {
        auto address = parse_address(*value, "address");
        if (!address) return tl::unexpected(address.error());
        addresses.push_back(*address);
        return addresses;
    }
    if (value->get_array().empty() || value->get_array().size() > max_addresses)
        return bad_key("address", "a list holds 1 to " + std::to_string(max_addresses) + " addresses");
    for (const json::value& item : value->get_array()) {
        auto address = parse_address(item, "address[" + std::to_string(addresses.size()) + "]");
        if (!address) return tl::unexpected(address.error());
        addresses.push_back(*address);
    }
    return addresses;
}

Result<std::vector<const bms::Family*>> parse_families(const json::value* value) {
    if (!value || !value->is_string()) return bad_key("bms", "the name of a BMS family is expected");
    const std::string_view name = value->get_string();
    if (auto families = bms::find_families(name); !families.empty()) return families;
    return tl::unexpected(
        Error{ErrorClass::config, "key \"bms\": " + in_quotes(name) + " is no known BMS family; the nearest is " +
                                      in_quotes(bms::nearest_type(name)) + ", `bmsd list` shows all"});
}

/// Of the dialects of a type, the one whose requests were recorded; if they are another tool's, the one that
/// understands the answers, or else the one that has these addresses.
const bms::Family* dialect_of(const std::vector<const bms::Family*>& families, const VectorFile& file) {
    const auto speaks = [&](const bms::Family* family) { return bms::speaks(*family, file.addresses, file.exchanges); };
    const auto understands = [&](const bms::Family* family) {
        const auto heard = bms::listen(*family, file.addresses, file.exchanges, file.options);
        return std::any_of(heard.begin(), heard.end(), [](const bms::Heard& one) { return one.reading.has_value(); });
    };
    const auto has_addresses = [&](const bms::Family* family) {
        return std::all_of(file.addresses.begin(), file.addresses.end(),
                           [&](std::uint32_t address) { return bms::check_address(*family, address).has_value(); });
    };
    if (families.size() == 1) return families.front();
    auto found = std::find_if(families.begin(), families.end(), speaks);
    if (found == families.end()) found = std::find_if(families.begin(), families.end(), understands);
    if (found == families.end()) found = std::find_if(families.begin(), families.end(), has_addresses);
    return found == families.end() ? families.front() : *found;
}

/// A number, or a text that is one: in a configuration everything is text.
Number parse_number(const json::value* value) {
    if (!value) return std::nullopt;
    if (value->is_number()) return value->to_number<double>();
    if (!value->is_string()) return std::nullopt;
    const std::string_view text = value->get_string();
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    return whole && std::isfinite(number) ? Number{number} : std::nullopt;
}

/// The keys of the configuration that decoders look at; others do not matter here.
bms::Options parse_options(const json::value* value) {
    bms::Options options;
    if (!value || !value->is_object()) return options;
    const auto number = [&](const char* key) { return parse_number(value->get_object().if_contains(key)); };
    options.invert_current = number("INVERT_CURRENT_MEASUREMENT") == -1;
    options.capacity_ah = number("BATTERY_CAPACITY");
    const auto modules = [&](const char* key, unsigned usual) {
        const double count = number(key).value_or(usual);
        return count >= 1 && count <= 32 ? static_cast<unsigned>(count) : usual;
    };
    options.series = modules("UBMS_CAN_MODULE_SERIES", options.series);
    options.parallel = modules("UBMS_CAN_MODULE_PARALLEL", options.parallel);
    return options;
}

/// The rest of a file that was recorded on a CAN bus.
Result<VectorFile> parse_can_file(VectorFile file, const std::vector<const bms::Family*>& families,
                                  const json::value& recorded) {
    const auto on_can = bms::on_can(families);
    if (on_can.empty())
        return tl::unexpected(Error{
            ErrorClass::config, "key \"frames\": " + std::string(families.front()->type) + " is not spoken on CAN"});
    auto frames = parse_frames(recorded);
    if (!frames) return tl::unexpected(frames.error());
    file.family = on_can.front();
    file.frames = std::move(*frames);
    return file;
}

Result<std::string> read_file(const std::string& path) {
    const auto unreadable = [](const std::string& why) {
        return tl::unexpected(Error{ErrorClass::config, "the file cannot be read: " + why});
    };
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a directory, name the files in it");
    std::ifstream file(path, std::ios::binary);
    if (!file) return unreadable(std::generic_category().message(errno));
    std::string text(max_vector_file + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (file.bad()) return unreadable("it breaks off while being read");
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > max_vector_file) return malformed("the file has more than 4 MiB: that is no vector file");
    return text;
}

}  // namespace

Result<VectorFile> parse_vector_file(std::string_view text) {
    if (text.empty()) return malformed("the file is empty");
    boost::system::error_code error;
    json::stream_parser parser;
    const std::size_t good = parser.write_some(text.data(), text.size(), error);
    if (!error && good < text.size() && text.find_first_not_of(" \t\r\n", good) != std::string_view::npos)
        error = json::error::extra_data;
    if (!error) parser.finish(error);
    if (error) return malformed("this is no JSON: " + error.message() + " at byte " + std::to_string(good));
    const json::value root = parser.release();
    if (!root.is_object()) return malformed("the file does not hold a JSON object");
    const json::object& keys = root.get_object();

    VectorFile file;
    const auto families = parse_families(keys.if_contains("bms"));
    if (!families) return tl::unexpected(families.error());
    auto addresses = parse_addresses(keys.if_contains("address"));
    if (!addresses) return tl::unexpected(addresses.error());
    file.options = parse_options(keys.if_contains("config"));
    file.several = keys.contains("address") && keys.at("address").is_array();
    file.addresses = std::move(*addresses);
    const json::value* const recorded = keys.if_contains("frames");
    if (recorded) return parse_can_file(std::move(file), *families, *recorded);
    auto exchanges = parse_exchanges(keys.if_contains("exchanges"));
    if (!exchanges) return tl::unexpected(exchanges.error());
    file.exchanges = std::move(*exchanges);
    const auto asked = bms::with_requests(*families);
    if (asked.empty())
        return tl::unexpected(Error{ErrorClass::config, "key \"exchanges\": " + std::string(families->front()->type) +
                                                            " is spoken on CAN: its recordings have \"frames\""});
    file.family = dialect_of(asked, file);
    return file;
}

std::vector<bms::Heard> listen(const VectorFile& file) {
    if (file.family->can) return bms::listen(*file.family, file.addresses, file.frames, file.options);
    return bms::listen(*file.family, file.addresses, file.exchanges, file.options);
}

Result<VectorFile> read_vector_file(const std::string& path) {
    auto text = read_file(path);
    if (!text) return tl::unexpected(text.error());
    return parse_vector_file(*text);
}

}  // namespace bmsd::app
