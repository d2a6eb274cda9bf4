// A vector file from a stranger: parsing it and listening to it must end with a result or a named error.
#include <string_view>

#include "app/reading_json.hpp"
#include "app/vector_file.hpp"
#include "require.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace bmsd;
    using test::require;
    const auto file = app::parse_vector_file({reinterpret_cast<const char*>(data), size});
    if (!file) {
        require(!file.error().detail.empty(), "an error says what happened");
        boost::json::parse(app::to_text(app::error_json(file.error())));
        return 0;
    }
    require(file->family != nullptr, "a parsed file has a family");
    const auto heard = bms::listen(*file->family, file->addresses, file->exchanges);
    require(heard.size() == (file->addresses.empty() ? 1 : file->addresses.size()), "one result per address");
    for (const bms::Heard& one : heard)
        boost::json::parse(
            app::to_text(one.reading ? app::reading_json(*one.reading) : app::error_json(one.reading.error())));
    return 0;
}
