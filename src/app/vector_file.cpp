#include "app/vector_file.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>

#include <boost/json.hpp>

#include "bms/catalog.hpp"

namespace bmsd::app {
namespace {

namespace json = boost::json;
using ByteList = std::vector<std::uint8_t>;

/// More addresses than any bus has.
constexpr std::size_t max_addresses = 256;

std::string in_quotes(std::string_view text) {
    return '"' + std::string(text) + '"';
}

auto malformed(const std::string& what) {
    return tl::unexpected(Error{ErrorClass::malformed, what});
}

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
/// understands the answers.
const bms::Family* dialect_of(const std::vector<const bms::Family*>& families, const VectorFile& file) {
    const auto speaks = [&](const bms::Family* family) { return bms::speaks(*family, file.addresses, file.exchanges); };
    const auto understands = [&](const bms::Family* family) {
        const auto heard = bms::listen(*family, file.addresses, file.exchanges, file.options);
        return std::any_of(heard.begin(), heard.end(), [](const bms::Heard& one) { return one.reading.has_value(); });
    };
    if (families.size() == 1) return families.front();
    auto found = std::find_if(families.begin(), families.end(), speaks);
    if (found == families.end()) found = std::find_if(families.begin(), families.end(), understands);
    return found == families.end() ? families.front() : *found;
}

/// The keys of the configuration that decoders look at; others do not matter here.
bms::Options parse_options(const json::value* value) {
    bms::Options options;
    if (!value || !value->is_object()) return options;
    const auto number = [&](const char* key) -> Number {
        const json::value* found = value->get_object().if_contains(key);
        return found && found->is_number() ? Number{found->to_number<double>()} : std::nullopt;
    };
    options.invert_current = number("INVERT_CURRENT_MEASUREMENT") == -1;
    options.capacity_ah = number("BATTERY_CAPACITY");
    return options;
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
    auto exchanges = parse_exchanges(keys.if_contains("exchanges"));
    if (!exchanges) return tl::unexpected(exchanges.error());
    file.options = parse_options(keys.if_contains("config"));
    file.several = keys.contains("address") && keys.at("address").is_array();
    file.addresses = std::move(*addresses);
    file.exchanges = std::move(*exchanges);
    file.family = dialect_of(*families, file);
    return file;
}

Result<VectorFile> read_vector_file(const std::string& path) {
    auto text = read_file(path);
    if (!text) return tl::unexpected(text.error());
    return parse_vector_file(*text);
}

}  // namespace bmsd::app
